"""The one partition set: UTC days, today included; and which instants a run's partitions stand for."""

from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from stonks_core.errors import BadInputError

FIRST_DAY = "2020-01-01"
SETTLING = timedelta(hours=6)

daily = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC", end_offset=1)


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of a run's partition or range, oldest first."""
    return [date.fromisoformat(key) for key in sorted(context.partition_keys)]


def as_of_for(day: date, now: datetime, configured: str = "") -> datetime:
    """The instant a day's run is computed for: as configured, now for today, else the day's end.

    The end is the day's last microsecond, so that what is computed for a day stands in that day's partition. Raises
    BadInputError for a configured instant that is none.
    """
    if configured:
        return _configured(configured)
    return min(now, datetime.combine(day + timedelta(days=1), time(), UTC) - timedelta(microseconds=1))


def _configured(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise BadInputError(f"as_of is {text!r}: give it as 2026-03-10T12:00:00+00:00") from error
    if instant.tzinfo is None:
        raise BadInputError(f"as_of is {text!r}, without an offset: give it as {text}+00:00")
    return instant.astimezone(UTC)
