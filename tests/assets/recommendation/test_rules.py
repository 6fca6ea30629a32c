"""What a trend is worth saying, at and around each threshold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.recommendation.rules import (
    Judged,
    expires_at,
    identity,
    judge,
    recommendation_id,
    repeated,
    risk_class,
)
from stonks_core.vocabulary import Action, Direction, Mode, RiskClass

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
TREND = Judged(
    score=0.6,
    strength=0.5,
    confidence=0.8,
    contradiction=0.1,
    direction=Direction.BULLISH,
    company_share=0.7,
    macro_share=0.2,
    competitive_share=0.1,
    volatility=0.25,
    projected_score=None,
)


@pytest.mark.parametrize(
    ("change", "action", "mode"),
    [
        ({}, "buy", "live_eligible"),
        ({"direction": Direction.BEARISH, "score": -0.6}, "sell", "live_eligible"),
        ({"strength": 0.30, "confidence": 0.40}, "buy", "informational"),
        ({"strength": 0.299}, "watch", "informational"),
        ({"confidence": 0.399}, "watch", "informational"),
        ({"confidence": 0.5}, "buy", "paper_eligible"),
        ({"confidence": 0.749}, "buy", "paper_eligible"),
        ({"confidence": 0.75}, "buy", "live_eligible"),
        ({"contradiction": 0.3}, "buy", "paper_eligible"),
        ({"direction": Direction.MIXED}, "watch", "informational"),
        ({"direction": Direction.NEUTRAL}, "hold", "informational"),
        ({"projected_score": -0.01}, "buy", "paper_eligible"),
        ({"projected_score": 0.01}, "buy", "live_eligible"),
        ({"projected_score": 0.0}, "buy", "live_eligible"),
    ],
)
def test_action_and_mode(change, action, mode):
    verdict = judge(replace(TREND, **change))
    assert (verdict.action, verdict.mode) == (action, mode)


def test_an_opposite_projection_takes_a_fifth_of_the_confidence():
    verdict = judge(replace(TREND, projected_score=-0.2))
    assert verdict.confidence == pytest.approx(0.64)
    assert judge(replace(TREND, confidence=0.49, projected_score=-0.2)).action is Action.WATCH


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ((0, 1, 0), "macro_only"),
        ((0, 0, 1), "pattern_only"),
        ((0, 0.5, 0.5), "macro_and_pattern_only"),
        ((0, 0, 0), "no_company_evidence"),
    ],
)
def test_evidence_about_others_alone_is_for_information(shares, reason):
    company, macro, competitive = shares
    verdict = judge(replace(TREND, company_share=company, macro_share=macro, competitive_share=competitive))
    assert (verdict.action, verdict.mode, verdict.suppression) == (Action.BUY, Mode.INFORMATIONAL, reason)


@pytest.mark.parametrize(
    ("confidence", "contradiction", "volatility", "expected"),
    [
        (0.7, 0.19, 0.29, "low"),
        (0.69, 0.19, 0.29, "moderate"),
        (0.7, 0.2, 0.29, "moderate"),
        (0.7, 0.19, 0.3, "moderate"),
        (0.7, 0.19, None, "moderate"),
        (0.9, 0.5, 0.1, "high"),
        (0.9, 0.0, 0.6, "high"),
        (0.9, 0.5, None, "high"),
    ],
)
def test_risk_class(confidence, contradiction, volatility, expected):
    assert risk_class(confidence, contradiction, volatility) is RiskClass(expected)


def test_validity_is_half_the_span_but_an_hour_at_least():
    assert expires_at(NOW, timedelta(days=7)) == NOW + timedelta(days=3.5)
    assert expires_at(NOW, timedelta(minutes=30)) == NOW + timedelta(hours=1)


def named(**change):
    base = {"ticker": "AAA", "window": "7d", "decided": Action.BUY, "allowed": Mode.PAPER_ELIGIBLE}
    return identity(**{**base, "evidence_ids": ["a", "b"], "score": 0.512, **change})


def test_identity_is_what_it_names_and_nothing_else():
    assert named() == named(evidence_ids=["b", "a"]) == named(score=0.514)
    assert named(score=-0.001) == named(score=0.001)
    others = [
        named(**change)
        for change in (
            {"ticker": "BBB"},
            {"window": "1d"},
            {"decided": Action.SELL},
            {"allowed": Mode.INFORMATIONAL},
            {"evidence_ids": ["a"]},
            {"score": 0.52},
        )
    ]
    assert len({named(), *others}) == 7
    assert recommendation_id(named(), NOW) != recommendation_id(named(), NOW + timedelta(seconds=1))


def test_the_same_is_not_said_again_within_five_minutes():
    five = timedelta(minutes=5)
    assert repeated(NOW, [NOW])
    assert repeated(NOW, [NOW - five + timedelta(microseconds=1)])
    assert not repeated(NOW, [NOW - five])
    assert not repeated(NOW, [NOW + timedelta(seconds=1)])
    assert not repeated(NOW, [])


share = st.floats(0, 1)


judged = st.builds(
    Judged,
    st.floats(-1, 1),
    share,
    share,
    share,
    st.sampled_from(Direction),
    share,
    share,
    share,
    st.none() | share,
    st.none() | st.floats(-1, 1),
)
MODES, RISKS = list(Mode), [RiskClass.HIGH, RiskClass.MODERATE, RiskClass.LOW]


@given(judged)
def test_nothing_that_may_be_traded_is_weak_or_about_others_only(trend):
    verdict = judge(trend)
    if verdict.mode is not Mode.INFORMATIONAL:
        assert verdict.action in {Action.BUY, Action.SELL}
        assert verdict.confidence >= 0.5
        assert trend.strength >= 0.3
        assert trend.company_share > 0
    assert verdict.confidence <= trend.confidence


@given(judged, share)
def test_more_confidence_never_lowers_what_is_allowed_nor_raises_the_risk(trend, more):
    surer = replace(trend, confidence=max(trend.confidence, more))
    before, after = judge(trend), judge(surer)
    assert MODES.index(after.mode) >= MODES.index(before.mode)
    assert RISKS.index(after.risk_class) >= RISKS.index(before.risk_class)


@given(judged, share)
def test_more_contradiction_never_raises_what_is_allowed_nor_lowers_the_risk(trend, more):
    torn = replace(trend, contradiction=max(trend.contradiction, more))
    before, after = judge(trend), judge(torn)
    assert MODES.index(after.mode) <= MODES.index(before.mode)
    assert RISKS.index(after.risk_class) <= RISKS.index(before.risk_class)


@given(judged)
def test_suppression_always_has_its_reason_and_only_an_opposite_projection_costs(trend):
    verdict = judge(trend)
    assert (verdict.suppression == "") == (trend.company_share > 0)
    if verdict.suppression:
        assert verdict.mode is Mode.INFORMATIONAL
    opposite = trend.projected_score is not None and trend.projected_score * trend.score < 0
    assert verdict.confidence == pytest.approx(trend.confidence * (0.8 if opposite else 1.0))
