"""Daily bars as matrices of (session, ticker), and the returns, forward and abnormal, that are read off them. Pure.

Bars come from `stonks_core.prices.reading`, in the scale of an instant and with their `total_return`; bars as traded
are taken as those of companies that neither split nor pay. An abnormal return is a company's return less the
equal-weight mean return of the tracked universe over the same sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stonks_core.columns import NEVER, Floats, Ints, codes, floats, instants
from stonks_core.prices.adjusting import DAILY, TOTAL_RETURN, adjusted
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.tables import UTC_MICROS


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


def adjusted_bars(bars: pa.Table, as_of: datetime) -> pa.Table:
    """The bars that could be used at `as_of`, by ticker and end, with a total return beside them."""
    if TOTAL_RETURN not in bars.column_names:
        return adjusted(bars, CORPORATE_ACTIONS.schema.empty_table(), as_of)
    return bars.filter(pc.field("available_at") <= pa.scalar(as_of, UTC_MICROS))


def sessions(bars: pa.Table, as_of: datetime, universe: Sequence[str]) -> Sessions:
    """The daily bars of the universe known at `as_of`, by session."""
    bars = adjusted_bars(bars, as_of)
    among = pa.array(sorted(set(universe)), pa.string())
    bars = bars.filter(pc.field("ticker").isin(among) & (pc.field("span") == DAILY))
    day, days = codes(bars, "day")
    ticker, tickers = codes(bars, "ticker")
    shape = (len(days), len(tickers))
    close, volume = np.full(shape, np.nan), np.full(shape, np.nan)
    close[day, ticker], volume[day, ticker] = floats(bars, TOTAL_RETURN), floats(bars, "volume")
    ends, known_at = np.zeros(len(days), dtype=np.int64), np.zeros(len(days), dtype=np.int64)
    np.maximum.at(ends, day, instants(bars, "end_at"))
    np.maximum.at(known_at, day, instants(bars, "available_at"))
    return Sessions(tuple(tickers), tuple(days), ends, known_at, close, volume)


def _row_means(returns: Floats) -> Floats:
    """Mean of each row over what is there; NaN for a row of nothing, without numpy's warning."""
    present = ~np.isnan(returns)
    counts = present.sum(axis=1)
    sums = np.where(present, returns, 0.0).sum(axis=1)
    means: Floats = np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    return means
