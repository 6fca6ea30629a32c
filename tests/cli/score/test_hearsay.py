"""False rumours, disputes, agreement and confusion, counted by hand."""

from datetime import timedelta

import pytest

from stonks_cli.score.hearsay import Call, agreement, confusion, disputes, rumours, sign_of
from stonks_cli.score.stages import Planted
from tests.cli.score.happenings import AT, event, saying, told

NOTHING = {"extraction": [], "trends": [], "calls": []}
DAY = timedelta(days=1)


def test_rumours_are_counted_as_far_as_they_came() -> None:
    loud = event("loud", told("loud", "rumour"), told("no", "denial", 90), kind="false_rumour", effects={})
    quiet = event("quiet", told("quiet", "rumour"), kind="false_rumour", effects={})
    said = {
        "extraction": [saying("loud"), saying("quiet", 0)],
        "trends": [saying("loud")],
        "calls": [saying("loud", last_at=AT + timedelta(minutes=91)), saying("quiet", led_at=None, last_at=None)],
    }
    assert list(rumours(Planted([loud, quiet, event("true")]), said).values()) == [2, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(("minutes", "after"), [(89, 0), (91, 1)])
def test_a_call_that_ends_before_the_denial_does_not_outlive_it(minutes: float, after: int) -> None:
    hoax = event("hoax", told("hoax", "rumour"), told("no", "denial", 90), kind="false_rumour", effects={})
    said = {**NOTHING, "calls": [saying("hoax", last_at=AT + timedelta(minutes=minutes))]}
    assert rumours(Planted([hoax]), said)["leading one after the denial"] == after


def test_disputes_tell_who_was_believed_once_both_had_spoken() -> None:
    documents = told("claim"), told("counter", "contradiction", 60)
    event_ = event("false", *documents, dispute="original_wrong", effects={"AAA": -0.02})
    later = AT + timedelta(minutes=90)
    said = {**NOTHING, "calls": [saying("claim", 1, last_at=later), saying("counter", -1, minutes=90)]}
    (found,) = disputes(Planted([event_]), said)
    assert found == {
        "dispute": "original_wrong", "events": 1, "side of the truth": 1, "other side": 1, "no call": 0,
    }  # fmt: skip
    (before,) = disputes(Planted([event_]), {**NOTHING, "calls": [saying("claim", 1)]})
    assert before["no call"] == 1


def test_calls_agree_with_what_happened_in_their_window_and_with_what_is_to_come() -> None:
    old = event("old", at=AT - timedelta(days=2), effects={"AAA": -0.05}, jump_share=1.0)
    new = event("new", at=AT, effects={"AAA": 0.04}, jump_share=0.5, drift=DAY)
    short = Call("AAA", 1, AT + timedelta(hours=1), DAY)
    long = Call("AAA", 1, AT + timedelta(hours=1), 7 * DAY)
    repeated = Call("AAA", 1, AT + timedelta(hours=2), DAY)
    found = agreement([old, new], [short, long, repeated])
    assert found["calls"] == 2
    assert found["with planted effects in their window"] == 2
    assert found["of their sign"] == 0.5
    assert found["of their sign still to come"] == 1.0


def test_what_is_to_come_jumps_then_drifts_to_nothing() -> None:
    one = event("one", effects={"AAA": 0.04}, jump_share=0.5, drift=DAY)
    assert one.to_come("AAA", AT - timedelta(seconds=1)) == 0.0
    assert one.to_come("AAA", AT) == pytest.approx(0.02)
    assert one.to_come("AAA", AT + DAY / 2) == pytest.approx(0.005)
    assert one.to_come("AAA", AT + DAY) == 0.0
    assert one.to_come("BBB", AT) == 0.0


def test_no_call_gives_no_rate() -> None:
    assert agreement([event("win")], [])["of their sign"] is None


def test_the_confusion_counts_telling_documents_with_the_wrong_pairs_first() -> None:
    planted = Planted([event("win", told("a"), told("b", "copy"), told("c", "contradiction"))])
    records = [saying("a"), saying("b", catalyst="other"), saying("c", catalyst="other"), saying("a", ticker="BBB")]
    assert confusion(planted, records) == [
        {"true": "contract_win", "read as": "other", "records": 1},
        {"true": "contract_win", "read as": "contract_win", "records": 1},
    ]


@pytest.mark.parametrize(("sentiment", "sign"), [(0.1, 1), (0.099, 0), (0.0, 0), (-0.099, 0), (-0.1, -1)])
def test_a_weak_sentiment_says_nothing(sentiment: float, sign: int) -> None:
    assert sign_of(sentiment) == sign
