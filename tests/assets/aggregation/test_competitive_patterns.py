"""Patterns of past responses, and what they make of news about a competitor."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stonks_assets.aggregation.competitive import PropagationRules, Relation, propagate, stands
from stonks_core.patterns.matching import Past
from stonks_core.prices.sessions import sessions

RULES = PropagationRules()
FIRST = datetime(2025, 6, 1, 21, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SESSIONS = 200
NEWS = FIRST + 150 * DAY + timedelta(hours=1)


def responding(daily_bars, jumps):
    """Bars of four companies; after each story day in `jumps` a company gains so much over the next five sessions."""
    closes = {}
    for ticker in ("AAA", "BBB", "CCC", "DDD"):
        prices = [100.0] * SESSIONS
        for day, gains in jumps.items():
            for n in range(day + 1, SESSIONS):
                prices[n] *= 1 + gains.get(ticker, 0.0)
        closes[ticker] = prices
    return daily_bars(closes, FIRST)


def story(n, **fields):
    return {"published_at": FIRST + n * DAY + timedelta(hours=1), "impact_id": f"past{n}", **fields}


def judged(impacts, daily_bars, past, relations, jumps, news=None, rules=RULES, **record):
    record = {"published_at": NEWS, "impact_id": "news", **(news or {}), **record}
    market = sessions(responding(daily_bars, jumps), NEWS + 90 * DAY, ["AAA", "BBB", "CCC", "DDD"])
    records = impacts(record)
    history = impacts(record, *past)
    return propagate(records, Past.of(history, market), relations, rules)


RIVAL = Relation("AAA", "BBB", "direct_competitor", 1.0)
PEER = Relation("AAA", "CCC", "sector_peer", 1.0)


def test_without_a_pattern_the_relationship_gives_the_sign(impacts, daily_bars):
    rows = judged(impacts, daily_bars, [], [RIVAL, PEER], {}, impact=0.9)
    assert [(row["ticker"], row["sentiment"], row["pattern"]) for row in rows] == [
        ("BBB", -0.5, "none"),
        ("CCC", 0.5, "none"),
    ]
    assert all(row["impact"] == pytest.approx(0.9 * 0.3) for row in rows)
    assert all(row["mean_response"] is None and row["samples"] == 0 for row in rows)
    bad = judged(impacts, daily_bars, [], [RIVAL], {}, impact=0.9, sentiment=-0.4)
    assert bad[0]["sentiment"] == 0.4


NUMBERS = st.floats(-1, 1).filter(lambda value: abs(value) > 1e-3 or value == 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NUMBERS, NUMBERS, st.sampled_from([RIVAL, PEER]), st.booleans())
def test_a_signal_stands_by_its_record_and_falls_with_it(impacts, daily_bars, sentiment, other, relation, known):
    days = (60, 80, 100) if known else ()
    jumps = {day: {relation.target: 0.04} for day in days}
    past = [story(day) for day in days]
    rows = judged(impacts, daily_bars, past, [relation], jumps, impact=1.0, sentiment=sentiment)
    record = {"sentiment": sentiment, "impact": 1.0, "catalyst": "product_launch"}
    assert [row["sentiment"] for row in rows if not -1 <= row["sentiment"] <= 1 or not 0 < row["impact"] <= 1] == []
    for row in rows:
        assert stands(row, record)
        assert not stands(row, None)
        assert not stands(row, {**record, "catalyst": "litigation"})
        assert not stands(row, {**record, "impact": 0.9})
        changed = abs(abs(other) - abs(sentiment)) > 1e-6 or (row["pattern"] == "none" and other * sentiment < 0)
        assert stands(row, {**record, "sentiment": other}) != changed


def test_a_weak_guess_is_not_propagated(impacts, daily_bars):
    assert judged(impacts, daily_bars, [], [RIVAL], {}, impact=0.6) == []
    assert judged(impacts, daily_bars, [], [replace(RIVAL, strength=0.5)], {}, impact=0.9) == []


def test_the_rivals_own_past_response_speaks(impacts, daily_bars):
    days = (60, 80, 100, 120)
    jumps = {day: {"BBB": 0.04} for day in days}
    rows = judged(impacts, daily_bars, [story(day) for day in days], [RIVAL], jumps)
    (row,) = rows
    assert (row["pattern"], row["samples"], row["consistency"]) == ("cross", 4, 1.0)
    assert row["mean_response"] == pytest.approx(0.04 - 0.04 / 4)
    confidence = 1 - math.exp(-4 / 5)
    assert row["pattern_confidence"] == pytest.approx(confidence)
    assert row["sentiment"] == 0.5
    assert row["impact"] == pytest.approx(0.8 * confidence)


def test_the_companys_own_response_stands_in_for_a_rival_without_prices(impacts, daily_bars):
    days = (60, 80, 100)
    jumps = {day: {"AAA": 0.05} for day in days}
    unlisted = Relation("AAA", "ZZZ", "substitute", 1.0)
    partner = Relation("AAA", "YYY", "partner", 1.0)
    rows = judged(impacts, daily_bars, [story(day) for day in days], [unlisted, partner], jumps)
    assert [(row["pattern"], row["sentiment"]) for row in rows] == [("self", -0.5), ("self", 0.5)]


def test_an_inconsistent_pattern_is_dropped_and_no_guess_takes_its_place(impacts, daily_bars):
    days = (30, 45, 60, 75)
    signs = (0.05, -0.05, -0.05, 0.051)
    jumps = {day: {"BBB": sign} for day, sign in zip(days, signs, strict=True)}
    rules = replace(RULES, pattern_confidence_threshold=0.4)
    assert judged(impacts, daily_bars, [story(day) for day in days], [RIVAL], jumps, impact=1.0, rules=rules) == []


@pytest.mark.parametrize(
    "change",
    [
        {"catalyst": "litigation"},
        {"ticker": "CCC"},
        {"available_at": NEWS + 2 * DAY},
        {"cluster_id": "news-cluster"},
        {"published_at": NEWS - timedelta(days=4)},  # its five sessions are not over
        {"published_at": FIRST - 60 * DAY},  # before the look-back and before all prices
    ],
)
def test_what_is_no_sample(impacts, daily_bars, change):
    days = (60, 80, 100)
    past = [story(60), story(80), story(100, **change)]
    jumps = {day: {"BBB": 0.04} for day in days}
    rows = judged(impacts, daily_bars, past, [RIVAL], jumps, news={"cluster_id": "news-cluster", "impact": 1.0})
    assert [row["pattern"] for row in rows] == ["none"]


def test_copies_are_one_sample(impacts, daily_bars):
    past = [story(60), story(80, cluster_id="c"), story(81, cluster_id="c"), story(82, cluster_id="c")]
    jumps = {day: {"BBB": 0.04} for day in (60, 80)}
    rows = judged(impacts, daily_bars, past, [RIVAL], jumps, impact=1.0)
    assert [row["pattern"] for row in rows] == ["none"]


def test_major_decisions_look_a_year_back(impacts, daily_bars):
    days = (2, 4, 6, 8, 9)
    jumps = {day: {"BBB": 0.04} for day in days}
    late = FIRST + 190 * DAY + timedelta(hours=1)
    for catalyst, kind in (("product_launch", "none"), ("regulatory", "cross")):
        past = [story(day, catalyst=catalyst) for day in days]
        rows = judged(impacts, daily_bars, past, [RIVAL], jumps, catalyst=catalyst, published_at=late, impact=1.0)
        assert [row["pattern"] for row in rows] == [kind]
