"""Who speaks for a ticker."""

from datetime import timedelta

import pytest

from stonks_core.vocabulary import Action, Mode, Window
from stonks_trading.decide.candidates import Candidates, choose
from stonks_trading.decide.rules import BrokerMode
from stonks_trading.records import Recommendation
from tests.trading.decide.desk import NOON, recommendation


def chosen(*given: Recommendation, mode: BrokerMode = "paper", least: float = 0.55) -> Candidates:
    return choose(given, NOON, broker_mode=mode, min_confidence=least)


def reasons(result: Candidates) -> dict[str, str]:
    return {s.recommendation.recommendation_id: s.reason for s in result.silenced}


def names(result: Candidates) -> list[str]:
    return [r.recommendation_id for r in result.speakers]


def test_the_loudest_of_a_ticker_speaks() -> None:
    quiet = recommendation("quiet", strength=0.5, confidence=0.9)  # 0.45
    loud = recommendation("loud", window=Window.MONTH, strength=0.8, confidence=0.7)  # 0.56
    result = chosen(quiet, loud)
    assert names(result) == ["loud"]
    assert reasons(result) == {"quiet": "outspoken"}
    assert "0.560 against 0.450" in result.silenced[0].sentence


@pytest.mark.parametrize(("strength", "silenced"), [(0.5, True), (0.4999, False)])
def test_an_opposite_voice_of_half_or_more_silences(strength: float, silenced: bool) -> None:
    buy = recommendation("buy", strength=0.8, confidence=0.75)  # 0.6, half of it 0.3
    sell = recommendation("sell", action=Action.SELL, window=Window.DAY, strength=strength, confidence=0.6)
    result = chosen(buy, sell)
    assert names(result) == ([] if silenced else ["buy"])
    expected = {"buy": "conflicting_windows", "sell": "conflicting_windows"} if silenced else {"sell": "outspoken"}
    assert reasons(result) == expected


def test_an_opposite_voice_below_the_tiers_confidence_still_contradicts() -> None:
    buy = recommendation("buy", strength=0.6, confidence=0.6)
    sell = recommendation("sell", action=Action.SELL, window=Window.DAY, strength=0.9, confidence=0.5)
    result = chosen(buy, sell)
    assert names(result) == []
    assert reasons(result) == {"buy": "conflicting_windows", "sell": "below_confidence"}


def test_an_informational_or_expired_opposite_is_not_heard() -> None:
    buy = recommendation("buy")
    quiet = recommendation("info", action=Action.SELL, window=Window.DAY, mode=Mode.INFORMATIONAL)
    late = recommendation("late", action=Action.SELL, window=Window.MONTH, lasts=timedelta(minutes=5))
    result = chosen(buy, quiet, late)
    assert names(result) == ["buy"]
    assert reasons(result) == {"info": "informational", "late": "expired"}


def test_the_newest_view_of_a_window_replaces_the_older_even_when_it_says_hold() -> None:
    old = recommendation("old", age=timedelta(minutes=30))
    new = recommendation("new", action=Action.HOLD)
    result = chosen(old, new)
    assert names(result) == []
    assert reasons(result) == {"old": "superseded", "new": "not_actionable"}


def test_live_needs_live_eligible_and_the_tiers_confidence_holds() -> None:
    paper = recommendation("paper", "ACME")
    live = recommendation("live", "BOLT", mode=Mode.LIVE_ELIGIBLE)
    weak = recommendation("weak", "CRUX", mode=Mode.LIVE_ELIGIBLE, confidence=0.54)
    result = chosen(paper, live, weak, mode="live")
    assert names(result) == ["live"]
    assert reasons(result) == {"paper": "not_live_eligible", "weak": "below_confidence"}
    assert names(chosen(paper, live)) == ["paper", "live"]


def test_the_future_does_not_exist_yet() -> None:
    assert chosen(recommendation("later", age=timedelta(seconds=-1))) == Candidates((), ())


def test_what_is_no_number_has_no_voice() -> None:
    assert reasons(chosen(recommendation("odd", strength=float("nan")))) == {"odd": "invalid"}


def test_expiry_is_exclusive() -> None:
    edge = recommendation("edge", age=timedelta(minutes=5), lasts=timedelta(minutes=5))
    assert reasons(chosen(edge)) == {"edge": "expired"}
