"""Bars, quotes, trades, snapshots and news in the vendor's shapes, read from the world. No HTTP here.

The recorded worlds know no quotes, so the sandbox makes them: bid and ask lie `half_spread` around the last
trade. While the market is closed they carry the time of its last close.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from stonks_sandbox.alpaca.fills import half_spread
from stonks_sandbox.alpaca.model import money
from stonks_sandbox.alpaca.sessions import DAY_SECONDS, Sessions
from stonks_sandbox.alpaca.wire import stamp
from stonks_sandbox.world.actions import as_adjusted
from stonks_sandbox.world.protocol import Action, Article, Bar, Rename, World

NEW_YORK = ZoneInfo("America/New_York")
_UNITS = {"Min": 60, "T": 60, "Hour": 3_600, "H": 3_600, "Day": DAY_SECONDS, "D": DAY_SECONDS}
_MOST = {"Min": 59, "T": 59, "Hour": 23, "H": 23, "Day": 1, "D": 1}


@dataclass(frozen=True)
class Timeframe:
    """A bar's length: seconds, or daily bars gathered by `gather` into weeks or months."""

    seconds: int
    gather: str = ""
    count: int = 1


def parse_timeframe(raw: str) -> Timeframe | None:
    """A timeframe such as 1Min, 5Min, 1Hour, 1Day, 1Week, 3Month; None for what the vendor does not offer."""
    found = re.fullmatch(r"([1-9]\d?)(Min|T|Hour|H|Day|D|Week|W|Month|M)", raw)
    if found is None:
        return None
    count, unit = int(found[1]), found[2]
    if unit in _UNITS:
        return Timeframe(_UNITS[unit] * count) if count <= _MOST[unit] else None
    if unit in {"Week", "W"}:
        return Timeframe(DAY_SECONDS, "week") if count == 1 else None
    return Timeframe(DAY_SECONDS, "month", count) if count in {1, 2, 3, 4, 6, 12} else None


def bar_json(bar: Bar) -> dict[str, Any]:
    """A bar in the vendor's one-letter fields."""
    prices = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close}
    return {"t": stamp(bar.start), **prices, "v": bar.volume, "n": bar.trades, "vw": bar.vwap}


def joined(bars: Sequence[Bar]) -> Bar:
    """Consecutive bars as one; the volume-weighted price of no volume is the close."""
    volume = sum(bar.volume for bar in bars)
    weighted = sum(bar.vwap * bar.volume for bar in bars)
    return Bar(
        start=bars[0].start,
        seconds=sum(bar.seconds for bar in bars),
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=volume,
        vwap=weighted / volume if volume else bars[-1].close,
        trades=sum(bar.trades for bar in bars),
    )


def _group(frame: Timeframe, bar: Bar) -> tuple[int, int]:
    if frame.gather == "week":
        iso = bar.start.isocalendar()
        return iso.year, iso.week
    if not frame.gather:
        seconds = bar.start.hour * 3_600 + bar.start.minute * 60 + bar.start.second
        return bar.start.toordinal(), seconds // frame.seconds
    return bar.start.year, (bar.start.month - 1) // frame.count


def _new_york_midnight(at: datetime) -> datetime:
    local = at.astimezone(NEW_YORK)
    return datetime(local.year, local.month, local.day, tzinfo=NEW_YORK).astimezone(UTC)


class MarketData:
    """What the world shows of its market."""

    def __init__(self, world: World, sessions: Sessions) -> None:
        self._world = world
        self._sessions = sessions

    def now(self) -> datetime:
        """The world's present."""
        return self._world.clock.now()

    def actions(self) -> list[Action]:
        """Splits and symbol changes that are announced, by day."""
        return list(self._world.actions())

    def adjusted(self) -> "MarketData":
        """The same market with its bars adjusted for later splits."""
        return MarketData(as_adjusted(self._world), self._sessions)

    def bars(self, symbol: str, start: datetime, end: datetime, frame: Timeframe) -> list[Bar]:
        """Bars that begin in [start, end], oldest first, as they were traded; none of a kind finer than the world knows."""
        known = self._world.company(symbol) is not None
        if not known or frame.seconds < self._world.bar_seconds:
            return []
        # Worlds know bars that divide a day; odd ones such as 7Min are joined from minutes or hours.
        odd = DAY_SECONDS % frame.seconds != 0
        base = (3_600 if frame.seconds % 3_600 == 0 else 60) if odd else frame.seconds
        bars = self._stamped(symbol, start, end, base)
        if not frame.gather and not odd:
            return bars
        return [joined(list(group)) for _, group in groupby(bars, key=lambda bar: _group(frame, bar))]

    def _stamped(self, symbol: str, start: datetime, end: datetime, seconds: int) -> list[Bar]:
        """Bars whose stamp lies in [start, end]; the vendor stamps a session's daily bar at New York's midnight."""
        if seconds < DAY_SECONDS or self._world.calendar_name == "24/7":
            return list(self._world.bars(symbol, start, end + timedelta(microseconds=1), seconds))
        days = self._world.bars(symbol, start, end + timedelta(days=1), seconds)
        bars = [replace(bar, start=_new_york_midnight(bar.start)) for bar in days]
        return [bar for bar in bars if start <= bar.start <= end]

    def _last_time(self) -> datetime:
        now = self.now()
        if self._world.is_open(now):
            return now
        closed = self._sessions.closed_by(now)
        return closed.closes if closed else now

    def _last_price(self, symbol: str) -> float | None:
        return self._world.last_price(symbol) if self._world.company(symbol) else None

    def quote(self, symbol: str) -> dict[str, Any] | None:
        """The latest quote, None for an unknown or not yet traded symbol."""
        last = self._last_price(symbol)
        if last is None:
            return None
        half = half_spread(money(last))
        bid, ask = float(money(last) - half), float(money(last) + half)
        sizes = {"ax": "V", "ap": ask, "as": 2, "bx": "V", "bp": bid, "bs": 2}
        return {"t": stamp(self._last_time()), **sizes, "c": ["R"], "z": "C"}

    def trade(self, symbol: str) -> dict[str, Any] | None:
        """The latest trade, None for an unknown or not yet traded symbol."""
        last, at = self._last_price(symbol), self._last_time()
        if last is None:
            return None
        number = int(at.timestamp() * 1000) % 2**31
        return {"t": stamp(at), "x": "V", "p": last, "s": 100, "c": ["@"], "i": number, "z": "C"}

    def latest_bar(self, symbol: str) -> dict[str, Any] | None:
        """The latest one-minute bar, in a world of daily bars the latest daily one; None where there is none."""
        seconds = max(60, self._world.bar_seconds)
        bars = self._recent(symbol, seconds)
        return bar_json(bars[-1]) if bars else None

    def _recent(self, symbol: str, seconds: int) -> list[Bar]:
        reach = timedelta(days=14) if seconds >= DAY_SECONDS else timedelta(seconds=seconds * 30)
        now = self.now()
        bars = self.bars(symbol, now - reach, now, Timeframe(seconds))
        if bars or seconds >= DAY_SECONDS:
            return bars
        closed = self._sessions.closed_by(now)
        return self.bars(symbol, closed.closes - reach, closed.closes, Timeframe(seconds)) if closed else []

    def snapshot(self, symbol: str) -> dict[str, Any] | None:
        """Latest trade, quote, minute bar, daily bar and the daily bar before; None for an unknown symbol."""
        trade = self.trade(symbol)
        if trade is None:
            return None
        days = self._recent(symbol, DAY_SECONDS)
        minutes = self._recent(symbol, 60)
        return {
            "latestTrade": trade,
            "latestQuote": self.quote(symbol),
            "minuteBar": bar_json(minutes[-1]) if minutes else None,
            "dailyBar": bar_json(days[-1]) if days else None,
            "prevDailyBar": bar_json(days[-2]) if len(days) > 1 else None,
        }

    def news(self, start: datetime, end: datetime, symbols: frozenset[str]) -> list[Article]:
        """News and macro reports of [start, end], oldest first; with `symbols` only those that name one of them."""
        found = self._world.articles(start, end + timedelta(microseconds=1))
        return [
            article
            for article in found
            if article.kind != "rumour" and (not symbols or symbols.intersection(article.tickers))
        ]


def action_json(action: Action) -> tuple[str, dict[str, Any]]:
    """A corporate action and the vendor's name of its kind."""
    day = action.day.isoformat()
    told = {"id": f"sandbox-{action.ticker}-{day}", "process_date": day}
    if isinstance(action, Rename):
        return "name_changes", {**told, "old_symbol": action.ticker, "new_symbol": action.new_ticker}
    rates = {"old_rate": float(action.split_from), "new_rate": float(action.split_to)}
    kind = "forward_splits" if action.ratio >= 1 else "reverse_splits"
    return kind, {**told, "symbol": action.ticker, "ex_date": day, **rates}


def news_id(article: Article) -> int:
    """A stable positive number for an article's identity."""
    return int.from_bytes(hashlib.sha256(article.article_id.encode()).digest()[:6], "big")


def news_json(article: Article, base: str, *, with_content: bool) -> dict[str, Any]:
    """An article; its page lies below `base`."""
    published = stamp(article.published_at.astimezone(UTC))
    return {
        "id": news_id(article),
        "headline": article.title,
        "author": article.author,
        "created_at": published,
        "updated_at": published,
        "summary": article.description,
        "content": article.html if with_content else "",
        "images": [],
        "symbols": list(article.tickers),
        "source": article.publisher,
        "url": f"{base}/{article.path}",
    }
