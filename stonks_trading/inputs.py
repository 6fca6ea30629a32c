"""What trading reads from the lake: recommendations and daily bars, as they could be known at an instant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_core.clock import require_utc
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import UTC_MICROS, LakeTable
from stonks_core.vocabulary import Action, Mode, Window
from stonks_trading.records import Recommendation

LONGEST_VALIDITY = timedelta(days=46)  # half of the longest window, and a day for the partition's date
BAR_DAYS = timedelta(days=130)  # holds 61 sessions for 60 daily returns, whatever the holidays
_RECOMMENDATION_COLUMNS = (
    "recommendation_id",
    "ticker",
    "window",
    "action",
    "mode",
    "strength",
    "confidence",
    "as_of",
    "expires_at",
    "reference_price",
)
_BAR_COLUMNS = ("ticker", "start_at", "feed", "high", "low", "close", "available_at")


class LakeReader(Protocol):
    """The part of the lake that trading needs; see `Lake`."""

    def version(self, table: LakeTable) -> int:
        """The table's newest version."""
        ...

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
class DailyBar:
    """One session of a ticker, dollars."""

    start_at: datetime
    high: float
    low: float
    close: float


def recommendations(lake: LakeReader, as_of: datetime) -> tuple[Recommendation, ...]:
    """Every recommendation that was known and not expired at `as_of`, `hold` and `watch` included."""
    instant = pa.scalar(require_utc(as_of), UTC_MICROS)
    rows = lake.read(
        RECOMMENDATIONS,
        days=((as_of - LONGEST_VALIDITY).date(), as_of.date()),
        as_of=as_of,
        columns=_RECOMMENDATION_COLUMNS,
        where=ds.field("expires_at") > instant,
    )
    return tuple(_recommendation(row) for row in rows.to_pylist())


def _recommendation(row: Mapping[str, Any]) -> Recommendation:
    price = row["reference_price"]
    return Recommendation(
        recommendation_id=row["recommendation_id"],
        ticker=row["ticker"],
        window=Window(row["window"]),
        action=Action(row["action"]),
        mode=Mode(row["mode"]),
        strength=row["strength"],
        confidence=row["confidence"],
        as_of=row["as_of"],
        expires_at=row["expires_at"],
        reference_price=None if price is None else Decimal(str(price)),
    )


class DailyBars:
    """Daily bars by ticker, kept until the table changes: a decision in between reads nothing."""

    def __init__(self, lake: LakeReader) -> None:
        self._lake = lake
        self._key: tuple[int, date] | None = None
        self._rows: Mapping[str, list[tuple[str, datetime, DailyBar]]] = {}

    def of(self, tickers: Iterable[str], as_of: datetime) -> Mapping[str, tuple[DailyBar, ...]]:
        """Finished sessions of each ticker that were known at `as_of`, oldest first, from the one feed that has most."""
        self._refresh(as_of)
        return {ticker: _one_feed(self._rows.get(ticker, []), as_of) for ticker in tickers}

    def all(self, as_of: datetime) -> Mapping[str, tuple[DailyBar, ...]]:
        """The same of every ticker that has bars."""
        self._refresh(as_of)
        return self.of(self._rows, as_of)

    def _refresh(self, as_of: datetime) -> None:
        key = (self._lake.version(MARKET_SNAPSHOTS), as_of.date())
        if key == self._key:
            return
        table = self._lake.read(
            MARKET_SNAPSHOTS,
            days=((as_of - BAR_DAYS).date(), as_of.date()),
            columns=_BAR_COLUMNS,
            where=ds.field("span") == "1d",
        )
        rows: dict[str, list[tuple[str, datetime, DailyBar]]] = {}
        for row in table.to_pylist():
            bar = DailyBar(row["start_at"], row["high"], row["low"], row["close"])
            rows.setdefault(row["ticker"], []).append((row["feed"], row["available_at"], bar))
        self._key, self._rows = key, rows


def _one_feed(rows: Sequence[tuple[str, datetime, DailyBar]], as_of: datetime) -> tuple[DailyBar, ...]:
    feeds: dict[str, dict[datetime, DailyBar]] = {}
    for feed, available_at, bar in rows:
        if available_at <= as_of:
            feeds.setdefault(feed, {})[bar.start_at] = bar
    if not feeds:
        return ()
    best = max(sorted(feeds), key=lambda feed: len(feeds[feed]))
    return tuple(feeds[best][start] for start in sorted(feeds[best]))
