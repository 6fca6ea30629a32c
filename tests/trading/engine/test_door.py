"""The door to new positions: shut by the verdict at each decision, and in nobody's way who wants out."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from stonks_core.health import store
from stonks_core.health.verdict import Reason, Verdict
from stonks_core.settings.scheduling import DataHealth
from stonks_core.stores.postgres import Database
from stonks_trading.door import open_door, stored_verdict
from stonks_trading.engine.daemon import Daemon, Parts
from stonks_trading.engine.lease import Lease
from stonks_trading.session import TradingSession
from tests.trading.bench import TICKER, Bench, at
from tests.trading.engine.test_daemon import until

REASON = Reason("signals", "ranges", "in a row of signals sentiment is not within [-1, 1], such as sentiment 1.7")
DOOR = stored_verdict(DataHealth())


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    return made


def verdict(database: Database, minute: int, *reasons: Reason) -> None:
    with database.connection() as connection:
        store.keep_verdict(connection, Verdict(at(16, minute), reasons))


def started(bench: Bench) -> TradingSession:
    session = bench.session(door=DOOR)
    session.reconcile()
    return session


def holding(bench: Bench) -> TradingSession:
    """A session that holds what r1 asked for, after which the door is shut."""
    verdict(bench.database, 0)
    session = started(bench)
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    session.check_stops(at(16))
    verdict(bench.database, 1, REASON)
    return session


def test_a_verdict_against_it_is_a_skip_with_its_reasons_and_its_trace(bench: Bench) -> None:
    verdict(bench.database, 0, REASON)
    session = started(bench)
    (decision,) = session.decide(at(16))
    assert (decision.outcome, decision.reason, decision.final) == ("skip", "data_health", False)
    (row,) = bench.database.fetch("SELECT * FROM trading_decisions")
    assert row["sentence"] == f"No position is opened: {REASON.sentence}."
    assert row["trace"]["inputs"]["equity"]
    assert session.send_outbox(at(16)).sent == []
    assert bench.orders() == []


def test_the_same_recommendation_is_followed_once_the_data_is_well(bench: Bench) -> None:
    verdict(bench.database, 0, REASON)
    session = started(bench)
    session.decide(at(16))
    verdict(bench.database, 1)
    assert [d.outcome for d in session.decide(bench.to(at(16, 1)))] == ["act"]


def test_a_verdict_that_nobody_renews_and_one_that_never_was_shut_the_door(bench: Bench) -> None:
    session = started(bench)
    (never,) = session.decide(at(16))
    assert "data health has not been judged yet" in never.sentence
    verdict(bench.database, 0)
    session.decide(bench.to(at(16, 11)))
    (row,) = bench.database.fetch("SELECT * FROM trading_decisions")
    assert (row["reason"], row["times"]) == ("data_health", 2)
    assert "has not been judged since 2026-05-04 16:00 UTC" in row["sentence"]


def test_stops_let_out_while_the_door_is_shut(bench: Bench) -> None:
    session = holding(bench)
    level = bench.database.fetch_one("SELECT stop FROM position_stop_levels")
    assert level is not None
    bench.broker.prices[TICKER] = level["stop"]
    now = bench.to(at(16, 2))
    assert [exit_.reason for exit_ in session.check_stops(now)] == ["stop"]
    assert len(session.send_outbox(now).sent) == 1
    bench.broker.fill_all()
    session.sweep(bench.to(at(16, 3)))
    assert list(bench.broker.positions()) == []


def test_a_sell_is_followed_while_the_door_is_shut(bench: Bench) -> None:
    session = holding(bench)
    bench.lake.recommend("r2", at(16, 1), action="sell")
    now = bench.to(at(16, 2))
    acted = [decision for decision in session.decide(now) if decision.outcome == "act"]
    assert [(decision.recommendation_id, decision.reason) for decision in acted] == [("r2", "exit")]
    assert len(session.send_outbox(now).sent) == 1


def test_orders_are_cancelled_and_positions_flattened_while_the_door_is_shut(bench: Bench) -> None:
    session = holding(bench)
    bench.ask("flatten", at(16, 2))
    assert session.obey(bench.to(at(16, 2))) == {"flatten": 1}
    assert len(session.send_outbox(at(16, 2)).sent) == 1


def test_an_open_buy_is_cancelled_by_hand_while_the_door_is_shut(bench: Bench) -> None:
    verdict(bench.database, 0)
    session = started(bench)
    session.decide(at(16))
    session.send_outbox(at(16))
    verdict(bench.database, 1, REASON)
    bench.ask("cancel_all", at(16, 2))
    assert session.obey(bench.to(at(16, 2))) == {"cancel_all": 1}


def test_a_position_too_large_is_trimmed_while_the_door_is_shut(bench: Bench) -> None:
    session = holding(bench)
    bench.database.execute("UPDATE positions SET quantity = quantity * 200")
    bench.broker.prices[TICKER] = Decimal(100)
    assert [trim.ticker for trim in session.rebalance(bench.to(at(16, 2)))] == [TICKER]


def test_the_settings_may_leave_the_door_open(bench: Bench, database: Database) -> None:
    verdict(database, 0, REASON)
    shown_only = stored_verdict(DataHealth.model_validate({"DATA_HEALTH_GATE": "false"}))
    patient = stored_verdict(DataHealth.model_validate({"DATA_HEALTH_PATIENCE_MINUTES": "30"}))
    with database.connection() as connection:
        assert shown_only(connection, at(16)) == open_door(connection, at(16)) == ""
        assert patient(connection, at(16)) == REASON.sentence
        store.keep_verdict(connection, Verdict(at(16, 1)))
        assert patient(connection, at(16) + timedelta(minutes=31)) == ""
        assert patient(connection, at(16) + timedelta(minutes=32)) != ""


def test_a_verdict_that_opens_the_door_wakes_the_daemon(database: Database) -> None:
    bench = Bench(database, TRADING_POLLING_INTERVAL_SECONDS="3600")
    bench.clock.advance_to(at(16))
    bench.broker.now = at(16)
    bench.lake.recommend("r1", at(15, 30))
    verdict(database, 0, REASON)
    stop = asyncio.Event()
    lease = Lease(database, "first")
    session = bench.session(fence=lease.fence, door=DOOR)
    daemon = Daemon(Parts(bench.settings, database, session, lease, bench.clock), stop)

    async def scenario() -> None:
        trading = asyncio.create_task(daemon.run(lambda _: None))
        await until(lambda: database.fetch("SELECT 1 FROM trading_decisions WHERE reason = 'data_health'"))
        await until(lambda: database.fetch("SELECT 1 FROM engine_heartbeats WHERE note = 'listening'"))
        assert bench.broker.submitted == 0
        await asyncio.to_thread(verdict, database, 1)
        await until(lambda: bench.broker.submitted == 1)
        stop.set()
        await trading

    asyncio.run(asyncio.wait_for(scenario(), 60))
