"""Rate limits that hold across processes and restarts: a sliding window of taken slots in PostgreSQL.

A request takes a slot of every limit that binds it, its source type's and its vendor's, all or none, in one statement.
The vendor counts when a request arrives, we when its slot is taken; between the two lie the database's answer and the
connection. So each window is counted longer than the vendor's by a margin that this may take: requests whose
slots are further apart cannot arrive within one window. A slot that the database was slow to give is left unused. A
request that takes longer than the margin all the same is one too many, and a process may have as many under way as it
asks sources side by side (INGESTION_PARALLEL): that is what stays free below a vendor's own figure is for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from stonks_core.errors import TransientError
from stonks_core.settings.scheduling import RateLimits
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType

MINUTE_MARGIN = 8.0
"""Seconds from a slot to its request's arrival: two for the database, five for connecting, one for the way."""
SLOW_SHARE = 0.25  # of a margin: a slot that took longer to get is not used
SLOW_SLOTS = 3  # in a row, after which the database counts as too slow


@dataclass(frozen=True)
class Limit:
    """At most `slots` requests in any `seconds`, counted under `bucket` over `margin` seconds more."""

    bucket: str
    slots: int
    seconds: float = 60.0
    margin: float = MINUTE_MARGIN

    @property
    def window(self) -> float:
        """The seconds in which slots are counted."""
        return self.seconds + self.margin

    def __str__(self) -> str:
        return f"the limit of {self.slots} requests in {self.seconds:g} s on {self.bucket}"


POLYGON = Limit("polygon", 45)
EDGAR = Limit("edgar", 8, 1.0, margin=0.8)
"""The SEC allows ten a second over all machines: two stay free."""
ALPACA_DATA = Limit("alpaca_data", 180)
"""Alpaca allows 200 a minute."""


def type_limit(rates: RateLimits, source_type: SourceType) -> Limit:
    """The limit of a source type by its setting, whoever the vendor is."""
    return Limit(f"type {source_type}", int(getattr(rates, source_type.value)))


class RateGate:
    """Waits for a slot of every limit. All processes that share the database share the limits.

    Call it before each request, retries and redirects included: each is a request to the vendor.
    """

    def __init__(
        self,
        database: Database,
        *limits: Limit,
        patience: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._limits, self._patience = database, limits, patience
        self._sleep, self._monotonic = sleep, monotonic
        self._parameters = (
            [limit.bucket for limit in limits],
            [limit.slots for limit in limits],
            [limit.window for limit in limits],
        )
        self._slow = SLOW_SHARE * min(limit.margin for limit in limits)

    def __call__(self) -> None:
        """Take a slot of each limit, waiting for them without a connection; TransientError when none came free in time."""
        waited, slow = 0.0, 0
        while True:
            begun = self._monotonic()
            delay = self._take()
            if delay == 0:
                if self._monotonic() - begun <= self._slow:
                    return
                slow += 1
                if slow == SLOW_SLOTS:
                    raise TransientError(
                        f"PostgreSQL took more than {self._slow:g} s for a slot of {self._said()} {slow} times in a row, "
                        "too long to keep it: look at the database's load"
                    )
                continue
            if waited + delay > self._patience:
                raise TransientError(
                    f"{self._said()} left no slot for {self._patience:g} s: ask for fewer companies or a larger plan"
                )
            self._sleep(delay)
            waited += delay

    def _take(self) -> float:
        """0 when slots were taken, otherwise the seconds until there is one of every limit."""
        row = self._database.fetch_one("SELECT take_rate_slots(%s, %s, %s) AS wait", self._parameters)
        return float(row["wait"]) if row else 0.0

    def _said(self) -> str:
        return " and ".join(str(limit) for limit in self._limits)
