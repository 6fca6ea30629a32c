"""Which days of a table are worth compacting. Pure: small files by day in, days out."""

from collections.abc import Mapping
from datetime import date

MANY_TODAY = 24
"""A day that is still written: about an hour of commits at 500 a day, so that a read opens no more than that."""
MANY_BEFORE = 4
"""A day that is over: merged once when it has ended, and again only when somebody wrote to it since."""


def worn_days(files: Mapping[date, int], today: date) -> list[date]:
    """The days with so many small files that merging them pays, oldest first."""
    return sorted(day for day, count in files.items() if count >= (MANY_TODAY if day >= today else MANY_BEFORE))
