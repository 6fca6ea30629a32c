"""A bench for the session's steps: a fake lake, the fake broker, a real database, a clock that is told."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_core.calendar import MarketCalendar
from stonks_core.clock import ManualClock
from stonks_core.settings import Settings, load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database
from stonks_trading.console import author, requests
from stonks_trading.door import Door, open_door
from stonks_trading.engine.lease import Fence, no_fence
from stonks_trading.session import TradingSession
from tests.trading.broker.fake_broker import NOON, FakeBroker

TICKER = "ORCL"


class FakeLake:
    """Tables in memory, read as the lake reads them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def version(self, table: LakeTable) -> int:
        return len(self.rows.get(table.name, []))

    def pieces(
        self, table: LakeTable, days: tuple[date, date], known: Collection[str], columns: Sequence[str]
    ) -> Iterator[tuple[str, pa.Table | None]]:
        for number, row in enumerate(self.rows.get(table.name, [])):
            if days[0].isoformat() <= row["day"] <= days[1].isoformat():
                one = FakeLake()
                one.rows[table.name] = [row]
                name = f"{number}:{sorted(row.items(), key=str)}"
                yield name, None if name in known else one.read(table, columns=columns)

    def read(
        self,
        table: LakeTable,
        *,
        days: tuple[date, date] | None = None,
        as_of: datetime | None = None,
        columns: Sequence[str] | None = None,
        where: ds.Expression | None = None,
    ) -> pa.Table:
        rows = [
            row
            for row in self.rows.get(table.name, [])
            if (days is None or days[0].isoformat() <= row["day"] <= days[1].isoformat())
            and (as_of is None or table.knowledge is None or row[table.knowledge] <= as_of)
        ]
        full = [{name: row.get(name) for name in table.schema.names} for row in rows]
        whole = pa.Table.from_pylist(full, schema=pa.schema([f.with_nullable(True) for f in table.schema]))
        return ds.dataset(whole).to_table(columns=list(columns) if columns else None, filter=where)

    def recommend(self, name: str, at: datetime, ticker: str = TICKER, **changes: Any) -> None:
        """A strong buy of the week's window that is valid for three days, or as changed."""
        row = {
            "day": at.date().isoformat(),
            "recommendation_id": name,
            "ticker": ticker,
            "window": "7d",
            "action": "buy",
            "mode": "paper_eligible",
            "strength": 0.8,
            "confidence": 0.9,
            "as_of": at,
            "expires_at": at + timedelta(days=3),
            "reference_price": 100.0,
        }
        self.rows.setdefault(RECOMMENDATIONS.name, []).append(row | changes)

    def bars(self, ticker: str, until: date, closes: Sequence[float], calendar: MarketCalendar) -> None:
        """Daily bars of the last sessions up to a date, one dollar high and low of their close."""
        sessions = calendar.sessions_between(until - timedelta(days=2 * len(closes) + 10), until)[-len(closes) :]
        for session, close in zip(sessions, closes, strict=True):
            row = {
                "day": session.day.isoformat(),
                "ticker": ticker,
                "span": "1d",
                "start_at": session.open,
                "end_at": session.close,
                "feed": "sandbox",
                "high": close + 1,
                "low": close - 1,
                "close": close,
                "available_at": session.close + timedelta(minutes=1),
            }
            self.rows.setdefault(MARKET_SNAPSHOTS.name, []).append(row)


class Bench:
    """One account. `session()` is a fresh process over the same stores and broker."""

    def __init__(self, database: Database, **environment: str) -> None:
        self.database, self.lake = database, FakeLake()
        self.calendar = MarketCalendar("XNYS")
        self.clock = ManualClock(NOON)
        self.settings: Settings = load_settings({"TRADING_GRADUAL_ENTRY_TRANCHES": "1", **environment})
        self.broker = FakeBroker(NOON, prices={TICKER: "100", "ACME": "50"})
        waves = {TICKER: [100 + (i % 3) for i in range(30)], "ACME": [50 + (i // 3 % 2) for i in range(30)]}
        for ticker, closes in waves.items():
            self.lake.bars(ticker, date(2026, 5, 1), closes, self.calendar)
        database.execute(
            """
            INSERT INTO companies (ticker, legal_name, sector)
            VALUES (%s, 'Oracle', 'Technology'), ('ACME', 'Acme', 'Energy') ON CONFLICT DO NOTHING
            """,
            (TICKER,),
        )

    def session(
        self, database: Database | None = None, fence: Fence = no_fence, door: Door = open_door
    ) -> TradingSession:
        stores = self.lake, database or self.database
        return TradingSession(self.settings, *stores, self.broker, self.calendar, self.clock, door, fence)

    def to(self, at: datetime) -> datetime:
        """Move the clock and the broker's clock."""
        self.clock.advance_to(at)
        self.broker.now = at
        return at

    def later(self, **delta: float) -> datetime:
        return self.to(self.clock.now() + timedelta(**delta))

    def ask(self, kind: requests.Kind, at: datetime) -> dict[str, Any]:
        """An operator's request to the account that trades."""
        with self.database.connection() as connection:
            account_id = author.account_of(connection)["account_id"]
            return requests.ask(connection, author.Author("said the test", at), account_id, kind)

    def orders(self) -> list[dict[str, Any]]:
        return self.database.fetch("SELECT * FROM orders ORDER BY intended_at, order_id")


def with_a_profit(database: Database) -> Bench:
    """A bench that bought at 100 on a Monday noon, sold all at 150 a minute later, and has not closed its books."""
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    session = made.session()
    session.reconcile()
    session.decide(at(16))
    for price in ("100", "150"):
        made.broker.prices[TICKER] = Decimal(price)
        session.check_stops(made.later(seconds=30))
        session.send_outbox(made.later(seconds=5))
        made.broker.fill_all()
        session.sweep(made.later(seconds=5))
        session.check_stops(made.later(seconds=5))
    return made


def at(hour: int, minute: int = 0, day: int = 4) -> datetime:
    """An instant of May 2026, UTC; the 4th is a Monday, New York's session is 13:30 to 20:00."""
    return datetime(2026, 5, day, hour, minute, tzinfo=UTC)
