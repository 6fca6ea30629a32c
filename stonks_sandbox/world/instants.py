"""Reading and writing instants and dates at the sandbox's border. No clock is read here."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)


def iso_utc(at: datetime) -> str:
    """`2026-11-22T10:41:05Z`; whole seconds, as the vendors write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with an offset (`Z` included) as aware UTC; ValueError with a sentence otherwise."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not an ISO 8601 instant such as 2026-11-22T10:41:05Z") from error
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write it with Z or +00:00, so that the instant is certain")
    return at.astimezone(UTC)


def midnight_utc(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def midnight_new_york(day: date) -> datetime:
    """The first instant of a New York day, in UTC; how Polygon stamps a US stock's daily bar."""
    return datetime(day.year, day.month, day.day, tzinfo=NEW_YORK).astimezone(UTC)


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970, exact."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_epoch_ms(value: int) -> datetime:
    """The instant of a number of milliseconds since 1970; OverflowError outside the calendar."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
