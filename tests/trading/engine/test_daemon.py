"""The lease, the supervision, and the daemon around a session."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stonks_core.errors import TransientError
from stonks_core.stores.postgres import Database
from stonks_trading.broker.protocol import TradeUpdate
from stonks_trading.engine.daemon import Daemon, Parts
from stonks_trading.engine.lease import Held, HeldByOther, Lease, LeaseLostError
from stonks_trading.engine.supervisor import Heartbeats, Task, supervise
from tests.trading.bench import Bench, at

SUPERVISED = {"decisions", "stops", "performance", "risk_tier", "rebalance", "sync"}
GONE = "UPDATE engine_lease SET expires_at = now() - interval '1 second'"


def test_one_owner_at_a_time_and_tokens_only_grow(database: Database) -> None:
    one, two = Lease(database, "one"), Lease(database, "two")
    assert one.acquire() == Held(1)
    claim = two.acquire()
    assert isinstance(claim, HeldByOther)
    assert (claim.owner, claim.seconds_left > 0) == ("one", True)
    assert one.renew()
    database.execute(GONE)
    assert two.acquire() == Held(2)
    assert not one.renew()
    with database.connection() as connection:
        assert two.fence(connection) == 2
    with pytest.raises(LeaseLostError, match="one no longer holds"), database.connection() as connection:
        one.fence(connection)
    one.release()  # of no effect: it is not ours to give
    assert isinstance(one.acquire(), HeldByOther)
    two.release()
    assert one.acquire() == Held(3)


def test_who_slept_through_its_lease_commits_nothing(database: Database) -> None:
    bench = Bench(database)
    bench.lake.recommend("r1", at(15, 30))
    sleeper, successor = Lease(database, "sleeper"), Lease(database, "successor")
    sleeper.acquire()
    late = bench.session(fence=sleeper.fence)
    late.reconcile()
    assert len(late.decide(at(16))) == 1
    database.execute(GONE)
    successor.acquire()
    with pytest.raises(LeaseLostError):
        late.send_outbox(at(16))
    with pytest.raises(LeaseLostError):
        late.check_stops(at(16))
    assert bench.broker.submitted == 0
    fresh = bench.session(fence=successor.fence)
    fresh.reconcile()
    assert fresh.decide(at(16)) == ()
    assert len(fresh.send_outbox(at(16)).sent) == 1


def test_a_task_that_fails_is_told_and_tried_again_with_growing_pauses(database: Database) -> None:
    calls: list[int] = []
    pauses: list[float] = []

    async def cycle() -> str:
        calls.append(1)
        if len(calls) in {2, 3}:
            raise TransientError("the broker is away")
        if len(calls) == 5:
            raise LeaseLostError("gone")
        return "well"

    async def no_sleep(_: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)

    task = Task("decisions", cycle, 60)
    with pytest.raises(LeaseLostError):
        asyncio.run(supervise(task, Heartbeats(database, "me"), no_sleep))
    assert pauses == [60, 1, 2, 60]
    row = database.fetch_one("SELECT owner, cycles, failures, last_error, note FROM engine_heartbeats")
    assert row == {"owner": "me", "cycles": 4, "failures": 2, "last_error": "", "note": "well"}


async def until(condition: Callable[[], Any]) -> None:
    for _ in range(2000):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(0.005)
    raise AssertionError("waited ten seconds in vain")


def test_of_two_daemons_one_trades_and_the_other_takes_over(database: Database) -> None:
    bench = Bench(database, TRADING_POLLING_INTERVAL_SECONDS="3600")
    bench.lake.recommend("r1", at(15, 30))
    ready: list[str] = []
    beating = "SELECT task FROM engine_heartbeats WHERE owner = %(owner)s"

    def daemon(owner: str, stop: asyncio.Event) -> Daemon:
        lease = Lease(database, owner)
        session = bench.session(fence=lease.fence)
        return Daemon(Parts(bench.settings, database, session, lease, bench.clock), stop)

    async def scenario() -> None:
        stops = {name: asyncio.Event() for name in ("first", "second")}
        first = asyncio.create_task(daemon("first", stops["first"]).run(ready.append))
        await until(lambda: bench.broker.submitted == 1)
        second = asyncio.create_task(daemon("second", stops["second"]).run(ready.append))
        bench.lake.recommend("r2", at(15, 30), ticker="ACME")
        await until(lambda: database.fetch("SELECT 1 FROM engine_heartbeats WHERE note = 'listening'"))
        await asyncio.to_thread(database.notify, "stonks_recommendations")  # an hour of polling is not waited for
        await until(lambda: bench.broker.submitted == 2)
        assert ready == ["trading as first with fencing token 1"]
        stops["first"].set()
        await first
        await until(lambda: len(ready) == 2)
        await until(lambda: {row["task"] for row in database.fetch(beating, {"owner": "second"})} >= SUPERVISED)
        stops["second"].set()
        await second

    asyncio.run(asyncio.wait_for(scenario(), 60))
    assert ready[1] == "trading as second with fencing token 2"
    assert len(bench.broker.placed) == bench.broker.submitted == 2


def test_the_lease_is_renewed_while_every_other_thread_waits_for_the_broker(database: Database) -> None:
    bench = Bench(database)
    lease = Lease(database, "me", ttl_seconds=0.3)
    assert lease.acquire() == Held(1)
    daemon = Daemon(Parts(bench.settings, database, bench.session(), lease, bench.clock), asyncio.Event())
    answered = threading.Event()
    renewed = "SELECT 1 FROM engine_lease WHERE heartbeat_at > acquired_at"

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        waiting = loop.run_in_executor(None, answered.wait)
        keeper = asyncio.create_task(daemon._keep())
        for _ in range(4000):
            if database.fetch(renewed):
                break
            await asyncio.sleep(0.005)
        keeper.cancel()
        answered.set()
        await asyncio.gather(keeper, waiting, return_exceptions=True)
        assert database.fetch(renewed)

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_a_fill_wakes_who_waits_for_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(database)
    session = bench.session()
    session.reconcile()
    parts = Parts(bench.settings, database, session, Lease(database, "me"), bench.clock)

    def woken_by(action: str) -> tuple[bool, bool]:
        """Whether the stops and the decisions are woken by the fill of an order that such a recommendation asks for."""
        now = bench.later(seconds=60)
        bench.lake.recommend(action, now, action=action)
        (decided,) = session.decide(now)
        (sent,) = session.send_outbox(now).sent
        update = bench.broker.fill(sent, "1")
        daemon = Daemon(parts, asyncio.Event())

        @asynccontextmanager
        async def stream(*_: str) -> AsyncIterator[AsyncIterator[TradeUpdate]]:
            async def updates() -> AsyncIterator[TradeUpdate]:
                yield update

            yield updates()

        monkeypatch.setattr("stonks_trading.engine.daemon.trade_updates", stream)
        tasks = {task.name: task for task in daemon.tasks()}
        assert asyncio.run(tasks["stream"].cycle()) == "the stream ended"
        assert decided.order is not None
        return tasks["stops"].wake.is_set(), tasks["decisions"].wake.is_set()

    assert woken_by("buy") == (True, False)
    assert woken_by("sell") == (True, True)


def test_all_stops_are_looked_at_on_the_slow_interval_and_the_near_ones_between(database: Database) -> None:
    bench = Bench(database)
    session = bench.session()
    session.reconcile()
    daemon = Daemon(Parts(bench.settings, database, session, Lease(database, "me"), bench.clock), asyncio.Event())
    stops = next(task for task in daemon.tasks() if task.name == "stops")
    looked = []
    for seconds in (0, 60, 10, 229, 1, 60):  # a wake-up ten seconds after the second look moves nothing
        bench.later(seconds=seconds)
        looked.append(asyncio.run(stops.cycle()).endswith("all positions"))
    assert looked == [True, False, False, False, True, False]
    assert stops.every == 60
