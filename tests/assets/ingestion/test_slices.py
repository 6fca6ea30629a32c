"""Slices of a JSON array: exactly the bytes that stood there, for any array in any spelling."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion.slices import sliced

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SPELLINGS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, 0, 2]),
        "ensure_ascii": st.booleans(),
        "separators": st.sampled_from([None, (",", ":")]),
    }
)


@given(st.lists(VALUES, max_size=5), SPELLINGS)
def test_the_slices_of_an_array_are_its_elements_in_their_own_spelling(
    values: list[Any], spelling: dict[str, Any]
) -> None:
    text = json.dumps(values, **spelling)
    found = list(sliced(f" {text}\n"))
    assert [value for _, value in found] == values
    assert [json.loads(part) for part, _ in found] == values
    place = 0
    for part, _ in found:
        place = text.index(part, place) + len(part)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), st.lists(VALUES, max_size=4), SPELLINGS)
def test_an_array_under_a_key_is_found_wherever_it_stands(
    others: dict[str, Any], values: list[Any], spelling: dict[str, Any]
) -> None:
    body = {**others, "news": values, "next": [1]}
    assert [value for _, value in sliced(json.dumps(body, **spelling), "news")] == values


def test_numbers_escapes_and_order_stay_as_they_were_written() -> None:
    text = r'{"n": {"news": [0]}, "news" : [ {"b":1.50,"a":"\u00e9\/"} ,1e2 ], "z": 1}'
    assert [part for part, _ in sliced(text, "news")] == [r'{"b":1.50,"a":"\u00e9\/"}', "1e2"]


@pytest.mark.parametrize("text", ['{"other": [1]}', '{"news": null}', '{"news": []}', "{}", " { } "])
def test_an_array_that_is_not_there_has_no_elements(text: str) -> None:
    assert list(sliced(text, "news")) == []


def test_of_a_key_that_stands_there_twice_the_last_counts() -> None:
    assert [part for part, _ in sliced('{"news": [1], "news": [2]}', "news")] == ["2"]


@pytest.mark.parametrize(
    "text",
    [
        '{"news": {"a": 1}}', '{"news": 3}', '{"news": [1,]}', '{"news": [1 2]}', '{"news": [1', '{"news": [1]', "[1]",
        '{"news": [1]} x', '{"news" [1]}', "{1: [2]}", '{"news": [1],}', "", "nothing", '{"news": [}',
    ],
)  # fmt: skip
def test_what_is_no_such_thing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"character|JSON|Expecting|delimiter|char"):
        list(sliced(text, "news"))


@pytest.mark.parametrize("text", ["{}", "[1] 2", "[1", "[,]", "3", "[1,,2]"])
def test_what_is_no_array_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"character|JSON|Expecting|char"):
        list(sliced(text))
