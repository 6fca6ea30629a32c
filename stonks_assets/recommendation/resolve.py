"""From ranked signals down to the sentence: which words of which document a piece of evidence rests on.

A company signal rests on its impact record's quote, a macro signal on its event's, a competitive signal on that of the
record about the other company. Reads the lake, decides nothing; a table that cannot be read hides its own layer's
sentences and no other's.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.recommendation.sentence import Sentence
from stonks_core.identifiers import day_of_document
from stonks_core.prices.reading import LakeReader
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
    SIGNALS,
)
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.vocabulary import Layer

LOOKED_UP = (SIGNALS, COMPETITIVE_SIGNALS, MACRO_IMPACTS, IMPACT_RECORDS, GLOBAL_EVENTS, DOCUMENTS)
_QUOTE = ("quote", "quote_start", "quote_end", "document_sha256", "document_id")


@dataclass(frozen=True)
class Found:
    """The sentence behind each signal, by signal id, and why a table could not be read, by its name."""

    sentences: dict[str, Sentence]
    unreadable: dict[str, str]


def sentences(lake: LakeReader, evidence: Iterable[dict[str, Any]], as_of: datetime) -> Found:
    """The sentence behind each signal of the evidence; a signal whose record is gone is missing.

    `evidence` are rows of `trend_evidence`. Look-ups touch only the days that the documents' ids begin with.
    """
    rows = list(evidence)
    if not rows:
        return Found({}, {})
    documents = {row["document_id"] for row in rows}
    look = _Look(lake, as_of, documents)
    signals = look.by("signal_id", SIGNALS, {row["signal_id"] for row in rows}, _SIGNAL)
    of: dict[str, set[str]] = {layer: set() for layer in Layer}
    for signal in signals.values():
        of[signal["layer"]].add(signal["source_record_id"])
    competitive = look.by("competitive_id", COMPETITIVE_SIGNALS, of[Layer.COMPETITIVE], ("impact_id", "source_ticker"))
    macro = look.by("macro_impact_id", MACRO_IMPACTS, of[Layer.MACRO], ("event_id",))
    impact_ids = of[Layer.COMPANY] | {row["impact_id"] for row in competitive.values()}
    impacts = look.by("impact_id", IMPACT_RECORDS, impact_ids, _QUOTE)
    events = look.by("event_id", GLOBAL_EVENTS, {row["event_id"] for row in macro.values()}, _QUOTE)
    publishers = look.by("document_id", DOCUMENTS, documents, ("publisher", "source_name"))
    found: dict[str, Sentence] = {}
    for signal_id, signal in signals.items():
        source, about = signal["source_record_id"], ""
        if signal["layer"] == Layer.COMPETITIVE:
            pair = competitive.get(source, {})
            quoted, about = impacts.get(pair.get("impact_id", "")), pair.get("source_ticker", "")
        elif signal["layer"] == Layer.MACRO:
            quoted = events.get(macro.get(source, {}).get("event_id", ""))
        else:
            quoted = impacts.get(source)
        if quoted is not None:
            publisher = publishers.get(signal["document_id"], {})
            found[signal_id] = Sentence(
                layer=signal["layer"],
                source_record_id=source,
                document_id=quoted["document_id"],
                document_sha256=quoted["document_sha256"],
                quote=quoted["quote"],
                start=quoted["quote_start"],
                end=quoted["quote_end"],
                publisher=publisher.get("publisher") or publisher.get("source_name") or "publisher unknown",
                published_at=signal["published_at"],
                about=about,
                catalyst=signal["catalyst"],
            )
    return Found(found, look.unreadable)


_SIGNAL = ("layer", "source_record_id", "document_id", "published_at", "catalyst")


class _Look:
    """Look-ups by key in the partitions of a set of documents, as they stood at an instant."""

    def __init__(self, lake: LakeReader, as_of: datetime, documents: Collection[str]) -> None:
        self._lake = lake
        self._as_of = as_of
        days: list[date] = sorted({day_of_document(document) for document in documents})
        self._span = (days[0], days[-1])
        self.unreadable: dict[str, str] = {}
        self._days = pa.array([day.isoformat() for day in days], pa.string())

    def by(
        self, key: str, table: LakeTable, wanted: Collection[str], columns: Iterable[str]
    ) -> dict[str, dict[str, Any]]:
        """Rows of a table by a key column, as far as they are there and can be read."""
        if not wanted:
            return {}
        among = ds.field(key).isin(pa.array(sorted(wanted), pa.string())) & ds.field("day").isin(self._days)
        names = list(dict.fromkeys((key, *columns)))
        try:
            rows = self._lake.read(table, days=self._span, as_of=self._as_of, columns=names, where=among)
        except STORE_FAILURES as error:
            self.unreadable[table.name] = in_words(error)
            return {}
        return {str(row[key]): row for row in rows.to_pylist()}
