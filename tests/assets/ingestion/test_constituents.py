"""Universes named by people: tickers, tables, and who is whose peer."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion.constituents import PEERS, Constituent, named, peers, tabled
from stonks_core.errors import BadInputError
from stonks_core.vocabulary import SECTORS


def test_tickers_are_taken_once_and_in_order() -> None:
    assert named(" msft, AAPL brk.b;AAPL\n") == [Constituent("MSFT"), Constituent("AAPL"), Constituent("BRK.B")]


@pytest.mark.parametrize(
    ("text", "sentence"), [("AAPL, $MSFT", r"\$MSFT cannot be tickers"), (" , ", "no ticker was named")]
)
def test_what_is_no_ticker_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        named(text)


def test_a_table_is_read_by_its_headings() -> None:
    heading = "\ufeffSymbol,Security,GICS Sector,GICS Sub-Industry,HQ,CIK"
    text = f'{heading}\nAAPL,"Apple, Inc.",Information Technology,Hardware,x,320193\nbrk.b,,,,,\n'
    assert tabled(text, "the file") == [
        Constituent("AAPL", "Apple, Inc.", "Information Technology", "Hardware", 320193),
        Constituent("BRK.B"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name\nApple", "x.csv has no column Symbol or ticker"),
        ("", "x.csv has no column Symbol or ticker"),
        ("Symbol\n", "x.csv names no company"),
        ("Symbol,CIK\nAAPL,none", "line 2: the CIK of AAPL is 'none'"),
        ("Symbol,Sector\nAAPL,Tech", "line 2: the sector of AAPL is 'Tech'; sectors are Communication Services"),
        ("Symbol\nAAPL\n<script>\n", "line 3: '<script>' cannot be a ticker"),
    ],
)
def test_a_table_that_cannot_be_taken_says_where(text: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        tabled(text, "x.csv")


def test_the_recorded_constituents_are_read_whole(shared_data: Path) -> None:
    found = tabled((shared_data / "reference" / "sp500_constituents.csv").read_text(), "the recording")
    assert len(found) >= 500
    assert {each.sector for each in found} == set(SECTORS)
    assert all(each.cik and each.industry and each.name for each in found)


INDUSTRIES = st.dictionaries(
    st.text("ABC", min_size=1, max_size=3), st.sampled_from(["", "banks", "chips"]), max_size=12
)


@given(INDUSTRIES, st.randoms())
def test_peers_are_of_one_industry_and_nearest_in_size(industry: dict[str, str], random: object) -> None:
    by_size = sorted(industry)
    random.shuffle(by_size)  # type: ignore[attr-defined]
    found = peers(industry, by_size)
    assert set(found) == set(industry)
    for ticker, others in found.items():
        group = [name for name in by_size if industry[name] == industry[ticker]]
        assert len(others) == (min(PEERS, len(group) - 1) if industry[ticker] else 0)
        assert ticker not in others
        assert set(others) <= set(group)
        place = group.index(ticker)
        left_out = [abs(group.index(name) - place) for name in group if name not in others and name != ticker]
        if industry[ticker] and left_out:
            assert max(abs(group.index(name) - place) for name in others) <= min(left_out)
