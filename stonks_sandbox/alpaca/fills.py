"""The fill model, pure: what happens to waiting orders in one bar of the market.

- An order takes part in bars that begin strictly after its acceptance.
- At the open, orders fill in the order of acceptance: a market order at the open, a limit order whose limit the open
  meets, a stop order whose stop the open has reached. Slippage is 5 basis points and half the spread where it is
  known, against the order; a limit order never trades beyond its limit.
- During the bar, known once it is complete, a resting limit order that the low (buy) or high (sell) has met fills at
  its limit, and a stop that they have reached fills at the stop price with slippage: the worse of stop and open.
  A stop-limit order that triggers fills no worse than its limit, or waits as a limit order for the next bars.
- All orders together take at most 2 % of a bar's volume. The volume of a bar that has not ended is what has traded
  so far; an order that fits into it fills at once, one that does not waits until the bar is complete, and what is
  left then waits for the next bar. When a fill is looked for therefore never changes what it is.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from stonks_sandbox.alpaca.model import TICK, ZERO, Order, floor_qty, is_whole, money, tick
from stonks_sandbox.world.protocol import Bar

SLIPPAGE = Decimal("0.0005")  # of the price
PARTICIPATION = Decimal("0.02")  # of a bar's volume
QUOTED_HALF_SPREAD = Decimal("0.0001")  # of the price, in whole cents and never less than one
CENT = Decimal("0.01")
Phase = Literal["open", "during"]


@dataclass(frozen=True)
class Match:
    """What one phase of one bar means for one order: a price it trades at, or only its stop's triggering."""

    price: Decimal | None
    triggered: bool = False


@dataclass(frozen=True)
class Fill:
    """A quantity at a price; `completes` tells that nothing of the order is left to wait."""

    qty: Decimal
    price: Decimal
    completes: bool


def half_spread(price: Decimal) -> Decimal:
    """How far bid and ask lie from the last trade as the sandbox quotes them: a basis point, at least a cent."""
    return max(CENT, (price * QUOTED_HALF_SPREAD).quantize(CENT))


def against(price: Decimal, *, is_buy: bool, spread_known: bool) -> Decimal:
    """A reference price moved against the order by slippage and half a known spread, never below a tick."""
    worse = price * SLIPPAGE + (half_spread(price) if spread_known else ZERO)
    return max(tick(price + worse if is_buy else price - worse), TICK)


def match(order: Order, bar: Bar, phase: Phase, *, spread_known: bool) -> Match | None:
    """The price at which an order trades in a phase of a bar, before volume and cash; None where it does not.

    The phase `during` must only be asked of a complete bar, and after the phase `open` of the same bar.
    """
    waits_for_stop = order.stop_price is not None and order.triggered_at is None
    reference = _stop_reference(order, bar, phase) if waits_for_stop else _reference(order, bar, phase)
    if reference is None:
        return None
    price = against(reference, is_buy=order.is_buy, spread_known=spread_known)
    if order.limit_price is None:
        return Match(price, triggered=waits_for_stop)
    if not _meets(reference, order.limit_price, is_buy=order.is_buy):
        return Match(None, triggered=True) if waits_for_stop else None
    capped = min(price, order.limit_price) if order.is_buy else max(price, order.limit_price)
    return Match(capped, triggered=waits_for_stop)


def _meets(price: Decimal, limit: Decimal, *, is_buy: bool) -> bool:
    return price <= limit if is_buy else price >= limit


def _reference(order: Order, bar: Bar, phase: Phase) -> Decimal | None:
    """The market price for an order without a waiting stop; during a bar only a touched limit gives one."""
    if phase == "open":
        return money(bar.open)
    if order.limit_price is None:
        return None
    extreme = money(bar.low if order.is_buy else bar.high)
    return order.limit_price if _meets(extreme, order.limit_price, is_buy=order.is_buy) else None


def _stop_reference(order: Order, bar: Bar, phase: Phase) -> Decimal | None:
    """The price at which a waiting stop triggers: the open beyond it, else the stop itself once touched."""
    stop = order.stop_price or ZERO
    reached = money(bar.open) if phase == "open" else money(bar.high if order.is_buy else bar.low)
    if not (reached >= stop if order.is_buy else reached <= stop):
        return None
    return reached if phase == "open" else stop


def capacity(bar: Bar, used: Decimal) -> Decimal:
    """Shares that orders may still take of a bar from which `used` shares have been taken."""
    return floor_qty(money(bar.volume) * PARTICIPATION - used)


def fill(order: Order, price: Decimal, room: Decimal) -> Fill:
    """As much of an order as `room` shares allow; a whole-share order fills in whole shares."""
    if order.notional is None:
        wanted = order.remaining_qty
    else:
        wanted = floor_qty(order.remaining_notional / price)
        if not order.is_buy:
            wanted = min(wanted, order.remaining_qty)
    qty = min(wanted, room)
    if order.qty is not None and is_whole(order.qty):
        qty = qty.to_integral_value(rounding=ROUND_DOWN)
    return Fill(qty, price, completes=qty == wanted)
