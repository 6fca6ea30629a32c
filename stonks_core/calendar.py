"""Market sessions, half days and holidays, by exchange_calendars; never by weekday arithmetic."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import exchange_calendars
import pandas as pd
from exchange_calendars.errors import InvalidCalendarName

from stonks_core.clock import require_utc
from stonks_core.errors import SettingsError

_FIRST = date(2010, 1, 1)


@dataclass(frozen=True)
class Session:
    """One session of a market: its date, and when it opens and closes (aware UTC)."""

    day: date
    open: datetime
    close: datetime


class MarketCalendar:
    """The sessions of one market, by exchange_calendars' name: `XNYS`, or `24/7` for a market that never closes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._calendar = _calendar(name, date.today().year)  # noqa: DTZ011  how far ahead to load, nothing computed
        self.sessions_a_year = 365 if name == "24/7" else 252

    def is_open(self, at: datetime) -> bool:
        """Whether the market is in session at an instant: open included, close excluded."""
        session = self.session_at_or_before(at)
        return session.open <= at < session.close

    def session(self, day: date) -> Session | None:
        """The session of a date, or None on a day without one."""
        label = pd.Timestamp(day)
        if not self._calendar.is_session(label):
            return None
        return Session(day, _utc(self._calendar.session_open(label)), _utc(self._calendar.session_close(label)))

    def session_at_or_before(self, at: datetime) -> Session:
        """The newest session that has opened at an instant."""
        label = self._calendar.date_to_session(pd.Timestamp(require_utc(at).date()), direction="previous")
        session = self._labelled(label)
        return session if session.open <= at else self._labelled(self._calendar.previous_session(label))

    def previous_close(self, at: datetime) -> datetime:
        """The newest close at or before an instant: where the intraday window begins."""
        current = self.session_at_or_before(at)
        if current.close <= at:
            return current.close
        return self._labelled(self._calendar.previous_session(pd.Timestamp(current.day))).close

    def next_open(self, at: datetime) -> datetime:
        """The first open at or after an instant."""
        label = self._calendar.date_to_session(pd.Timestamp(require_utc(at).date()), direction="next")
        session = self._labelled(label)
        return session.open if session.open >= at else self._labelled(self._calendar.next_session(label)).open

    def sessions_between(self, first: date, last: date) -> list[Session]:
        """All sessions of the dates from first to last, both included."""
        labels = self._calendar.sessions_in_range(pd.Timestamp(first), pd.Timestamp(last))
        return [self._labelled(label) for label in labels]

    def sessions_after(self, day: date, count: int) -> list[Session]:
        """The next `count` sessions strictly after a date."""
        label = self._calendar.date_to_session(pd.Timestamp(day + timedelta(days=1)), direction="next")
        return [self._labelled(label) for label in self._calendar.sessions_window(label, count)]

    def _labelled(self, label: pd.Timestamp) -> Session:
        return Session(
            label.date(), _utc(self._calendar.session_open(label)), _utc(self._calendar.session_close(label))
        )


@lru_cache(maxsize=8)
def _calendar(name: str, year: int) -> exchange_calendars.ExchangeCalendar:
    try:
        return exchange_calendars.get_calendar(name, start=_FIRST.isoformat(), end=date(year + 1, 12, 31).isoformat())
    except InvalidCalendarName as error:
        raise SettingsError(
            f"MARKET_CALENDAR is {name!r}, which exchange_calendars does not know: use XNYS or 24/7"
        ) from error


def _utc(stamp: pd.Timestamp) -> datetime:
    return stamp.to_pydatetime().astimezone(UTC)
