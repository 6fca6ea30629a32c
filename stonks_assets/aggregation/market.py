"""The market around a trend's window: last price, return, volume and volatility. Only bars known by `as_of` exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from stonks_assets.aggregation.arrays import starts_of
from stonks_core.columns import Floats, Ints, codes, floats, instants, micros, texts
from stonks_core.prices.adjusting import DAILY, TOTAL_RETURN
from stonks_core.prices.sessions import adjusted_bars
from stonks_core.vocabulary import Window

MEAN_SESSIONS = 20


@dataclass(frozen=True)
class Context:
    """The market around a ticker: last price, volume against its mean, volatility, and the return over each window."""

    reference_price: float | None
    volume_ratio: float | None
    volatility: float | None
    returns: dict[Window, float | None]


def contexts(
    bars: pa.Table,
    as_of: datetime,
    tickers: Sequence[str],
    since: dict[Window, datetime],
    sessions_per_year: int,
) -> dict[str, Context]:
    """The market's context of each ticker at `as_of`; `since` is where each window begins.

    - reference price: the close of the last bar of any length that ended by `as_of`;
    - return of a window: that price over the last close at or before the window's start, less 1, dividends put back;
    - volume ratio: the last session's volume over the mean of the last 20 sessions, that one included;
    - volatility: the standard deviation (n - 1) of the last 20 daily log total returns times the root of
      `sessions_per_year` (252 on an exchange, 365 where the market never closes).

    None wherever the bars do not reach that far.
    """
    bars = adjusted_bars(bars, as_of)
    end, close, total = instants(bars, "end_at"), floats(bars, "close"), floats(bars, TOTAL_RETURN)
    daily = texts(bars, "span") == DAILY
    volume, (code, names) = floats(bars, "volume"), codes(bars, "ticker")
    # At one instant the shorter bar's close is the later price; a daily bar sorts before the others.
    order = np.lexsort((~daily, end, code))
    order = order[end[order] <= micros(as_of)]
    starts = starts_of(code[order])
    stops = np.append(starts, order.size)[1:]
    found = {}
    for first, last in zip(starts, stops, strict=True):
        rows = order[first:last]
        name = names[code[rows[0]]]
        finished = rows[daily[rows]]
        history = _History(end[rows], total[rows], volume[finished], total[finished])
        found[name] = _context(float(close[rows[-1]]), history, since, sessions_per_year)
    nothing = Context(None, None, None, dict.fromkeys(since))
    return {ticker: found.get(ticker, nothing) for ticker in tickers}


def realised_volatility(closes: Floats, sessions_per_year: int, returns: int = MEAN_SESSIONS) -> float | None:
    """Annualised standard deviation of the last `returns` log returns; None with fewer closes than that needs."""
    if closes.size < returns + 1:
        return None
    logs = np.diff(np.log(closes[-returns - 1 :]))
    return float(np.std(logs, ddof=1) * np.sqrt(sessions_per_year))


@dataclass(frozen=True)
class _History:
    """One ticker's bars, oldest first: ends and total returns of all, volumes and total returns of the daily ones."""

    end: Ints
    total: Floats
    volumes: Floats
    daily: Floats


def _context(price: float, history: _History, since: dict[Window, datetime], sessions_per_year: int) -> Context:
    last = float(history.total[-1])
    returns: dict[Window, float | None] = {}
    for window, begin in since.items():
        base = int(np.searchsorted(history.end, micros(begin), side="right")) - 1
        returns[window] = last / float(history.total[base]) - 1.0 if base >= 0 else None
    volumes = history.volumes[-MEAN_SESSIONS:]
    known = volumes.size == MEAN_SESSIONS and volumes.mean() > 0
    ratio = float(volumes[-1] / volumes.mean()) if known else None
    return Context(price, ratio, realised_volatility(history.daily, sessions_per_year), returns)
