"""Time that passes when somebody waits: the one place that knows how waits and limits are kept.

Nothing sleeps. A pause of the fetcher or of a limit makes this clock jump, and all slots that were taken grow older by
as much; a silent vendor is given up on after a quarter of a second.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import httpx
import pytest

from stonks_assets.ingestion import http, limits
from stonks_core.stores.postgres import Database
from tests.faults.proxy import Arrival

SILENCE = httpx.Timeout(0.25, connect=2)
POLYGON_SLOTS = 8
LIMITS = {"/polygon": replace(limits.POLYGON, slots=POLYGON_SLOTS), "/edgar": limits.EDGAR}


@dataclass
class Passing:
    """A clock that runs with the machine's and jumps when somebody waits."""

    database: Database | None = None
    jumped: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds, as the vendor's clock shows them."""
        return time.monotonic() + self.jumped

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.jumped += seconds
        if self.database is not None:
            self.database.execute("UPDATE rate_limits SET taken_at = taken_at - make_interval(secs => %s)", (seconds,))


def hurried(patch: pytest.MonkeyPatch, passing: Passing) -> None:
    """Let every fetcher and every limit that is made from now on pass time so, the vendor's patience is short."""
    for waiting in (http.Fetcher, limits.RateGate):
        patch.setitem(waiting.__init__.__kwdefaults__, "sleep", passing.sleep)
    patch.setattr(http, "TIMEOUT", SILENCE)


def exceeded(arrivals: Sequence[Arrival], prefix: str) -> list[str]:
    """Every window in which more questions arrived than the vendor allows."""
    limit = LIMITS[prefix]
    times = sorted(arrival.at for arrival in arrivals if arrival.url.startswith(prefix))
    return [
        f"{limit.slots + 1} questions within {later - first:.3f} s"
        for first, later in zip(times, times[limit.slots :], strict=False)
        if later - first < limit.seconds
    ]
