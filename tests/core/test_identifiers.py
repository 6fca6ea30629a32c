"""Identifiers of many things at once are those of each alone."""

from hypothesis import given
from hypothesis import strategies as st

from stonks_core.identifiers import digest, digests


@given(st.text(), st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=3))
def test_many_digests_are_those_of_each(before: str, texts: list[str], after: list[str]) -> None:
    assert digests(before, texts, *after) == [digest(before, text, *after) for text in texts]
