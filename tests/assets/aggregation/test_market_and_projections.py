"""Prices around a trend, abnormal returns, and the straight line through past scores."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.aggregation.market import contexts, realised_volatility
from stonks_assets.aggregation.projections import project
from stonks_core.columns import NEVER, micros
from stonks_core.prices.adjusting import known_bars
from stonks_core.prices.sessions import sessions
from stonks_core.vocabulary import Window

FIRST = datetime(2026, 1, 1, 21, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_context_by_hand(daily_bars):
    closes = [100.0 * 1.01**n for n in range(25)]
    bars = daily_bars({"AAA": closes}, FIRST)
    as_of = FIRST + 24 * DAY + timedelta(hours=1)
    since = {Window.DAY: as_of - DAY, Window.WEEK: as_of - 7 * DAY, Window.QUARTER: as_of - 90 * DAY}
    context = contexts(bars, as_of, ["AAA", "ZZZ"], since, 252)["AAA"]
    assert context.reference_price == closes[-1]
    assert context.returns[Window.DAY] == pytest.approx(0.01)
    assert context.returns[Window.WEEK] == pytest.approx(1.01**7 - 1)
    assert context.returns[Window.QUARTER] is None
    assert context.volume_ratio == pytest.approx(1.0)
    assert context.volatility == pytest.approx(0.0, abs=1e-9)
    assert contexts(bars, as_of, ["ZZZ"], since, 252)["ZZZ"].reference_price is None
    assert contexts(bars.slice(0, 0), as_of, ["AAA"], since, 252)["AAA"].volume_ratio is None


def test_volatility_is_the_deviation_of_twenty_log_returns_annualised():
    closes = np.array([100.0, 102.0] * 11)
    logs = np.diff(np.log(closes[-21:]))
    mean = logs.sum() / 20
    expected = math.sqrt(((logs - mean) ** 2).sum() / 19) * math.sqrt(365)
    assert realised_volatility(closes, 365) == pytest.approx(expected, rel=1e-12)
    assert realised_volatility(closes[:20], 365) is None


def test_volume_ratio_needs_twenty_sessions(daily_bars):
    def ratio(sessions_there):
        bars = daily_bars({"AAA": [1.0] * sessions_there}, FIRST)
        volumes = pa.array([1000.0] * (sessions_there - 1) + [3000.0])
        bars = bars.set_column(bars.column_names.index("volume"), "volume", volumes)
        return contexts(bars, FIRST + 90 * DAY, ["AAA"], {}, 252)["AAA"].volume_ratio

    assert ratio(19) is None
    assert ratio(20) == pytest.approx(3000 / (22_000 / 20))


def test_a_bar_that_is_not_known_yet_does_not_exist(daily_bars):
    bars = daily_bars({"AAA": [1.0, 2.0]}, FIRST)
    assert known_bars(bars, FIRST + DAY).num_rows == 1
    assert known_bars(bars, FIRST + DAY + timedelta(minutes=1)).num_rows == 2


def test_the_fullest_feed_speaks(daily_bars):
    thin = daily_bars({"AAA": [1.0, 2.0]}, FIRST, feed="iex")
    full = daily_bars({"AAA": [1.5]}, FIRST, feed="sip")
    both = pa.concat_tables([thin, full])
    assert sorted(known_bars(both, FIRST + 9 * DAY)["close"].to_pylist()) == [1.5, 2.0]


def test_abnormal_is_less_the_equal_weight_mean_of_the_universe(daily_bars):
    bars = daily_bars({"AAA": [100, 110], "BBB": [50, 50], "CCC": [10, 9.5], "SPY": [1, 9]}, FIRST)
    found = sessions(bars, FIRST + 9 * DAY, ["AAA", "BBB", "CCC"])
    assert found.tickers == ("AAA", "BBB", "CCC")
    assert found.forward(1)[0].tolist() == pytest.approx([0.1, 0.0, -0.05])
    assert found.abnormal(1)[0].tolist() == pytest.approx([0.1 - 0.05 / 3, -0.05 / 3, -0.05 - 0.05 / 3])
    assert np.isnan(found.forward(1)[1]).all()
    assert np.isnan(found.forward(5)).all()


def test_a_missing_bar_is_missing_from_the_mean_too(daily_bars):
    bars = daily_bars({"AAA": [100, 110, 121], "BBB": [50, None, 60]}, FIRST)
    found = sessions(bars, FIRST + 9 * DAY, ["AAA", "BBB"])
    assert found.abnormal(1)[0, 0] == pytest.approx(0.0)
    assert np.isnan(found.abnormal(1)[0, 1])


def test_base_is_the_last_close_before_and_known_when_both_ends_are(daily_bars):
    found = sessions(daily_bars({"AAA": [1, 2, 3]}, FIRST), FIRST + 9 * DAY, ["AAA"])
    instants = np.array([micros(FIRST) - 1, micros(FIRST), micros(FIRST + DAY) + 1])
    base = found.base_of(instants)
    assert base.tolist() == [-1, 0, 1]
    known = found.closed_at(base, 2)
    assert known.tolist() == [NEVER, micros(FIRST + 2 * DAY + timedelta(minutes=1)), NEVER]


def points(*scores, step=DAY):
    return [(FIRST + n * step, score) for n, score in enumerate(scores)]


def test_scores_on_a_line_go_on_along_it():
    found = project(points(0.1, 0.2, 0.3), timedelta(days=2), timedelta(days=4))
    assert found.slope == pytest.approx(0.1)
    assert found.projected_score == pytest.approx(0.5)
    assert found.r_squared == pytest.approx(1.0)
    assert found.confidence == pytest.approx(1 - math.exp(-3 / 5))


def test_a_weighted_line_by_hand():
    # Half-life one day: weights 1/4, 1/2, 1 at days -2, -1, 0.
    found = project(points(0.0, 0.4, 0.2), DAY, 2 * DAY)
    weights, days, scores = [0.25, 0.5, 1.0], [-2.0, -1.0, 0.0], [0.0, 0.4, 0.2]
    total = sum(weights)
    mean_day = sum(w * d for w, d in zip(weights, days, strict=True)) / total
    mean = sum(w * s for w, s in zip(weights, scores, strict=True)) / total
    covariance = sum(w * (d - mean_day) * (s - mean) for w, d, s in zip(weights, days, scores, strict=True))
    slope = covariance / sum(w * (d - mean_day) ** 2 for w, d in zip(weights, days, strict=True))
    spread = sum(w * (s - mean) ** 2 for w, s in zip(weights, scores, strict=True))
    left = sum(w * (s - mean - slope * (d - mean_day)) ** 2 for w, d, s in zip(weights, days, scores, strict=True))
    assert found.slope == pytest.approx(slope, rel=1e-12)
    assert found.r_squared == pytest.approx(1 - left / spread, rel=1e-12)
    assert found.projected_score == pytest.approx(0.2 + slope, rel=1e-12)


def test_what_cannot_be_projected():
    assert project(points(0.5), DAY, DAY) is None
    assert project([], DAY, DAY) is None
    flat = project(points(0.3, 0.3, 0.3), DAY, DAY)
    assert (flat.slope, flat.r_squared, flat.confidence, flat.projected_score) == (0, 0, 0, 0.3)


def test_only_the_last_twenty_count():
    scores = [-1.0] * 5 + [n / 100 for n in range(20)]
    assert project(points(*scores), DAY, DAY) == project(points(*scores)[5:], DAY, DAY)
    assert project(points(*scores), DAY, DAY).points == 20


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30), st.floats(0.01, 90))
def test_projections_stay_in_range_in_any_order(scores, days):
    history = points(*scores, step=timedelta(minutes=15))
    found = project(history, timedelta(days=days / 9), timedelta(days=days))
    assert -1 <= found.projected_score <= 1
    assert 0 <= found.r_squared <= 1
    assert 0 <= found.confidence < 1
    assert project(history[::-1], timedelta(days=days / 9), timedelta(days=days)) == found
