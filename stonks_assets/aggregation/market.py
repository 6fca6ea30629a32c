"""What the market did: closes by session, forward and abnormal returns, and the context of a trend's window.

Bars come from `stonks_core.prices.reading`, in the scale of `as_of` and with their `total_return`; bars as traded are
taken as those of companies that neither split nor pay. Only bars with `available_at <= as_of` exist. An abnormal return
is a company's return less the equal-weight mean return of the tracked universe over the same sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from stonks_assets.aggregation.arrays import NEVER, Floats, Ints, codes, floats, instants, micros, starts_of, texts
from stonks_core.prices.adjusting import DAILY, TOTAL_RETURN, adjusted
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.vocabulary import Window

MEAN_SESSIONS = 20


@dataclass(frozen=True)
class Sessions:
    """Daily bars as matrices of (session, ticker), sessions in order; NaN where a ticker has no bar.

    `days` are the sessions' dates, `ends` is when each closed and `known_at` when the last of its bars became available,
    in microseconds. `close` is the series that returns are taken from: closing prices, dividends put back.
    """

    tickers: tuple[str, ...]
    days: tuple[str, ...]
    ends: Ints
    known_at: Ints
    close: Floats
    volume: Floats

    def column(self, ticker: str) -> int | None:
        """The ticker's column, or None when it has no bar."""
        return self.tickers.index(ticker) if ticker in self.tickers else None

    def base_of(self, published: Ints) -> Ints:
        """Per instant, the last session that had closed by then; -1 where none had."""
        return np.asarray(np.searchsorted(self.ends, published, side="right") - 1, dtype=np.int64)

    def forward(self, horizon: int) -> Floats:
        """Return from each session's close to the close `horizon` sessions later, (sessions, tickers); NaN if open."""
        returns = np.full(self.close.shape, np.nan)
        if 0 < horizon < self.ends.size:
            returns[:-horizon] = self.close[horizon:] / self.close[:-horizon] - 1.0
        return returns

    def abnormal(self, horizon: int) -> Floats:
        """`forward` less its equal-weight mean over the tickers that have one."""
        returns = self.forward(horizon)
        return returns - _row_means(returns)[:, None]

    def closed_at(self, base: Ints, horizon: int) -> Ints:
        """When base and the session `horizon` after it were both known; NEVER where one is not there yet."""
        last = base + horizon
        inside = (base >= 0) & (last < self.ends.size)
        known = np.full(base.shape, NEVER, dtype=np.int64)
        known[inside] = np.maximum(self.known_at[base[inside]], self.known_at[last[inside]])
        return known


@dataclass(frozen=True)
class Context:
    """The market around a ticker: last price, volume against its mean, volatility, and the return over each window."""

    reference_price: float | None
    volume_ratio: float | None
    volatility: float | None
    returns: dict[Window, float | None]


def adjusted_bars(bars: pa.Table, as_of: datetime) -> pa.Table:
    """The bars that could be used at `as_of`, by ticker and end, with a total return beside them."""
    if TOTAL_RETURN not in bars.column_names:
        return adjusted(bars, CORPORATE_ACTIONS.schema.empty_table(), as_of)
    return bars.filter(pa.array(instants(bars, "available_at") <= micros(as_of)))


def sessions(bars: pa.Table, as_of: datetime, universe: Sequence[str]) -> Sessions:
    """The daily bars of the universe known at `as_of`, by session."""
    bars = adjusted_bars(bars, as_of)
    wanted = np.isin(texts(bars, "ticker"), np.array(sorted(set(universe)), dtype=object))
    bars = bars.filter(pa.array(wanted & (texts(bars, "span") == DAILY)))
    day, days = codes(bars, "day")
    ticker, tickers = codes(bars, "ticker")
    shape = (len(days), len(tickers))
    close, volume = np.full(shape, np.nan), np.full(shape, np.nan)
    close[day, ticker], volume[day, ticker] = floats(bars, TOTAL_RETURN), floats(bars, "volume")
    ends, known_at = np.zeros(len(days), dtype=np.int64), np.zeros(len(days), dtype=np.int64)
    np.maximum.at(ends, day, instants(bars, "end_at"))
    np.maximum.at(known_at, day, instants(bars, "available_at"))
    return Sessions(tuple(tickers), tuple(days), ends, known_at, close, volume)


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


def _row_means(returns: Floats) -> Floats:
    """Mean of each row over what is there; NaN for a row of nothing, without numpy's warning."""
    present = ~np.isnan(returns)
    counts = present.sum(axis=1)
    sums = np.where(present, returns, 0.0).sum(axis=1)
    means: Floats = np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    return means
