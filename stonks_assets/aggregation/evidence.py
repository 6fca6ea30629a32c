"""Which signals speak for a trend: the ten best, ranked, each marked as supporting or contradicting it.

    evidence score = 0.4 W / max(W) + 0.3 impact + 0.2 recency + 0.1 confidence

Equal scores are ordered by document id (then signal id). A signal contradicts when its sentiment has the opposite
sign of the trend's score, and supports otherwise.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from stonks_assets.aggregation.arrays import fields, starts_of, to_table
from stonks_core.columns import Floats, Ints, codes
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE

BEST = 10
SUPPORTING, CONTRADICTING = "supporting", "contradicting"

EVIDENCE_SCHEMA = fields(TREND_EVIDENCE, *(column.name for column in TREND_EVIDENCE.columns))


def rank_evidence(
    *,
    trend_ids: Sequence[str],
    starts: Ints,
    score: Floats,
    weight: Floats,
    relative: Floats,
    impact: Floats,
    recency: Floats,
    confidence: Floats,
    sentiment: Floats,
    row: Ints,
    signals: pa.Table,
    as_of: datetime,
) -> pa.Table:
    """The ten best signals of each trend (`EVIDENCE_SCHEMA`).

    Trends are runs of the per-signal arrays, beginning at `starts`; `trend_ids` and `score` are per trend. `relative`
    is a signal's weight over its trend's heaviest, `row` its place in `signals`, whose texts are looked at only for
    what is among the ten best.
    """
    value = 0.4 * relative + 0.3 * impact + 0.2 * recency + 0.1 * confidence
    lengths = np.diff(np.append(starts, value.size))
    near = np.flatnonzero(value >= np.repeat(_under_the_tenth(value, starts, lengths), lengths))
    trend = np.repeat(np.arange(starts.size), lengths)[near]
    order = np.lexsort((-value[near], trend))
    near, trend = near[order], trend[order]
    begin = starts_of(trend)
    counts = np.diff(np.append(begin, trend.size))
    tenth = value[near[begin + np.minimum(counts, BEST) - 1]]
    kept = value[near] >= np.repeat(tenth, counts)
    near, trend = near[kept], trend[kept]
    order = _by_names_where_equal(value[near], trend, signals, row[near])
    near, trend = near[order], trend[order]
    begin = starts_of(trend)
    rank = np.arange(near.size) - np.repeat(begin, np.diff(np.append(begin, trend.size))) + 1
    near, trend, rank = near[rank <= BEST], trend[rank <= BEST], rank[rank <= BEST]
    against = sentiment[near] * score[trend] < 0
    named = signals.select(["signal_id", "document_id", "layer"]).take(row[near])
    columns: dict[str, Any] = {
        "trend_id": pa.array(trend_ids, pa.string()).take(pa.array(trend)),
        "rank": rank,
        "stance": pa.array([SUPPORTING, CONTRADICTING]).take(pa.array(against.astype(np.int8))),
        "weight": weight[near],
        "recency": recency[near],
        "evidence_score": value[near],
        "as_of": pa.repeat(pa.scalar(as_of, EVIDENCE_SCHEMA.field("as_of").type), near.size),
    }
    columns |= {name: named[name].cast(pa.string()).combine_chunks() for name in named.column_names}
    return to_table(columns, EVIDENCE_SCHEMA)


def _under_the_tenth(value: Floats, starts: Ints, lengths: Ints) -> Floats:
    """For each trend a bound that its tenth best value reaches: the least of the maxima of ten parts of it.

    Some thirty signals of a trend lie above, however many it has, and only these need be sorted. Of a trend with fewer
    than ten signals, none may be left out.
    """
    parts = np.where(lengths >= BEST, BEST, 1)
    first = np.cumsum(parts) - parts
    number = np.arange(parts.sum()) - np.repeat(first, parts)
    edges = np.repeat(starts, parts) + number * np.repeat(lengths, parts) // np.repeat(parts, parts)
    least = np.minimum.reduceat(np.maximum.reduceat(value, edges), first)
    return np.where(lengths >= BEST, least, -np.inf)


def _by_names_where_equal(value: Floats, trend: Ints, signals: pa.Table, row: Ints) -> Ints:
    """The order by document, then signal, within equal values of a trend; all else stays as it stands."""
    run = np.cumsum(np.concatenate(([True], (value[1:] != value[:-1]) | (trend[1:] != trend[:-1]))))
    order = np.arange(value.size)
    equal = np.flatnonzero(np.bincount(run)[run] > 1)
    if equal.size:
        some = signals.select(["document_id", "signal_id"]).take(row[equal])
        (document, _), (signal, _) = codes(some, "document_id"), codes(some, "signal_id")
        order[equal] = equal[np.lexsort((signal, document, run[equal]))]
    return order
