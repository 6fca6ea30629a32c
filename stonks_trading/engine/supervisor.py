"""Keeping a task alive: one cycle after another, a heartbeat row for each, a pause that grows while it fails.

The only place in the daemon that catches whatever comes; everything below raises and stops.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psycopg

from stonks_core.errors import StonksError, TransientError
from stonks_core.stores.postgres import Database
from stonks_trading.engine.lease import LeaseLostError

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


@dataclass(frozen=True)
class Task:
    """A name, one cycle of work, and the seconds between two cycles; `wake` begins the next one at once.

    A cycle that returns a sentence has its heartbeat say so.
    """

    name: str
    cycle: Callable[[], Awaitable[str]]
    every: float
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Heartbeats:
    """The row by which others see that a task lives."""

    def __init__(self, database: Database, owner: str) -> None:
        self._database, self._owner = database, owner

    def beat(self, task: str, error: str = "", note: str = "") -> None:
        """One more cycle, well or not."""
        self._database.execute(
            """
            INSERT INTO engine_heartbeats AS held (task, owner, beat_at, ok_at, cycles, failures, last_error, note)
            VALUES (%(task)s, %(owner)s, now(), CASE WHEN %(ok)s THEN now() END, 1, (NOT %(ok)s)::int, %(error)s, %(note)s)
            ON CONFLICT (task) DO UPDATE SET owner = EXCLUDED.owner, beat_at = now(),
                ok_at = COALESCE(EXCLUDED.ok_at, held.ok_at), cycles = held.cycles + 1,
                failures = held.failures + EXCLUDED.failures, last_error = EXCLUDED.last_error, note = EXCLUDED.note
            """,
            {"task": task, "owner": self._owner, "ok": not error, "error": error, "note": note},
        )


async def supervise(
    task: Task, heartbeats: Heartbeats, sleep: Callable[[asyncio.Event, float], Awaitable[None]]
) -> None:
    """Run a task's cycles for ever. Ends only by cancellation or with LeaseLostError."""
    pause, clock = FIRST_PAUSE, asyncio.get_running_loop().time
    while True:
        task.wake.clear()
        began = clock()
        try:
            note = await task.cycle()
            await asyncio.to_thread(heartbeats.beat, task.name, "", note)
            pause, wait = FIRST_PAUSE, task.every
        except LeaseLostError:
            raise
        except Exception as error:
            sentence = str(error) or type(error).__name__
            pause = FIRST_PAUSE if clock() - began > LONGEST_PAUSE else pause  # it had been well for long
            log.error(  # noqa: TRY400  a known failure needs no traceback, an unknown one gets it
                "%s failed and is tried again in %.0f s: %s", task.name, pause, sentence, exc_info=_unknown(error)
            )
            await _told(heartbeats, task.name, sentence)
            wait, pause = pause, min(LONGEST_PAUSE, pause * 2)
        await sleep(task.wake, wait)


async def until_woken(wake: asyncio.Event, seconds: float) -> None:
    """Wait for a wake-up, at most so long."""
    try:
        await asyncio.wait_for(wake.wait(), seconds)
    except TimeoutError:
        return


async def _told(heartbeats: Heartbeats, name: str, sentence: str) -> None:
    try:
        await asyncio.to_thread(heartbeats.beat, name, sentence)
    except (psycopg.Error, TransientError) as error:  # the database itself may be what failed
        log.warning("the heartbeat of %s could not be written: %s", name, error)


def _unknown(error: Exception) -> Exception | None:
    return None if isinstance(error, StonksError | psycopg.OperationalError) else error
