"""The one way from the lake to a price series: bars and corporate actions read together, adjusted as of an instant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_core.prices.adjusting import DAILY, SNAPSHOT, Actions, adjusted, known_actions
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import LakeTable

BAR_COLUMNS = (
    *("day", "ticker", "span", "start_at", "end_at", "feed"),
    *("open", "high", "low", "close", "volume", "available_at"),
)
PRICE_TABLES = (MARKET_SNAPSHOTS, CORPORATE_ACTIONS)
"""What a price rests on: whoever remembers what it was computed from names the versions of both."""


class LakeReader(Protocol):
    """The part of the lake that is needed; see `Lake`."""

    def read(
        self,
        table: LakeTable,
        *,
        days: tuple[date, date] | None = None,
        as_of: datetime | None = None,
        columns: Sequence[str] | None = None,
        where: ds.Expression | None = None,
    ) -> pa.Table:
        """Rows of the days that could have been known at `as_of`."""
        ...


@dataclass(frozen=True)
class StoredPrices:
    """Bars as traded and the corporate actions of their tickers, to be adjusted for any instant up to the last day."""

    bars: pa.Table
    actions: pa.Table

    def as_of(self, instant: datetime) -> pa.Table:
        """The bars known at an instant, in its scale; see `adjusting.adjusted`."""
        return adjusted(self.bars, self.actions, instant)


def stored_prices(
    lake: LakeReader,
    days: tuple[date, date],
    *,
    as_of: datetime | None = None,
    tickers: Collection[str] | None = None,
    running: bool = False,
) -> StoredPrices:
    """Daily bars of the sessions from the first to the last day, of some tickers or all, and their corporate actions.

    With `running` the last day's snapshots come too, for whoever wants the newest price; they are of span `snapshot`
    and never belong into a daily series. `as_of` leaves what was known later unread.
    """
    wanted = ds.field("span") == DAILY
    if running:
        wanted |= (ds.field("span") == SNAPSHOT) & (ds.field("day") == days[1].isoformat())
    named = _named(tickers)
    bars = lake.read(
        MARKET_SNAPSHOTS,
        days=days,
        as_of=as_of,
        columns=BAR_COLUMNS,
        where=wanted if named is None else wanted & named,
    )
    return StoredPrices(bars, lake.read(CORPORATE_ACTIONS, days=days, as_of=as_of, where=named))


def read_bars(
    lake: LakeReader,
    days: tuple[date, date],
    as_of: datetime,
    *,
    tickers: Collection[str] | None = None,
    running: bool = False,
) -> pa.Table:
    """The bars of the days (both included) that were known at `as_of`, one feed a day, in the scale of `as_of`.

    Columns: those of `BAR_COLUMNS` and `total_return`; rows by ticker and end. See `stored_prices` and `adjusting`.
    """
    return stored_prices(lake, days, as_of=as_of, tickers=tickers, running=running).as_of(as_of)


def read_actions(
    lake: LakeReader, days: tuple[date, date], as_of: datetime, *, tickers: Collection[str] | None = None
) -> Mapping[str, Actions]:
    """Each ticker's splits and dividends with an ex-date in the days (both included), as they were known at `as_of`."""
    return known_actions(lake.read(CORPORATE_ACTIONS, days=days, as_of=as_of, where=_named(tickers)), as_of)


def _named(tickers: Collection[str] | None) -> ds.Expression | None:
    return None if tickers is None else ds.field("ticker").isin(pa.array(sorted(tickers), pa.string()))
