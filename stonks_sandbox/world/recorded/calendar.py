"""Sessions of the exchange, and the mapping of a recording's sessions onto today's.

Under its own dates a recording's instants stay as they are. Mapped, recorded session i becomes the session i places
after the first one of the play; an instant keeps its session and its New York time of day.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import exchange_calendars

from stonks_sandbox.world.instants import NEW_YORK

CALENDAR = "XNYS"
ANCHOR = 2 / 3
"""The recording's session this far through is played on the day of the start."""


@dataclass(frozen=True)
class Sessions:
    """A run of sessions with their opening and closing instants, UTC."""

    days: tuple[date, ...]
    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]

    @staticmethod
    def between(first: date, last: date) -> "Sessions":
        """The sessions of [first, last] by the exchange's calendar, half days and holidays included."""
        calendar = exchange_calendars.get_calendar(
            CALENDAR, start=str(first - timedelta(days=7)), end=str(last + timedelta(days=7))
        )
        days = [session.date() for session in calendar.sessions_in_range(str(first), str(last))]
        table = calendar.schedule
        return Sessions(
            tuple(days),
            tuple(table.at[str(day), "open"].to_pydatetime().astimezone(UTC) for day in days),
            tuple(table.at[str(day), "close"].to_pydatetime().astimezone(UTC) for day in days),
        )

    def index(self, day: date) -> int | None:
        """The place of a session day, or None for a day without a session."""
        place = bisect_left(self.days, day)
        return place if place < len(self.days) and self.days[place] == day else None

    def at_or_before(self, day: date) -> int:
        """The place of the last session not after `day`; -1 where all are later."""
        return bisect_right(self.days, day) - 1

    def is_open(self, at: datetime) -> bool:
        """Whether a session runs at `at`."""
        place = bisect_right(self.opens, at) - 1
        return place >= 0 and at < self.closes[place]


def at_clock(day: date, like: datetime) -> datetime:
    """The instant with `like`'s New York time of day on another day."""
    local = like.astimezone(NEW_YORK)
    return datetime.combine(day, local.time(), NEW_YORK).astimezone(UTC)


@dataclass(frozen=True)
class Mapping:
    """Where each recorded session is played: `played.days[i + shift]` is recorded session i's day."""

    recorded: Sessions
    played: Sessions
    shift: int

    @staticmethod
    def identity(recorded: Sessions) -> "Mapping":
        """Every session on its own day."""
        return Mapping(recorded, recorded, 0)

    @staticmethod
    def onto(recorded: Sessions, anchor_day: date) -> "Mapping":
        """The session two thirds through on the last session not after `anchor_day`."""
        place = min(len(recorded.days) - 1, int(len(recorded.days) * ANCHOR))
        reach = timedelta(days=int(len(recorded.days) * 1.6) + 30)
        played = Sessions.between(anchor_day - reach, anchor_day + reach)
        return Mapping(recorded, played, played.at_or_before(anchor_day) - place)

    @property
    def is_identity(self) -> bool:
        """Whether nothing moves."""
        return self.played is self.recorded

    def place(self, recorded_index: int) -> int:
        """The index among the played sessions of a recorded session."""
        return recorded_index + self.shift

    def move(self, at: datetime) -> datetime:
        """A recorded instant as it is played: same session relation, same New York time of day.

        An instant on a day without a session moves with the session before it and keeps its distance in days; where
        the played calendar has fewer closed days there, it stays between the same two sessions.
        """
        if self.is_identity:
            return at
        day = at.astimezone(NEW_YORK).date()
        index = self.recorded.at_or_before(day)
        if index < 0:
            gap = self.recorded.days[0] - day
            return at_clock(self.played.days[self.place(0)] - gap, at)
        away = day - self.recorded.days[index]
        place = self.place(index)
        if away > self._room(place):
            return self._between_sessions(index, at)
        return at_clock(self.played.days[place] + away, at)

    def move_day(self, day: date) -> date:
        """A recorded date as it is played."""
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=NEW_YORK)
        return self.move(noon).astimezone(NEW_YORK).date()

    def _room(self, place: int) -> timedelta:
        """How many days without a session follow a played session."""
        if place + 1 >= len(self.played.days):
            return timedelta.max
        return self.played.days[place + 1] - self.played.days[place] - timedelta(days=1)

    def _between_sessions(self, index: int, at: datetime) -> datetime:
        """Where the closed days do not suffice: as far between close and next open as it was recorded."""
        place = self.place(index)
        begin, finish = self.played.closes[place], self.played.opens[place + 1]
        if index + 1 >= len(self.recorded.days):
            return finish - timedelta(minutes=1)
        closed = self.recorded.opens[index + 1] - self.recorded.closes[index]
        return begin + (finish - begin) * ((at - self.recorded.closes[index]) / closed)
