"""How many are late, and how many fail: judged of counts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stonks_assets.health.rules import HOLDS, Finding
from stonks_core.health.verdict import said_at

LONGEST_ERROR = 160


@dataclass(frozen=True)
class Overdue:
    """A source, when it last answered, with what it failed last, and whether that is too long ago."""

    name: str
    last_success_at: datetime | None
    last_error: str
    is_late: bool


@dataclass(frozen=True)
class Late:
    """The sources of one type that are late, the longest silent first."""

    sources: tuple[Overdue, ...]

    def all_of(self, what: str, count: int) -> str:
        """The sentence where every one of `count` sources is late; empty otherwise, and where there is none."""
        if not count or len(self.sources) < count:
            return ""
        return f"no {what} source answers ({count} active), {self._example()}"

    def some_of(self, what: str, count: int) -> str:
        """The sentence where some of `count` sources are late, but not all of them."""
        if not self.sources or len(self.sources) >= count:
            return ""
        return f"{len(self.sources)} of {count} {what} sources are late, {self._example()}"

    def _example(self) -> str:
        one = self.sources[0]
        last = f"last answered at {said_at(one.last_success_at)}" if one.last_success_at else "has never answered"
        error = f" and said: {_short(one.last_error)}" if one.last_error else ""
        return f"such as {one.name}, which {last}{error}: see `stonks registry sources list`"


def overdue_sources(sources: Sequence[Overdue]) -> Late:
    """Those that are late, the one that never answered or is longest silent first."""
    late = [source for source in sources if source.is_late]
    return Late(tuple(sorted(late, key=lambda s: (s.last_success_at is not None, s.last_success_at or 0, s.name))))


def failing_share(what: str, counts: Mapping[str, Any] | None, most: float, least: int) -> Finding:
    """A finding where more than `most` of at least `least` items failed. `counts` has items, failed and an example."""
    if counts is None or counts["items"] < least or counts["failed"] <= most * counts["items"]:
        return HOLDS
    example = f", such as: {_short(counts['example'])}" if counts.get("example") else ""
    return Finding(
        f"{counts['failed']} of {counts['items']} {what} failed within an hour{example}; `stonks doctor` looks, and "
        "GET /api/failures lists them"
    )


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= LONGEST_ERROR else f"{line[:LONGEST_ERROR]}…"
