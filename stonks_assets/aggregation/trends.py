"""Signals to trends, for every ticker and window in one pass over columns.

Per ticker and window, with W the weight of a signal and v its sentiment:

    P, N, T        = sums of W v over v > 0, of W |v| over v < 0, and of W
    score          = (P - N) / T                                    in [-1, 1]
    contradiction  = 2 min(P, N) / (P + N), 0 where P + N = 0        in [0, 1]
    n_effective    = T ** 2 / sum(W ** 2)
    strength       = |score| (1 - exp(-T))
    confidence     = (sum(W confidence) / T) (1 - exp(-n_effective)) (1 - 0.5 contradiction)
    direction      = bullish from 0.15, bearish from -0.15 down, else mixed from contradiction 0.4, else neutral
    layer shares   = sum of W |v| of the layer / sum of W |v|; all 0 where that sum is 0

A ticker whose signals weigh nothing in a window has no trend there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from stonks_assets.aggregation.arrays import (
    Flags,
    Floats,
    Ints,
    Texts,
    codes,
    combine,
    fields,
    floats,
    instants,
    micros,
    round_micros,
    starts_of,
    texts,
    to_table,
)
from stonks_assets.aggregation.evidence import EVIDENCE_SCHEMA, rank_evidence
from stonks_assets.aggregation.origins import earliest
from stonks_assets.aggregation.weights import SHORT, LayerWeights, base_weights, recency
from stonks_assets.aggregation.windows import SHAPES, WindowShape
from stonks_core.identifiers import digest
from stonks_core.stores.lake.gold_tables import TREND_HISTORY
from stonks_core.vocabulary import Direction, Layer, Window

DIRECTION_THRESHOLD = 0.15
MIXED_THRESHOLD = 0.4

TREND_SCHEMA = fields(
    TREND_HISTORY,
    *("trend_id", "ticker", "window", "score", "strength", "confidence", "contradiction", "direction"),
    *("positive", "negative", "total_weight", "n_effective", "signals_counted"),
    *("company_share", "macro_share", "competitive_share", "as_of"),
)
"""What `aggregate` answers; the market's context and the provenance are laid beside it by the step."""


@dataclass(frozen=True)
class _Counting:
    """The signals that can count at an instant, ordered so that sums never depend on the order they came in."""

    tickers: list[str]
    layers: list[str]
    ticker: Ints
    layer: Ints
    published: Ints
    sentiment: Floats
    impact: Floats
    confidence: Floats
    base: Floats
    signal: Texts
    document: Texts
    layer_name: Texts


def trend_id(ticker: str, window: str, as_of: datetime) -> str:
    """The trend of a ticker and window at an instant."""
    return digest("trend", ticker, window, as_of.isoformat())


def aggregate(
    signals: pa.Table,
    as_of: datetime,
    weights: LayerWeights,
    intraday_since: datetime,
    *,
    windows: Iterable[Window] = tuple(Window),
) -> tuple[pa.Table, pa.Table]:
    """Trends (`TREND_SCHEMA`) and their evidence (`EVIDENCE_SCHEMA`) at `as_of`, of all tickers in `signals`.

    `signals` has the columns of the lake table of that name, in any order; rows published or available after `as_of`
    are as if they were not there. A story's origin is found among the rows that are left, whatever their
    `origin_signal_id` says today. `intraday_since` is the close of the previous session.
    """
    counting = _counting(signals, as_of, weights)
    trends, evidence = [TREND_SCHEMA.empty_table()], [EVIDENCE_SCHEMA.empty_table()]
    for window in windows:
        found = _window(counting, SHAPES[window], as_of, intraday_since)
        if found is not None:
            trends.append(found[0])
            evidence.append(found[1])
    return pa.concat_tables(trends), pa.concat_tables(evidence)


def _counting(signals: pa.Table, as_of: datetime, weights: LayerWeights) -> _Counting:
    now = micros(as_of)
    known = (instants(signals, "available_at") <= now) & (instants(signals, "published_at") <= now)
    signals = signals.filter(pa.array(known))
    ticker, tickers = codes(signals, "ticker")
    layer, layers = codes(signals, "layer")
    cluster, clusters = codes(signals, "cluster_id")
    published, impact = instants(signals, "published_at"), floats(signals, "impact")
    document, signal = texts(signals, "document_id"), texts(signals, "signal_id")
    story = combine((ticker, len(tickers)), (layer, len(layers)), (cluster, len(clusters)))
    short = texts(signals, "duration") == SHORT
    age = now - published
    layer_weight = np.array([weights.by_layer[name] for name in layers], dtype=np.float64)
    base = base_weights(
        layer_weight=layer_weight[layer] if layers else np.empty(0),
        credibility=floats(signals, "credibility"),
        novelty=floats(signals, "novelty"),
        confidence=floats(signals, "confidence"),
        impact=impact,
        stale_short=short & (age > round_micros(weights.short_staleness)),
    )
    sentiment, confidence = floats(signals, "sentiment"), floats(signals, "confidence")
    rows = np.flatnonzero(earliest(story, published, document, impact, signal) & (base > 0))
    rows = rows[
        np.lexsort((confidence[rows], impact[rows], sentiment[rows], base[rows], published[rows], ticker[rows]))
    ]
    return _Counting(
        tickers=tickers,
        layers=layers,
        ticker=ticker[rows],
        layer=layer[rows],
        published=published[rows],
        sentiment=sentiment[rows],
        impact=impact[rows],
        confidence=confidence[rows],
        base=base[rows],
        signal=signal[rows],
        document=document[rows],
        layer_name=np.array(layers, dtype=object)[layer[rows]] if layers else np.empty(0, dtype=object),
    )


def _window(
    counting: _Counting, shape: WindowShape, as_of: datetime, intraday_since: datetime
) -> tuple[pa.Table, pa.Table] | None:
    """One window's trends and evidence; None when nothing counts in it."""
    fade = recency(micros(as_of) - counting.published, shape.half_life)
    weight = counting.base * fade
    inside = (counting.published > micros(shape.since(as_of, intraday_since))) & (weight > 0)
    if not inside.any():
        return None
    ticker, w, v = counting.ticker[inside], weight[inside], counting.sentiment[inside]
    starts = starts_of(ticker)
    lean = w * np.abs(v)
    total = np.add.reduceat(w, starts)
    positive = np.add.reduceat(np.where(v > 0, lean, 0.0), starts)
    negative = np.add.reduceat(np.where(v < 0, lean, 0.0), starts)
    # Weights against the heaviest: squares of very small ones would vanish.
    relative = w / np.repeat(np.maximum.reduceat(w, starts), np.diff(np.append(starts, w.size)))
    n_effective = np.add.reduceat(relative, starts) ** 2 / np.add.reduceat(relative**2, starts)
    mean_confidence = np.add.reduceat(w * counting.confidence[inside], starts) / total
    score = np.clip((positive - negative) / total, -1.0, 1.0)
    contradiction = _ratio(2 * np.minimum(positive, negative), positive + negative)
    confidence = mean_confidence * -np.expm1(-n_effective) * (1 - 0.5 * contradiction)
    names = [counting.tickers[code] for code in ticker[starts]]
    ids = [trend_id(name, shape.window, as_of) for name in names]
    trends: dict[str, Any] = {
        "trend_id": ids,
        "ticker": names,
        "window": [str(shape.window)] * len(names),
        "score": score,
        "strength": np.abs(score) * -np.expm1(-total),
        "confidence": np.clip(confidence, 0.0, 1.0),
        "contradiction": contradiction,
        "direction": [str(direction(s, c)) for s, c in zip(score, contradiction, strict=True)],
        "positive": positive,
        "negative": negative,
        "total_weight": total,
        "n_effective": n_effective,
        "signals_counted": np.diff(np.append(starts, ticker.size)),
        **_shares(counting, inside, lean, starts),
        "as_of": [as_of] * len(names),
    }
    evidence = rank_evidence(
        trend_ids=ids,
        starts=starts,
        score=score,
        weight=w,
        impact=counting.impact[inside],
        recency=fade[inside],
        confidence=counting.confidence[inside],
        sentiment=v,
        signal=counting.signal[inside],
        document=counting.document[inside],
        layer=counting.layer_name[inside],
        as_of=as_of,
    )
    return to_table(trends, TREND_SCHEMA), evidence


def direction(score: float, contradiction: float) -> Direction:
    """Where a trend points: its score decides; only an undecided score asks for the contradiction."""
    if score >= DIRECTION_THRESHOLD:
        return Direction.BULLISH
    if score <= -DIRECTION_THRESHOLD:
        return Direction.BEARISH
    return Direction.MIXED if contradiction >= MIXED_THRESHOLD else Direction.NEUTRAL


def _shares(counting: _Counting, inside: Flags, lean: Floats, starts: Ints) -> dict[str, Floats]:
    whole = np.add.reduceat(lean, starts)
    layer = counting.layer[inside]
    shares = {}
    for name in Layer:
        code = counting.layers.index(name) if name in counting.layers else -1
        part = np.add.reduceat(np.where(layer == code, lean, 0.0), starts)
        shares[f"{name}_share"] = _ratio(part, whole)
    return shares


def _ratio(part: Floats, whole: Floats) -> Floats:
    """`part / whole` in [0, 1], 0 where the whole is 0."""
    divided = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.clip(divided, 0.0, 1.0)
