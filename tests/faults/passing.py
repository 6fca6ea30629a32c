"""Time that passes when somebody waits: the one place that knows how waits and limits are kept.

Nothing sleeps. A pause of the fetcher or of a limit makes this clock jump, and all slots that were taken grow older by
as much; a silent vendor is given up on after a quarter of a second.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import pytest

from stonks_assets.ingestion import http, limits, sources
from stonks_assets.ingestion.limits import Limit
from stonks_core.stores.postgres import Database
from tests.faults.proxy import Arrival

SILENCE = httpx.Timeout(0.25, connect=2)
BREATH = 0.5
LIMITS = {"/polygon": Limit("polygon", 8, 60.0), "/edgar": Limit("edgar", 8, 1.0)}


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
    """Let every fetcher and every limit that is made from now on pass time so, with small limits for the vendors."""
    for waiting in (http.Fetcher, limits.RateGate):
        patch.setitem(waiting.__init__.__kwdefaults__, "sleep", passing.sleep)
    patch.setattr(http, "TIMEOUT", SILENCE)
    patch.setattr(sources, "POLYGON", LIMITS["/polygon"])
    patch.setattr(sources, "EDGAR", LIMITS["/edgar"])


def exceeded(arrivals: Sequence[Arrival], prefix: str) -> list[str]:
    """Every window in which more questions arrived than the vendor allows.

    A question arrives a little after its slot was taken, and on a busy machine not always by as much: that breath is
    left out of the window.
    """
    limit = LIMITS[prefix]
    times = sorted(arrival.at for arrival in arrivals if arrival.url.startswith(prefix))
    window = limit.seconds - min(BREATH, 0.3 * limit.seconds)
    return [
        f"{limit.slots + 1} questions within {later - first:.3f} s"
        for first, later in zip(times, times[limit.slots :], strict=False)
        if later - first < window
    ]
