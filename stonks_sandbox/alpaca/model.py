"""The broker's records and its decimal arithmetic: orders, executions, refusals. No rule, no storage, no HTTP."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any

ZERO = Decimal(0)
NANO = Decimal("0.000000001")  # the finest quantity, a billionth of a share
TICK = Decimal("0.0001")  # the finest execution price, a hundredth of a cent
OPEN_STATUSES = frozenset({"new", "partially_filled"})
_NAMES = uuid.UUID("6b8e6b39-6f0c-5bd0-9a4e-2f1f0c9f7a11")


@dataclass(frozen=True)
class Order:
    """An order as the broker keeps it; exactly one of `qty` and `notional` is what was asked for.

    `seq` is the order of acceptance. `reserve_price` is the dollars a share of a buy binds while it waits,
    `reserve_qty` the shares a dollar-sized sell binds. A dollar-sized order gets its `qty` when it has filled.
    """

    id: str
    seq: int
    client_order_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    submitted_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    status: str
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    extended_hours: bool = False
    position_intent: str = ""
    reserve_price: Decimal | None = None
    reserve_qty: Decimal | None = None
    triggered_at: datetime | None = None
    filled_qty: Decimal = ZERO
    filled_cost: Decimal = ZERO
    filled_at: datetime | None = None
    expired_at: datetime | None = None
    canceled_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the order can still fill."""
        return self.status in OPEN_STATUSES

    @property
    def is_buy(self) -> bool:
        """Whether the order buys."""
        return self.side == "buy"

    @property
    def remaining_qty(self) -> Decimal:
        """Shares still to fill of a share-sized order; for a dollar-sized sell the shares it still binds."""
        bound = self.qty if self.qty is not None else (self.reserve_qty or ZERO)
        return bound - self.filled_qty

    @property
    def remaining_notional(self) -> Decimal:
        """Dollars still to trade of a dollar-sized order, zero of a share-sized one."""
        return ZERO if self.notional is None else self.notional - self.filled_cost

    @property
    def filled_avg_price(self) -> Decimal | None:
        """Dollars a share over all executions, None before the first."""
        return self.filled_cost / self.filled_qty if self.filled_qty else None

    @property
    def held_cash(self) -> Decimal:
        """Dollars of buying power that the unfilled part of an open buy binds."""
        if not self.is_open or not self.is_buy:
            return ZERO
        if self.notional is not None:
            return self.remaining_notional
        return self.remaining_qty * (self.reserve_price or ZERO)

    @property
    def held_qty(self) -> Decimal:
        """Shares that the unfilled part of an open sell binds."""
        return self.remaining_qty if self.is_open and not self.is_buy else ZERO


@dataclass(frozen=True)
class Execution:
    """One fill of one order in one bar; `id` follows from both, so that the same fill can never be booked twice."""

    id: str
    order_id: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    bar_start: datetime
    executed_at: datetime
    cum_qty: Decimal
    leaves_qty: Decimal
    order_status: str

    @property
    def cost(self) -> Decimal:
        """Dollars that changed hands."""
        return self.qty * self.price


@dataclass(frozen=True)
class Refusal:
    """An answer of "no" in the vendor's words: an HTTP status and the JSON body."""

    status: int
    body: dict[str, Any]


def refuse(status: int, code: int, message: str, **details: str) -> Refusal:
    """A refusal with the vendor's numeric code, message and further string fields."""
    return Refusal(status, {**details, "code": code, "message": message})


def execution_id(order_id: str, bar_start: datetime) -> str:
    """The identity of the one execution that an order can have in a bar: a UUID of both."""
    return str(uuid.uuid5(_NAMES, f"{order_id}|{bar_start.isoformat()}"))


def asset_id(symbol: str) -> str:
    """The stable identity of an asset: a UUID of its symbol."""
    return str(uuid.uuid5(_NAMES, f"asset|{symbol}"))


def money(value: float) -> Decimal:
    """A price of the world as a decimal, by its shortest text."""
    return Decimal(str(value))


def floor_qty(qty: Decimal) -> Decimal:
    """A quantity cut to the finest that can be traded; never below zero."""
    return max(qty, ZERO).quantize(NANO, rounding=ROUND_DOWN)


def tick(price: Decimal) -> Decimal:
    """A price rounded to the finest execution price."""
    return price.quantize(TICK, rounding=ROUND_HALF_EVEN)


def text(value: Decimal) -> str:
    """A decimal in plain digits without trailing zeros, as the vendor writes amounts."""
    plain = f"{value:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in {"", "-0"} else plain


def is_whole(value: Decimal) -> bool:
    """Whether a quantity is a number of whole shares."""
    return value == value.to_integral_value()
