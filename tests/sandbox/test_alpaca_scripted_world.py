"""A world of a few scripted bars, for the tests of the Alpaca stand-in, and the promises that those tests rely on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from stonks_sandbox.world.actions import ActedWorld
from stonks_sandbox.world.protocol import Action, Article, Bar, Company, Filing

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@dataclass
class Hands:
    """A clock that stands still until it is moved."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


def bar(start: datetime, prices: tuple[float, float, float, float], volume: float = 1e6, seconds: int = 5) -> Bar:
    """A bar of open, high, low, close."""
    opened, high, low, close = prices
    return Bar(start, seconds, opened, high, low, close, volume, (high + low) / 2, 10)


@dataclass
class ScriptedWorld:
    """Bars by ticker, visible as the protocol says: an unfinished bar shows its open and no volume."""

    script: Mapping[str, Sequence[Bar]]
    clock: Hands = field(default_factory=Hands)
    kind: Literal["synthetic", "recorded"] = "recorded"
    calendar_name: str = "24/7"
    bar_seconds: int = 5
    news: Sequence[Article] = ()
    session_seconds: int = 23_400
    volume_so_far: bool = False

    def companies(self) -> Sequence[Company]:
        return [Company(ticker, f"{ticker} Inc.", 1, "XNAS") for ticker in sorted(self.script)]

    def company(self, ticker: str) -> Company | None:
        return next((company for company in self.companies() if company.ticker == ticker), None)

    def _ends(self, item: Bar) -> datetime:
        daily = item.seconds >= 86_400 and self.calendar_name != "24/7"
        return item.start + timedelta(seconds=self.session_seconds if daily else item.seconds)

    def _seen(self, item: Bar) -> Bar:
        if self._ends(item) <= self.clock.now():
            return item
        shown = replace(item, high=item.open, low=item.open, close=item.open)
        return shown if self.volume_so_far else replace(shown, volume=0.0)

    def bars(self, ticker: str, start: datetime, end: datetime, seconds: int) -> Sequence[Bar]:
        found = [b for b in self.script.get(ticker, ()) if start <= b.start < end and b.start <= self.clock.now()]
        if seconds == self.bar_seconds:
            return [self._seen(b) for b in found]
        whole: dict[int, list[Bar]] = {}
        for item in found:
            whole.setdefault(int(item.start.timestamp()) // seconds * seconds, []).append(item)
        return [
            Bar(
                datetime.fromtimestamp(at, UTC),
                seconds,
                group[0].open,
                max(b.high for b in group),
                min(b.low for b in group),
                group[-1].close,
                sum(b.volume for b in group),
                group[-1].close,
                len(group),
            )
            for at, group in whole.items()
        ]

    def last_price(self, ticker: str) -> float | None:
        begun = [b for b in self.script.get(ticker, ()) if b.start <= self.clock.now()]
        return self._seen(begun[-1]).close if begun else None

    def next_bar(self, ticker: str, after: datetime) -> Bar | None:
        later = [b for b in self.script.get(ticker, ()) if after < b.start <= self.clock.now()]
        return self._seen(later[0]) if later else None

    def actions(self) -> Sequence[Action]:
        return ()

    def is_open(self, at: datetime) -> bool:
        return self.calendar_name == "24/7" or any(
            b.start <= at < self._ends(b) for bars in self.script.values() for b in bars
        )

    def articles(self, start: datetime, end: datetime) -> Sequence[Article]:
        return [a for a in self.news if start <= a.published_at < end and a.published_at <= self.clock.now()]

    def article_at(self, path: str) -> Article | None:
        return next((a for a in self.news if a.path == path), None)

    def filings(self, start: datetime, end: datetime, cik: int | None = None) -> Sequence[Filing]:
        return ()

    def filing(self, accession: str) -> Filing | None:
        return None

    def at(self, seconds: float) -> None:
        """Set the clock so many seconds past noon."""
        self.clock.at = NOON + timedelta(seconds=seconds)


def flat(price: float = 100.0, bars: int = 40, volume: float = 1e6) -> list[Bar]:
    """Five-second bars from a minute before noon on that all trade at one price."""
    start = NOON - timedelta(seconds=60)
    return [bar(start + timedelta(seconds=5 * i), (price, price, price, price), volume) for i in range(bars)]


def order(symbol: str = "AAA", side: str = "buy", type: str = "market", **more: Any) -> dict[str, Any]:  # noqa: A002
    """The body of an order, for one share unless told otherwise."""
    size = {} if "notional" in more else {"qty": "1"}
    return {"symbol": symbol, "side": side, "type": type, "time_in_force": "day", **size, **more}


def test_the_scripted_world_hides_the_future() -> None:
    world = ScriptedWorld({"AAA": flat()})
    assert world.next_bar("AAA", NOON) is None
    world.at(5)
    assert world.next_bar("AAA", NOON) == replace(flat()[13], volume=0.0)
    assert world.bars("AAA", NOON - timedelta(seconds=60), NOON + timedelta(hours=1), 5)[-1].start == world.clock.now()


class Played(ActedWorld):
    """A scripted world with actions played over it, whose clock is moved like the script's."""

    def __init__(self, script: ScriptedWorld, actions: Sequence[Action]) -> None:
        super().__init__(script, actions)
        self._script = script

    def at(self, seconds: float) -> None:
        self._script.at(seconds)
