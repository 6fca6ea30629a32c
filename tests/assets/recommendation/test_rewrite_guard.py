"""Hostile rewrites: every way to smuggle a fact in, or to turn one round, that the guard can tell."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.recommendation import facts
from stonks_assets.recommendation.rewrite import Refused, checked
from stonks_assets.recommendation.thesis import thesis
from tests.assets.recommendation.test_thesis_and_rewrite import COSTS, RAISED, SUBJECT

THESIS = thesis(SUBJECT, [RAISED, COSTS])
TICKERS = ("ACME", "BETA", "XYZ")
NAMES = ("Acme", "Beta Inc", "Gamma Group")

WELCOME = [
    "Buy Acme Corporation (ACME). Five independent reports speak for the shares.",
    "The price is $1,123.46, 3.2% higher than 7 days ago, and 1.4 times as many shares as usual changed hands.",
    "Against it: costs rose by 12 percent in the quarter, says the SEC.",
    "We are confident at 72%, with a score of 0.62; the reports disagree by 10%.",
    "The price rose 3.2 per cent. It stands at 1123.46 dollars.",
    "On 3 May 2026 Reuters wrote: “Acme raised its full-year guidance to $4.10 a share”.",
    "The shares swing by thirty-one percent a year.",
]


@pytest.mark.parametrize("words", WELCOME)
def test_plain_words_for_the_same_facts_pass(words: str) -> None:
    assert checked(THESIS, words, tickers=TICKERS, names=NAMES) == words


HOSTILE = [
    # numbers: in words, in parts, in other units, with other signs, in disguise
    "Twenty-five reports speak for it.",
    "Seventy-three percent sure.",
    "One hundred reports speak for it.",
    "Confidence is 72 basis points.",
    "It rose 12 bp.",
    "Costs rose 12.",
    "Costs rose $12.",
    "5 million shares changed hands.",
    "5m shares changed hands.",
    "$5bn of orders.",
    "The price is up 5%.",
    "The price is up 3.2x.",
    "The price is at ½ of that.",
    "The price rose by ３３ points.",
    "It rose by a third.",
    "It grew tenfold.",
    "A score of minus 0.62.",
    "A score of - 0.62.",
    "The price is $1,123.46.7",
    "Up 3.2% or 32%",
    # dates
    "On 5 May 2026 guidance was raised.",
    "On May 7 guidance was raised.",
    "Since October the shares have been up.",
    # tickers and names, in disguise
    "Look at $xyz too.",
    "Look at X Y Z too.",
    "Look at X.Y.Z too.",
    "Look at X\u200bYZ too.",
    "Look at ХYZ too.",
    "Look at gamma group too.",
    "Analysts at Bloomberg agree.",
    "The report of Smith agrees.",
    # quotations
    "It is “a once in a lifetime chance”.",
    "It is ‘a once in a lifetime chance’.",
    "It is 'a once in a lifetime chance'.",
    "It is „a lifetime chance“.",
    "It is 「a lifetime chance」.",
    "It is ‹a lifetime chance›.",
    "“Acme raised its full-year guidance to $4.10 a share, far beyond all hopes”",
    # statements turned round
    "Do not buy Acme.",
    "Never buy it.",
    "The news does not speak for the shares.",
    "Costs fell 12% in the quarter.",
    "Costs dropped by 12 percent.",
    "The price is down 3.2% over 7 days.",
    "The price is 3.2% lower.",
    "Acme did not raise its guidance.",
    "Acme lowered its guidance to $4.10 a share.",
    "Sell it.",
    "Go short.",
    # figures that exist, in each other's place
    "Confidence is 80%.",
    "We have 100% confidence.",
    "The score is 4.10.",
    # promises, links and markup
    "A gain is guaranteed.",
    "It is risk-free.",
    "You cannot lose.",
    "See https://pump.example",
    "See www.pump.example",
    "Write to me@pump.example",
    "<script>alert()</script>",
    "[Buy](there)",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_refused(words: str) -> None:
    assert isinstance(checked(THESIS, words, tickers=TICKERS, names=NAMES), Refused), words
    inside = f"{WELCOME[0]} {words}"
    assert isinstance(checked(THESIS, inside, tickers=TICKERS, names=NAMES), Refused), inside


def test_what_a_reader_must_know_may_not_be_left_out() -> None:
    held_back = thesis(replace(SUBJECT, suppression="macro_only", lacking=("macro",)), [RAISED])
    whole = "Buy Acme, for information only. Part of the picture is missing."
    assert checked(held_back, whole) == whole
    for words in ("Buy Acme. Part of the picture is missing.", "Buy Acme, for information only."):
        refused = checked(held_back, words)
        assert isinstance(refused, Refused)
        assert "leaves out" in refused.reason


def test_nothing_against_it_may_not_become_something() -> None:
    words = thesis(replace(SUBJECT, contradiction=0.0), [RAISED])
    assert "Nothing in the evidence speaks against it." in words
    assert isinstance(checked(words, "The evidence speaks against it."), Refused)
    assert checked(words, "No evidence speaks against it.") == "No evidence speaks against it."


@given(st.lists(st.sampled_from(THESIS.replace("\n", " ").split(". ")), min_size=1, unique=True))
def test_the_originals_own_sentences_pass_in_any_choice_and_order(sentences: list[str]) -> None:
    text = ". ".join(sentences)
    if text.count("“") == text.count("”"):
        assert checked(THESIS, text, tickers=TICKERS, names=NAMES) == text.strip()


@given(st.integers(21, 99).filter(lambda n: n not in {31, 72, 80}), st.booleans())
def test_no_number_in_words_passes(number: int, percent: bool) -> None:
    tens = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")[number // 10 - 2]
    ones = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")[number % 10]
    for joint in ("-", " "):
        words = f"It is {tens}{joint if ones else ''}{ones}{' percent' if percent else ''} now."
        assert isinstance(checked(THESIS, words), Refused), words


@given(st.text(max_size=200))
def test_the_guard_answers_for_any_text(text: str) -> None:
    answer = checked(THESIS, text, tickers=TICKERS, names=NAMES)
    assert isinstance(answer, Refused) or answer == text.strip()


def test_numbers_with_their_units() -> None:
    found = {words: (number.digits, number.unit, number.negative) for words, number in facts.numbers(
        "up 3.20%, -4 bp, $1,200.50, 5bn, sixty-one percent, minus 7, 1.4 times"
    )}  # fmt: skip
    assert found == {
        "3.20%": ("3.2", "%", False),
        "-4 bp": ("4", "bp", True),
        "$1,200.50": ("1200.5", "$", False),
        "5bn": ("5", "billion", False),
        "sixty-one percent": ("61", "%", False),
        "minus 7": ("7", "", True),
        "1.4 times": ("1.4", "times", False),
    }
