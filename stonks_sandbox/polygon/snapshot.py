"""The snapshot of a ticker: its day so far, its last minute, its last trade and quote, and the day before."""

from datetime import timedelta
from typing import Any

from stonks_sandbox.polygon.aggregates import around_the_clock, day_of, previous_day, shape
from stonks_sandbox.world.instants import epoch_ms
from stonks_sandbox.world.protocol import Bar, World

HALF_SPREAD = 0.0002
"""Half of the quoted spread as a share of the price."""


def _part(bar: Bar | None) -> dict[str, float]:
    if bar is None:
        return {"c": 0, "h": 0, "l": 0, "o": 0, "v": 0, "vw": 0}
    row = shape(bar, 0)
    return {key: row[key] for key in ("c", "h", "l", "o", "v", "vw")}


def snapshot(world: World, ticker: str) -> dict[str, Any] | None:
    """One row of the snapshot endpoints, or None for a ticker that does not trade yet."""
    now = world.clock.now()
    price = world.last_price(ticker)
    if price is None:
        return None
    before = previous_day(world, ticker)
    recent = world.bars(ticker, now - timedelta(days=8), now + timedelta(microseconds=1), 86_400)
    today = recent[-1] if recent and (before is None or day_of(world, recent[-1]) > day_of(world, before)) else None
    nanoseconds = epoch_ms(now) * 1_000_000
    base = before.close if before else price
    row: dict[str, Any] = {
        "ticker": ticker,
        "day": _part(today),
        "prevDay": _part(before),
        "lastTrade": {"c": [], "i": str(epoch_ms(now)), "p": price, "s": 100, "t": nanoseconds, "x": 4},
        "lastQuote": {
            "P": round(price * (1 + HALF_SPREAD), 4),
            "S": 5,
            "p": round(price * (1 - HALF_SPREAD), 4),
            "s": 5,
            "t": nanoseconds,
        },
        "todaysChange": round(price - base, 4),
        "todaysChangePerc": round((price / base - 1) * 100, 4),
        "updated": nanoseconds,
    }
    if around_the_clock(world):
        minute = world.bars(ticker, now - timedelta(seconds=60), now + timedelta(microseconds=1), 60)
        if minute:
            row["min"] = {**shape(minute[-1], epoch_ms(minute[-1].start)), "av": today.volume if today else 0}
    return row
