"""Stock splits and symbol changes played over a world that knows none: prices, volumes and tickers follow them.

An action counts from 00:00 UTC of its day, when no session of New York is under way; it is known `ANNOUNCED` before.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from stonks_sandbox.world.protocol import Action, Article, Bar, Company, Filing, Rename, SandboxClock, Split, World

ANNOUNCED = timedelta(days=7)
PRICE_DECIMALS = 4


def effective(action: Action) -> datetime:
    """The instant from which an action counts."""
    return datetime.combine(action.day, time(), UTC)


def read_actions(file: Path) -> list[Action]:
    """The actions of a JSON list: `{"ticker", "day", "split_from", "split_to"}` or `{"ticker", "day", "new_ticker"}`.

    Raises ValueError with a sentence for a file or an entry that cannot be read.
    """
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"the actions in {file.name} cannot be read: {error}") from error
    if not isinstance(listed, list):
        raise ValueError(f"{file.name} is no list of actions")  # noqa: TRY004 - one kind of refusal for a bad file
    return [_action(entry, file.name) for entry in listed]


def _action(entry: Any, where: str) -> Action:
    try:
        ticker, day = str(entry["ticker"]), date.fromisoformat(entry["day"])
        if "new_ticker" in entry:
            return Rename(ticker, day, str(entry["new_ticker"]))
        split = Split(ticker, day, Decimal(str(entry["split_from"])), Decimal(str(entry["split_to"])))
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise ValueError(f"an action in {where} cannot be read ({error!r}): {str(entry)[:120]}") from error
    if not (split.split_from > 0 and split.split_to > 0):
        raise ValueError(f"the split of {split.ticker} in {where} has shares that are not above zero")
    return split


class ActedWorld:
    """A world with actions. What it was asked for before an action's day stays as it was told."""

    def __init__(self, inner: World, actions: Sequence[Action]) -> None:
        self._inner = inner
        self._actions = sorted(actions, key=lambda action: (action.day, action.ticker))
        self.kind: Literal["synthetic", "recorded"] = inner.kind
        self.clock: SandboxClock = inner.clock
        self.calendar_name = inner.calendar_name
        self.bar_seconds = inner.bar_seconds

    def actions(self) -> Sequence[Action]:
        """The actions that are announced at the present, by day."""
        now = self.clock.now()
        return [action for action in self._actions if effective(action) - ANNOUNCED <= now]

    def companies(self) -> Sequence[Company]:
        """The companies under their tickers of the present."""
        names = self._names(self.clock.now())
        found = [replace(c, ticker=names.get(c.ticker, c.ticker)) for c in self._inner.companies()]
        return sorted(found, key=lambda company: company.ticker)

    def company(self, ticker: str) -> Company | None:
        """One company by its ticker of the present."""
        origin, retired = self._origin(ticker)
        found = None if retired else self._inner.company(origin)
        return None if found is None else replace(found, ticker=ticker)

    def bars(self, ticker: str, start: datetime, end: datetime, seconds: int) -> Sequence[Bar]:
        """Bars in the shares in which they were traded; a ticker of the past keeps those of its time."""
        origin, retired = self._origin(ticker)
        until = end if retired is None else min(end, retired)
        return [self._told(origin, bar) for bar in self._inner.bars(origin, start, until, seconds)]

    def last_price(self, ticker: str) -> float | None:
        """The last trade in the shares in which it was traded; until somebody trades after a split, in old ones."""
        origin, retired = self._origin(ticker)
        price = None if retired else self._inner.last_price(origin)
        splits = self._splits(origin, self.clock.now())
        if price is None or not splits:
            return price
        overnight = effective(splits[-1]) - timedelta(microseconds=1)
        traded = self._inner.next_bar(origin, overnight) is not None
        return round(price / self._scale(origin, self.clock.now() if traded else overnight), PRICE_DECIMALS)

    def next_bar(self, ticker: str, after: datetime) -> Bar | None:
        """The first finest bar after an instant, while the ticker trades."""
        origin, retired = self._origin(ticker)
        found = self._inner.next_bar(origin, after)
        if found is None or (retired is not None and found.start >= retired):
            return None
        return self._told(origin, found)

    def is_open(self, at: datetime) -> bool:
        """Whether the market is in session."""
        return self._inner.is_open(at)

    def articles(self, start: datetime, end: datetime) -> Sequence[Article]:
        """Articles, as they were written."""
        return self._inner.articles(start, end)

    def article_at(self, path: str) -> Article | None:
        """One article."""
        return self._inner.article_at(path)

    def filings(self, start: datetime, end: datetime, cik: int | None = None) -> Sequence[Filing]:
        """Filings, as they were filed."""
        return self._inner.filings(start, end, cik)

    def filing(self, accession: str) -> Filing | None:
        """One filing."""
        return self._inner.filing(accession)

    def _names(self, at: datetime) -> Mapping[str, str]:
        """The tickers at an instant of those whose first ticker was another."""
        now: dict[str, str] = {}
        for action in self._actions:
            if isinstance(action, Rename) and effective(action) <= at:
                first = next((old for old, new in now.items() if new == action.ticker), action.ticker)
                now[first] = action.new_ticker
        return now

    def _origin(self, ticker: str) -> tuple[str, datetime | None]:
        """The inner world's ticker of what trades or traded as `ticker`, and when it ceased to."""
        now = self.clock.now()
        first = next((old for old, new in self._names(now).items() if new == ticker), None)
        if first is not None:
            return first, None
        gone = next(
            (a for a in self._actions if isinstance(a, Rename) and a.ticker == ticker and effective(a) <= now), None
        )
        return (ticker, None) if gone is None else (self._first_name(gone), effective(gone))

    def _splits(self, origin: str, at: datetime) -> Sequence[Split]:
        return [
            action
            for action in self._actions
            if isinstance(action, Split) and effective(action) <= at and self._first_name(action) == origin
        ]

    def _first_name(self, action: Action) -> str:
        """The inner world's ticker of what an action is about."""
        names = self._names(effective(action) - timedelta(microseconds=1))
        return next((old for old, new in names.items() if new == action.ticker), action.ticker)

    def _scale(self, origin: str, at: datetime) -> float:
        scale = Decimal(1)
        for split in self._splits(origin, at):
            scale *= split.ratio
        return float(scale)

    def _told(self, origin: str, bar: Bar) -> Bar:
        return scaled(bar, self._scale(origin, bar.start))


class _Adjusted(ActedWorld):
    """A world whose bars are all told in the shares of the present."""

    def __init__(self, acted: World) -> None:
        super().__init__(acted, [])

    def bars(self, ticker: str, start: datetime, end: datetime, seconds: int) -> Sequence[Bar]:
        """Bars, those from before a split in the shares after it."""
        now = self.clock.now()
        splits = [
            a for a in self._inner.actions() if isinstance(a, Split) and a.ticker == ticker and effective(a) <= now
        ]
        return [
            scaled(bar, math.prod(float(split.ratio) for split in splits if effective(split) > bar.start))
            for bar in self._inner.bars(ticker, start, end, seconds)
        ]


def as_adjusted(world: World) -> World:
    """The world with its bars adjusted for the splits after them, as vendors adjust them; itself where there are none."""
    return _Adjusted(world) if world.actions() else world


def scaled(bar: Bar, ratio: float) -> Bar:
    """A bar in so many new shares for each old one."""
    if ratio == 1:
        return bar
    prices = {
        name: round(getattr(bar, name) / ratio, PRICE_DECIMALS) for name in ("open", "high", "low", "close", "vwap")
    }
    return replace(bar, volume=bar.volume * ratio, **prices)
