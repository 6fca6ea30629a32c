"""The present, as a thing that is handed in. Only composition roots make a `SystemClock`."""

from datetime import UTC, datetime
from typing import Protocol

from stonks_core.errors import BadInputError


class Clock(Protocol):
    """Where the present comes from."""

    def now(self) -> datetime:
        """The present, aware UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's present, aware UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told, and never back: for replays, backtests and tests."""

    def __init__(self, now: datetime) -> None:
        self._now = require_utc(now)

    def now(self) -> datetime:
        """The instant it was last moved to."""
        return self._now

    def advance_to(self, instant: datetime) -> None:
        """Move forward to an instant; BadInputError when it lies in the clock's past."""
        if require_utc(instant) < self._now:
            raise BadInputError(
                f"the clock stands at {self._now.isoformat()} and cannot go back to {instant.isoformat()}"
            )
        self._now = instant


def require_utc(instant: datetime) -> datetime:
    """The instant itself; BadInputError when it is naive or not in UTC."""
    offset = instant.utcoffset()
    if offset is None or offset.total_seconds() != 0:
        raise BadInputError(f"{instant.isoformat()} is not an aware UTC instant: give it as ...+00:00")
    return instant
