"""Stops and take-profits: where they stand, how they trail, and when a price is through them.

Which of them rests at the broker is `protection`. A stop only ever rises; a split is the one thing that rescales it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from stonks_core.money import order_price
from stonks_trading.decide.tiers import TierLimits
from stonks_trading.records import OrderPlan, Position

ATR_BARS = 14


@dataclass(frozen=True)
class Bar:
    """One session's prices, dollars."""

    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True)
class Levels:
    """Where a position is left: below at `stop`, above at `take_profit`, dollars a share."""

    stop: Decimal
    take_profit: Decimal


def true_range(bar: Bar, previous_close: Decimal) -> Decimal:
    """Wilder's true range: the largest of high - low, |high - previous close| and |low - previous close|."""
    return max(bar.high - bar.low, abs(bar.high - previous_close), abs(bar.low - previous_close))


def atr(bars: Sequence[Bar], periods: int = ATR_BARS) -> Decimal | None:
    """Wilder's average true range of consecutive daily bars, oldest first.

    Starts as the mean of the first `periods` true ranges, then (previous * (periods - 1) + true range) / periods. The
    first bar only lends its close, so that periods + 1 bars are needed; None with fewer.
    """
    if len(bars) <= periods:
        return None
    ranges = [true_range(bar, before.close) for before, bar in pairwise(bars)]
    average = sum(ranges[:periods], Decimal(0)) / periods
    for wide in ranges[periods:]:
        average = (average * (periods - 1) + wide) / periods
    return average


def stop_distance(atr_value: Decimal, limits: TierLimits) -> Decimal:
    """Dollars between price and stop: ATR * the tier's multiplier."""
    return atr_value * limits.stop_atr


def initial_levels(entry: Decimal, atr_value: Decimal, limits: TierLimits) -> Levels | None:
    """Stop = entry - ATR * multiplier; take-profit = entry + (entry - stop) * reward/risk.

    None where the stop would not be above 0 and below the entry: the range is too wide, or is none, for a stop.
    """
    stop = order_price(entry - stop_distance(atr_value, limits))
    if not 0 < stop < entry:
        return None
    return Levels(stop, order_price(entry + (entry - stop) * limits.reward_risk))


def trailed(stop: Decimal | None, price: Decimal, atr_value: Decimal, limits: TierLimits) -> Decimal | None:
    """The stop after a look at the price: price - ATR * multiplier where that is higher, else as it was.

    A position without a stop gets one; None only where none can be above 0.
    """
    candidate = order_price(price - stop_distance(atr_value, limits))
    if candidate <= 0:
        return stop
    return candidate if stop is None else max(stop, candidate)


def exit_due(position: Position, price: Decimal) -> Literal["stop", "take_profit"] | None:
    """Whether a price is through one of the position's levels: at or below the stop, at or above the take-profit."""
    if position.stop is not None and price <= position.stop:
        return "stop"
    if position.take_profit is not None and price >= position.take_profit:
        return "take_profit"
    return None


def exit_order(position: Position, price: Decimal, pending_sell: Decimal = Decimal(0)) -> OrderPlan | None:
    """The market sell that leaves a position whose level the price is through; None where nothing is due or left.

    `pending_sell` are shares that other sells (protective stops excepted) are already selling. No switch, breaker or
    verdict is asked: a stop always lets out.
    """
    due = exit_due(position, price)
    quantity = position.quantity - pending_sell
    if due is None or quantity <= 0:
        return None
    return OrderPlan(position.ticker, "sell", "market", quantity=quantity, purpose=due)


def near_stop(position: Position, price: Decimal, atr_value: Decimal | None) -> bool:
    """Whether a position belongs to the fast watch: within one ATR above its stop, or with either unknown."""
    if position.stop is None or atr_value is None:
        return True
    return price - position.stop <= atr_value


def after_split(position: Position, ratio: Decimal) -> Position:
    """The same position after a split of `ratio` new shares for each old one (0.1 for a 1:10 reverse split).

    Quantity grows by the ratio, every price shrinks by it: value, cost and distance to the stop are unchanged.
    """
    return replace(
        position,
        quantity=position.quantity * ratio,
        cost=position.cost / ratio,
        price=position.price / ratio,
        stop=None if position.stop is None else order_price(position.stop / ratio),
        take_profit=None if position.take_profit is None else order_price(position.take_profit / ratio),
    )
