"""A process that dies at any point of the order path, and the one after it: the same end, nothing twice, nothing lost."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, LiteralString

import pytest

from stonks_core.stores.postgres import Connection, Database
from stonks_trading.broker.orders import QUANTITY_CHANGED
from stonks_trading.session import TradingSession
from tests.trading.bench import TICKER, Bench, at


class Killed(BaseException):
    """The process dies here; nothing of ours catches it."""


class Fuse:
    """Burns once, at the n-th point that is passed."""

    def __init__(self, at_point: int) -> None:
        self.left = at_point
        self.passed: list[str] = []

    def __call__(self, point: str) -> None:
        self.passed.append(point)
        self.left -= 1
        if self.left == 0:
            raise Killed(point)


class DyingDatabase:
    """The database as a process sees it that may die before a commit (lost) or just after it (done, but not known)."""

    def __init__(self, database: Database, fuse: Callable[[str], None]) -> None:
        self._database, self._fuse = database, fuse

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._database.connection() as connection:
            yield connection
            self._fuse("before commit")
        self._fuse("after commit")

    def fetch(self, query: Any, parameters: Any = ()) -> list[dict[str, Any]]:
        return self._database.fetch(query, parameters)

    def fetch_one(self, query: Any, parameters: Any = ()) -> dict[str, Any] | None:
        return self._database.fetch_one(query, parameters)

    def execute(self, query: Any, parameters: Any = ()) -> int:
        with self.connection() as connection:
            return connection.execute(query, parameters).rowcount


def build(database: Database, name: str = "acc") -> Bench:
    """A bench with an account and recommendations of its own: books of different accounts never meet."""
    bench = Bench(database, TRADING_GRADUAL_ENTRY_TRANCHES="2")
    bench.broker.account_id = name
    bench.lake.recommend(f"{name} r1", at(15, 30))
    bench.lake.recommend(f"{name} r2", at(15, 40), ticker="ACME")
    return bench


def walk(bench: Bench, session: TradingSession, *, by_stream: bool) -> None:
    """A day: two entries in parts, stops at rest, one position left through its take-profit and one by its stop, the close.

    Every step may be walked again.
    """
    session.reconcile()
    for minute in (0, 1, 2):
        now = bench.to(max(at(16, minute), bench.clock.now()))
        session.decide(now)
        session.send_outbox(now)
        fill(bench, session, by_stream=by_stream and minute != 1)  # the second minute's events are missed
        session.sweep(now)
        session.check_stops(now)
        session.protect(now)
        session.send_outbox(now)
    bench.broker.prices[TICKER] = Decimal(120)
    bench.broker.prices["ACME"] = Decimal(45)
    now = bench.to(max(at(17), bench.clock.now()))
    fill(bench, session, by_stream=False)  # the stop at rest fires where its shares are not sold already
    session.sweep(now)
    session.check_stops(now)
    session.protect(now)
    session.send_outbox(now)
    fill(bench, session, by_stream=by_stream)
    session.sync(now)
    session.close_day(bench.to(max(at(20, 30), bench.clock.now())))


def fill(bench: Bench, session: TradingSession, *, by_stream: bool) -> None:
    for order in list(bench.broker.placed.values()):
        for share in ("0.4", "1"):
            name = order.client_order_id
            if not bench.broker.placed[name].state.final and bench.broker.triggered(name):
                update = bench.broker.fill(order.client_order_id, share)
                if by_stream:
                    session.apply_update(update)


def end_state(bench: Bench) -> dict[str, Any]:
    fetch = bench.database.fetch
    return {
        "orders": fetch(
            "SELECT order_id, ticker, side, purpose, tranche, state, filled_quantity FROM orders ORDER BY 1"
        ),
        "decisions": fetch("SELECT decision_id, outcome, reason, final FROM trading_decisions WHERE final ORDER BY 1"),
        "positions": fetch("SELECT ticker, quantity, cost, realised_pnl, lock_reason FROM positions ORDER BY 1"),
        "fills": fetch("SELECT order_id, cumulative_quantity, quantity, price FROM fills ORDER BY 1, 2"),
        "cash": fetch("SELECT balance FROM cash_ledger ORDER BY id DESC LIMIT 1"),
        "reserve": fetch("SELECT trigger, amount, balance FROM reserve_pool_ledger ORDER BY id"),
        "snapshots": fetch("SELECT session, equity, reserve, realised_pnl FROM portfolio_snapshots"),
    }


def assert_exact(bench: Bench) -> None:
    """What must hold whatever happened: one broker order an intent, each execution booked once, sums to the last digit."""
    account = bench.broker.account_id

    def fetch(query: LiteralString) -> list[dict[str, Any]]:
        return bench.database.fetch(query, {"account": account})

    orders = fetch("SELECT order_id FROM orders WHERE account_id = %(account)s AND broker_order_id IS NOT NULL")
    assert {row["order_id"] for row in orders} == set(bench.broker.placed), "the broker has our orders and no others"
    (fills,) = fetch("SELECT count(*) AS n, sum(realised_pnl) AS pnl FROM fills WHERE account_id = %(account)s")
    assert fills["n"] == len(bench.broker.done), "no fill is lost and none is booked twice"
    books = fetch("SELECT ticker, quantity, realised_pnl, lock_reason FROM positions WHERE account_id = %(account)s")
    held = {p.ticker: p.quantity for p in bench.broker.positions()}
    assert {row["ticker"]: row["quantity"] for row in books if row["quantity"] != 0} == held
    assert all(row["lock_reason"] == "" for row in books)
    assert sum(row["realised_pnl"] for row in books) == fills["pnl"]
    cash = fetch("SELECT amount, balance FROM cash_ledger WHERE account_id = %(account)s ORDER BY id")
    assert cash[-1]["balance"] == sum(row["amount"] for row in cash) == bench.broker.cash
    reserve = fetch("SELECT amount, balance FROM reserve_pool_ledger WHERE account_id = %(account)s ORDER BY id")
    sums = [sum((row["amount"] for row in reserve[: n + 1]), Decimal(0)) for n in range(len(reserve))]
    assert [row["balance"] for row in reserve] == sums
    refused = fetch("SELECT reason, broker_code FROM orders WHERE account_id = %(account)s AND state = 'rejected'")
    assert {row["broker_code"] for row in refused} <= {QUANTITY_CHANGED}, refused
    states = fetch(
        "SELECT DISTINCT state, purpose = 'protective_stop' AS stop FROM orders WHERE account_id = %(account)s"
    )
    assert {row["state"] for row in states if not row["stop"]} <= {"filled", "rejected"}, "no order is left behind"
    assert {row["state"] for row in states if row["stop"]} <= {"filled", "canceled"}, "no stop is left behind"
    snapshots = fetch("SELECT equity FROM portfolio_snapshots WHERE account_id = %(account)s")
    assert [row["equity"] for row in snapshots] == [bench.broker.account().equity]


def points_of(bench: Bench) -> list[str]:
    fuse = Fuse(10**9)
    bench.broker.step = fuse
    walk(bench, bench.session(DyingDatabase(bench.database, fuse)), by_stream=True)  # type: ignore[arg-type]
    bench.broker.step = lambda _: None
    return fuse.passed


def test_the_end_is_exact_wherever_a_process_died(database: Database) -> None:
    reference = build(database, "reference")
    points = points_of(reference)
    assert_exact(reference)
    assert {e.side for e in reference.broker.done} == {"buy", "sell"}
    fired = database.fetch("SELECT ticker FROM orders WHERE purpose = 'protective_stop' AND state = 'filled'")
    made_way = database.fetch("SELECT ticker FROM orders WHERE purpose = 'protective_stop' AND state = 'canceled'")
    assert ({row["ticker"] for row in fired}, TICKER in {row["ticker"] for row in made_way}) == ({"ACME"}, True)
    wires = {n for n, point in enumerate(points, 1) if "commit" not in point}
    assert {points[n - 1] for n in wires} >= {
        *("submit.before", "submit.after", "cancel.before", "cancel.after"),
        *("find", "executions", "open_orders"),
    }
    orders = {n for n in wires if points[n - 1].startswith(("submit", "cancel"))}
    questions = sorted(wires - orders)[::3]
    for place in sorted(
        orders | {*questions, *range(1, len(points) + 1, 17)}
    ):  # the steps' commits, both sides in turn
        bench = build(database, f"dies at {place}")
        fuse = Fuse(place)
        bench.broker.step = fuse
        with pytest.raises(Killed):
            walk(bench, bench.session(DyingDatabase(database, fuse)), by_stream=True)  # type: ignore[arg-type]
        bench.broker.step = lambda _: None
        walk(bench, bench.session(), by_stream=True)
        assert_exact(bench)
        sent_twice = bench.broker.submitted - len(bench.broker.placed)
        assert sent_twice == 0, f"asked to place an order again after dying at {points[place - 1]} ({place})"


@pytest.mark.parametrize("seed", range(5))
def test_many_deaths_in_a_row(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    bench = build(database)
    for _ in range(12):
        fuse = Fuse(chance.randint(1, 90))
        bench.broker.step = fuse
        bench.broker.lose_answer = chance.random() < 0.3
        try:
            walk(bench, bench.session(DyingDatabase(database, fuse)), by_stream=chance.random() < 0.5)  # type: ignore[arg-type]
        except Killed:
            continue
        break
    bench.broker.step, bench.broker.lose_answer = (lambda _: None), False
    walk(bench, bench.session(), by_stream=False)
    assert_exact(bench)
