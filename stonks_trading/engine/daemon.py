"""The daemon: wait for the lease, reconcile, then five supervised tasks and their helpers, until told to stop.

The five: `decisions`, `stops`, `performance`, `risk_tier`, `rebalance`. The helpers: `sync` (account, positions,
orders every minute), `stream` (fills at once), `messages` (notices to people), `wakeups` (NOTIFY), and the lease's
keeper. NOTIFY wakes, polling guarantees.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import psycopg

from stonks_core.clock import Clock
from stonks_core.errors import PermanentError, TransientError
from stonks_core.health.store import CHANNEL as DATA_HEALTH
from stonks_core.notifications.channels import channels_of
from stonks_core.notifications.delivery import deliver, ensure_channels
from stonks_core.settings import Settings
from stonks_core.stores.postgres import Database
from stonks_trading.broker.protocol import OrderState
from stonks_trading.broker.stream import trade_updates
from stonks_trading.engine.lease import Held, HeldByOther, Lease, LeaseLostError
from stonks_trading.engine.supervisor import FIRST_PAUSE, LONGEST_PAUSE, Heartbeats, Task, supervise, until_woken
from stonks_trading.records import Decision
from stonks_trading.session import TradingSession

log = logging.getLogger(__name__)

NOTICES = "stonks_notifications"
CHANNELS = ("stonks_recommendations", "stonks_engine_control", DATA_HEALTH, NOTICES)
SYNC_SECONDS = 60.0
PERFORMANCE_SECONDS = 60.0
TIER_SECONDS = 300.0
REBALANCE_SECONDS = 300.0
MESSAGES_SECONDS = 15.0
LEASE_POLL_SECONDS = 1.0
SANDBOX_KEY = "sandbox"


@dataclass(frozen=True)
class Parts:
    """What the daemon is made of."""

    settings: Settings
    database: Database
    session: TradingSession
    lease: Lease
    clock: Clock


class Daemon:
    """Runs `parts` until `stop` is set. Everything that blocks runs in threads."""

    def __init__(self, parts: Parts, stop: asyncio.Event) -> None:
        self._parts, self._stop = parts, stop
        self._heartbeats = Heartbeats(parts.database, parts.lease.owner)
        self._full_check_at: datetime | None = None
        trading = parts.settings.trading
        self._fast = min(trading.fast_stop_loss_interval_seconds, trading.stop_loss_check_interval_seconds)
        self._decisions = Task("decisions", self._decide, trading.polling_interval_seconds)
        self._stops = Task("stops", self._check_stops, self._fast)
        self._messages = Task("messages", self._step(self._deliver), MESSAGES_SECONDS)
        self._channels = channels_of(parts.settings.notifying)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Own the lease and trade; wait, saying so, while somebody else does; `ready` hears once that we trade."""
        while not self._stop.is_set():
            token = await self._own()
            if token is None:
                break
            try:
                await self._reign(token, ready)
            except LeaseLostError as error:
                log.warning("%s", error)
        try:
            await asyncio.to_thread(self._parts.lease.release)
        except (TransientError, psycopg.Error) as error:
            log.warning("the lease was not given back, it runs out by itself: %s", error)

    async def _own(self) -> int | None:
        said, pause = "", FIRST_PAUSE
        while not self._stop.is_set():
            try:
                claim = await asyncio.to_thread(self._parts.lease.acquire)
            except (TransientError, psycopg.Error) as error:
                log.error("the lease cannot be asked for: %s", error)  # noqa: TRY400
                await until_woken(self._stop, pause)
                pause = min(LONGEST_PAUSE, pause * 2)
                continue
            if isinstance(claim, Held):
                return claim.token
            said = self._waiting(claim, said)
            await until_woken(self._stop, LEASE_POLL_SECONDS)
        return None

    @staticmethod
    def _waiting(claim: HeldByOther, said: str) -> str:
        if claim.owner != said:
            log.warning(
                "waiting: %s holds the engine's lease for %.0f s more; only one daemon trades",
                claim.owner,
                claim.seconds_left,
            )
        return claim.owner

    async def _reign(self, token: int, ready: Callable[[str], None]) -> None:
        """Reconcile and run all tasks until told to stop; LeaseLostError when the lease goes."""
        keeper = asyncio.create_task(self._keep(), name="lease")
        trading = asyncio.create_task(self._trade(token, ready), name="trading")
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        running: set[asyncio.Task[None] | asyncio.Task[bool]] = {keeper, trading, stopped}
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task is not stopped:
                    await task
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.to_thread(self._parts.session.finish)

    async def _keep(self) -> None:
        """Renew the lease in a thread of its own: those of the tasks may all wait for a slow broker."""
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, "lease")
        try:
            while True:
                await asyncio.sleep(self._parts.lease.ttl_seconds / 3)
                await self._renew(loop.run_in_executor(thread, self._parts.lease.renew))
        finally:
            thread.shutdown(wait=False)

    async def _renew(self, renewal: Awaitable[bool]) -> None:
        try:
            ours = await renewal
        except (TransientError, psycopg.Error) as error:
            log.warning("the lease could not be renewed, tried again: %s", error)
            return
        if not ours:
            raise LeaseLostError(f"{self._parts.lease.owner} lost the engine's lease: another daemon trades now")

    async def _trade(self, token: int, ready: Callable[[str], None]) -> None:
        await self._reconcile()
        ready(f"trading as {self._parts.lease.owner} with fencing token {token}")
        lost: list[str] = []
        try:
            async with asyncio.TaskGroup() as group:
                for task in self.tasks():
                    group.create_task(supervise(task, self._heartbeats, until_woken), name=task.name)
        except* LeaseLostError as found:
            lost += [str(error) for error in found.exceptions]
        if lost:
            raise LeaseLostError(lost[0])

    async def _reconcile(self) -> None:
        """Before the first decision; tried until it succeeds, because nothing may be decided without it."""
        pause = FIRST_PAUSE
        while True:
            try:
                done = await asyncio.to_thread(self._parts.session.reconcile)
            except (TransientError, PermanentError, psycopg.Error) as error:
                log.error(  # noqa: TRY400
                    "nothing is decided before the books agree with the broker, tried again in %.0f s: %s", pause, error
                )
                await until_woken(self._stop, pause)
                pause = min(LONGEST_PAUSE, pause * 2)
                continue
            for found in done.breaks:
                log.error("%s", found.sentence)
            return

    def tasks(self) -> Sequence[Task]:
        """The five tasks and their helpers."""
        return (
            self._decisions,
            self._stops,
            Task("performance", self._perform, PERFORMANCE_SECONDS),
            Task("risk_tier", self._step(self._review), TIER_SECONDS),
            Task("rebalance", self._step(self._rebalance), REBALANCE_SECONDS),
            Task("sync", self._step(self._sync), SYNC_SECONDS),
            self._messages,
            Task("stream", self._stream, FIRST_PAUSE),
            Task("wakeups", self._listen, FIRST_PAUSE),
        )

    @staticmethod
    def _step(work: Callable[[], str]) -> Callable[[], Awaitable[str]]:
        async def cycle() -> str:
            return await asyncio.to_thread(work)

        return cycle

    async def _decide(self) -> str:
        return await asyncio.to_thread(self._decide_and_send)

    def _decide_and_send(self) -> str:
        session, now = self._parts.session, self._parts.clock.now
        for kind, count in session.obey(now()).items():
            log.info("an operator's %s: %d orders given or cancelled", kind, count)
        decided = session.decide(now())
        _tell(decided)
        sent = session.send_outbox(now())
        for order_id, why in sent.refused.items():
            log.warning("order %s was not placed: %s", order_id, why)
        return f"{len(decided)} new decisions, {len(sent.sent)} orders sent, {len(sent.in_doubt)} in doubt"

    async def _check_stops(self) -> str:
        """All positions at each slow interval, between them those near their stop; wake-ups move neither."""
        now, whole = self._parts.clock.now(), self._parts.settings.trading.stop_loss_check_interval_seconds
        near_only = self._full_check_at is not None and (now - self._full_check_at).total_seconds() < whole
        done = await asyncio.to_thread(self._leave, near_only)
        if not near_only:
            self._full_check_at = now  # only one that went through counts
        return done

    def _leave(self, near_only: bool) -> str:
        session, now = self._parts.session, self._parts.clock.now
        left = session.check_stops(now(), near_only=near_only)
        guarded = session.protect(now())
        _tell([*left, *guarded.rested])
        session.send_outbox(now())  # also what waited for a stop to be cancelled
        bare = f", unprotected: {', '.join(guarded.unprotected)}" if guarded.unprotected else ""
        looked = "positions near their stop" if near_only else "all positions"
        return f"{len(left)} exits, {len(guarded.rested)} stops to rest, looked at {looked}{bare}"

    async def _perform(self) -> str:
        return await asyncio.to_thread(self._settle)

    def _settle(self) -> str:
        session, now = self._parts.session, self._parts.clock.now()
        moved, equity = session.siphon(now), session.close_books(now)
        return f"${moved} to the reserve" + (f", a session closed at ${equity:.2f}" if equity is not None else "")

    def _review(self) -> str:
        review = self._parts.session.review_tier(self._parts.clock.now())
        return review.sentence if review else ""

    def _rebalance(self) -> str:
        session, now = self._parts.session, self._parts.clock.now
        trims = session.rebalance(now())
        if trims:
            _tell(trims)
            session.send_outbox(now())
        return f"{len(trims)} trims"

    def _sync(self) -> str:
        done = self._parts.session.sync(self._parts.clock.now())
        for found in done.breaks:
            log.error("%s", found.sentence)
        return f"{done.swept.booked} fills booked, {len(done.breaks)} breaks"

    def _deliver(self) -> str:
        database, now = self._parts.database, self._parts.clock.now()
        ensure_channels(database, self._channels, self._parts.settings.notifying, now)
        done = deliver(database, self._channels, now)
        return f"{done.sent} messages sent through {len(self._channels)} channels, {done.put_off} put off"

    async def _stream(self) -> str:
        broker, session = self._parts.settings.broker, self._parts.session
        key = broker.api_key.get_secret_value() or SANDBOX_KEY
        secret = broker.api_secret.get_secret_value() or SANDBOX_KEY
        async with trade_updates(self._parts.settings.endpoints.trading_stream, key, secret) as updates:
            await asyncio.to_thread(session.sweep, self._parts.clock.now())
            await asyncio.to_thread(self._heartbeats.beat, "stream", "", "listening")
            async for update in updates:
                await asyncio.to_thread(session.apply_update, update)
                if update.execution is not None:
                    fill = update.execution
                    log.info("%s %s of %s filled at $%s", fill.side, fill.quantity, fill.ticker, fill.price)
                if update.execution is not None or update.order.state.final:
                    self._stops.wake.set()  # a new position gets its stop at once, and what waited for one goes
                if update.order.state is OrderState.FILLED and update.order.side == "sell":
                    self._decisions.wake.set()  # whoever asked to be flat hears of it
        return "the stream ended"

    async def _listen(self) -> str:
        """Hold a connection that listens, and wake on each word from it whoever it is for."""
        async with await psycopg.AsyncConnection.connect(self._parts.database.url, autocommit=True) as connection:
            for channel in CHANNELS:
                await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
            await asyncio.to_thread(self._heartbeats.beat, "wakeups", "", "listening")
            self._decisions.wake.set()  # what came while nobody listened
            async for word in connection.notifies():
                (self._messages if word.channel == NOTICES else self._decisions).wake.set()
        return "the connection ended"


def _tell(decisions: Iterable[Decision]) -> None:
    """The log's line for each decision to act; those to skip stand in the database and would drown it."""
    for decision in decisions:
        if decision.order is not None:
            log.info("%s", decision.sentence)
