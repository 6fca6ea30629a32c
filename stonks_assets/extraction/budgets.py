"""Hourly token budgets: what a variant may still spend, whoever asks at the same time. Pure: instants are arguments."""

import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Spent:
    """Tokens that a variant spent at an instant."""

    variant: str
    tokens: int
    at: datetime


class HourlyBudgets:
    """Tokens spent within the last hour and promised to documents that are being read, by variant."""

    def __init__(self, spent: Iterable[Spent] = ()) -> None:
        self._spent: dict[str, deque[Spent]] = defaultdict(deque)
        self._promised: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        for entry in sorted(spent, key=lambda e: e.at):
            self._spent[entry.variant].append(entry)

    def admit(self, variant: str, limit: int | None, tokens: int, now: datetime) -> bool:
        """Promise a document's estimated tokens to a variant, if that stays within its limit; no limit is never reached.

        Whoever was admitted must settle.
        """
        with self._lock:
            if limit is not None and self._used(variant, now) + self._promised[variant] + tokens > limit:
                return False
            self._promised[variant] += tokens
            return True

    def settle(self, variant: str, promised: int, spent: int, now: datetime) -> None:
        """Take a promise back, and count what was spent."""
        with self._lock:
            self._promised[variant] -= promised
            if spent:
                self._spent[variant].append(Spent(variant, spent, now))

    def used(self, variant: str, now: datetime) -> int:
        """Tokens that a variant spent within the hour before `now`."""
        with self._lock:
            return self._used(variant, now)

    def _used(self, variant: str, now: datetime) -> int:
        entries = self._spent[variant]
        while entries and entries[0].at <= now - HOUR:
            entries.popleft()
        return sum(entry.tokens for entry in entries)
