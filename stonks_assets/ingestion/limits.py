"""Rate limits that hold across processes and restarts: a sliding minute of taken slots in PostgreSQL."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from stonks_core.errors import TransientError
from stonks_core.stores.postgres import Database


@dataclass(frozen=True)
class Limit:
    """At most `slots` requests in any `seconds`, counted under `bucket`."""

    bucket: str
    slots: int
    seconds: float = 60.0


POLYGON = Limit("polygon", 45)
EDGAR = Limit("edgar", 8, 1.0)


class RateGate:
    """Waits for a slot. All processes that share the database share the limit."""

    def __init__(
        self, database: Database, limit: Limit, *, patience: float = 120.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._database, self._limit, self._patience, self._sleep = database, limit, patience, sleep

    def __call__(self) -> None:
        """Take a slot, waiting for one; TransientError when none came free in time."""
        waited = 0.0
        while (delay := self._take()) > 0:
            if waited + delay > self._patience:
                raise TransientError(
                    f"the limit of {self._limit.slots} requests in {self._limit.seconds:g} s on {self._limit.bucket} left no "
                    f"slot for {self._patience:g} s: ask for fewer companies or a larger plan"
                )
            self._sleep(delay)
            waited += delay

    def _take(self) -> float:
        """0 when a slot was taken, otherwise the seconds until the oldest one comes free."""
        with self._database.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"rate:{self._limit.bucket}",))
            connection.execute(
                "DELETE FROM rate_limits WHERE bucket = %s AND taken_at <= clock_timestamp() - make_interval(secs => %s)",
                (self._limit.bucket, self._limit.seconds),
            )
            row = connection.execute(
                "SELECT count(*) AS taken, EXTRACT(EPOCH FROM min(taken_at) - clock_timestamp())::float AS oldest "
                "FROM rate_limits WHERE bucket = %s",
                (self._limit.bucket,),
            ).fetchone()
            if row is None or row["taken"] < self._limit.slots:
                connection.execute(
                    "INSERT INTO rate_limits (bucket, taken_at) VALUES (%s, clock_timestamp())", (self._limit.bucket,)
                )
                return 0.0
            return max(0.01, float(row["oldest"]) + self._limit.seconds)
