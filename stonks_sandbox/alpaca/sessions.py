"""Trading sessions: when a day opens and closes, when a bar ends, how long a day order lives.

Sessions come from `exchange_calendars`; nothing here reads a clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import exchange_calendars

from stonks_sandbox.world.protocol import Bar

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Session:
    """One trading day; `opens` and `closes` are aware UTC instants, `closes` exclusive."""

    day: date
    opens: datetime
    closes: datetime


class Sessions:
    """The sessions of one calendar, oldest first. Asking beyond either end raises LookupError."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = list(sessions)
        self._opens = [session.opens for session in self._sessions]
        self._closes = [session.closes for session in self._sessions]

    def _at(self, index: int) -> Session:
        if not 0 <= index < len(self._sessions):
            raise LookupError(
                f"the trading calendar ends at {self._sessions[-1].day}; move the sandbox clock back inside it"
            )
        return self._sessions[index]

    def closing_after(self, at: datetime) -> Session:
        """The first session whose close is later than `at`: the one in progress, else the next."""
        return self._at(bisect_right(self._closes, at))

    def opening_after(self, at: datetime) -> Session:
        """The first session that opens later than `at`."""
        return self._at(bisect_right(self._opens, at))

    def closed_by(self, at: datetime) -> Session | None:
        """The last session that has closed at `at`, or None before the first."""
        index = bisect_right(self._closes, at) - 1
        return self._sessions[index] if index >= 0 else None

    def between(self, first: date, last: date) -> list[Session]:
        """The sessions of the days `first` to `last`, both included."""
        start = bisect_left(self._sessions, first, key=lambda session: session.day)
        end = bisect_right(self._sessions, last, key=lambda session: session.day)
        return self._sessions[start:end]

    def bar_begins(self, bar: Bar) -> datetime:
        """When a bar's first trade can happen: a daily bar begins with its session, wherever its stamp lies."""
        if bar.seconds < DAY_SECONDS:
            return bar.start
        return max(bar.start, self.closing_after(bar.start).opens)

    def bar_ends(self, bar: Bar) -> datetime:
        """When a bar is complete: a daily bar at the close of its session, a shorter one after its seconds."""
        if bar.seconds < DAY_SECONDS:
            return bar.start + timedelta(seconds=bar.seconds)
        return self.closing_after(bar.start).closes

    def day_order_expires(self, accepted: datetime, bar_seconds: int) -> datetime:
        """The close of the session of the first bar in which an order accepted at `accepted` can fill.

        A day order entered after the close is for the next session; so is one entered after the last bar of a
        session has begun, and in a world of daily bars one entered while a session runs. On a calendar that never
        closes the session is the UTC day, so a day order ends at a UTC midnight.
        """
        if bar_seconds >= DAY_SECONDS:
            return self.opening_after(accepted).closes
        next_bar = datetime.fromtimestamp((int(accepted.timestamp()) // bar_seconds + 1) * bar_seconds, UTC)
        return self.closing_after(next_bar).closes


@cache
def sessions_of(calendar_name: str) -> Sessions:
    """All sessions that `exchange_calendars` knows under a name such as XNYS or 24/7."""
    schedule = exchange_calendars.get_calendar(calendar_name).schedule
    days = [stamp.date() for stamp in schedule.index]
    opens = [stamp.to_pydatetime().astimezone(UTC) for stamp in schedule["open"]]
    closes = [stamp.to_pydatetime().astimezone(UTC) for stamp in schedule["close"]]
    return Sessions([Session(*row) for row in zip(days, opens, closes, strict=True)])
