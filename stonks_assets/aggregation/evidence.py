"""Which signals speak for a trend: the ten best, ranked, each marked as supporting or contradicting it.

    evidence score = 0.4 W / max(W) + 0.3 impact + 0.2 recency + 0.1 confidence

Equal scores are ordered by document id (then signal id). A signal contradicts when its sentiment has the opposite
sign of the trend's score, and supports otherwise.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa

from stonks_assets.aggregation.arrays import Floats, Ints, Texts, fields, to_table
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
    impact: Floats,
    recency: Floats,
    confidence: Floats,
    sentiment: Floats,
    signal: Texts,
    document: Texts,
    layer: Texts,
    as_of: datetime,
) -> pa.Table:
    """The ten best signals of each trend (`EVIDENCE_SCHEMA`).

    Trends are runs of the per-signal arrays, beginning at `starts`; `trend_ids` and `score` are per trend. Ids are
    compared only among the rows that reach a trend's tenth score, so that a million signals cost one number sort.
    """
    lengths = np.diff(np.append(starts, weight.size))
    trend = np.repeat(np.arange(starts.size), lengths)
    heaviest = np.maximum.reduceat(weight, starts)[trend]
    value = 0.4 * (weight / heaviest) + 0.3 * impact + 0.2 * recency + 0.1 * confidence
    by_value = np.lexsort((-value, trend))
    tenth = value[by_value[starts + np.minimum(lengths, BEST) - 1]][trend]
    rows = np.flatnonzero(value >= tenth)
    rows = rows[np.lexsort((_ranks(signal[rows]), _ranks(document[rows]), -value[rows], trend[rows]))]
    counts = np.bincount(trend[rows], minlength=starts.size)
    rank = np.arange(rows.size) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    rows, rank = rows[rank <= BEST], rank[rank <= BEST]
    against = sentiment[rows] * score[trend[rows]] < 0
    return to_table(
        {
            "trend_id": np.array(trend_ids, dtype=object)[trend[rows]],
            "rank": rank,
            "signal_id": signal[rows],
            "document_id": document[rows],
            "layer": layer[rows],
            "stance": np.where(against, CONTRADICTING, SUPPORTING).astype(object),
            "weight": weight[rows],
            "recency": recency[rows],
            "evidence_score": value[rows],
            "as_of": [as_of] * rows.size,
        },
        EVIDENCE_SCHEMA,
    )


def _ranks(values: Texts) -> Ints:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)
