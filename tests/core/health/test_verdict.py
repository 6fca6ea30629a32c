"""The verdict: what closes the door, what only warns, and that nothing that goes wrong ever opens it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.health.verdict import (
    Expected,
    Reason,
    Result,
    Severity,
    Stored,
    Verdict,
    closed_because,
    in_a_line,
    judge,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PATIENCE = timedelta(minutes=75)
CHECK = Expected("signals", "ranges", Severity.ERROR, PATIENCE, "trends are sums of it")
WARNING = Expected("documents", "ranges", Severity.ERROR, PATIENCE)
WELL = Result("signals", "ranges", "", NOON)


def test_a_check_that_holds_leaves_the_door_open() -> None:
    verdict = judge([CHECK], [WELL], NOON)
    assert verdict.entries_open
    assert verdict == Verdict(NOON)


def test_a_failure_is_a_reason_with_what_it_would_lead_to() -> None:
    verdict = judge([CHECK], [replace(WELL, problem="sentiment is 1.7")], NOON)
    assert verdict.reasons == (Reason("signals", "ranges", "sentiment is 1.7 (trends are sums of it)"),)
    assert not verdict.entries_open
    assert in_a_line(verdict) == "no new positions: sentiment is 1.7 (trends are sums of it)"


def test_a_failure_of_a_check_that_does_not_block_only_warns() -> None:
    verdict = judge([CHECK, WARNING], [WELL, replace(WELL, subject="documents", problem="bad")], NOON)
    assert (verdict.reasons, verdict.warnings) == ((), (Reason("documents", "ranges", "bad"),))
    assert in_a_line(verdict) == "new positions may be opened, 1 warnings"


def test_a_check_that_was_not_made_lately_is_a_reason_by_itself() -> None:
    just = judge([CHECK], [WELL], NOON + PATIENCE)
    late = judge([CHECK], [WELL], NOON + PATIENCE + timedelta(seconds=1))
    never = judge([CHECK, replace(CHECK, check="words")], [], NOON)
    assert just.entries_open
    assert "ranges of signals was last made at 2026-03-10 12:00 UTC;" in late.reasons[0].sentence
    assert "ranges of signals has never been made and 1 more;" in never.reasons[0].sentence
    assert judge([WARNING], [], NOON).entries_open


def test_an_old_failure_closes_as_much_as_a_new_one() -> None:
    old = replace(WELL, problem="bad", checked_at=NOON - timedelta(days=3))
    assert [reason.check for reason in judge([CHECK], [old], NOON).reasons] == ["ranges"]


def test_a_check_that_is_not_needed_speaks_only_while_its_word_is_fresh() -> None:
    cycles = Expected("pipeline", "cycles", Severity.ERROR, timedelta(minutes=10), "nothing arrives", needed=False)
    failed = Result("pipeline", "cycles", "the last 3 cycles failed", NOON)
    assert judge([cycles], [], NOON).entries_open
    assert not judge([cycles], [failed], NOON).entries_open
    assert judge([cycles], [failed], NOON + timedelta(minutes=11)).entries_open


def test_the_newest_result_counts_and_of_two_the_worse() -> None:
    bad = replace(WELL, problem="bad")
    assert judge([CHECK], [replace(bad, checked_at=NOON - timedelta(minutes=1)), WELL], NOON).entries_open
    assert not judge([CHECK], [WELL, bad], NOON).entries_open


names = st.sampled_from([("signals", "ranges"), ("signals", "words"), ("trends", "fresh"), ("documents", "ranges")])
expectations = st.builds(
    lambda name, blocks, patience: Expected(*name, Severity.ERROR, timedelta(minutes=patience), blocks),
    names,
    st.sampled_from(["", "because"]),
    st.integers(1, 100),
)
found = st.builds(
    lambda name, problem, age: Result(*name, problem, NOON - timedelta(minutes=age)),
    names,
    st.sampled_from(["", "bad"]),
    st.integers(0, 120),
)
expected_sets = st.lists(expectations, max_size=6, unique_by=lambda e: e.name)
result_sets = st.lists(found, max_size=6, unique_by=lambda r: r.name)


@given(expected_sets, result_sets, st.data())
def test_more_that_goes_wrong_never_opens_the_door(
    expected: list[Expected], results: list[Result], data: st.DataObject
) -> None:
    before = judge(expected, results, NOON)
    broken = [replace(r, problem="worse") if data.draw(st.booleans()) else r for r in results]
    fewer = [r for r in results if data.draw(st.booleans())]
    older = [replace(r, checked_at=r.checked_at - timedelta(minutes=data.draw(st.integers(0, 200)))) for r in results]
    more = [*expected, Expected("late", "comer", Severity.ERROR, PATIENCE, "because")]
    for worse in (judge(expected, broken, NOON), judge(expected, older, NOON), judge(more, results, NOON)):
        assert before.entries_open or not worse.entries_open
    if all(check.needed for check in expected):
        assert before.entries_open or not judge(expected, fewer, NOON).entries_open
    later = judge(expected, results, NOON + timedelta(minutes=data.draw(st.integers(0, 200))))
    assert before.entries_open or not later.entries_open


@given(expected_sets, result_sets, st.randoms())
def test_the_order_in_which_things_are_given_never_matters(
    expected: list[Expected], results: list[Result], random: object
) -> None:
    assert judge(expected, results, NOON) == judge(expected[::-1], results[::-1], NOON)


# The door.


def closed(stored: Stored, as_of: datetime = NOON) -> str:
    return closed_because(stored, as_of, timedelta(minutes=10))


def test_an_open_verdict_opens_the_door_as_long_as_it_is_fresh() -> None:
    verdict = Stored(Verdict(NOON))
    assert closed(verdict) == ""
    assert closed(verdict, NOON + timedelta(minutes=10)) == ""
    assert closed(verdict, NOON + timedelta(minutes=10, seconds=1)).startswith(
        "data health has not been judged since 2026-03-10 12:00 UTC"
    )


def test_the_first_minutes_and_a_pipeline_that_is_off_have_sentences_of_their_own() -> None:
    assert "has not been judged yet" in closed(Stored(None))
    assert (
        closed(Stored(Verdict(NOON), "the pipeline was switched off by ada")) == "the pipeline was switched off by ada"
    )


@pytest.mark.parametrize(
    ("count", "ending"), [(1, "r0"), (3, "r0; r1; r2"), (5, "r2; and 2 more, which `stonks health` lists")]
)
def test_the_first_reasons_are_said_and_the_others_counted(count: int, ending: str) -> None:
    reasons = tuple(Reason("t", f"c{n}", f"r{n}") for n in range(count))
    assert closed(Stored(Verdict(NOON, reasons))).endswith(ending)
