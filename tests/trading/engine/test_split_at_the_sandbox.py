"""A split over the wire, end to end: told by the market data, done by the sandbox's broker, followed by the daemon's tasks."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from stonks_assets.ingestion.action_shapes import corporate_actions
from stonks_core.calendar import MarketCalendar
from stonks_core.clock import ManualClock
from stonks_core.registry.companies import rename_company
from stonks_core.registry.editing import Author, editing
from stonks_core.settings import load_settings
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.postgres import Database
from stonks_sandbox.world.protocol import Action, Rename, Split
from stonks_trading.broker.alpaca import AlpacaBroker
from stonks_trading.door import open_door
from stonks_trading.engine.daemon import Daemon, Parts
from stonks_trading.engine.lease import Lease
from stonks_trading.session import TradingSession
from tests.contracts.test_broker_contract import adapter
from tests.sandbox.alpaca_served import KEYS, Server, serve
from tests.sandbox.test_alpaca_scripted_world import NOON, Played, ScriptedWorld, bar
from tests.trading.bench import FakeLake

BOUGHT = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)  # half an hour into New York's session
CLOSE = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
OPEN = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
DAY = date(2026, 3, 5)


def script() -> ScriptedWorld:
    """In old shares: 100 when it is bought, 101 at the next open, 80 two minutes after it."""
    first = [bar(BOUGHT + timedelta(seconds=5 * n), (100.0,) * 4) for n in range(-12, 24)]
    prices = [101.0] * 24 + [80.0] * 24
    second = [bar(OPEN + timedelta(seconds=5 * n), (price,) * 4) for n, price in enumerate(prices)]
    return ScriptedWorld({"AAA": first + second}, calendar_name="XNYS")


@dataclass
class House:
    """A daemon over the sandbox's broker; nothing runs but the tasks that are asked to."""

    database: Database
    lake: FakeLake
    clock: ManualClock
    server: Server
    broker: AlpacaBroker
    session: TradingSession
    daemon: Daemon

    def to(self, at: datetime) -> None:
        self.clock.advance_to(at)
        self.server.at((at - NOON).total_seconds())

    def run(self, *names: str) -> list[str]:
        """One cycle of each task; what each says of itself."""
        tasks = {task.name: task for task in self.daemon.tasks()}
        return [asyncio.run(tasks[name].cycle()) for name in names]

    def one(self, query: str) -> dict[str, Any]:
        found = self.database.fetch_one(query)  # type: ignore[arg-type]  # written in this file
        assert found is not None
        return found

    def hear(self) -> int:
        """Take what the market data tells of corporate actions into the lake; how many splits those are."""
        params = {"start": "2026-03-01", "end": "2026-03-12"}
        answer = httpx.get(f"{self.server.data}/v1/corporate-actions", params=params, headers=KEYS).raise_for_status()
        raw = {"response_headers": "{}", "sha256": "s"}
        rows = [row for row in corporate_actions(answer.json(), raw, "splits") if isinstance(row, dict)]
        self.lake.rows[CORPORATE_ACTIONS.name] = [{**row, "available_at": self.clock.now()} for row in rows]
        return len(rows)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[Callable[[Action], House]]:
    """A house that holds a position with its stop at rest, on the afternoon before the action."""
    with contextmanager(_houses)(database, tmp_path) as build:
        yield build


def _houses(database: Database, folder: Path) -> Iterator[Callable[[Action], House]]:
    opened: list[Any] = []

    def build(action: Action) -> House:
        played = Played(script(), [action])
        running = contextmanager(serve)(played, folder, requests_per_minute=1000)  # type: ignore[arg-type]
        server = running.__enter__()
        broker = adapter(server.url, server.data)
        opened.extend([broker.close, lambda: running.__exit__(None, None, None)])
        lake, calendar, clock = FakeLake(), MarketCalendar("XNYS"), ManualClock(BOUGHT - timedelta(hours=1))
        lake.bars("AAA", date(2026, 3, 3), [100 + (i % 3) for i in range(30)], calendar)
        lake.recommend("r1", BOUGHT - timedelta(minutes=5), ticker="AAA")
        database.execute("INSERT INTO companies (ticker, legal_name, sector) VALUES ('AAA', 'Triple', 'Technology')")
        settings = load_settings({"TRADING_GRADUAL_ENTRY_TRANCHES": "1"})
        session = TradingSession(settings, lake, database, broker, calendar, clock, open_door)
        daemon = Daemon(Parts(settings, database, session, Lease(database, "me"), clock), asyncio.Event())
        made = House(database, lake, clock, server, broker, session, daemon)
        made.to(BOUGHT)
        session.reconcile()
        made.run("decisions")
        made.to(BOUGHT + timedelta(seconds=11))
        made.run("sync", "stops", "stops")
        assert made.one("SELECT protection FROM positions") == {"protection": "broker"}
        return made

    yield build
    for close in opened:
        close()


@pytest.mark.parametrize(
    "split", [Split("AAA", DAY, Decimal(1), Decimal(4)), Split("AAA", DAY, Decimal(10), Decimal(1))]
)
def test_stops_are_priced_anew_before_the_open_and_rest_and_fire_in_new_shares(
    house: Callable[[Action], House], split: Split
) -> None:
    made = house(split)
    before = made.one(
        "SELECT p.quantity, s.stop FROM positions p JOIN position_stop_levels s USING (account_id, ticker)"
    )
    assert made.hear() == 1, "the market data tells of it a week before"
    made.to(CLOSE + timedelta(minutes=1))
    assert made.run("sync") == ["0 fills booked, 0 breaks"]
    assert made.one("SELECT state FROM orders WHERE purpose = 'protective_stop'") == {"state": "expired"}

    made.to(MORNING)
    (told,) = made.broker.positions()
    assert told.quantity == pytest.approx(before["quantity"] * split.ratio, abs=Decimal("0.000000001"))
    assert made.run("sync", "stops")[0] == "0 fills booked, 0 breaks"
    after = made.one(
        "SELECT p.quantity, s.stop FROM positions p JOIN position_stop_levels s USING (account_id, ticker)"
    )
    assert after["quantity"] == told.quantity
    assert after["stop"] == pytest.approx(before["stop"] / split.ratio, abs=Decimal("0.005"))
    assert made.one("SELECT count(*) AS n FROM orders WHERE side = 'sell' AND purpose <> 'protective_stop'") == {"n": 0}

    made.to(OPEN + timedelta(seconds=11))
    made.run("stops", "sync")
    armed = made.database.fetch("SELECT * FROM orders WHERE purpose = 'protective_stop' ORDER BY intended_at")[-1]
    assert (armed["state"], armed["quantity"]) == ("accepted", after["quantity"])
    assert armed["stop_price"] >= after["stop"]
    assert armed["stop_price"] < Decimal(101) / split.ratio

    made.to(OPEN + timedelta(minutes=2, seconds=11))
    assert made.run("sync") == ["1 fills booked, 0 breaks"]
    fired = made.one(f"SELECT * FROM orders WHERE order_id = '{armed['order_id']}'")
    assert (fired["state"], made.broker.positions()) == ("filled", [])
    profit = made.one("SELECT sum(realised_pnl) AS total FROM positions")["total"]
    assert profit == pytest.approx(made.broker.account().cash - 100_000, abs=Decimal("0.01"))
    assert profit < 0


def test_a_symbol_change_moves_the_position_and_its_stop(house: Callable[[Action], House]) -> None:
    made = house(Rename("AAA", DAY, "ZZZ"))
    level = made.one("SELECT stop FROM position_stop_levels")["stop"]
    assert made.hear() == 0
    made.to(CLOSE + timedelta(minutes=1))
    made.run("sync")
    with editing(made.database, Author("ann", "it trades as ZZZ"), MORNING) as edit:
        rename_company(edit, "AAA", "ZZZ", None, None)
    made.to(MORNING)
    assert made.run("sync") == ["0 fills booked, 0 breaks"]
    held = made.one("SELECT ticker, quantity FROM positions WHERE quantity > 0")
    assert [(p.ticker, p.quantity) for p in made.broker.positions()] == [("ZZZ", held["quantity"])]
    assert made.one("SELECT ticker, stop FROM position_stop_levels") == {"ticker": "ZZZ", "stop": level}
    made.to(OPEN + timedelta(seconds=11))
    made.run("stops", "sync")
    armed = made.database.fetch("SELECT * FROM orders WHERE purpose = 'protective_stop' ORDER BY intended_at")[-1]
    assert (armed["ticker"], armed["state"], armed["quantity"]) == ("ZZZ", "accepted", held["quantity"])
