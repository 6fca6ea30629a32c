"""The kill switch at the broker's door: after it was turned, nothing leaves, whoever is sending at that moment."""

import threading
from collections.abc import Callable
from functools import partial

import psycopg
import pytest

from stonks_core.stores.postgres import Database
from stonks_trading.broker.protocol import InDoubt
from stonks_trading.console import switches
from stonks_trading.console.author import Author
from stonks_trading.session import TradingSession
from tests.trading.bench import TICKER, Bench, at

TICKERS = (TICKER, "ACME")


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    for ticker in TICKERS:
        made.lake.recommend(f"r-{ticker}", at(15, 30), ticker=ticker)
    return made


def ready(bench: Bench) -> TradingSession:
    session = bench.session()
    session.reconcile()
    assert [d.outcome for d in session.decide(at(16))] == ["act", "act"]
    return session


def turn(bench: Bench, *, on: bool) -> bool:
    with bench.database.connection() as connection:
        return switches.turn(connection, Author("said the test", at(16)), "kill_switch", on=on)


def wait_until(query: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if query():
            return
    raise AssertionError("it never came to that")


def sent_more_than(bench: Bench, count: int) -> bool:
    bench.database.fetch("SELECT 1")
    return bench.broker.submitted > count


def blocked(database: Database) -> bool:
    return database.fetch("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'") != []


def test_an_order_on_its_way_is_waited_for_and_none_follows(bench: Bench) -> None:
    session, order = ready(bench), []
    under_way, go_on = threading.Event(), threading.Event()

    def step(name: str) -> None:
        if name == "submit.before":
            under_way.set()
            assert go_on.wait(20)

    def kill() -> None:
        turn(bench, on=True)
        order.append(("killed", bench.broker.submitted))

    bench.broker.step = step
    sender = threading.Thread(target=session.send_outbox, args=(at(16),))
    sender.start()
    assert under_way.wait(20)
    killer = threading.Thread(target=kill)
    killer.start()
    wait_until(lambda: blocked(bench.database))
    assert order == []
    go_on.set()
    killer.join(20)
    sender.join(20)
    assert order == [("killed", 1)]
    assert bench.broker.submitted == 1
    assert sorted(row["state"] for row in bench.orders()) == ["accepted", "intended"]
    assert list(session.send_outbox(at(16, 1)).held.values()) == ["the kill switch is on"]
    assert bench.broker.submitted == 1
    turn(bench, on=False)
    assert len(session.send_outbox(at(16, 2)).sent) == 1


def test_whoever_sends_at_the_same_time_sends_nothing_afterwards(bench: Bench) -> None:
    session, stop = ready(bench), threading.Event()
    seen: list[int] = []

    def send() -> None:
        while not stop.is_set():
            bench.broker.next_answer = InDoubt("the wire is down")
            session.send_outbox(at(16))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    for _ in range(5):
        wait_until(partial(sent_more_than, bench, bench.broker.submitted))
        assert turn(bench, on=True)
        seen.append(bench.broker.submitted)
        for _ in range(20):
            bench.database.fetch("SELECT count(*) FROM orders")
        assert bench.broker.submitted == seen[-1]
        turn(bench, on=False)
    stop.set()
    for sender in senders:
        sender.join(20)
    assert seen == sorted(set(seen))


def test_exits_wait_too_and_cancelling_goes_on(bench: Bench) -> None:
    session = ready(bench)
    session.send_outbox(at(16))
    turn(bench, on=True)
    bench.ask("cancel_all", at(16, 1))
    assert session.obey(at(16, 1)) == {"cancel_all": 2}
    assert {order.status for order in bench.broker.placed.values()} == {"canceled"}
    bench.database.execute("UPDATE orders SET state = 'canceled'")
    turn(bench, on=False)
    bench.lake.recommend("r-again", at(16, 1), ticker=TICKER)
    session.decide(bench.to(at(16, 2)))
    session.send_outbox(at(16, 2))
    bench.broker.fill_all()
    session.sweep(at(16, 2))
    turn(bench, on=True)
    bench.ask("flatten", at(16, 3))
    assert session.obey(bench.to(at(16, 3))) == {"flatten": 1}
    before = bench.broker.submitted
    assert list(session.send_outbox(at(16, 3)).held.values()) == ["the kill switch is on"]
    assert bench.broker.submitted == before


def test_a_turn_is_on_record_once(bench: Bench) -> None:
    assert turn(bench, on=True) is True
    assert turn(bench, on=True) is False
    events = bench.database.fetch("SELECT actor, action, reason, detail FROM audit_events")
    assert events == [
        {
            "actor": "operator",
            "action": "kill_switch_on",
            "reason": "said the test",
            "detail": {"was": False, "is": True},
        }
    ]
    (told,) = bench.database.fetch("SELECT severity, subject FROM notifications")
    assert told == {"severity": "critical", "subject": "kill switch on"}


def test_the_engine_is_woken_when_the_turn_is_committed(bench: Bench) -> None:
    with psycopg.connect(bench.database.url, autocommit=True) as listener:
        listener.execute("LISTEN stonks_engine_control")
        with bench.database.connection() as connection:
            switches.turn(connection, Author("said the test", at(16)), "paused", on=True)
            assert list(listener.notifies(timeout=0)) == []
        (word,) = listener.notifies(timeout=20, stop_after=1)
    assert (word.channel, word.payload) == ("stonks_engine_control", "trading_paused")
