"""Clock skew and sessions: what holds, what does not, and what a slow answer may explain."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stonks_trading.decide.guards import Asked, clock_guard, session_guard, unanswered

NOW = datetime(2026, 5, 4, 16, tzinfo=UTC)
LIMIT = timedelta(seconds=5)


def asked(skew: float, took: float = 0.0, *, is_open: bool = True) -> Asked:
    took_ = timedelta(seconds=took)
    return Asked(NOW, NOW + took_, NOW + took_ / 2 + timedelta(seconds=skew), is_open)


def test_a_skew_above_the_limit_names_the_figures() -> None:
    guard = clock_guard(asked(-7.5), LIMIT)
    assert not guard.holds
    assert guard.sentence.startswith("the broker's clock is 7.5 s behind this machine's, allowed are 5 s")
    assert (guard.value, guard.threshold) == (-7.5, 5)


@given(st.floats(-60, 60), st.floats(0, 30))
def test_only_what_the_round_trip_cannot_explain_counts(skew: float, took: float) -> None:
    found = asked(skew, took)
    assert abs(found.skew.total_seconds() - skew) < 1e-5
    holds = clock_guard(found, LIMIT).holds
    if abs(skew) <= 5:
        assert holds
    if abs(skew) - took / 2 > 5.001:
        assert not holds


def test_a_session_that_is_not_agreed_about() -> None:
    assert session_guard(asked(0), before=True, after=True).holds
    assert session_guard(asked(0, is_open=False), before=True, after=False).holds  # at the close either is right
    told = session_guard(asked(0, is_open=False), before=True, after=True)
    assert (told.holds, "the broker says that the market is closed" in told.sentence) == (False, True)
    assert not session_guard(asked(0), before=False, after=False).holds


def test_what_cannot_be_asked_is_unknown() -> None:
    assert [(g.name, g.holds) for g in unanswered("no answer")] == [("clock", False), ("session", False)]
