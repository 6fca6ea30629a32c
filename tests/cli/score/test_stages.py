"""Stages scored against truths small enough to count by hand, and bounds that hold for every truth."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_cli.score.macro import impacts
from stonks_cli.score.stages import EXTRACTION, Planted, score_stage, total
from tests.cli.score.happenings import AT, event, saying, told


def test_a_right_call_finds_its_event_with_its_delay_and_counts_once_as_right() -> None:
    score = score_stage("calls", Planted([event("win")]), [saying("win-doc", minutes=20)])
    tally = score.rows["contract_win"]
    assert (tally.planted, tally.found, tally.said, tally.right, tally.opposite) == (1, 1, 1, 1, 0)
    assert (tally.recall, tally.precision, tally.delay_minutes) == (1.0, 1.0, 20.0)
    assert score.misses == ()


def test_the_wrong_side_is_a_miss_and_opposite() -> None:
    score = score_stage("calls", Planted([event("win")]), [saying("win-doc", -1)])
    assert (score.rows["contract_win"].found, score.rows["contract_win"].opposite) == (0, 1)
    (miss,) = score.misses
    assert (miss.event.event_id, miss.ticker, miss.said[0].sign) == ("win", "AAA", -1)


@pytest.mark.parametrize(("minutes", "found"), [(24 * 60, 1), (24 * 60 + 1, 0)])
def test_what_comes_more_than_a_day_after_the_first_document_is_too_late(minutes: float, found: int) -> None:
    score = score_stage("calls", Planted([event("win")]), [saying("win-doc", minutes=minutes)])
    assert score.rows["contract_win"].found == found
    assert score.rows["contract_win"].right == 1


def test_a_call_on_another_story_of_the_same_ticker_finds_nothing() -> None:
    planted = Planted([event("win"), event("other", catalyst="regulatory")])
    score = score_stage("calls", planted, [saying("other-doc")])
    assert score.rows["contract_win"].found == 0
    assert score.rows["regulatory"].found == 1


@pytest.mark.parametrize(("effect", "planted"), [(0.005, 1), (-0.005, 1), (0.0049, 0), (0.0, 0)])
def test_an_effect_below_half_a_percent_counts_as_none(effect: float, planted: int) -> None:
    score = score_stage("calls", Planted([event("small", effects={"AAA": effect})]), [saying("small-doc")])
    assert score.rows["contract_win"].planted == planted
    assert score.rows["contract_win"].right == (effect >= 0.005)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_slight_effect_counts_neither_way_and_none_at_all_is_wrong(sign: int) -> None:
    rate = event("rate", kind="macro", ticker=None, catalyst="macro", effects={"AAA": 0.02, "BBB": 0.004, "CCC": 0.0})
    said = [saying("rate-doc", 1), *(saying("rate-doc", sign, name) for name in ("BBB", "CCC"))]
    for stage in (EXTRACTION, "trends"):
        tally = score_stage(stage, Planted([rate]), said).rows["macro"]
        assert (tally.said, tally.right, tally.opposite, tally.slight, tally.precision) == (3, 1, 0, 1, 0.5)
    only = score_stage("trends", Planted([rate]), said[1:2]).rows["macro"]
    assert (only.said, only.precision) == (1, None)


def test_a_companys_own_slight_event_is_read_by_what_its_document_claims() -> None:
    small = Planted([event("small", effects={"AAA": 0.001})])
    assert score_stage(EXTRACTION, small, [saying("small-doc")]).rows["contract_win"].precision == 1.0
    assert score_stage("calls", small, [saying("small-doc")]).rows["contract_win"].precision is None


def test_macro_impacts_are_told_by_what_the_event_did() -> None:
    rate = event("rate", kind="macro", ticker=None, effects={"AAA": 0.02, "BBB": -0.02, "CCC": 0.001, "DDD": -0.001})
    said = [
        saying("rate-doc", 1, name, sentiment=0.5, impact=0.1 if name == "EEE" else 0.4)
        for name in ("AAA", "BBB", "CCC", "DDD", "EEE")
    ]
    elsewhere = [saying("win-doc"), saying("rate-doc", 0), saying("unknown")]
    found = impacts(Planted([rate, event("win")]), [*said, *elsewhere])
    assert list(found.values())[:6] == [5, 2, 1, 2, 1, 1]
    assert found["share of the weight on companies it leaves alone"] == pytest.approx(0.1 / 1.7)
    assert set(impacts(Planted([rate]), []).values()) == {0, None}


def test_rivals_stand_among_the_echoes_and_macro_events_by_themselves() -> None:
    events = [
        event("win", effects={"AAA": 0.02, "BBB": -0.006, "CCC": 0.001}),
        event("rate", kind="macro", ticker=None, catalyst="macro", effects={"AAA": -0.01, "BBB": -0.02}),
    ]
    said = [saying("win-doc", -1, "BBB"), saying("win-doc", 1, "CCC"), saying("rate-doc", -1, "AAA")]
    rows = score_stage("signals", Planted(events), said).rows
    assert (rows["echo"].planted, rows["echo"].found, rows["echo"].said, rows["echo"].right) == (1, 1, 2, 1)
    assert (rows["macro"].planted, rows["macro"].found) == (2, 1)
    assert total(rows).planted == 4
    assert total(rows, company_only=True).planted == 1


def test_whatever_is_said_of_a_false_rumour_is_wrong() -> None:
    hoax = event("hoax", kind="false_rumour", effects={})
    rows = score_stage("trends", Planted([hoax]), [saying("hoax-doc"), saying("hoax-doc", -1)]).rows
    assert (rows["false rumour"].planted, rows["false rumour"].said, rows["false rumour"].right) == (0, 2, 0)


def test_an_extraction_is_judged_by_what_its_document_says_and_all_else_by_what_is_true() -> None:
    false = event("false", told("first"), told("second", "contradiction", 60), effects={"AAA": -0.02})
    said = [saying("first"), saying("second", -1, catalyst="other")]
    extracted = score_stage(EXTRACTION, Planted([false]), said).rows["contract_win"]
    assert (extracted.found, extracted.right) == (1, 2)
    called = score_stage("calls", Planted([false]), said).rows["contract_win"]
    assert (called.found, called.right, called.opposite) == (1, 1, 1)


def test_a_telling_document_must_be_read_as_its_catalyst() -> None:
    rows = score_stage(EXTRACTION, Planted([event("win")]), [saying("win-doc", catalyst="other")]).rows
    assert (rows["contract_win"].found, rows["contract_win"].right, rows["contract_win"].opposite) == (0, 0, 0)


def test_what_says_nothing_or_rests_on_no_event_is_left_out() -> None:
    rows = score_stage("trends", Planted([event("win")]), [saying("win-doc", 0), saying("elsewhere")]).rows
    assert (rows["contract_win"].said, rows["contract_win"].found) == (0, 0)


def test_supporting_evidence_that_never_led_finds_and_is_not_laid_to_its_event() -> None:
    rows = score_stage("calls", Planted([event("win")]), [saying("win-doc", led_at=None, last_at=None)]).rows
    assert (rows["contract_win"].found, rows["contract_win"].said) == (1, 0)


EFFECTS = st.integers(-40, 40).map(lambda thousandths: thousandths / 1000)
TICKERS = st.sampled_from(["AAA", "BBB", "CCC"])
SAYINGS = st.builds(
    saying,
    st.sampled_from(["0-doc", "1-doc", "2-doc", "none"]),
    st.sampled_from([-1, 0, 1]),
    TICKERS,
    st.integers(-60, 3000),
)


@given(
    st.lists(st.dictionaries(TICKERS, EFFECTS), max_size=3),
    st.lists(SAYINGS, max_size=12),
    st.sampled_from(["calls", EXTRACTION]),
)
def test_scores_lie_between_0_and_1_and_counts_add_up(effects, said, stage) -> None:  # type: ignore[no-untyped-def]
    planted = Planted([event(f"{n}", effects=effect) for n, effect in enumerate(effects)])
    score = score_stage(stage, planted, said)
    for tally in (*score.rows.values(), total(score.rows)):
        assert tally.found <= tally.planted
        assert tally.right + tally.opposite + tally.slight <= tally.said + tally.opposite * (stage == EXTRACTION)
        assert all(value is None or 0 <= value <= 1 for value in (tally.recall, tally.precision))
        assert all(delay >= timedelta(0) for delay in tally.delays)
    whole = total(score.rows)
    assert whole.planted - whole.found == len(score.misses)
    assert whole.planted == sum(abs(value) >= 0.005 for one in effects for value in one.values())


def test_more_calls_never_lower_recall() -> None:
    planted = Planted([event("win"), event("late", at=AT + timedelta(hours=1))])
    few, many = [saying("win-doc")], [saying("win-doc"), saying("late-doc"), saying("late-doc", -1)]
    assert total(score_stage("calls", planted, few).rows).found == 1
    assert total(score_stage("calls", planted, many).rows).found == 2
