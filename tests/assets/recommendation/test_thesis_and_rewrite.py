"""The thesis says what it rests on in plain words; a rewrite may not say more."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.recommendation.rewrite import Refused, checked
from stonks_assets.recommendation.rewriter import reworded
from stonks_assets.recommendation.thesis import Quoted, Subject, thesis
from stonks_core.vocabulary import Action, Catalyst, Direction, Layer, Window

SUBJECT = Subject(
    ticker="ACME",
    name="Acme Corporation",
    window=Window.WEEK,
    action=Action.BUY,
    direction=Direction.BULLISH,
    score=0.62,
    confidence=0.72,
    contradiction=0.1,
    reports=5,
    shares={Layer.COMPANY: 0.8, Layer.MACRO: 0.2, Layer.COMPETITIVE: 0.0},
    suppression="",
    objected=False,
    window_return=0.032,
    volume_ratio=1.44,
    volatility=0.31,
    reference_price=1123.456,
)
RAISED = Quoted("Acme raised  its full-year\nguidance to $4.10 a share.", "Reuters", date(2026, 5, 3), True)
COSTS = Quoted("Costs rose 12% in the quarter", "SEC", date(2026, 5, 1), False, about="Beta Inc")
THESIS = thesis(SUBJECT, [RAISED, COSTS])


def test_a_thesis_word_for_word():
    assert THESIS.splitlines() == [
        (
            "Buy Acme Corporation (ACME): the news of the last 7 days, 5 independent reports, speaks for the shares "
            "(score +0.62 on a scale from -1 to 1)."
        ),
        "The strongest reason: “Acme raised its full-year guidance to $4.10 a share” (Reuters, 3 May 2026).",
        "Against it: “Costs rose 12% in the quarter” (SEC, 1 May 2026, about Beta Inc).",
        "By weight, 80% from reports about the company itself and 20% from events in the wider economy.",
        (
            "The last known price is $1,123.46, up 3.2% over the last 7 days; volume in the last session was 1.4 times its "
            "20-day mean; the shares swing by 31% a year."
        ),
        "Confidence is 72%; the reports disagree by 10%, where 100% is evenly split.",
    ]


def test_what_is_not_known_is_not_said():
    bare = replace(
        SUBJECT,
        action=Action.HOLD,
        direction=Direction.NEUTRAL,
        contradiction=0.0,
        reports=1,
        suppression="macro_only",
        objected=True,
        reference_price=None,
        window_return=None,
        volume_ratio=None,
        volatility=None,
    )
    words = thesis(bare, [])
    assert "one independent report, gives no clear lead" in words
    assert "Nothing in the evidence speaks against it." in words
    assert "events in the wider economy, so this is for information only." in words
    assert "No price of the shares is known yet." in words
    assert "lowered by a fifth" in words
    assert "None" not in words


@pytest.mark.parametrize("window", list(Window))
@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("action", list(Action))
def test_every_verdict_has_its_words(window, direction, action):
    words = thesis(replace(SUBJECT, window=window, direction=direction, action=action), [RAISED])
    assert words.startswith(f"{action.value.title()} Acme Corporation (ACME)")


def test_a_small_share_is_not_rounded_away():
    shares = {Layer.COMPANY: 0.998, Layer.MACRO: 0.002, Layer.COMPETITIVE: 0.0}
    words = thesis(replace(SUBJECT, shares=shares), [RAISED])
    assert "over 99% from reports about the company itself and under 1% from events in the wider economy" in words


@pytest.mark.parametrize("catalyst", list(Catalyst))
def test_the_driver_is_named_where_there_is_one(catalyst):
    line = thesis(SUBJECT, [replace(RAISED, catalyst=catalyst)]).splitlines()[1]
    assert line.startswith("The strongest reason: “" if catalyst is Catalyst.OTHER else "The strongest reason, ")


def test_what_is_missing_is_said():
    words = thesis(replace(SUBJECT, lacking=("macro", "market", "projections"), unseen=2), [RAISED]).splitlines()[-1]
    assert words == (
        "Part of the picture is missing: at the time events in the wider economy, prices and where the trend is heading "
        "could not be read in full. The words behind 2 of the signals that it rests on cannot be shown."
    )


def test_a_long_quote_is_cut_between_words():
    quote = Quoted("word " * 100, "Reuters", date(2026, 5, 3), True)
    line = thesis(SUBJECT, [quote]).splitlines()[1]
    assert line.endswith("word ...” (Reuters, 3 May 2026).")
    assert len(line) < 340


def test_the_original_is_a_rewrite_of_itself():
    assert checked(THESIS, f"  {THESIS}\n", tickers=["ACME", "A"], names=["Acme"]) == THESIS


@pytest.mark.parametrize(
    "words",
    [
        "Acme looks good: 5 reports speak for it.",
        "Five reports speak for Acme, and the price of $1123.46 is up by 3.20 %.",
        'It said it "raised its full-year guidance to $4.10 a share".',
        "Costs at Beta Inc rose 12 percent.",
        "Buying is what the news suggests, with a score of 0.62.",
    ],
)
def test_plainer_words_are_welcome(words):
    assert checked(THESIS, words, tickers=["ACME", "BETA"], names=["Acme", "Beta Inc", "Gamma Group"]) == words


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("", "empty"),
        ("x" * 4001, "4001"),
        ("Six reports speak for it.", "six"),
        ("6 reports speak for it.", "6"),
        ("The score is -0.62.", "-0.62"),
        ("The score is −0.62.", "−0.62"),
        ("Confidence is 73%.", "73%"),
        ("Confidence is 5%.", "5%"),
        ("A gain of 3 million dollars.", "million"),
        ("The price may double.", "double"),
        ("XYZ will follow.", "XYZ"),
        ("See BRK.B too.", "BRK.B"),
        ("It is listed as $F these days.", "F"),
        ("They called it “a great success”.", "great success"),
        ('They called it "a great success.', "great success"),
        ("«Beyond all hopes», said Acme.", "Beyond all hopes"),
        ("Gamma Group will suffer.", "Gamma Group"),
        ("Sell it while you can.", "sell"),
    ],
)
def test_new_facts_are_refused(words, named):
    answer = checked(THESIS, words, tickers=["ACME", "XYZ", "F"], names=["Acme", "Gamma Group"])
    assert isinstance(answer, Refused)
    assert named in answer.reason


@given(st.integers(0, 10**7))
def test_no_other_number_passes(number):
    if str(number) not in {"1", "7", "5", "3", "2026", "20"}:
        assert isinstance(checked(THESIS, f"It is {number} now."), Refused)


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"thesis": 3}', "not json", '{"thesis": "Sell."}'])
def test_an_answer_that_is_no_thesis_is_refused(answer):
    assert isinstance(reworded(THESIS, answer, tickers=[], names=[]), Refused)


def test_an_answer_with_a_thesis_is_taken():
    assert reworded(THESIS, '{"thesis": "Good news for Acme."}', tickers=[], names=[]) == "Good news for Acme."
