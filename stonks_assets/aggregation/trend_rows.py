"""What a trend at an instant is made of, read from the lake, and the trend as a row of it.

The step and whoever computes a stored trend again read and lay out through here, so that both get the same bytes.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.market import Context, contexts
from stonks_assets.aggregation.windows import LONGEST, SHAPES
from stonks_core.calendar import MarketCalendar
from stonks_core.columns import strings
from stonks_core.prices.reading import LakeReader, read_bars
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.vocabulary import Window

SIGNAL_COLUMNS = (
    *("signal_id", "ticker", "layer", "document_id", "cluster_id", "sentiment", "impact", "confidence", "novelty"),
    *("credibility", "duration", "published_at", "available_at"),
)
_MARKET_REACH = LONGEST + timedelta(days=10)


def known_signals(
    lake: LakeReader,
    as_of: datetime,
    *,
    tickers: Collection[str] | None = None,
    columns: Sequence[str] | None = SIGNAL_COLUMNS,
) -> pa.Table:
    """Every signal that can count in a window at `as_of`, of some companies or all."""
    days = ((as_of - LONGEST).date() - timedelta(days=1), as_of.date())
    wanted = None if tickers is None else ds.field("ticker").isin(pa.array(sorted(tickers), pa.string()))
    return lake.read(SIGNALS, days=days, as_of=as_of, columns=columns, where=wanted)


def market_around(
    lake: LakeReader, calendar: MarketCalendar, tickers: Sequence[str], as_of: datetime
) -> Mapping[str, Context]:
    """Each ticker's market context at `as_of`."""
    intraday_since = calendar.previous_close(as_of)
    since = {window: shape.since(as_of, intraday_since) for window, shape in SHAPES.items()}
    days = ((as_of - _MARKET_REACH).date(), as_of.date())
    bars = read_bars(lake, days, as_of, tickers=tickers, running=True)
    return contexts(bars, as_of, tickers, since, calendar.sessions_a_year)


def without_market(tickers: Sequence[str]) -> Mapping[str, Context]:
    """The context of trends that stand without prices."""
    return {ticker: Context(None, None, None, dict.fromkeys(Window)) for ticker in tickers}


def trend_rows(
    trends: pa.Table, market: Mapping[str, Context], as_of: datetime, degraded: str, input_versions: str
) -> pa.Table:
    """Trends as rows of the lake: with the market around them and what they were computed from."""
    found = [market[ticker] for ticker in strings(trends, "ticker")]
    windows = [Window(name) for name in strings(trends, "window")]
    size = trends.num_rows
    beside: dict[str, pa.Array[Any]] = {
        "window_return": pa.array([c.returns[w] for c, w in zip(found, windows, strict=True)], pa.float64()),
        "volume_ratio": pa.array([c.volume_ratio for c in found], pa.float64()),
        "volatility": pa.array([c.volatility for c in found], pa.float64()),
        "reference_price": pa.array([c.reference_price for c in found], pa.float64()),
        "degraded": pa.array([degraded] * size, pa.string()),
        "input_versions": pa.array([input_versions] * size, pa.string()),
    }
    for name, column in beside.items():
        trends = trends.append_column(name, column)
    return of_day(trends, as_of.date())


def of_day(rows: pa.Table, day: date) -> pa.Table:
    """Rows put under a day's partition."""
    return rows.append_column("day", pa.array([day.isoformat()] * rows.num_rows, pa.string()))
