"""Which orders the broker takes, and in which words it refuses the others. Pure: a request in, a ticket or refusal out.

`read_ticket` checks what can be checked on the request alone, `admit` what depends on market and account.
The account is a cash account: no leverage and no short sales.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from stonks_sandbox.alpaca.book import Book
from stonks_sandbox.alpaca.model import ZERO, Order, Refusal, floor_qty, is_whole, refuse, text

MALFORMED = 40010001
UNPROCESSABLE = 42210000
FORBIDDEN = 40310000
NOT_FOUND = 40410000
LEAST_NOTIONAL = Decimal(1)
MARKET_BUFFER = Decimal("1.025")  # a market buy binds this multiple of the ask, because the next bar may open higher
CLIENT_ID_LIMIT = 128
DECIMALS = 9
_PRICES = {
    "market": (),
    "limit": ("limit_price",),
    "stop": ("stop_price",),
    "stop_limit": ("stop_price", "limit_price"),
}


@dataclass(frozen=True)
class Ticket:
    """A well-formed request for an order, not yet held against market and account."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    extended_hours: bool
    client_order_id: str | None
    position_intent: str

    @property
    def is_fractional(self) -> bool:
        """Whether the order is for part of a share or for dollars."""
        return self.qty is None or not is_whole(self.qty)


@dataclass(frozen=True)
class Quote:
    """What an order is held against: the last trade, bid and ask of its asset, and whether it may be split."""

    last: Decimal
    bid: Decimal
    ask: Decimal
    fractionable: bool


@dataclass(frozen=True)
class Admission:
    """What an admitted order binds while it waits: see `Order`."""

    reserve_price: Decimal | None
    reserve_qty: Decimal | None


def _amount(body: Mapping[str, Any], name: str) -> Decimal | Refusal | None:
    raw = body.get(name)
    if raw is None or raw == "":
        return None
    try:
        value = Decimal(str(raw))
    except InvalidOperation:
        return refuse(422, MALFORMED, f"{name} is not a number: {raw!r}")
    if not value.is_finite() or value <= ZERO:
        return refuse(422, MALFORMED, f"{name} must be > 0")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > DECIMALS:
        return refuse(422, UNPROCESSABLE, f"{name} must be limited to {DECIMALS} decimal places")
    return value


def price_refusal(name: str, price: Decimal | None) -> Refusal | None:
    """The refusal of a price finer than the venue's grid: a cent from one dollar up, a hundredth of one below."""
    if price is None:
        return None
    grid = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    if price % grid == ZERO:
        return None
    message = f"invalid {name} {text(price)}. sub-penny increment does not fulfill minimum pricing criteria"
    return refuse(422, UNPROCESSABLE, message)


def read_ticket(body: Mapping[str, Any]) -> Ticket | Refusal:
    """A request body as a ticket, or the refusal that its form alone deserves."""
    amounts: dict[str, Decimal | None] = {}
    for name in ("qty", "notional", "limit_price", "stop_price"):
        value = _amount(body, name)
        if isinstance(value, Refusal):
            return value
        amounts[name] = value
    ticket = Ticket(
        symbol=str(body.get("symbol") or "").upper(),
        side=str(body.get("side") or ""),
        type=str(body.get("type") or ""),
        time_in_force=str(body.get("time_in_force") or ""),
        extended_hours=body.get("extended_hours") in (True, "true"),
        client_order_id=str(body.get("client_order_id") or "") or None,
        position_intent=str(body.get("position_intent") or ""),
        **amounts,
    )
    order_class = str(body.get("order_class") or "simple")
    return _words(ticket) or _size(ticket) or _prices(ticket) or _duration(ticket, order_class) or ticket


def _words(ticket: Ticket) -> Refusal | None:
    client_id = ticket.client_order_id or ""
    known_times = {"day", "gtc", "opg", "cls", "ioc", "fok"}
    complaints = (
        (not ticket.symbol, MALFORMED, "symbol is required"),
        (ticket.side not in {"buy", "sell"}, MALFORMED, f"invalid side: {ticket.side!r} is neither buy nor sell"),
        (ticket.type == "trailing_stop", UNPROCESSABLE, "trailing_stop orders are not traded by this account"),
        (ticket.type not in _PRICES, MALFORMED, f"invalid order type: {ticket.type!r}"),
        (ticket.time_in_force not in known_times, MALFORMED, f"invalid time_in_force: {ticket.time_in_force!r}"),
        (len(client_id) > CLIENT_ID_LIMIT, MALFORMED, f"client_order_id must be at most {CLIENT_ID_LIMIT} characters"),
    )
    return next((refuse(422, code, message) for wrong, code, message in complaints if wrong), None)


def _size(ticket: Ticket) -> Refusal | None:
    if ticket.qty is None and ticket.notional is None:
        return refuse(422, MALFORMED, "qty or notional is required")
    if ticket.qty is not None and ticket.notional is not None:
        return refuse(422, MALFORMED, "only one of qty or notional is accepted")
    return None


def _prices(ticket: Ticket) -> Refusal | None:
    given = {"limit_price": ticket.limit_price, "stop_price": ticket.stop_price}
    for name, price in given.items():
        wanted = name in _PRICES[ticket.type]
        if wanted and price is None:
            return refuse(422, MALFORMED, f"{ticket.type} orders require {name}")
        if not wanted and price is not None:
            return refuse(422, MALFORMED, f"{ticket.type} orders require no {name}")
        refusal = price_refusal(name, price)
        if refusal:
            return refusal
    return None


def _duration(ticket: Ticket, order_class: str) -> Refusal | None:
    part, extended, time = ticket.is_fractional, ticket.extended_hours, ticket.time_in_force
    complaints = (
        (part and order_class != "simple", "fractional orders must be simple orders"),
        (part and time != "day", "fractional orders must be DAY orders"),
        (part and extended, "fractional orders must not be extended hours orders"),
        (order_class != "simple", f"{order_class} orders are not traded by this account"),
        (extended and (ticket.type, time) != ("limit", "day"), "extended hours order must be DAY limit orders"),
        (time not in {"day", "gtc"}, f"{time} orders are not traded by this account"),
    )
    return next((refuse(422, UNPROCESSABLE, message) for wrong, message in complaints if wrong), None)


def admit(ticket: Ticket, quote: Quote, book: Book, open_orders: Sequence[Order]) -> Admission | Refusal:
    """Whether market and account allow a ticket; `open_orders` are all waiting ones, of every symbol.

    An order that replaces another is admitted against the open orders without the one it replaces.
    """
    refusal = _of_asset(ticket, quote) or _wash_trade(ticket, open_orders)
    if refusal:
        return refusal
    if ticket.side == "buy":
        return _admit_buy(ticket, quote, book, open_orders)
    return _admit_sell(ticket, quote, book, open_orders)


def _of_asset(ticket: Ticket, quote: Quote) -> Refusal | None:
    if ticket.is_fractional and not quote.fractionable:
        return refuse(403, FORBIDDEN, f'asset "{ticket.symbol}" is not fractionable')
    size = ticket.notional if ticket.notional is not None else (ticket.qty or ZERO) * quote.last
    if ticket.is_fractional and size < LEAST_NOTIONAL:
        return refuse(403, FORBIDDEN, "cost basis must be >= minimal amount of order 1")
    stop = ticket.stop_price
    if stop is None:
        return None
    prices = {"stop_price": text(stop), "market_price": text(quote.last)}
    if ticket.side == "sell" and stop >= quote.last:
        return refuse(422, UNPROCESSABLE, "stop price must be less than current price", **prices)
    if ticket.side == "buy" and stop <= quote.last:
        return refuse(422, UNPROCESSABLE, "stop price must be greater than current price", **prices)
    return None


def _wash_trade(ticket: Ticket, open_orders: Sequence[Order]) -> Refusal | None:
    """An open order of the other side forbids any but limit orders whose prices cannot meet."""
    for order in open_orders:
        if order.symbol != ticket.symbol or order.side == ticket.side:
            continue
        both_limits = order.type == ticket.type == "limit"
        bid, ask = (ticket, order) if ticket.side == "buy" else (order, ticket)
        if both_limits and (bid.limit_price or ZERO) < (ask.limit_price or ZERO):
            continue
        kind = "limit" if order.type == "limit" else "market/stop"
        return refuse(
            422,
            UNPROCESSABLE,
            "potential wash trade detected. use complex orders",
            reject_reason=f"opposite side {kind} order exists",
            existing_order_id=order.id,
        )
    return None


def _admit_buy(ticket: Ticket, quote: Quote, book: Book, open_orders: Sequence[Order]) -> Admission | Refusal:
    reserve = ticket.limit_price or max(ticket.stop_price or ZERO, quote.ask) * MARKET_BUFFER
    needed = ticket.notional if ticket.notional is not None else (ticket.qty or ZERO) * reserve
    power = buying_power(book, open_orders)
    if needed > power:
        amounts = {"buying_power": text(round(power, 2)), "cost_basis": text(round(needed, 2))}
        return refuse(403, FORBIDDEN, "insufficient buying power", **amounts)
    return Admission(reserve_price=reserve, reserve_qty=None)


def _admit_sell(ticket: Ticket, quote: Quote, book: Book, open_orders: Sequence[Order]) -> Admission | Refusal:
    held = book.qty(ticket.symbol)
    available = available_qty(book, open_orders, ticket.symbol)
    wanted = ticket.qty if ticket.qty is not None else floor_qty((ticket.notional or ZERO) / quote.bid)
    if not held and ticket.is_fractional:
        return refuse(422, UNPROCESSABLE, "fractional orders cannot be sold short")
    if not held:
        return refuse(403, FORBIDDEN, "account is not allowed to short")
    if wanted > available:
        message = f"insufficient qty available for order (requested: {text(wanted)}, available: {text(available)})"
        amounts = {
            "available": text(available),
            "existing_qty": text(held),
            "held_for_orders": text(held - available),
            "symbol": ticket.symbol,
        }
        return refuse(403, FORBIDDEN, message, **amounts)
    # A dollar-sized sale needs more shares should the price fall before it fills: it binds a little more.
    bound = None if ticket.qty is not None else min(available, floor_qty(wanted * MARKET_BUFFER))
    return Admission(reserve_price=None, reserve_qty=bound)


def buying_power(book: Book, open_orders: Sequence[Order]) -> Decimal:
    """Cash less what open buys bind, in dollars; never below zero."""
    return max(book.cash - sum((order.held_cash for order in open_orders), ZERO), ZERO)


def available_qty(book: Book, open_orders: Sequence[Order], symbol: str) -> Decimal:
    """Shares of a symbol that no open sell binds."""
    return book.qty(symbol) - sum((order.held_qty for order in open_orders if order.symbol == symbol), ZERO)


def duplicate_client_id() -> Refusal:
    """The refusal of a client_order_id that was used before, by whatever order, however long ago."""
    return refuse(422, MALFORMED, "client_order_id must be unique")


def already_final(order: Order) -> Refusal:
    """The refusal to cancel or replace an order that is over."""
    return refuse(422, UNPROCESSABLE, f'order is already in "{order.status}" state')


def not_found(what: str) -> Refusal:
    """The answer to a question about something unknown."""
    return refuse(404, NOT_FOUND, what)
