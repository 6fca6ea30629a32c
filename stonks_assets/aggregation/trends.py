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
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stonks_assets.aggregation.arrays import fields, starts_of, to_table
from stonks_assets.aggregation.evidence import Contenders, contenders, rank_evidence
from stonks_assets.aggregation.origins import stories, tellers
from stonks_assets.aggregation.weights import SHORT, LayerWeights, base_weights, recency
from stonks_assets.aggregation.windows import SHAPES, WindowShape
from stonks_core.columns import Flags, Floats, Ints, codes, floats, instants, micros, round_micros
from stonks_core.identifiers import digest, digests
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
    """The signals that can count at an instant, ordered so that sums never depend on the order they came in.

    `row` is where a signal stands in `signals`.
    """

    signals: pa.Table
    tickers: list[str]
    layers: list[str]
    row: Ints
    ticker: Ints
    layer: npt.NDArray[np.uint8]
    published: Ints
    sentiment: Floats
    impact: Floats
    confidence: Floats
    base: Floats

    def of(self, wanted: Flags) -> "_Counting":
        """Some of them, in their order."""
        arrays = ("row", "ticker", "layer", "published", "sentiment", "impact", "confidence", "base")
        rows = np.flatnonzero(wanted)
        return replace(self, **{name: getattr(self, name).take(rows) for name in arrays})


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
    # The longest first: what a shorter one looks at is among what is left.
    shapes = sorted((SHAPES[w] for w in windows), key=lambda shape: shape.since(as_of, intraday_since))
    counting = _counting(signals, as_of, weights, min(shape.since(as_of, intraday_since) for shape in shapes))
    trends: list[pa.Table] = []
    found: list[Contenders] = []
    for shape in shapes:
        within = counting.published > micros(shape.since(as_of, intraday_since))
        counting = counting if within.all() else counting.of(within)
        window = _window(counting, shape, as_of)
        if window is not None:
            trends.append(window[0])
            found.append(window[1])
    whole = pa.concat_tables([TREND_SCHEMA.empty_table(), *trends])
    return whole, rank_evidence(whole["trend_id"], found, counting.signals, as_of)


def _counting(signals: pa.Table, as_of: datetime, weights: LayerWeights, since: datetime) -> _Counting:
    """The origins of after `since` among all signals known at `as_of`."""
    now = micros(as_of)
    if any(instants(signals, clock).max(initial=now) > now for clock in ("available_at", "published_at")):
        known = (instants(signals, "available_at") <= now) & (instants(signals, "published_at") <= now)
        signals = signals.filter(pa.array(known))
    ticker, tickers = codes(signals, "ticker")
    layer, layers = codes(signals, "layer")
    published = instants(signals, "published_at")
    # Origins first: the other columns are needed of these alone.
    row = tellers(signals, stories(signals, layer, layers), ticker, published)
    told_at = published.take(row)
    late = np.flatnonzero(told_at > micros(since))
    row, published = row.take(late), told_at.take(late)
    ticker, told_in = ticker.take(row), layer.astype(np.uint8).take(row)
    duration, durations = codes(signals, "duration")
    short = np.array([name == SHORT for name in durations], dtype=np.bool_)[duration]
    stale = now - published > round_micros(weights.short_staleness)
    impact, confidence = floats(signals, "impact").take(row), floats(signals, "confidence").take(row)
    base = base_weights(
        layer_weight=np.array([weights.by_layer[name] for name in layers], dtype=np.float64)[told_in],
        credibility=floats(signals, "credibility").take(row),
        novelty=floats(signals, "novelty").take(row),
        confidence=confidence,
        impact=impact,
        stale_short=short.take(row) & stale,
    )
    told = _Counting(
        signals=signals,
        tickers=tickers,
        layers=layers,
        row=row,
        ticker=ticker,
        layer=told_in,
        published=published,
        sentiment=floats(signals, "sentiment").take(row),
        impact=impact,
        confidence=confidence,
        base=base,
    )
    return told if (base > 0).all() else told.of(base > 0)


def _window(counting: _Counting, shape: WindowShape, as_of: datetime) -> tuple[pa.Table, Contenders] | None:
    """The trends of a window over all these signals, and what may be evidence; None when nothing counts."""
    fade = recency(micros(as_of) - counting.published, shape.half_life)
    w = counting.base * fade
    if not (w > 0).all():
        counting, fade, w = counting.of(w > 0), fade[w > 0], w[w > 0]
    if w.size == 0:
        return None
    ticker, v = counting.ticker, counting.sentiment
    starts = starts_of(ticker)
    lean = w * v
    total = np.add.reduceat(w, starts)
    positive = np.add.reduceat(np.maximum(lean, 0.0), starts)
    negative = np.add.reduceat(np.maximum(-lean, 0.0), starts)
    # Weights against the heaviest: squares of very small ones would vanish.
    relative = w / np.repeat(np.maximum.reduceat(w, starts), np.diff(np.append(starts, w.size)))
    n_effective = np.add.reduceat(relative, starts) ** 2 / np.add.reduceat(relative * relative, starts)
    mean_confidence = np.add.reduceat(w * counting.confidence, starts) / total
    score = np.clip((positive - negative) / total, -1.0, 1.0)
    contradiction = _ratio(2 * np.minimum(positive, negative), positive + negative)
    confidence = mean_confidence * -np.expm1(-n_effective) * (1 - 0.5 * contradiction)
    names = [counting.tickers[code] for code in ticker[starts].tolist()]
    window = str(shape.window)
    ids = digests("trend", names, window, as_of.isoformat())
    trends: dict[str, Any] = {
        "trend_id": ids,
        "ticker": names,
        "window": pa.repeat(window, len(names)),
        "score": score,
        "strength": np.abs(score) * -np.expm1(-total),
        "confidence": np.clip(confidence, 0.0, 1.0),
        "contradiction": contradiction,
        "direction": directions(score, contradiction),
        "positive": positive,
        "negative": negative,
        "total_weight": total,
        "n_effective": n_effective,
        "signals_counted": np.diff(np.append(starts, ticker.size)),
        **_shares(counting, np.abs(lean), starts),
        "as_of": pa.repeat(pa.scalar(as_of, TREND_SCHEMA.field("as_of").type), len(names)),
    }
    found = contenders(
        starts=starts,
        score=score,
        weight=w,
        relative=relative,
        impact=counting.impact,
        recency=fade,
        confidence=counting.confidence,
        sentiment=v,
        row=counting.row,
    )
    return to_table(trends, TREND_SCHEMA), found


def directions(score: Floats, contradiction: Floats) -> list[str]:
    """Where trends point: the score decides; only an undecided score asks for the contradiction."""
    decided = [score >= DIRECTION_THRESHOLD, score <= -DIRECTION_THRESHOLD, contradiction >= MIXED_THRESHOLD]
    chosen = np.select(decided, [0, 1, 2], 3)
    names = [str(d) for d in (Direction.BULLISH, Direction.BEARISH, Direction.MIXED, Direction.NEUTRAL)]
    return [names[number] for number in chosen.tolist()]


def _shares(counting: _Counting, lean: Floats, starts: Ints) -> dict[str, Floats]:
    whole = np.add.reduceat(lean, starts)
    shares = {}
    for name in Layer:
        if name in counting.layers:
            part = np.add.reduceat(lean * (counting.layer == counting.layers.index(name)), starts)
        else:
            part = np.zeros_like(whole)
        shares[f"{name}_share"] = _ratio(part, whole)
    return shares


def _ratio(part: Floats, whole: Floats) -> Floats:
    """`part / whole` in [0, 1], 0 where the whole is 0."""
    divided = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.clip(divided, 0.0, 1.0)
