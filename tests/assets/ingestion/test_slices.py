"""The exact bytes of each element of a list in a JSON answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion.slices import elements

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
SPACE = st.text(" \t\r\n", max_size=3)


def test_an_element_keeps_its_spaces_escapes_and_order() -> None:
    content = b'{"count":2,"results" : [ {"b": "\\u00e9", "a" : 1.50} , "x\\"]" ],"next":null}'
    assert elements(content, "results") == [
        ({"b": "é", "a": 1.5}, b'{"b": "\\u00e9", "a" : 1.50}'),
        ('x"]', b'"x\\"]"'),
    ]
    assert elements(content, "absent") == []
    assert elements(b'{"results": null}', "results") == []


@given(st.lists(JSON, max_size=5), st.dictionaries(st.text(max_size=8), JSON, max_size=3), SPACE, st.booleans())
def test_the_slices_are_the_list(values: list[Any], more: dict[str, Any], space: str, escaped: bool) -> None:
    written = [json.dumps(value, ensure_ascii=escaped) for value in values]
    members = [f"{json.dumps(key)}{space}:{json.dumps(value)}" for key, value in more.items() if key != "results"]
    members.insert(len(members) // 2, f'"results":{space}[{space}{f"{space},{space}".join(written)}{space}]')
    content = f"{space}{{{','.join(members)}}}{space}".encode("utf-8", errors="surrogatepass")
    found = elements(content, "results") if not _surrogates(content) else []
    if not _surrogates(content):
        assert [value for value, _ in found] == values
        assert [piece.decode() for _, piece in found] == written


def _surrogates(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return True
    return False


@pytest.mark.parametrize(
    "content", [b"[]", b"", b'{"results": 3}', b'{"results": [1 2]}', b'{"results": [1', b'{"a" 1}']
)
def test_what_is_no_such_answer_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        elements(content, "results")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_other_encodings_keep_their_bytes(encoding: str) -> None:
    content = '{"results": [{"a": "é"}]}'.encode(encoding)
    assert elements(content, "results") == [({"a": "é"}, '{"a": "é"}'.encode(encoding.removesuffix("-sig")))]
