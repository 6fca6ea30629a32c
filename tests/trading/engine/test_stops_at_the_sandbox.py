"""Stops at rest over the wire: a session, the Alpaca adapter and the sandbox, whose rules are the broker's."""

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from stonks_core.calendar import MarketCalendar
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.postgres import Database
from stonks_trading.door import open_door
from stonks_trading.session import TradingSession
from tests.contracts.test_broker_contract import adapter
from tests.sandbox.test_alpaca_http import serve
from tests.sandbox.test_alpaca_scripted_world import NOON, ScriptedWorld, bar
from tests.trading.bench import FakeLake

RISES, FALLS = 12, 24  # five-second bars after noon from which the price is 104, and 90


def script() -> list[Any]:
    def price(n: int) -> float:
        return 90.0 if n >= FALLS else 104.0 if n >= RISES else 100.0

    return [bar(NOON + timedelta(seconds=5 * n), (price(n),) * 4) for n in range(-60, 60)]


def test_a_stop_rests_trails_and_fires_at_the_broker(database: Database, tmp_path: Path) -> None:
    lake, calendar, clock = FakeLake(), MarketCalendar("24/7"), ManualClock(NOON)
    lake.bars("AAA", NOON.date() - timedelta(days=1), [100 + (i % 3) for i in range(30)], calendar)
    lake.recommend("r1", NOON - timedelta(minutes=5), ticker="AAA")
    database.execute("INSERT INTO companies (ticker, legal_name, sector) VALUES ('AAA', 'Triple', 'Technology')")
    settings = load_settings({"TRADING_GRADUAL_ENTRY_TRANCHES": "1", "MARKET_CALENDAR": "24/7"})
    with contextmanager(serve)(ScriptedWorld({"AAA": script()}), tmp_path, requests_per_minute=1000) as running:
        broker = adapter(running.url, running.data)
        session = TradingSession(settings, lake, database, broker, calendar, clock, open_door)

        def to(seconds: int) -> None:
            clock.advance_to(NOON + timedelta(seconds=seconds))
            running.at(seconds)
            look(session, clock)

        session.reconcile()
        to(0)
        to(11)  # the entry has filled
        to(12)
        (resting,) = stops(database)
        held = database.fetch_one("SELECT quantity, protection FROM positions")
        assert held is not None
        assert (resting["state"], resting["quantity"], held["protection"]) == ("accepted", held["quantity"], "broker")
        assert held["quantity"] != held["quantity"].to_integral_value(), "a fractional stop, which only DAY takes"
        to(5 * RISES + 6)
        before, trailed = stops(database)
        assert (before["state"], trailed["state"]) == ("canceled", "accepted")
        level = database.fetch_one("SELECT stop FROM position_stop_levels")
        assert level is not None
        assert trailed["stop_price"] == level["stop"] > before["stop_price"] + 3
        assert [o.client_order_id for o in broker.open_orders()] == [trailed["order_id"]]
        clock.advance_to(NOON + timedelta(seconds=5 * FALLS + 11))
        running.at(5 * FALLS + 11)
        assert session.sync(clock.now()).breaks == ()
        assert [o["state"] for o in stops(database)] == ["canceled", "filled"]
        assert broker.positions() == []
        broker.close()


def look(session: TradingSession, clock: ManualClock) -> None:
    """One round of the daemon's tasks."""
    now = clock.now()
    session.sync(now)
    session.decide(now)
    session.check_stops(now)
    session.protect(now)
    session.send_outbox(now)


def stops(database: Database) -> list[dict[str, Any]]:
    return database.fetch("SELECT * FROM orders WHERE purpose = 'protective_stop' ORDER BY intended_at")
