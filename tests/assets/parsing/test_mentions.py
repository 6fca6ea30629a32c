"""Company mentions: whole words, longest first, and tickers that are words only where they are marked."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames, Mention, name_variants

MATCHER = CompanyMatcher(
    [
        CompanyNames("AAPL", "Apple Inc."),
        CompanyNames("ALL", "Allstate Corp"),
        CompanyNames("BAC", "Bank of America Corporation", ("BofA",)),
        CompanyNames("F", "Ford Motor Co", ("Ford",)),
        CompanyNames("GOOG", "Alphabet Inc.", ("Google",)),
        CompanyNames("GOOGL", "Alphabet Inc.", ("Google",)),
        CompanyNames("MCD", "McDonald's Corporation"),
        CompanyNames("META", "Meta Platforms, Inc.", ("Facebook",)),
        CompanyNames("NVDA", "NVIDIA CORP"),
        CompanyNames("T", "AT&T Inc."),
        CompanyNames("TGT", "Target Corporation"),
    ]
)


def found(text: str) -> list[tuple[str, str]]:
    return [(mention.ticker, mention.surface) for mention in MATCHER.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Apple rose.", [("AAPL", "Apple")]),
        ("APPLE ROSE", [("AAPL", "APPLE")]),
        ("an apple a day, pineapple Apples", []),
        ("shares of AAPL and aapl", [("AAPL", "AAPL")]),
        ("We sold ALL of it", []),
        ("insurer $ALL fell", [("ALL", "ALL")]),
        ("the insurer (NYSE: ALL) fell", [("ALL", "ALL")]),
        ("NASDAQ:ALL fell", [("ALL", "ALL")]),
        ("Allstate, or ALL for traders", [("ALL", "Allstate"), ("ALL", "ALL")]),
        ("T-Mobile and T bills", []),
        ("AT&T said T is cheap", [("T", "AT&T"), ("T", "T")]),
        ("(NASDAQ: GOOG, GOOGL)", [("GOOG", "GOOG"), ("GOOGL", "GOOGL")]),
        ("Alphabet gains", [("GOOG", "Alphabet"), ("GOOGL", "Alphabet")]),
        ("Bank\nof America gains", [("BAC", "Bank\nof America")]),
        ("McDonald\u2019s menu", [("MCD", "McDonald\u2019s")]),
        ("Nvidia and NVIDIA", [("NVDA", "Nvidia"), ("NVDA", "NVIDIA")]),
        ("Target prices were cut", []),
        ("shares of Target fell", [("TGT", "Target")]),
        ("Target fell; TGT closed lower", [("TGT", "Target"), ("TGT", "TGT")]),
        ("Meta Platforms, Inc. said", [("META", "Meta Platforms, Inc.")]),
        ("Ford Motor Co said Ford", [("F", "Ford Motor Co"), ("F", "Ford")]),
        ("", []),
    ],
)
def test_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


PIECES = [
    "Apple",
    "AAPL",
    "$ALL",
    "ALL",
    "Bank of America",
    "BofA",
    "\u0130",
    "\u00df",
    "Meta Platforms",
    " ",
    "\n",
    ".",
    "x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_offsets_are_verbatim_and_names_do_not_overlap(text: str) -> None:
    mentions = MATCHER.find(text)
    assert list(mentions) == sorted(mentions)
    for mention in mentions:
        assert text[mention.start : mention.end] == mention.surface
    spans = sorted({(m.start, m.end) for m in mentions})
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


@given(st.text(max_size=200))
def test_any_text_is_matched(text: str) -> None:
    for mention in MATCHER.find(text):
        assert text[mention.start : mention.end] == mention.surface


@pytest.mark.parametrize(
    ("legal", "expected"),
    [
        ("Apple Inc.", ("Apple Inc.", "Apple")),
        ("COSTCO WHOLESALE CORP /NEW", ("COSTCO WHOLESALE CORP /NEW", "COSTCO WHOLESALE CORP", "COSTCO WHOLESALE")),
        ("UNITEDHEALTH GROUP INC", ("UNITEDHEALTH GROUP INC", "UNITEDHEALTH GROUP", "UNITEDHEALTH")),
        ("Match Group, Inc.", ("Match Group, Inc.", "Match Group")),
        ("The Boeing Company", ("The Boeing Company", "The Boeing", "Boeing")),
    ],
)
def test_name_variants(legal: str, expected: tuple[str, ...]) -> None:
    assert name_variants(legal) == expected


def test_an_empty_universe_finds_nothing() -> None:
    assert CompanyMatcher([]).find("Apple") == ()


def test_order_of_companies_does_not_matter() -> None:
    companies = [CompanyNames("B", "Beta Corp"), CompanyNames("A", "Alpha Beta Corp")]
    text = "Alpha Beta Corp met Beta Corp"
    assert CompanyMatcher(companies).find(text) == CompanyMatcher(companies[::-1]).find(text)
    assert Mention(0, 15, "A", "legal_name", "Alpha Beta Corp") in CompanyMatcher(companies).find(text)
