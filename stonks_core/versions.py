"""Optimistic locking: a change names the version that it was made on, and says what would change."""

from collections.abc import Mapping
from typing import Any

from stonks_core.errors import ConflictError


def same_version(what: str, held: int, expected: int | None) -> None:
    """Raises ConflictError where somebody else has changed it since the caller read it; None where nobody read it before."""
    if expected is not None and held != expected:
        raise ConflictError(
            f"{what} is at version {held} and you changed version {expected}: somebody else was first. "
            "Read it again and repeat the change"
        )


def differences(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What would change: by field, what it `was` and what it `is` to be."""
    return {name: {"was": held[name], "is": value} for name, value in wanted.items() if held[name] != value}
