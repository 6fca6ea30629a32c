"""Whose turn it is when days are asked for again. Pure: days with something undone in, one stretch of days out.

The newest stretch comes first, the others in turn, so that one that cannot be helped does not hold up the rest; and
when asking has changed nothing, the pause before the next asking grows.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

MOST_DAYS = 3
"""In one run: each day may take a whole extraction budget, and fresh documents wait for the same tables."""
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Stretch:
    """Days in a row, each with items that are undone."""

    first: date
    last: date
    items: int

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Asked:
    """What was asked for last: the first day of its stretch, all that was undone then, how often in vain, and when."""

    first: str = ""
    undone: str = ""
    in_vain: int = 0
    at: str = ""

    def text(self) -> str:
        """As a sensor's cursor."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, cursor: str | None) -> "Asked":
        """From a sensor's cursor; a cursor of another shape counts as none."""
        try:
            return cls(**json.loads(cursor)) if cursor else cls()
        except (ValueError, TypeError):
            return cls()


def next_turn(asked: Asked, undone: Mapping[date, int], now: datetime) -> tuple[Stretch, Asked] | datetime:
    """The stretch to ask for now with the note of it, or until when to wait. `undone` must not be empty."""
    seen = json.dumps({day.isoformat(): undone[day] for day in sorted(undone)})
    in_vain = asked.in_vain + 1 if seen == asked.undone else 0
    if in_vain:
        until = datetime.fromisoformat(asked.at) + min(timedelta(minutes=2 ** min(in_vain - 1, 10)), LONGEST_PAUSE)
        if now < until:
            return until.astimezone(UTC)
    found = stretches(undone)
    older = [stretch for stretch in found if stretch.first.isoformat() < asked.first]
    stretch = older[0] if in_vain and older else found[0]
    return stretch, Asked(stretch.first.isoformat(), seen, in_vain, now.isoformat())


def stretches(undone: Mapping[date, int]) -> list[Stretch]:
    """The days as stretches without a gap, of at most `MOST_DAYS`, newest first."""
    found: list[Stretch] = []
    for day in sorted(undone, reverse=True):
        newest = found[-1] if found else None
        if newest and newest.first - day == timedelta(days=1) and (newest.last - day).days < MOST_DAYS:
            found[-1] = Stretch(day, newest.last, newest.items + undone[day])
        else:
            found.append(Stretch(day, day, undone[day]))
    return found
