"""What trading reads from the lake: recommendations and daily bars, as they could be known at an instant."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from stonks_core.clock import require_utc
from stonks_core.prices.adjusting import effective, known_actions
from stonks_core.prices.reading import PRICE_TABLES, StoredPrices, stored_prices
from stonks_core.prices.reading import LakeReader as PriceReader
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.tables import UTC_MICROS, LakeTable
from stonks_core.vocabulary import Action, Mode, Window
from stonks_trading.history import DailyBar, History
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

    def pieces(
        self, table: LakeTable, days: tuple[date, date], known: Collection[str], columns: Sequence[str]
    ) -> Iterable[tuple[str, pa.Table | None]]:
        """The days' rows in pieces that never change, by name; None for the rows of one that is known."""
        ...


class Recommendations:
    """The recommendations of the lake, each file of them read once."""

    def __init__(self, lake: LakeReader) -> None:
        self._lake = lake
        self._pieces: dict[str, tuple[Recommendation, ...]] = {}

    def at(self, as_of: datetime) -> tuple[Recommendation, ...]:
        """Every recommendation that was known and not expired at `as_of`, `hold` and `watch` included."""
        days = ((require_utc(as_of) - LONGEST_VALIDITY).date(), as_of.date())
        pieces: dict[str, tuple[Recommendation, ...]] = {}
        for name, rows in self._lake.pieces(RECOMMENDATIONS, days, self._pieces.keys(), _RECOMMENDATION_COLUMNS):
            pieces[name] = self._pieces[name] if rows is None else _of_rows(rows)
        self._pieces = pieces
        return tuple(r for piece in pieces.values() for r in piece if r.as_of <= as_of < r.expires_at)


def _of_rows(rows: pa.Table) -> tuple[Recommendation, ...]:
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
        self._shown: tuple[object, History] | None = None

    def of(self, tickers: Iterable[str], as_of: datetime) -> History:
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
            bars = _by_ticker(stored.as_of(as_of))
            splits = {t: own.splits for t, own in known_actions(stored.actions, as_of).items() if own.splits}
            since = {ticker: effective(max(split.ex_date for split in own)) for ticker, own in splits.items()}
            self._shown = (known, History({ticker: bars.get(ticker, ()) for ticker in sorted(wanted)}, since))
        return self._shown[1]


def _known(table: pa.Table, as_of: datetime) -> int:
    """How many rows could have been known: with the same tables and day, as many rows are the same rows."""
    return int(pc.sum(pc.less_equal(table["available_at"], pa.scalar(as_of, UTC_MICROS))).as_py() or 0)


def _by_ticker(bars: pa.Table) -> Mapping[str, tuple[DailyBar, ...]]:
    found: dict[str, list[DailyBar]] = {}
    columns = (bars[name].to_pylist() for name in ("ticker", "start_at", "high", "low", "close", "volume"))
    for ticker, start_at, high, low, close, volume in zip(*columns, strict=True):
        found.setdefault(ticker, []).append(DailyBar(start_at, high, low, close, volume or 0.0))
    return {ticker: tuple(own) for ticker, own in found.items()}
