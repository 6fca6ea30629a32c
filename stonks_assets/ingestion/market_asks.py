"""What a market source is asked for on a day, whoever answers: windows, names of items, tickers in portions."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.protocol import Ask, RawItem
from stonks_core.calendar import Session

GROUPED, BARS, SNAPSHOTS = "grouped_daily", "stock_bars", "snapshots"
SPLITS, DIVIDENDS = "splits", "dividends"
LISTED_LATE = timedelta(days=3)
"""How far back corporate actions are asked for again: a vendor may list one after its ex-date."""
KNOWN_AHEAD = timedelta(days=7)
"""How far ahead they are asked for, so that they are known before their ex-date."""
SYMBOLS = 200
"""Tickers of one request: what fits into an address, with room to spare."""


class ActionDays:
    """Which days' corporate actions are still to be asked for, over the days of one run.

    A present day is always asked. Of past days, asked one after the other, one answer covers those that follow it.
    """

    def __init__(self) -> None:
        self._covered: date | None = None

    def window(self, ask: Ask, session: Session) -> tuple[date, date] | None:
        """The ex-dates to ask for, both included; None where an answer of this run holds the day."""
        if ask.day < ask.as_of.date() and self._covered is not None and session.day <= self._covered:
            return None
        return session.day - LISTED_LATE, session.day + KNOWN_AHEAD

    def answered(self, window: tuple[date, date]) -> None:
        """Note that a window's answers have been brought."""
        self._covered = max(filter(None, (self._covered, window[1])))


def midnight(day: date) -> datetime:
    """The first instant of a UTC date."""
    return datetime.combine(day, time(), UTC)


def is_running(session: Session, as_of: datetime) -> bool:
    """Whether an instant lies in a session."""
    return session.open <= as_of < session.close


def snapshot_name(as_of: datetime) -> str:
    """The name of what is fetched of a running session at an instant, to the second."""
    return f"snapshots:{as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def portions(tickers: Iterable[str], size: int = SYMBOLS) -> Iterator[str]:
    """Tickers as comma-separated lists of at most `size`, in alphabetical order."""
    names = sorted(set(tickers))
    for start in range(0, len(names), size):
        yield ",".join(names[start : start + size])


def items(answers: Iterable[tuple[str, Answer]], name: str, kind: str, published: datetime) -> list[RawItem]:
    """Pages that belong together, each with the address it is told under; the first bears the name by itself.

    They are gathered before the first is handed on: a page that fails leaves none behind that would look like all.
    """
    return [
        RawItem(name if number == 1 else f"{name}:{number}", kind, answer, published_at=published, url=url)
        for number, (url, answer) in enumerate(answers, start=1)
    ]
