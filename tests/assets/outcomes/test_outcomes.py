"""What became of recommendations, and what groups of outcomes say."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.outcomes.forward import hit, measure
from stonks_assets.outcomes.judgement import calibration, judge, rank_ic, ranked
from stonks_assets.outcomes.step import materialise_outcomes
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.prices.sessions import sessions
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.outcome_tables import OUTCOMES
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS

FIRST = datetime(2026, 1, 1, 21, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def bars(closes):
    rows = []
    for ticker, prices in closes.items():
        for offset, price in enumerate(prices):
            end = FIRST + offset * DAY
            row = {"day": end.date().isoformat(), "ticker": ticker, "span": "1d", "feed": "sandbox", "close": price}
            row |= dict.fromkeys(("open", "high", "low"), price) | {"volume": 1.0, "raw_sha256": "0"}
            row |= {"start_at": end - timedelta(hours=6), "end_at": end, "published_at": end}
            rows.append({**row, "vwap": None, "available_at": end + timedelta(minutes=1)})
    return pa.Table.from_pylist(rows, schema=MARKET_SNAPSHOTS.schema)


def recommendation(name="r1", at=FIRST + timedelta(hours=1), **given):
    return {
        "day": at.date().isoformat(),
        "recommendation_id": name,
        "ticker": "AAA",
        "window": "7d",
        "action": "buy",
        "mode": "paper_eligible",
        "score": 0.5,
        "confidence": 0.7,
        "as_of": at,
        **given,
    }


CLOSES = {"AAA": [100.0 + n for n in range(30)], "BBB": [100.0] * 30}


def outcomes(as_of, *recommendations, done=frozenset()):
    return measure(recommendations, sessions(bars(CLOSES), as_of, ["AAA", "BBB"]), done)


def test_forward_and_abnormal_returns_by_hand():
    rows = outcomes(FIRST + 40 * DAY, recommendation())
    assert [row["horizon"] for row in rows] == [1, 5, 20]
    assert [row["forward_return"] for row in rows] == pytest.approx([0.01, 0.05, 0.2])
    assert [row["abnormal_return"] for row in rows] == pytest.approx([0.005, 0.025, 0.1])
    assert [row["hit"] for row in rows] == [1, 1, 1]
    assert (rows[1]["base_day"], rows[1]["end_day"]) == ("2026-01-01", "2026-01-06")
    assert rows[1]["available_at"] == FIRST + 5 * DAY + timedelta(minutes=1)


def test_a_horizon_that_is_not_over_has_no_outcome_yet():
    over = FIRST + 5 * DAY + timedelta(minutes=1)
    assert [row["horizon"] for row in outcomes(over, recommendation())] == [1, 5]
    assert [row["horizon"] for row in outcomes(over - timedelta(seconds=1), recommendation())] == [1]
    assert outcomes(over, recommendation(), done=frozenset({("r1", 1), ("r1", 5)})) == []
    assert outcomes(over, recommendation(ticker="ZZZ")) == []
    assert outcomes(over, recommendation(at=FIRST - DAY)) == []


def test_a_recommendation_in_session_is_measured_from_the_close_before():
    (row, *_) = outcomes(FIRST + 9 * DAY, recommendation(at=FIRST + 2 * DAY - timedelta(hours=2)))
    assert row["base_day"] == "2026-01-02"


def test_hits():
    assert hit("buy", 0.5, 0.01) == 1
    assert hit("buy", 0.5, -0.01) == 0
    assert hit("sell", -0.5, -0.01) == 1
    assert hit("watch", -0.2, 0.01) == 0
    assert hit("buy", 0.5, 0.0) == 0
    assert hit("hold", 0.1, 0.5) is None


def test_rank_ic_by_hand():
    # Ranks 1..4 against 1,2,4,3: rho = 1 - 6 * 2 / (4 * 15) = 0.8
    found = rank_ic([0.1, 0.2, 0.3, 0.4], [-1, 0, 5, 1])
    assert found.ic == pytest.approx(0.8)
    assert found.t == pytest.approx(0.8 * math.sqrt(2 / (1 - 0.64)))
    assert rank_ic([0.1, 0.1], [1, 2]) is None
    assert rank_ic([0.1], [1]) is None
    assert rank_ic([1, 2, 3], [4, 5, 6]).t is None


def test_equal_values_share_their_mean_rank():
    assert ranked(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_calibration_by_tenths():
    bins = calibration([0.05, 0.71, 0.79, 1.0], [0, 1, 0, 1])
    assert [(b.low, b.n, b.hit_rate) for b in bins] == [(0.0, 1, 0.0), (0.7, 2, 0.5), (0.9, 1, 1.0)]
    assert bins[1].mean_confidence == pytest.approx(0.75)


def test_a_group_in_sum():
    found = judge([0.5, -0.5, 0.0], [0.8, 0.6, 0.3], [0.02, 0.01, 0.0], [1, 0, None])
    assert (found.n, found.hit_rate) == (3, 0.5)
    assert found.mean_abnormal_return == pytest.approx(0.01)
    assert sum(b.n for b in found.calibration) == 2
    empty = judge([], [], [], [])
    assert (empty.n, empty.hit_rate, empty.mean_abnormal_return, empty.coefficient) == (0, None, None, None)


pairs = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=2, max_size=30)


@given(pairs)
def test_ic_is_a_correlation_whatever_the_scale(values):
    scores, returns = zip(*values, strict=True)
    found = rank_ic(scores, returns)
    if found:
        assert -1 <= found.ic <= 1
        turned = rank_ic(scores, [-r for r in returns])
        assert turned.ic == pytest.approx(-found.ic)


def test_the_step_measures_once(lake, database):
    with database.connection() as connection:
        for ticker in ("AAA", "BBB"):
            connection.execute("INSERT INTO companies (ticker, legal_name) VALUES (%s, %s)", (ticker, ticker))
    lake.merge(MARKET_SNAPSHOTS, bars(CLOSES))
    issued = recommendation()
    filler = {"string": "", "double": 0.5}
    row = {f.name: filler.get(str(f.type), issued["as_of"]) for f in RECOMMENDATIONS.schema} | issued
    lake.merge(RECOMMENDATIONS, [row])
    pipeline = Pipeline(load_settings({}), lake, database, ManualClock(FIRST))
    day = date(2026, 1, 7)
    assert materialise_outcomes(pipeline, day, FIRST + 6 * DAY).written["outcomes"] == 2
    assert materialise_outcomes(pipeline, day, FIRST + 6 * DAY).written["outcomes"] == 0
    assert materialise_outcomes(pipeline, date(2026, 1, 25), FIRST + 24 * DAY).written["outcomes"] == 1
    assert {r["day"] for r in lake.read(OUTCOMES).to_pylist()} == {"2026-01-01"}
