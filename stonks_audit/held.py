"""What a counterfactual holds as it was: competitive signals judged by responses to the documents that are taken away."""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.competitive import NONE
from stonks_core.identifiers import day_of_document
from stonks_core.patterns.matching import RESPONSE_SESSIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS, IMPACT_RECORDS
from stonks_core.vocabulary import Layer
from stonks_core.why.lookup import Row, rows_by

_SHORTEST_RESPONSE = timedelta(days=RESPONSE_SESSIONS - 1)
"""The first of the sessions may have been under way."""
_PATTERN = ("source_ticker", "catalyst", "pattern", "cluster_id", "available_at")
_TOLD = ("ticker", "catalyst", "cluster_id", "published_at")


def held_patterns(lake: Lake, documents: Collection[str], left: pa.Table) -> list[str]:
    """A sentence for each document that tells earlier news of the kind by which signals among `left` are judged.

    `left` are the signals of one company that stay, with all columns. Without such a document the mean response and its
    consistency would be others, and so would sign and impact of these signals: they are counted as they were.
    """
    competitive = left.filter(ds.field("layer") == str(Layer.COMPETITIVE))
    days = {day_of_document(name) for name in competitive["document_id"].to_pylist()}
    named = set(competitive["source_record_id"].to_pylist())
    judged = rows_by(lake, COMPETITIVE_SIGNALS, "competitive_id", named, days, _PATTERN).values()
    patterns = [row for row in judged if row["pattern"] != NONE]
    if not patterns:
        return []
    counts: Counter[tuple[str, str, str]] = Counter()
    for document in documents:
        day = day_of_document(document)
        told = lake.read(IMPACT_RECORDS, days=(day, day), columns=_TOLD, where=ds.field("document_id") == document)
        for record in told.to_pylist():
            key = (document, record["ticker"], record["catalyst"])
            counts[key] += sum(_may_be_sample(record, row) for row in patterns)
    return [
        f"document {document} is earlier news of {ticker} too ({catalyst}), and responses to such news are what {count} of the "
        "competitive signals that are left rest on: these are held as they were"
        for (document, ticker, catalyst), count in counts.items()
        if count
    ]


def _may_be_sample(told: Row, judged: Row) -> bool:
    """Whether a record may be a sample of a signal's pattern: earlier, of its kind, and long enough ago to be responded to."""
    kind = (told["ticker"], told["catalyst"]) == (judged["source_ticker"], judged["catalyst"])
    apart = told["cluster_id"] != judged["cluster_id"]
    return bool(kind and apart and told["published_at"] + _SHORTEST_RESPONSE < judged["available_at"])
