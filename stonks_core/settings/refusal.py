"""The sentence for a bad value: the variable, the value (hidden for a secret), what is allowed and what it is for."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

_NUMBERS = {int: "a whole number", float: "a number", Decimal: "an amount"}


def sentence(info: FieldInfo, given: Mapping[str, str]) -> str:
    """Why the value of a field's variable was refused."""
    variable = str(info.alias)
    shown = "(hidden)" if SecretStr in _kinds(info) else repr(given.get(variable, ""))
    return f"{variable} is {shown}, but it must be {allowed(info)}: {info.description}"


def allowed(info: FieldInfo) -> str:
    """What a field takes, in words: `a whole number from 1 to 65535`, `one of paper, live`, `true or false`."""
    kind = _kinds(info)[0]
    if kind is bool:
        return "true or false"
    if kind in _NUMBERS:
        return _NUMBERS[kind] + _bounds(info)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(value) or "(empty)" for value in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(member.value) for member in kind)
    pattern = _limit(info, "pattern")
    return f"text that matches {pattern}" if pattern else "text that is not empty"


def _kinds(info: FieldInfo) -> tuple[Any, ...]:
    """The field's type, or the members of its union without None."""
    members = tuple(kind for kind in get_args(info.annotation) if kind is not type(None))
    whole = get_origin(info.annotation) is Literal or not members
    return (info.annotation,) if whole else members


def _bounds(info: FieldInfo) -> str:
    least, above, most = _limit(info, "ge"), _limit(info, "gt"), _limit(info, "le")
    low = f" from {least}" if least is not None else f" above {above}" if above is not None else ""
    joint = " to " if least is not None else " and at most "
    return low + (f"{joint}{most}" if most is not None else "")


def _limit(info: FieldInfo, name: str) -> Any:
    return next((found for part in info.metadata if (found := getattr(part, name, None)) is not None), None)
