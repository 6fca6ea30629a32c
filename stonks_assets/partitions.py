"""The one partition set: UTC days, today included; and which instants a run's partitions stand for."""

from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

FIRST_DAY = "2020-01-01"
SETTLING = timedelta(hours=6)

daily = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC", end_offset=1)


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of a run's partition or range, oldest first."""
    return [date.fromisoformat(key) for key in sorted(context.partition_keys)]


def as_of_for(day: date, now: datetime, configured: str = "") -> datetime:
    """The instant a day's run is computed for: as configured, now for a day whose feeds have not settled, else its end.

    The end is the day's last microsecond, so that what is computed for a day stands in that day's partition.
    """
    if configured:
        return datetime.fromisoformat(configured).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    return now if now < end + SETTLING else end - timedelta(microseconds=1)
