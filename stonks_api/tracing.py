"""A trace id per request: the caller's own where it is well formed, else a new one; echoed, logged, put into problems."""

import re
import secrets
from collections.abc import MutableMapping
from typing import Any

HEADER = "x-trace-id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


def choose(given: str) -> str:
    """The given id where it is 8 to 64 letters, digits, dots, dashes or underscores, or a fresh one."""
    return given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(16)


def trace_id_of(scope: MutableMapping[str, Any]) -> str:
    """The id of the request that a scope belongs to; empty before one was chosen."""
    return str(scope.get("state", {}).get("trace_id", ""))
