"""Sessions of New York, of a market that never closes, and of one whose sessions open on the day before, by UTC."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.calendar import MarketCalendar
from stonks_core.errors import BadInputError, SettingsError

NEW_YORK = MarketCalendar("XNYS")
ALWAYS = MarketCalendar("24/7")
SYDNEY = MarketCalendar("XASX")
moments = st.datetimes(datetime(2019, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
calendars = st.sampled_from([NEW_YORK, ALWAYS, SYDNEY])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_plain_session_in_summer_and_in_winter() -> None:
    summer, winter = NEW_YORK.session(date(2024, 7, 2)), NEW_YORK.session(date(2024, 12, 2))
    assert summer is not None
    assert winter is not None
    assert (summer.open, summer.close) == (at("2024-07-02T13:30"), at("2024-07-02T20:00"))
    assert (winter.open, winter.close) == (at("2024-12-02T14:30"), at("2024-12-02T21:00"))


def test_half_days_close_early() -> None:
    for day in (date(2024, 7, 3), date(2024, 11, 29), date(2024, 12, 24)):
        session = NEW_YORK.session(day)
        assert session is not None
        assert (session.close - session.open) == timedelta(hours=3, minutes=30), day


@pytest.mark.parametrize("day", [date(2024, 7, 4), date(2024, 3, 29), date(2024, 7, 6), date(2025, 1, 9)])
def test_holidays_and_weekends_have_no_session(day: date) -> None:
    assert NEW_YORK.session(day) is None
    assert NEW_YORK.sessions_between(day, day) == []


def test_the_day_after_a_half_day_before_a_holiday() -> None:
    assert NEW_YORK.previous_close(at("2024-07-05T12:00")) == at("2024-07-03T17:00")
    assert NEW_YORK.next_open(at("2024-07-03T17:00")) == at("2024-07-05T13:30")
    assert [s.day for s in NEW_YORK.sessions_after(date(2024, 7, 3), 2)] == [date(2024, 7, 5), date(2024, 7, 8)]


def test_open_is_included_and_close_is_not() -> None:
    tick = timedelta(microseconds=1)
    opened, closed = at("2024-07-02T13:30"), at("2024-07-02T20:00")
    assert [NEW_YORK.is_open(t) for t in (opened - tick, opened, closed - tick, closed)] == [False, True, True, False]
    assert NEW_YORK.previous_close(closed) == closed
    assert NEW_YORK.previous_close(closed - tick) == at("2024-07-01T20:00")
    assert NEW_YORK.next_open(opened) == opened
    assert NEW_YORK.next_open(opened + tick) == at("2024-07-03T13:30")


def test_a_market_that_never_closes() -> None:
    sunday = at("2026-11-22T03:04:05")
    assert ALWAYS.is_open(sunday)
    assert ALWAYS.previous_close(sunday) == at("2026-11-22T00:00")
    assert ALWAYS.previous_close(at("2026-11-22T00:00")) == at("2026-11-22T00:00")
    assert ALWAYS.next_open(sunday) == at("2026-11-23T00:00")
    assert ALWAYS.sessions_a_year == 365
    assert NEW_YORK.sessions_a_year == 252


def test_a_session_that_opens_on_the_day_before() -> None:
    inside = at("2026-03-09T23:30")
    assert SYDNEY.is_open(inside)
    assert SYDNEY.session_at_or_before(inside).day == date(2026, 3, 10)
    assert SYDNEY.previous_close(inside) == at("2026-03-09T05:00")
    assert SYDNEY.next_open(at("2026-03-09T22:59")) == at("2026-03-09T23:00")


@given(calendars, moments)
def test_sessions_surround_every_instant(calendar: MarketCalendar, now: datetime) -> None:
    session = calendar.session_at_or_before(now)
    following = calendar.sessions_after(session.day, 1)[0]
    assert session.open <= now < following.open
    assert calendar.is_open(now) == (now < session.close)
    assert calendar.next_open(now) == (now if session.open == now else following.open)
    assert calendar.previous_close(now) <= now
    assert calendar.previous_close(now) in {session.close, calendar.previous_close(session.open)}


@given(calendars, st.dates(date(2019, 1, 1), date(2026, 6, 1)), st.integers(0, 40))
def test_sessions_of_a_range_are_those_of_its_days(calendar: MarketCalendar, first: date, length: int) -> None:
    days = [first + timedelta(days=n) for n in range(length + 1)]
    found = calendar.sessions_between(days[0], days[-1])
    assert found == [session for day in days if (session := calendar.session(day))]
    assert all(a.close <= b.open for a, b in pairwise(found))


@pytest.mark.parametrize("year", [1969, 2199])
def test_what_is_not_known_is_said(year: int) -> None:
    for ask in (NEW_YORK.is_open, NEW_YORK.previous_close, NEW_YORK.next_open):
        with pytest.raises(BadInputError, match="the sessions of XNYS are known from"):
            ask(datetime(year, 5, 5, tzinfo=UTC))
    with pytest.raises(BadInputError, match=f"not around {year}-05-05"):
        NEW_YORK.session(date(year, 5, 5))
    with pytest.raises(BadInputError, match="the sessions of XNYS are known from"):
        NEW_YORK.sessions_between(date(min(year, 2024), 5, 5), date(max(year, 2024), 5, 5))


def test_naive_instants_and_unknown_calendars_are_refused() -> None:
    with pytest.raises(BadInputError, match="not an aware UTC instant"):
        NEW_YORK.is_open(datetime(2024, 7, 2, 15))  # noqa: DTZ001
    with pytest.raises(SettingsError, match="MARKET_CALENDAR is 'NOWHERE'"):
        MarketCalendar("NOWHERE")


def test_a_market_recorded_from_later_on_is_taken_as_far_as_it_goes() -> None:
    assert MarketCalendar("AIXK").session(date(2026, 3, 10)) is not None
