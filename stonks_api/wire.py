"""How values go out: numbers that JSON cannot hold become null, money becomes a number, pages carry a cursor."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, PlainSerializer, model_validator

from stonks_core.errors import BadInputError

LONGEST_PAGE = 200
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="how many items at most")]
Cursor = Annotated[str, Query(max_length=500, description="`next_cursor` of the page before; empty for the first")]
Money = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
Real = float | None


class Shown(BaseModel):
    """A response model: built from a row, other columns ignored, NaN and infinities shown as null."""

    model_config = ConfigDict(frozen=True, from_attributes=False)

    @model_validator(mode="before")
    @classmethod
    def _only_json_numbers(cls, given: Any) -> Any:
        return finite(given) if isinstance(given, dict) else given


M = TypeVar("M", bound=Shown)


class Page(Shown, Generic[M]):
    """Some items in order, and where to go on: `next_cursor` is null on the last page."""

    items: list[M]
    next_cursor: str | None = None


def finite(value: Any) -> Any:
    """The value with every number that JSON cannot hold replaced by None, however deep."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, Mapping):
        return {key: finite(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [finite(held) for held in value]
    return value


def page(
    model: type[M], rows: Sequence[Mapping[str, Any]], limit: int, place: Callable[[Any], tuple[Any, ...]]
) -> Page[M]:
    """A page out of up to `limit` + 1 rows; `place` gives what the next page goes on after."""
    kept = rows[:limit]
    more = encode_cursor(*place(kept[-1])) if len(rows) > limit else None
    return Page[M](items=[model.model_validate(dict(row)) for row in kept], next_cursor=more)


def encode_cursor(*parts: Any) -> str:
    """A place in an ordered list, as opaque text that is safe in an address."""
    plain = [part.isoformat() if isinstance(part, datetime) else str(part) for part in parts]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, size: int) -> tuple[str, ...] | None:
    """The parts of a cursor, or None for an empty one; BadInputError for one that this API did not give out."""
    if not cursor:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _bad(cursor) from error
    if not isinstance(parts, list) or len(parts) != size or not all(map(_printable, parts)):
        raise _bad(cursor)
    return tuple(parts)


def decode_place(cursor: str) -> tuple[datetime, str] | tuple[None, None]:
    """The instant and id that a cursor of a list ordered by time stands at; two Nones for an empty one."""
    parts = decode_cursor(cursor, 2)
    if parts is None:
        return None, None
    try:
        at = datetime.fromisoformat(parts[0])
    except ValueError as error:
        raise _bad(cursor) from error
    if at.tzinfo is None:
        raise _bad(cursor)
    return at, parts[1]


def _printable(part: object) -> bool:
    return isinstance(part, str) and part.isprintable()


def _bad(cursor: str) -> BadInputError:
    return BadInputError(f"the cursor {cursor[:60]!r} is none of this list: pass `next_cursor` as it was given")
