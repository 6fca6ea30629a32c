"""What operators ask for once: done once, wherever a process dies, and only of what was there."""

from decimal import Decimal

import pytest

from stonks_core.errors import ConflictError
from stonks_core.stores.postgres import Database
from stonks_trading.broker.protocol import NotSent
from stonks_trading.console import breakers, orders, requests
from stonks_trading.console.author import Author
from stonks_trading.console.orders import OwnOrder
from stonks_trading.records import Breaker
from tests.trading.bench import TICKER, Bench, at
from tests.trading.engine.test_crashes import Fuse
from tests.trading.obeying import bought, by_hand, dies, request, started


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    return made


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
