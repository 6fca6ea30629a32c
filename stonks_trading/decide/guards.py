"""Whether this machine and the broker agree about the present: clocks and sessions. Pure; asking is `stonks_trading.guards`.

What cannot be asked is not agreed about, and a session that is not agreed about is closed to entries. Exits never ask.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from stonks_core.clock import require_utc

GuardName = Literal["clock", "session"]


@dataclass(frozen=True)
class Guard:
    """One guard's verdict: whether it holds, in a sentence; `value` and `threshold` are seconds where it measures some."""

    name: GuardName
    holds: bool
    sentence: str
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Asked:
    """The broker's clock as it was told between two instants of ours."""

    sent_at: datetime
    answered_at: datetime
    told: datetime
    is_open: bool

    @property
    def skew(self) -> timedelta:
        """How far the broker's clock is ahead of ours, taking its answer as of the middle of the round trip."""
        return require_utc(self.told) - (self.sent_at + self.round_trip / 2)

    @property
    def round_trip(self) -> timedelta:
        """How long the answer took; half of it is what the skew may be wrong by."""
        return max(timedelta(0), self.answered_at - self.sent_at)


def clock_guard(asked: Asked, limit: timedelta) -> Guard:
    """Holds where the clocks may differ by no more than the limit: the skew, less what the round trip may explain."""
    skew, certain = asked.skew, abs(asked.skew) - asked.round_trip / 2
    seconds, most = skew.total_seconds(), limit.total_seconds()
    sentence = f"the broker's clock is {abs(seconds):.1f} s {'ahead of' if seconds >= 0 else 'behind'} this machine's"
    if certain <= limit:
        return Guard("clock", True, sentence, seconds, most)
    fix = f"{sentence}, allowed are {most:g} s: set this machine's clock (for example with chrony or systemd-timesyncd)"
    return Guard("clock", False, fix, seconds, most)


def session_guard(asked: Asked, *, before: bool, after: bool) -> Guard:
    """Holds where the broker says open or closed as the calendar does; `before` and `after` are the calendar's words for
    the instants around the broker's present that a small skew cannot tell apart: at an open or a close either is right.
    """
    word = {True: "open", False: "closed"}
    if asked.is_open in {before, after}:
        return Guard("session", True, f"the broker and the calendar agree that the market is {word[asked.is_open]}")
    return Guard(
        "session",
        False,
        f"the broker says that the market is {word[asked.is_open]}, the calendar that it is {word[before]}: an unscheduled "
        "closure, or MARKET_CALENDAR is not the broker's market",
    )


def unanswered(problem: str) -> tuple[Guard, Guard]:
    """Both guards where the broker's clock could not be asked."""
    why = f"the broker's clock could not be asked, so that the session is unknown: {problem}"
    return Guard("clock", False, why), Guard("session", False, why)
