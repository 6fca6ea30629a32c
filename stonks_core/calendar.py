"""Market sessions, half days and holidays, by exchange_calendars; never by weekday arithmetic."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import exchange_calendars
import pandas as pd
from exchange_calendars.errors import InvalidCalendarName

from stonks_core.clock import require_utc
from stonks_core.errors import BadInputError, SettingsError

_FIRST = date(2000, 1, 1)


@dataclass(frozen=True)
class Session:
    """One session of a market: its date, and when it opens and closes (aware UTC)."""

    day: date
    open: datetime
    close: datetime


class MarketCalendar:
    """The sessions of one market, by exchange_calendars' name: `XNYS`, or `24/7` for a market that never closes.

    Sessions are found by their opens and closes, never by the UTC date, which for some markets is another one than the
    session's. Raises BadInputError for what lies outside the sessions that are known (to the end of next year).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._calendar = _calendar(name, date.today().year)  # noqa: DTZ011  how far ahead to load, nothing computed
        self._labels = self._calendar.sessions
        self._opens = pd.DatetimeIndex(self._calendar.opens)
        self._closes = pd.DatetimeIndex(self._calendar.closes)
        self.sessions_a_year = 365 if name == "24/7" else 252

    def is_open(self, at: datetime) -> bool:
        """Whether the market is in session at an instant: open included, close excluded."""
        session = self.session_at_or_before(at)
        return session.open <= at < session.close

    def session(self, day: date) -> Session | None:
        """The session of a date, or None on a day without one."""
        index = self._index_of(day)
        return self._session(index, day) if index < len(self._labels) and self._labels[index].date() == day else None

    def session_at_or_before(self, at: datetime) -> Session:
        """The newest session that has opened at an instant."""
        return self._session(int(self._opens.searchsorted(self._stamp(at), side="right")) - 1, at)

    def previous_close(self, at: datetime) -> datetime:
        """The newest close at or before an instant: where the intraday window begins."""
        return self._session(int(self._closes.searchsorted(self._stamp(at), side="right")) - 1, at).close

    def next_open(self, at: datetime) -> datetime:
        """The first open at or after an instant."""
        return self._session(int(self._opens.searchsorted(self._stamp(at), side="left")), at).open

    def sessions_between(self, first: date, last: date) -> list[Session]:
        """All sessions of the dates from first to last, both included."""
        end = self._index_of(last + timedelta(days=1))
        return [self._session(index, first) for index in range(self._index_of(first), end)]

    def sessions_after(self, day: date, count: int) -> list[Session]:
        """The next `count` sessions strictly after a date."""
        start = self._index_of(day + timedelta(days=1))
        return [self._session(index, day) for index in range(start, start + count)]

    def _stamp(self, at: datetime) -> pd.Timestamp:
        stamp = pd.Timestamp(require_utc(at))
        if not self._opens[0] <= stamp <= self._closes[-1]:
            raise self._outside(at.date())
        return stamp

    def _index_of(self, day: date) -> int:
        """The place of the first session of a date or later."""
        if not self._labels[0].date() <= day <= self._labels[-1].date() + timedelta(days=1):
            raise self._outside(day)
        return int(self._labels.searchsorted(pd.Timestamp(day), side="left"))

    def _session(self, index: int, asked: date) -> Session:
        if not 0 <= index < len(self._labels):
            raise self._outside(asked)
        return Session(self._labels[index].date(), _utc(self._opens[index]), _utc(self._closes[index]))

    def _outside(self, asked: date) -> BadInputError:
        first, last = self._labels[0].date(), self._labels[-1].date()
        return BadInputError(f"the sessions of {self.name} are known from {first} to {last}, not around {asked}")


@lru_cache(maxsize=8)
def _calendar(name: str, year: int) -> exchange_calendars.ExchangeCalendar:
    last = date(year + 1, 12, 31).isoformat()
    try:
        return exchange_calendars.get_calendar(name, start=_FIRST.isoformat(), end=last)
    except InvalidCalendarName as error:
        raise SettingsError(
            f"MARKET_CALENDAR is {name!r}, which exchange_calendars does not know: use XNYS or 24/7"
        ) from error
    except ValueError:  # a market whose sessions are recorded from a later date on
        return exchange_calendars.get_calendar(name, end=last)


def _utc(stamp: pd.Timestamp) -> datetime:
    return stamp.to_pydatetime().astimezone(UTC)
