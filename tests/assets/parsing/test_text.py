"""Normalised text: what readers see, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.parsing.text import normalise, one_line, strip_invisible


@given(st.text(alphabet=st.characters(), max_size=300))
def test_normalising_twice_changes_nothing_and_encodes(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    once.encode()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Sc", "Sm"]), max_size=200))
def test_letters_numbers_and_punctuation_stay(text: str) -> None:
    visible = [char for char in text if strip_invisible(char)]
    assert [char for char in normalise(text) if not char.isspace()] == [c for c in visible if not c.isspace()]


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("pro\u200bfit\u00ad", "profit"),
        ("a\u202eb\u2066c", "abc"),
        ("one\u00a0\u2009two\t three", "one two three"),
        (" a \r\n\r\n\r\n\r\n b ", "a\n\nb"),
        ("\u201cquoted\u201d \u2014 it\u2019s", "\u201cquoted\u201d \u2014 it\u2019s"),
        ("tag\U000e0041ged", "tagged"),
        ("lone\ud800surrogate\x00", "lonesurrogate"),
    ],
)
def test_normalised(given_text: str, expected: str) -> None:
    assert normalise(given_text) == expected


def test_titles_stand_on_one_line() -> None:
    assert one_line(" Orion\n  beats\u00a0estimates ") == "Orion beats estimates"
