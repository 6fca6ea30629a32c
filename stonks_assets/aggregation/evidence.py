"""Which signals speak for a trend: the ten best, ranked, each marked as supporting or contradicting it.

    evidence score = 0.4 W / max(W) + 0.3 impact + 0.2 recency + 0.1 confidence

Equal scores are ordered by document id (then signal id). A signal contradicts when its sentiment has the opposite
sign of the trend's score, and supports otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from stonks_assets.aggregation.arrays import fields, ordered, starts_of, taken, to_table
from stonks_core.columns import Flags, Floats, Ints, codes
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE

BEST, PARTS = 10, 20
_COARSE = np.iinfo(np.uint16).max
SUPPORTING, CONTRADICTING = "supporting", "contradicting"

EVIDENCE_SCHEMA = fields(TREND_EVIDENCE, *(column.name for column in TREND_EVIDENCE.columns))


@dataclass(frozen=True)
class Contenders:
    """Signals that may be among the ten best of their trend: by trend, then by falling score.

    `trends` is how many there are, `trend` the number of a signal's own, `row` where the signal stands in the table of signals.
    """

    trends: int
    trend: Ints
    row: Ints
    value: Floats
    weight: Floats
    recency: Floats
    against: Flags


def contenders(
    *,
    starts: Ints,
    score: Floats,
    weight: Floats,
    relative: Floats,
    impact: Floats,
    recency: Floats,
    confidence: Floats,
    sentiment: Floats,
    row: Ints,
) -> Contenders:
    """The ten best signals of each trend, and those that are as good as the tenth.

    Trends are runs of the per-signal arrays, beginning at `starts`; `score` is per trend. `relative` is a signal's
    weight over its trend's heaviest.
    """
    value = 0.4 * relative
    for share, grounds in ((0.3, impact), (0.2, recency), (0.1, confidence)):
        value += share * grounds
    lengths = np.diff(np.append(starts, value.size))
    near = np.flatnonzero(value >= np.repeat(_under_the_tenth(value, starts, lengths), lengths))
    trend = np.repeat(np.arange(starts.size), lengths)[near]
    short_of_one = _COARSE * np.maximum(1 - value[near], 0)
    order, _ = ordered(trend, -value[near], short_of_one.astype(np.uint16))
    near, trend = near[order], trend[order]
    begin = starts_of(trend)
    counts = np.diff(np.append(begin, trend.size))
    tenth = value[near[begin + np.minimum(counts, BEST) - 1]]
    kept = value[near] >= np.repeat(tenth, counts)
    near, trend = near[kept], trend[kept]
    against = sentiment[near] * score[trend] < 0
    return Contenders(starts.size, trend, row[near], value[near], weight[near], recency[near], against)


def rank_evidence(
    trend_ids: pa.ChunkedArray, found: Sequence[Contenders], signals: pa.Table, as_of: datetime
) -> pa.Table:
    """The ten best signals of each trend of some windows (`EVIDENCE_SCHEMA`); `trend_ids` are of all their trends.

    The texts of `signals` are looked at only for what is among the ten best, and once for all windows.
    """
    if not found:
        return EVIDENCE_SCHEMA.empty_table()
    before = np.cumsum([0, *(few.trends for few in found)])
    trend = np.concatenate([few.trend + first for few, first in zip(found, before, strict=False)])
    row, value, weight, recency, against = (
        np.concatenate([getattr(few, name) for few in found])
        for name in ("row", "value", "weight", "recency", "against")
    )
    order = _by_names_where_equal(value, trend, signals, row)
    begin = starts_of(trend)
    rank = np.arange(trend.size) - np.repeat(begin, np.diff(np.append(begin, trend.size))) + 1
    best, rank = order[rank <= BEST], rank[rank <= BEST]
    named = taken(signals.select(["signal_id", "document_id", "layer"]), row[best])
    columns: dict[str, Any] = {
        "trend_id": trend_ids.combine_chunks().take(pa.array(trend[best])),
        "rank": rank,
        "stance": pa.array([SUPPORTING, CONTRADICTING]).take(pa.array(against[best].astype(np.int8))),
        "weight": weight[best],
        "recency": recency[best],
        "evidence_score": value[best],
        "as_of": pa.repeat(pa.scalar(as_of, EVIDENCE_SCHEMA.field("as_of").type), best.size),
    }
    columns |= {name: named[name].cast(pa.string()).combine_chunks() for name in named.column_names}
    return to_table(columns, EVIDENCE_SCHEMA)


def _under_the_tenth(value: Floats, starts: Ints, lengths: Ints) -> Floats:
    """For each trend a bound that its tenth best value reaches: the tenth greatest of the maxima of twenty parts of it.

    Some fifteen signals of a trend lie above, however many it has, and only these need be sorted. Of a trend with fewer
    than twenty signals, none may be left out.
    """
    edges = starts[:, np.newaxis] + np.arange(PARTS) * lengths[:, np.newaxis] // PARTS
    maxima = np.maximum.reduceat(value, edges.ravel()).reshape(edges.shape)
    return np.where(lengths >= PARTS, np.partition(maxima, PARTS - BEST, axis=1)[:, PARTS - BEST], -np.inf)


def _by_names_where_equal(value: Floats, trend: Ints, signals: pa.Table, row: Ints) -> Ints:
    """The order by document, then signal, within equal values of a trend; all else stays as it stands."""
    run = np.cumsum(np.concatenate(([True], (value[1:] != value[:-1]) | (trend[1:] != trend[:-1]))))
    order = np.arange(value.size)
    equal = np.flatnonzero(np.bincount(run)[run] > 1)
    if equal.size:
        some = taken(signals.select(["document_id", "signal_id"]), row[equal])
        (document, _), (signal, _) = codes(some, "document_id"), codes(some, "signal_id")
        order[equal] = equal[np.lexsort((signal, document, run[equal]))]
    return order
