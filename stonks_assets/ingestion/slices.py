"""The exact bytes of each element of a list inside a JSON answer, so that an item can be kept as the vendor wrote it."""

import json
import re
from collections.abc import Iterator
from typing import Any

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def elements(content: bytes, key: str) -> list[tuple[Any, bytes]]:
    """Each element of the list that stands under `key` of a JSON object, with its own bytes; none where it is absent.

    A key that stands twice counts by its last value, as in every JSON reader. Raises ValueError for what is no JSON
    object, and for a value under `key` that is neither a list nor null.
    """
    encoding = json.detect_encoding(content)
    text = content.decode(encoding)
    found: list[tuple[Any, bytes]] = []
    for name, start, end in _members(text):
        if name != key:
            continue
        if text[start] != "[":
            if text[start:end] != "null":
                raise ValueError(f"the value of {key!r} is no list")
            found = []
            continue
        found = [(value, text[a:b].encode(encoding.removesuffix("-sig"))) for value, a, b in _items(text, start)]
    return found


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """The names of an object's members, and where each one's value begins and ends."""
    at = _after_space(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("the answer is no JSON object")
    at = _after_space(text, at + 1)
    while text[at : at + 1] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _after_space(text, _after(text, ":", at))
        _, end = _DECODER.raw_decode(text, start)
        yield name, start, end
        at = _next(text, "}", end)


def _items(text: str, start: int) -> Iterator[tuple[Any, int, int]]:
    """The elements of the list that begins at `start`, and where each begins and ends."""
    at = _after_space(text, start + 1)
    while text[at : at + 1] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield value, at, end
        at = _next(text, "]", end)


def _next(text: str, closing: str, at: int) -> int:
    """Where the next element begins, or the closing bracket stands."""
    at = _after_space(text, at)
    return at if text[at : at + 1] == closing else _after_space(text, _after(text, ",", at))


def _after(text: str, mark: str, at: int) -> int:
    at = _after_space(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark!r} is missing at character {at} of the JSON answer")
    return at + 1


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
