"""Which stop should rest at the broker for a position, and who protects it now. Pure; arming is `stonks_trading.guardian`.

One order can hold a share: the stop rests at the broker, the take-profit is watched. A resting stop binds what it would
sell, so whatever else the ticker orders comes first and the stop after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from stonks_trading.decide.rules import LEAST_ORDER
from stonks_trading.records import Position

ZERO = Decimal(0)
TRAIL_STEP = Decimal("0.001")
"""A resting stop is replaced once the level has risen by this share of it; the daemon watches the level itself."""


@dataclass(frozen=True)
class Resting:
    """A protective stop that is not final. `left` are its shares that have not filled; `sent`: it may be at the broker."""

    order_id: str
    left: Decimal
    stop_price: Decimal
    sent: bool


@dataclass(frozen=True)
class Rest:
    """The stop that should rest now, in the place of any that does; `drop` are intents that never left."""

    quantity: Decimal
    stop_price: Decimal
    sentence: str
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leave:
    """Everything stays as it is, and why."""

    sentence: str


@dataclass(frozen=True)
class Cover:
    """Who protects a position: the broker's stop, this daemon's watch, or nobody; the sentence says what is missing."""

    by: Literal["broker", "monitored", "none"]
    sentence: str


def arrange(position: Position, price: Decimal | None, resting: Sequence[Resting], *, busy: bool) -> Rest | Leave:
    """The stop to rest for all shares of a position at its level, or why nothing changes. Never lower than one at rest.

    `busy`: another order of the ticker is on its way, which binds the shares (a sell) or would wash (a buy).
    """
    working = [stop for stop in resting if stop.sent]
    if busy:
        return Leave(f"Another order of {position.ticker} is on its way.")
    if position.stop is None:
        return Leave(f"{position.ticker} has no stop level.")
    level = max([position.stop, *(stop.stop_price for stop in working)])
    if price is None or price <= level:
        known = "unknown" if price is None else f"${price}, not above ${level}"
        return Leave(f"The broker takes no stop for {position.ticker}: its price is {known}.")
    whole = position.quantity == position.quantity.to_integral_value()
    if not whole and position.quantity * level < LEAST_ORDER:
        return Leave(f"{position.ticker} is worth less than the broker's least order at its stop.")
    if any(_stands(stop, position.quantity, level) for stop in resting):
        return Leave(f"The stop of {position.ticker} is in its place.")
    return Rest(
        position.quantity,
        level,
        f"Rest a stop at ${level} under {position.quantity.normalize():f} shares of {position.ticker}.",
        tuple(stop.order_id for stop in resting if not stop.sent),
    )


def _stands(stop: Resting, quantity: Decimal, level: Decimal) -> bool:
    return stop.left == quantity and level - stop.stop_price < level * TRAIL_STEP


def cover(position: Position, at_broker: Decimal, unwatched: str) -> Cover:
    """Who protects a position. `at_broker` are shares under accepted stops; `unwatched` says why the daemon does not
    watch its level now, empty where it does.
    """
    ticker, bare = position.ticker, position.quantity - at_broker
    if bare <= 0:
        return Cover("broker", f"The broker holds a stop for all of {ticker}.")
    if position.stop is not None and not unwatched:
        return Cover("monitored", f"The stop of {ticker} at ${position.stop} is watched by the daemon.")
    why = f"{ticker} has no stop level" if position.stop is None else unwatched
    return Cover(
        "none", f"{bare.normalize():f} of {position.quantity.normalize():f} shares of {ticker} are unprotected: {why}."
    )
