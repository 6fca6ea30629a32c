"""Random streams keyed by purpose and place in time, and the world's day numbering. No prices, no events."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

EPOCH = date(2015, 1, 1)
"""Day 0 of every synthetic world; nothing is known before it."""

HISTORY_DAYS = 130
"""Days after the epoch that only feed the memory of later ones; a world's first visible day comes after them."""

STREAMS = {"factors": 1, "events": 2, "coarse": 3, "fine": 4, "prose": 5, "regimes": 6, "documents": 7}


def generator(seed: int, stream: str, *place: int) -> np.random.Generator:
    """The stream of a purpose at a place (day, company...); the same key gives the same draws in every process."""
    return np.random.default_rng([seed, STREAMS[stream], *place])


def day_number(at: datetime | date) -> int:
    """Days since the epoch, UTC."""
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return (day - EPOCH).days


def day_start(number: int) -> datetime:
    """The first instant of a day number, UTC."""
    return datetime(EPOCH.year, EPOCH.month, EPOCH.day, tzinfo=UTC) + timedelta(days=number)


def first_instant() -> datetime:
    """The earliest instant for which a synthetic world can be asked."""
    return day_start(HISTORY_DAYS)
