"""Reactions to filings by hand: which close they begin at, which open comes first, and what is taken off; intervals."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_cli.score.lexicon import always_up, vader, words
from stonks_cli.score.reactions import Opinion, judged, reactions, table, wilson
from stonks_cli.score.recording import Prices
from stonks_core.calendar import MarketCalendar
from stonks_core.columns import micros
from stonks_core.prices.sessions import Sessions

LISTED = MarketCalendar("XNYS").sessions_between(date(2024, 5, 1), date(2024, 5, 3))
CLOSES = [[100.0, 50.0], [110.0, 50.0], [99.0, 60.0]]
OPENS = [[100.0, 50.0], [105.0, 50.0], [112.0, 55.0]]


def _prices() -> Prices:
    ends = np.array([micros(session.close) for session in LISTED], dtype=np.int64)
    starts = np.array([micros(session.open) for session in LISTED], dtype=np.float64)
    close = np.array(CLOSES)
    days = tuple(session.day.isoformat() for session in LISTED)
    return Prices(Sessions(("AAA", "BBB"), days, ends, ends, close, close), starts, np.array(OPENS))


def _at(day: int, hour: int) -> datetime:
    return datetime(2024, 5, day, hour, 5, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)


def test_a_filing_after_the_close_reacts_in_the_next_session() -> None:
    found = reactions("AAA", _at(1, 16), _prices())
    assert found["1"] == pytest.approx(0.10 - (0.10 + 0.0) / 2)
    assert found["open"] == pytest.approx(0.05 - (0.05 + 0.0) / 2)
    assert found["entered 1"] == pytest.approx((110 / 105 - 1) / 2)
    assert set(found) == {"open", "1", "entered 1"}


def test_a_filing_before_the_open_reacts_in_the_session_of_its_day() -> None:
    assert reactions("AAA", _at(2, 8), _prices()) == reactions("AAA", _at(1, 16), _prices())


def test_a_filing_within_a_session_opens_on_the_next_day_and_is_measured_from_the_close_before() -> None:
    found = reactions("AAA", _at(2, 11), _prices())
    assert found["1"] == pytest.approx(0.05)
    assert found["open"] == pytest.approx((0.12 - 0.10) / 2)


def test_no_price_no_reaction() -> None:
    assert reactions("ZZZ", _at(1, 16), _prices()) == {}
    assert reactions("AAA", _at(1, 8), _prices()) == {}
    assert reactions("AAA", _at(3, 16), _prices()) == {}


def test_a_missing_bar_is_never_bridged() -> None:
    prices = _prices()
    prices.sessions.close[1, 0] = np.nan
    assert "1" not in reactions("AAA", _at(1, 16), prices)


def test_hits_coverage_and_earnings_by_hand() -> None:
    opinions = [Opinion(0.5, 0.9), Opinion(-0.5, 0.8), Opinion(0.05, 0.5), Opinion(0.9, 0.9)]
    found = judged(opinions, [0.02, 0.01, -0.03, 0.04])
    assert (found["filings"], found["opinions"], found["coverage"]) == (4, 3, 0.75)
    assert found["hit_rate"] == pytest.approx(2 / 3)
    assert found["mean_abnormal"] == pytest.approx((0.02 - 0.01 + 0.04) / 3)
    assert found["ic"] == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert [(b["from"], b["n"]) for b in found["calibration"]] == [(0.8, 1), (0.9, 2)]


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775), (9, 10, 0.5958, 0.9821)]
)
def test_intervals_known_from_the_books(hits: int, n: int, low: float, high: float) -> None:
    bounds = wilson(hits, n)
    assert bounds is not None
    assert (bounds.low, bounds.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_narrows_with_more_of_the_same(drawn: tuple[int, int]) -> None:
    hits, n = drawn
    few, many = wilson(hits, n), wilson(4 * hits, 4 * n)
    assert few is not None
    assert many is not None
    assert 0 <= few.low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= few.high <= 1
    assert many.high - many.low < few.high - few.low


def test_an_interval_of_nothing_is_none() -> None:
    assert wilson(0, 0) is None


def test_every_judge_is_measured_on_the_same_filings() -> None:
    said = {"a": [Opinion(0.5, 0.5), None, Opinion(0.2, 0.5)], "b": [Opinion(1.0, 1.0)] * 3}
    rows = table(said, [{"1": 0.01}, {"1": 0.02}, {"open": 0.02, "1": -0.01}])
    assert {(row["horizon"], row["judge"], row["filings"]) for row in rows} == {
        ("1", "a", 2), ("1", "b", 2), ("open", "a", 1), ("open", "b", 1),
    }  # fmt: skip


GOOD = "Record growth and strong demand lifted profitability to the highest ever, an excellent success."
BAD = "Weak demand, impairment charges and a lawsuit led to losses and a terrible decline in sales."


@pytest.mark.parametrize("judge", [words, vader])
def test_baselines_tell_plain_good_from_plain_bad(judge) -> None:  # type: ignore[no-untyped-def]
    assert judge(GOOD).score > 0.1
    assert judge(BAD).score < -0.1
    assert judge("") == Opinion(0.0, 0.0)
    assert always_up(BAD) == Opinion(1.0, 1.0)


@given(st.text(max_size=300))
def test_baselines_keep_their_range_on_any_text(text: str) -> None:
    for judge in (words, vader, always_up):
        opinion = judge(text)
        assert -1 <= opinion.score <= 1
        assert 0 <= opinion.confidence <= 1
