"""What operators ask for once: done once, wherever a process dies, and only of what was there."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from stonks_core.errors import BadFieldsError, ConflictError
from stonks_core.stores.postgres import Database
from stonks_trading.broker.protocol import NotSent
from stonks_trading.console import breakers, orders, requests
from stonks_trading.console.author import Author
from stonks_trading.console.orders import OwnOrder
from stonks_trading.records import Breaker
from stonks_trading.session import TradingSession
from tests.trading.bench import TICKER, Bench, at
from tests.trading.engine.test_crashes import DyingDatabase, Fuse, Killed

BUY = OwnOrder(TICKER, "buy", "market", notional=Decimal(20))


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    return made


def started(bench: Bench) -> TradingSession:
    session = bench.session()
    session.reconcile()
    return session


def bought(bench: Bench) -> TradingSession:
    session = started(bench)
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    return session


def by_hand(bench: Bench, wanted: OwnOrder = BUY, key: str = "my-order-1", minute: int = 1) -> dict[str, Any]:
    with bench.database.connection() as connection:
        author = Author("by hand", at(16, minute), "Ada")
        return orders.ask_order(connection, author, bench.settings, key, wanted, timedelta(minutes=30))


def request(bench: Bench) -> dict[str, Any]:
    (row,) = bench.database.fetch("SELECT kind, outcome, note, done_at FROM engine_requests")
    return row


def test_cancelling_takes_what_was_there_and_nothing_later(bench: Bench) -> None:
    session = started(bench)
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.ask("cancel_all", at(16, 1))
    assert session.obey(bench.to(at(16, 1))) == {"cancel_all": 1}
    assert session.obey(at(16, 1)) == {}
    assert request(bench)["outcome"] == "done"
    session.sweep(at(16, 1))
    assert bench.orders()[0]["state"] == "canceled"
    bench.lake.recommend("r2", at(16, 1), ticker="ACME")
    session.decide(bench.to(at(16, 2)))
    session.obey(at(16, 2))
    assert len(session.send_outbox(at(16, 2)).sent) == 1


@pytest.mark.parametrize("arrived", [True, False])
def test_what_is_in_doubt_when_all_is_cancelled_never_leaves_again(bench: Bench, *, arrived: bool) -> None:
    session = started(bench)
    session.decide(at(16))
    bench.broker.lose_answer, bench.broker.next_answer = arrived, None if arrived else NotSent("no route")
    if arrived:
        bench.broker.step = Fuse(10**9)
        find, bench.broker.find = bench.broker.find, lambda _: None  # type: ignore[method-assign]
        session.send_outbox(at(16))
        bench.broker.find = find  # type: ignore[method-assign]
    else:
        session.send_outbox(at(16))
    assert bench.orders()[0]["state"] == "unknown"
    sent = bench.broker.submitted
    bench.ask("cancel_all", at(16, 0))
    session.obey(bench.to(at(16, 0)))
    assert request(bench)["outcome"] == ""
    session.send_outbox(at(16, 0))
    session.obey(bench.later(seconds=90))
    session.send_outbox(bench.clock.now())
    session.obey(bench.clock.now())
    session.sweep(bench.clock.now())
    assert bench.orders()[0]["state"] == "canceled"
    assert bench.broker.submitted == sent
    assert request(bench)["outcome"] == "done"


def test_flat_is_done_when_nothing_is_held_and_working_exits_are_replaced(bench: Bench) -> None:
    session = bought(bench)
    bench.broker.prices[TICKER] = Decimal(120)  # through the take-profit
    session.check_stops(bench.to(at(16, 1)))
    session.send_outbox(at(16, 1))
    bench.ask("flatten", at(16, 2))
    session.obey(bench.to(at(16, 2)))
    assert request(bench)["outcome"] == ""
    for minute in (3, 4, 5, 6):
        session.send_outbox(bench.to(at(16, minute)))
        bench.broker.fill_all()
        session.sweep(at(16, minute))
        session.obey(at(16, minute))
    assert request(bench) | {"outcome": "done", "note": "no position is open"} == request(bench)
    assert bench.broker.positions() == []
    states = [(row["purpose"], row["state"]) for row in bench.orders()]
    assert states == [("entry", "filled"), ("take_profit", "canceled"), ("flatten", "filled")]


def test_wherever_a_process_dies_all_is_cancelled_and_sold_once(database: Database) -> None:
    for number in range(1, 60, 2):
        bench = Bench(database)
        bench.broker.account_id = name = f"acc{number}"
        bench.lake.recommend(f"a{number}", at(15, 30))
        bench.lake.recommend(f"b{number}", at(15, 40), ticker="ACME")
        session = started(bench)
        session.decide(at(16))
        session.send_outbox(at(16))
        bench.broker.fill(next(iter(bench.broker.placed)))
        session.sweep(at(16))
        with database.connection() as connection:
            requests.ask(connection, Author("all of it", at(16, 1)), name, "flatten")
        died = dies(bench, number, "obey")
        for _ in range(3):
            now = bench.later(minutes=2)
            session.obey(now)
            session.send_outbox(now)
            bench.broker.fill_all()
            session.sweep(now)
        session.obey(bench.clock.now())
        sold = [o for o in bench.broker.placed.values() if o.side == "sell"]
        asked = database.fetch(
            """
            SELECT 1 FROM order_events JOIN orders USING (order_id) WHERE account_id = %s AND event = 'cancel_asked'
            """,
            (name,),
        )
        (done,) = database.fetch("SELECT outcome FROM engine_requests WHERE account_id = %s", (name,))
        assert (len(sold), len(asked), done["outcome"], bench.broker.positions()) == (1, 1, "done", [])
        if not died:
            assert number > 8
            return
    raise AssertionError("a round passes more points than were tried")


def dies(bench: Bench, number: int, *steps: str) -> bool:
    """A process that dies at the n-th point of the steps; whether it did before they were done."""
    fuse = Fuse(10**9)
    session = bench.session(DyingDatabase(bench.database, fuse))  # type: ignore[arg-type]
    session.reconcile()
    fuse.left, bench.broker.step = number, fuse
    try:
        for step in steps:
            getattr(session, step)(bench.later(minutes=1))
    except Killed:
        return True
    finally:
        bench.broker.step = lambda _: None
    return False


def test_an_order_by_hand_goes_the_way_of_all_orders_and_once(bench: Bench) -> None:
    session = started(bench)
    told = by_hand(bench)
    again = by_hand(bench, minute=2)
    assert (told["order_id"], told["request_id"]) == (again["order_id"], again["request_id"])
    with pytest.raises(ConflictError, match="another order"):
        by_hand(bench, OwnOrder(TICKER, "buy", "market", notional=Decimal(21)))
    assert session.obey(bench.to(at(16, 2))) == {"override_order": 1}
    assert session.obey(at(16, 2)) == {}
    (order,) = bench.orders()
    assert (order["order_id"], order["decision_id"], order["purpose"]) == (
        told["order_id"],
        told["decision_id"],
        "override",
    )
    assert session.send_outbox(at(16, 2)).sent == [told["order_id"]]
    (verdict,) = bench.database.fetch("SELECT eligible, order_id FROM risk_evaluations")
    assert verdict == {"eligible": True, "order_id": told["order_id"]}
    (decision,) = bench.database.fetch("SELECT kind, sentence FROM trading_decisions")
    assert decision == {"kind": "override", "sentence": "Ada asked to buy $20 of ORCL: by hand"}
    assert by_hand(bench, minute=9)["outcome"] == "done"


def test_wherever_a_process_dies_an_order_by_hand_leaves_once(database: Database) -> None:
    for number in range(1, 40, 2):
        bench = Bench(database)
        bench.broker.account_id = name = f"acc{number}"
        session = started(bench)
        database.execute("UPDATE broker_accounts SET synced_at = %s WHERE account_id <> %s", (at(10), name))
        by_hand(bench, key=f"my-order-{number}")
        died = dies(bench, number, "obey", "send_outbox")
        session.reconcile()
        session.obey(bench.clock.now())
        session.send_outbox(bench.later(minutes=2))
        assert len(bench.broker.placed) == 1
        assert len(database.fetch("SELECT 1 FROM orders WHERE account_id = %s", (name,))) == 1
        if not died:
            assert number > 10
            return
    raise AssertionError("a round passes more points than were tried")


def test_the_same_order_sent_by_many_at_once_is_one(bench: Bench) -> None:
    session = started(bench)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: by_hand(bench)["request_id"], range(8)))
    assert len(set(told)) == 1
    session.obey(bench.to(at(16, 2)))
    assert len(session.send_outbox(at(16, 2)).sent) == len(bench.broker.placed) == 1


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        (OwnOrder("NONE", "buy", "market", notional=Decimal(20)), BadFieldsError),
        (OwnOrder(TICKER, "buy", "market", notional=Decimal("0.5")), BadFieldsError),
        (OwnOrder(TICKER, "buy", "limit", quantity=Decimal(1), limit_price=Decimal("1.001")), BadFieldsError),
        (OwnOrder(TICKER, "sell", "market", quantity=Decimal(1)), ConflictError),
    ],
)
def test_what_can_never_be_is_refused_before_it_is_asked(
    bench: Bench, wanted: OwnOrder, refusal: type[Exception]
) -> None:
    started(bench)
    with pytest.raises(refusal):
        by_hand(bench, wanted)
    assert bench.database.fetch("SELECT 1 FROM engine_requests") == []


def test_an_order_by_hand_meets_the_risk_engine_and_may_come_too_late(bench: Bench) -> None:
    session = started(bench)
    by_hand(bench, OwnOrder(TICKER, "buy", "market", notional=Decimal(900)))
    session.obey(bench.to(at(16, 2)))
    row = request(bench)
    assert row["outcome"] == "refused"
    assert "order_size" in row["note"]
    assert session.send_outbox(at(16, 2)).sent == []
    late = by_hand(bench, key="my-order-2", minute=3)
    session.obey(bench.to(at(17)))
    (row,) = bench.database.fetch(
        "SELECT outcome, note FROM engine_requests WHERE request_id = %s", (late["request_id"],)
    )
    assert (row["outcome"], "validity" in row["note"]) == ("refused", True)


def test_limits_that_cannot_be_read_refuse_one_order_and_nothing_else(bench: Bench) -> None:
    session = started(bench)
    by_hand(bench)
    bench.ask("cancel_all", at(16, 2))
    bench.database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.max_order_dollars', '\"lots\"')")
    assert session.obey(bench.to(at(16, 2))) == {"override_order": 0, "cancel_all": 0}
    outcomes = bench.database.fetch("SELECT outcome FROM engine_requests ORDER BY asked_at")
    assert [row["outcome"] for row in outcomes] == ["refused", "done"]


def test_a_paused_engine_opens_nothing_lets_out_and_still_takes_a_persons_order(bench: Bench) -> None:
    session = bought(bench)
    bench.lake.recommend("r2", at(16), ticker="ACME", confidence=0.6)
    session.decide(bench.to(at(16, 1)))
    bench.database.execute("UPDATE engine_control SET value = 'true' WHERE key = 'paused'")
    held = session.send_outbox(at(16, 1)).held
    assert list(held.values()) == ["the engine is paused"]
    bench.broker.prices[TICKER] = Decimal(120)
    session.check_stops(bench.to(at(16, 2)))
    by_hand(bench, OwnOrder("ACME", "buy", "limit", quantity=Decimal("0.1"), limit_price=Decimal(50)), minute=2)
    session.obey(at(16, 2))
    sent = session.send_outbox(at(16, 2))
    assert {bench.broker.placed[name].side for name in sent.sent} == {"sell", "buy"}
    assert list(sent.held.values()) == ["the engine is paused"]
    bench.database.execute("UPDATE engine_control SET value = 'false' WHERE key = 'paused'")
    assert len(session.send_outbox(at(16, 3)).sent) == 1


def test_the_manual_breaker_cancels_buys_and_stops_all_but_stops(bench: Bench) -> None:
    session = bought(bench)
    bench.lake.recommend("r2", at(16), ticker="ACME")
    session.decide(bench.to(at(16, 1)))
    session.send_outbox(at(16, 1))
    with bench.database.connection() as connection:
        assert breakers.trip_manual(connection, Author("odd", at(16, 2)))
        assert not breakers.trip_manual(connection, Author("odd", at(16, 2)))
    assert session.obey(bench.to(at(16, 2))) == {"cancel_entries": 1}
    bench.lake.recommend("r3", at(16, 2), action="sell")
    assert {d.reason for d in session.decide(bench.to(at(16, 3)))} <= {"breaker"}
    bench.broker.prices[TICKER] = Decimal(120)
    session.check_stops(bench.to(at(16, 4)))
    assert len(session.send_outbox(at(16, 4)).sent) == 1
    with bench.database.connection() as connection:
        breakers.reset(connection, Author("well again", at(16, 5)), Breaker.MANUAL)
        with pytest.raises(ConflictError, match="not tripped"):
            breakers.reset(connection, Author("well again", at(16, 5)), Breaker.MANUAL)
    session.sweep(at(16, 5))
    bench.lake.recommend("r4", at(16, 5), ticker="ACME", window="30d", strength=0.95)
    assert ("ACME", "act", "sized") in {(d.ticker, d.outcome, d.reason) for d in session.decide(bench.to(at(16, 6)))}


def test_a_tripped_breaker_keeps_a_buy_that_never_arrived_from_being_tried_again(bench: Bench) -> None:
    session = started(bench)
    session.decide(at(16))
    bench.broker.next_answer = NotSent("no route")
    session.send_outbox(at(16))
    with bench.database.connection() as connection:
        breakers.trip_manual(connection, Author("odd", at(16, 1)))
    (held,) = session.send_outbox(bench.to(at(16, 2))).held.values()
    assert "a breaker is tripped" in held
    assert (bench.broker.submitted, bench.broker.placed) == (1, {})
    session.obey(at(16, 2))
    session.send_outbox(at(16, 3))
    assert bench.orders()[0]["state"] == "canceled"


KEPT = ("orders", "order_events", "fills", "trading_decisions", "audit_events", "cash_ledger", "reserve_pool_ledger",
        "circuit_breaker_events", "portfolio_snapshots", "risk_evaluations")  # fmt: skip


def test_a_reset_begins_anew_and_deletes_nothing(bench: Bench) -> None:
    session = bought(bench)
    database = bench.database
    bench.broker.prices[TICKER] = Decimal(120)
    session.check_stops(bench.to(at(16, 1)))
    session.send_outbox(at(16, 1))
    bench.broker.fill_all()
    session.sweep(at(16, 1))
    session.siphon(at(16, 1))
    session.close_books(bench.to(at(20, 30)))
    bench.lake.recommend("r2", at(16), ticker="ACME")
    database.execute("UPDATE portfolio_snapshots SET high_water_equity = 5000")
    session.decide(bench.to(at(16, 1, day=5)))
    session.send_outbox(at(16, 1, day=5))
    bench.broker.fill_all()
    session.sweep(at(16, 1, day=5))
    with database.connection() as connection:
        breakers.trip_manual(connection, Author("odd", at(16, 2, day=5)))
        orders.ask_reset(connection, Author("new season", at(16, 2, day=5)), bench.settings)
    before = {table: len(database.fetch(f"SELECT 1 FROM {table}")) for table in KEPT}
    for minute in (3, 6, 9):
        session.obey(bench.to(at(16, minute, day=5)))
        session.send_outbox(bench.clock.now())
        bench.broker.fill_all()
        session.sweep(bench.clock.now())
    session.obey(bench.clock.now())
    (row,) = database.fetch("SELECT outcome, note FROM engine_requests WHERE kind = 'reset'")
    assert row["outcome"] == "done"
    assert "reset the breaker manual; returned the reserve of" in row["note"]
    assert bench.broker.positions() == []
    reserve = database.fetch("SELECT trigger, balance FROM reserve_pool_ledger ORDER BY id")
    assert [(r["trigger"], r["balance"] > 0) for r in reserve] == [("siphon", True), ("correction", False)]
    after = {table: len(database.fetch(f"SELECT 1 FROM {table}")) for table in KEPT}
    assert all(after[table] >= before[table] for table in KEPT)
    session.close_books(bench.to(at(20, 30, day=5)))
    (snapshot,) = database.fetch(
        "SELECT high_water_equity, equity FROM portfolio_snapshots WHERE session = '2026-05-05'"
    )
    assert snapshot["high_water_equity"] == snapshot["equity"]
    assert database.fetch_one("SELECT value FROM engine_control WHERE key = 'paused'") == {"value": True}


def test_a_live_account_is_never_reset(database: Database) -> None:
    bench = Bench(
        database,
        BROKER_MODE="live",
        BROKER_LIVE_CONFIRM="I accept real losses",
        BROKER_API_KEY="key",
        BROKER_API_SECRET="secret",
    )
    session = started(bench)
    with database.connection() as connection, pytest.raises(ConflictError, match="live"):
        orders.ask_reset(connection, Author("new season", at(16)), bench.settings)
    bench.ask("reset", at(16))
    session.obey(at(16))
    assert request(bench)["outcome"] == "refused"


def test_with_trading_off_nothing_is_sold_and_the_request_says_so(database: Database) -> None:
    bench = Bench(database, TRADING_ENABLED="false")
    session = started(bench)
    bench.ask("flatten", at(16))
    session.obey(at(16))
    assert request(bench) | {"outcome": "refused"} == request(bench)
    assert "TRADING_ENABLED" in request(bench)["note"]


def test_what_is_withdrawn_is_not_done(bench: Bench) -> None:
    session = started(bench)
    told = by_hand(bench)
    with bench.database.connection() as connection:
        requests.withdraw(connection, Author("on second thoughts", at(16, 1)), told["request_id"])
        with pytest.raises(ConflictError, match="over already"):
            requests.withdraw(connection, Author("on second thoughts", at(16, 1)), told["request_id"])
    assert session.obey(at(16, 2)) == {}
    assert bench.orders() == []
