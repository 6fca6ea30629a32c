"""Aggregate bars in Polygon's shape: of a range, of the whole market, of the previous day.

`t` of bars within a day is their beginning; of daily and longer bars it is midnight of the first day: New York's for a
market with sessions, as the vendor stamps US stocks, and UTC's for the synthetic market that never closes.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stonks_sandbox.polygon.wire import PolygonError, bad
from stonks_sandbox.world.instants import DAY, NEW_YORK, epoch_ms, midnight_new_york, midnight_utc
from stonks_sandbox.world.protocol import Bar, World

SECONDS = {"second": 1, "minute": 60, "hour": 3600}
LONG = {"day", "week", "month", "quarter", "year"}
UTC_ZONE = ZoneInfo("UTC")
DAY_SECONDS = 86_400


def around_the_clock(world: World) -> bool:
    """Whether the world's days are UTC days rather than sessions."""
    return world.calendar_name == "24/7"


def day_of(world: World, bar: Bar) -> date:
    """The trading day of a daily bar."""
    return bar.start.astimezone(UTC_ZONE if around_the_clock(world) else NEW_YORK).date()


def stamp(world: World, day: date) -> int:
    """`t` of a bar that begins with a trading day."""
    return epoch_ms(midnight_utc(day) if around_the_clock(world) else midnight_new_york(day))


def day_bounds(world: World, day: date) -> tuple[datetime, datetime]:
    """The instants between which a trading day's bar begins."""
    midnight = midnight_utc if around_the_clock(world) else midnight_new_york
    return midnight(day), midnight(day + DAY)


def shape(bar: Bar, t: int) -> dict[str, Any]:
    """One bar as the vendor writes it."""
    return {
        "v": bar.volume,
        "vw": bar.vwap,
        "o": bar.open,
        "c": bar.close,
        "h": bar.high,
        "l": bar.low,
        "t": t,
        "n": bar.trades,
    }


def merge(bars: Sequence[Bar]) -> Bar:
    """Several consecutive bars as one."""
    volume = sum(bar.volume for bar in bars)
    return Bar(
        start=bars[0].start,
        seconds=sum(bar.seconds for bar in bars),
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=volume,
        vwap=round(sum(bar.vwap * bar.volume for bar in bars) / volume, 4) if volume else bars[-1].close,
        trades=sum(bar.trades for bar in bars),
    )


def _period(day: date, span: str, multiple: int) -> date:
    """The first day of the period of `multiple` spans that a day belongs to; multiples count from 1970."""
    if span == "week":
        sunday = day - timedelta(days=(day.weekday() + 1) % 7)
        weeks = (sunday - date(1970, 1, 4)).days // 7
        return date(1970, 1, 4) + timedelta(weeks=weeks - weeks % multiple)
    if span == "day":
        days = (day - date(1970, 1, 1)).days
        return date(1970, 1, 1) + timedelta(days=days - days % multiple)
    months = (day.year - 1970) * 12 + day.month - 1
    months -= months % (multiple * {"month": 1, "quarter": 3, "year": 12}[span])
    return date(1970 + months // 12, months % 12 + 1, 1)


def _grouped(bars: Iterable[Bar], key: Callable[[Bar], int]) -> list[tuple[int, Bar]]:
    groups: dict[int, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(key(bar), []).append(bar)
    return [(place, merge(group)) for place, group in groups.items()]


def ranged(world: World, ticker: str, multiple: int, span: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Bars of `multiple` spans that begin in [start, end), oldest first, in the vendor's shape."""
    if span in LONG:
        daily = world.bars(ticker, start, end, DAY_SECONDS)
        if span == "day" and multiple == 1:
            return [shape(bar, stamp(world, day_of(world, bar))) for bar in daily]
        pairs = _grouped(daily, lambda bar: stamp(world, _period(day_of(world, bar), span, multiple)))
        return [shape(bar, t) for t, bar in pairs]
    if span not in SECONDS:
        raise bad(f"'timespan' must be one of {', '.join((*SECONDS, *sorted(LONG)))}, and {span!r} is not")
    if world.bar_seconds >= DAY_SECONDS:
        raise PolygonError(
            403,
            "NOT_AUTHORIZED",
            "You are not entitled to this data: this recording holds daily bars only. Ask for the span 'day'.",
            "message",
        )
    seconds = multiple * SECONDS[span]
    if seconds > DAY_SECONDS:
        raise bad(f"'{multiple} {span}' is longer than a day: ask for the span 'day'")
    finest = world.bar_seconds
    if seconds % finest == 0 and DAY_SECONDS % seconds == 0:
        return [shape(bar, epoch_ms(bar.start)) for bar in world.bars(ticker, start, end, seconds)]
    unit = max(size for size in (finest, 60, 300, 3600) if seconds % size == 0 or size == finest)
    parts = world.bars(ticker, start, end, unit)
    pairs = _grouped(parts, lambda bar: epoch_ms(bar.start) // (seconds * 1000) * (seconds * 1000))
    return [shape(bar, t) for t, bar in pairs]


def previous_day(world: World, ticker: str) -> Bar | None:
    """The last daily bar whose day is over."""
    now = world.clock.now()
    bars = world.bars(ticker, now - timedelta(days=12), now, DAY_SECONDS)
    over = [bar for bar in bars if bar.volume and _is_over(world, bar, now)]
    return over[-1] if over else None


def _is_over(world: World, bar: Bar, now: datetime) -> bool:
    if around_the_clock(world):
        return bar.start + DAY <= now
    return not (world.is_open(now) and day_of(world, bar) == now.astimezone(NEW_YORK).date())
