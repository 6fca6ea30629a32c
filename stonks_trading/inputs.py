"""What trading reads from the lake: recommendations and daily bars, as they could be known at an instant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from stonks_core.clock import require_utc
from stonks_core.prices.reading import PRICE_TABLES, StoredPrices, stored_prices
from stonks_core.prices.reading import LakeReader as PriceReader
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
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


class LakeReader(PriceReader, Protocol):
    """The part of the lake that trading needs; see `Lake`."""

    def version(self, table: LakeTable) -> int:
        """The table's newest version."""
        ...


@dataclass(frozen=True)
class DailyBar:
    """One session of a ticker, dollars and shares; a volume of 0 is unknown."""

    start_at: datetime
    high: float
    low: float
    close: float
    volume: float = 0.0


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
    """Daily bars by ticker in the scale of the asking instant, kept until something new is known."""

    def __init__(self, lake: LakeReader) -> None:
        self._lake = lake
        self._stored: tuple[object, StoredPrices] | None = None
        self._shown: tuple[object, Mapping[str, tuple[DailyBar, ...]]] | None = None

    def of(self, tickers: Iterable[str], as_of: datetime) -> Mapping[str, tuple[DailyBar, ...]]:
        """Finished sessions of each ticker that were known at `as_of`, oldest first, splits taken out of their prices."""
        wanted = frozenset(tickers)
        versions = tuple(self._lake.version(table) for table in PRICE_TABLES)
        key = (versions, as_of.date(), wanted)
        if self._stored is None or self._stored[0] != key:
            days = ((as_of - BAR_DAYS).date(), as_of.date())
            self._stored, self._shown = (key, stored_prices(self._lake, days, tickers=wanted)), None
        stored = self._stored[1]
        known = tuple(_known(table, as_of) for table in (stored.bars, stored.actions))
        if self._shown is None or self._shown[0] != known:
            self._shown = (known, _by_ticker(stored.as_of(as_of)))
        return {ticker: self._shown[1].get(ticker, ()) for ticker in sorted(wanted)}


def _known(table: pa.Table, as_of: datetime) -> int:
    """How many rows could have been known: with the same tables and day, as many rows are the same rows."""
    return int(pc.sum(pc.less_equal(table["available_at"], pa.scalar(as_of, UTC_MICROS))).as_py() or 0)


def _by_ticker(bars: pa.Table) -> Mapping[str, tuple[DailyBar, ...]]:
    found: dict[str, list[DailyBar]] = {}
    columns = (bars[name].to_pylist() for name in ("ticker", "start_at", "high", "low", "close", "volume"))
    for ticker, start_at, high, low, close, volume in zip(*columns, strict=True):
        found.setdefault(ticker, []).append(DailyBar(start_at, high, low, close, volume or 0.0))
    return {ticker: tuple(own) for ticker, own in found.items()}
