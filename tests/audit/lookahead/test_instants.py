"""Which instants are audited."""

from datetime import UTC, date, datetime, timedelta

import pytest

from stonks_audit.lookahead.instants import instants
from stonks_core.calendar import MarketCalendar
from stonks_core.errors import BadInputError

FIRST, LAST = date(2026, 3, 6), date(2026, 3, 9)  # Friday to Monday, over the change to summer time
LATER = datetime(2026, 3, 20, tzinfo=UTC)


def test_days_sessions_and_hours() -> None:
    exchange, always = MarketCalendar("XNYS"), MarketCalendar("24/7")
    ends = instants(FIRST, LAST, "day", always, LATER)
    assert len(ends) == 4
    assert ends[0] == datetime(2026, 3, 7, tzinfo=UTC) - timedelta(microseconds=1)
    assert [at.hour for at in instants(FIRST, LAST, "close", exchange, LATER)] == [21, 20]
    assert len(instants(FIRST, FIRST, "6h", always, LATER)) == 4


@pytest.mark.parametrize(("every", "before"), [("day", 2), ("6h", 10), ("close", 1)])
def test_a_day_that_is_not_over_ends_with_the_present(every: str, before: int) -> None:
    noon = datetime(2026, 3, 8, 12, tzinfo=UTC)
    calendar = MarketCalendar("XNYS" if every == "close" else "24/7")
    found = instants(FIRST, LAST, every, calendar, noon)
    assert (len(found), found[-1], found) == (before + 1, noon, sorted(set(found)))


def test_what_is_not_past_is_left_out() -> None:
    always = MarketCalendar("24/7")
    noon = datetime(2026, 3, 8, 12, tzinfo=UTC)
    assert len(instants(FIRST, date(2026, 3, 7), "day", always, noon)) == 2
    with pytest.raises(BadInputError, match="no past instant"):
        instants(date(2026, 3, 9), LAST, "day", always, noon)
    with pytest.raises(BadInputError, match="are too many"):
        instants(date(2024, 1, 1), LAST, "1h", always, LATER)
    for wrong in ("0h", "h", "-1h", "weekly"):
        with pytest.raises(BadInputError, match="give day, close, or hours"):
            instants(FIRST, LAST, wrong, always, LATER)
