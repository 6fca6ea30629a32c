"""The exact text of each element of a JSON array: a payload of many items becomes one payload for each, verbatim.

Nothing is decoded and written again, so that numbers keep their digits, texts their escapes and objects their order.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def sliced(text: str, key: str = "") -> Iterator[tuple[str, Any]]:
    """Each element of a JSON array as (its exact text, its value): of `text` itself, or of the array under `key`.

    With a `key` the text is an object; one that lacks the key, or has null under it, has no elements. Of a key that
    stands there twice the last one counts, as in `json.loads`. Raises ValueError where the text is no JSON, or holds
    something else in that place; what stood before the fault may have been yielded.
    """
    if not key:
        return _elements(text, _after_space(text, 0), whole=True)
    place = _value_of(text, key)
    return iter(()) if place < 0 or text.startswith("null", place) else _elements(text, place, whole=False)


def _elements(text: str, place: int, *, whole: bool) -> Iterator[tuple[str, Any]]:
    place = _after_space(text, _expect(text, place, "["))
    if text[place : place + 1] == "]":
        place += 1
    else:
        while True:
            value, end = _DECODER.raw_decode(text, place)
            yield text[place:end], value
            place = _after_space(text, end)
            if text[place : place + 1] == "]":
                place += 1
                break
            place = _after_space(text, _expect(text, place, ","))
    if whole and _after_space(text, place) != len(text):
        raise ValueError(f"the JSON array ends at character {place} and more follows")


def _value_of(text: str, key: str) -> int:
    """Where the value of a key of the outermost object begins; -1 where it has no such key."""
    place, found = _after_space(text, _expect(text, _after_space(text, 0), "{")), -1
    while text[place : place + 1] != "}":
        _expect(text, place, '"')
        name, end = _DECODER.raw_decode(text, place)
        place = _after_space(text, _expect(text, _after_space(text, end), ":"))
        if name == key:
            found = place
        place = _after_space(text, _DECODER.raw_decode(text, place)[1])
        if text[place : place + 1] != "}":
            place = _after_space(text, _expect(text, place, ","))
            if text[place : place + 1] == "}":
                raise ValueError(f"at character {place} of a JSON object a comma leads to nothing")
    if _after_space(text, place + 1) != len(text):
        raise ValueError(f"the JSON object ends at character {place} and more follows")
    return found


def _expect(text: str, place: int, sign: str) -> int:
    if text[place : place + 1] != sign:
        found = text[place : place + 1] or "the end"
        raise ValueError(f"at character {place} of a JSON text stands {found!r} where {sign!r} must")
    return place + 1


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
