"""Alpaca's JSON read into our records, tolerantly: fields that come and go are not asked for. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from stonks_core.errors import PermanentError
from stonks_trading.broker.protocol import (
    Account,
    Asset,
    BrokerClock,
    BrokerOrder,
    BrokerPosition,
    Execution,
    OrderRequest,
    OrderState,
    TradeUpdate,
)
from stonks_trading.records import Quote, Side

Json = Mapping[str, Any]

_STATES = {
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "replaced": OrderState.CANCELED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}


def to_payload(request: OrderRequest) -> dict[str, str]:
    """The body of POST /v2/orders; amounts as plain-digit strings, so that no float rounds them."""
    body = {
        "symbol": request.ticker,
        "side": request.side,
        "type": request.type,
        "time_in_force": request.time_in_force,
        "client_order_id": request.client_order_id,
    }
    amounts = {
        "qty": request.quantity,
        "notional": request.notional,
        "limit_price": request.limit_price,
        "stop_price": request.stop_price,
    }
    return body | {name: f"{value:f}" for name, value in amounts.items() if value is not None}


def account(body: Json) -> Account:
    """An account; the pattern-day-trader fields that were removed in 2026 are never looked at."""
    return Account(
        account_id=_text(body, "id"),
        number=str(body.get("account_number") or ""),
        status=str(body.get("status") or ""),
        currency=str(body.get("currency") or "USD"),
        cash=_decimal(body, "cash"),
        equity=_decimal(body, "equity" if body.get("equity") is not None else "portfolio_value"),
        buying_power=_decimal(body, "buying_power"),
        last_equity=_maybe(body, "last_equity"),
        blocked=any(bool(body.get(key)) for key in ("trading_blocked", "account_blocked", "trade_suspended_by_user")),
    )


def clock(body: Json) -> BrokerClock:
    """The broker's clock."""
    return BrokerClock(_instant(body, "timestamp"), bool(body.get("is_open")))


def asset(body: Json) -> Asset:
    """What may be done with a ticker."""
    return Asset(_text(body, "symbol"), bool(body.get("tradable")), bool(body.get("fractionable")))


def position(body: Json) -> BrokerPosition:
    """A position; a short one has a negative quantity, whichever way it is written."""
    quantity = _decimal(body, "qty")
    if body.get("side") == "short":
        quantity = -abs(quantity)
    available = _maybe(body, "qty_available")
    return BrokerPosition(
        ticker=_text(body, "symbol"),
        quantity=quantity,
        cost=_decimal(body, "avg_entry_price"),
        price=_maybe(body, "current_price"),
        available=quantity if available is None else available,
    )


def order(body: Json) -> BrokerOrder:
    """An order. A status that we do not know counts as one that can still fill."""
    filled = _maybe(body, "filled_qty") or Decimal(0)
    status = str(body.get("status") or "")
    working = OrderState.PARTIALLY_FILLED if filled > 0 else OrderState.ACCEPTED
    return BrokerOrder(
        broker_order_id=_text(body, "id"),
        client_order_id=str(body.get("client_order_id") or ""),
        ticker=_text(body, "symbol"),
        side=_side(body),
        state=_STATES.get(status, working),
        status=status,
        quantity=_maybe(body, "qty"),
        notional=_maybe(body, "notional"),
        filled_quantity=filled,
        filled_average_price=_maybe(body, "filled_avg_price"),
        submitted_at=_maybe_instant(body, "submitted_at"),
        updated_at=_maybe_instant(body, "updated_at"),
    )


def execution(body: Json) -> Execution:
    """A FILL of the account's activities. Its id is `<time>::<execution>`; the second half is the stream's id."""
    return Execution(
        execution_id=_text(body, "id").rpartition("::")[2],
        broker_order_id=_text(body, "order_id"),
        ticker=_text(body, "symbol"),
        side=_side(body),
        quantity=_decimal(body, "qty"),
        price=_decimal(body, "price"),
        cumulative_quantity=_maybe(body, "cum_qty"),
        at=_instant(body, "transaction_time"),
    )


def trade_update(data: Json) -> TradeUpdate:
    """One `trade_updates` event; fills carry their execution."""
    current = order(_object(data, "order"))
    event = str(data.get("event") or "")
    at = _maybe_instant(data, "timestamp") or _maybe_instant(data, "at") or current.updated_at
    if at is None:
        raise PermanentError(
            f"Alpaca's stream sent a {event!r} event of order {current.broker_order_id} without a time"
        )
    fill = None
    if event in {"fill", "partial_fill"}:
        fill = Execution(
            execution_id=_text(data, "execution_id"),
            broker_order_id=current.broker_order_id,
            ticker=current.ticker,
            side=current.side,
            quantity=_decimal(data, "qty"),
            price=_decimal(data, "price"),
            cumulative_quantity=current.filled_quantity or None,
            at=at,
        )
    return TradeUpdate(event, current, fill, at)


def quote(ticker: str, feed: str, quoted: Json | None, traded: Json | None) -> Quote | None:
    """The latest quote and trade of a ticker as one quote; None where neither exists. A side of 0 is a missing side."""
    quoted_at, traded_at = (_instant(part, "t") if part and part.get("t") else None for part in (quoted, traded))
    at = quoted_at or traded_at
    if at is None:
        return None
    return Quote(
        ticker=ticker,
        bid=_price(quoted, "bp"),
        ask=_price(quoted, "ap"),
        last=_price(traded, "p"),
        at=at,
        feed=feed,
        last_at=traded_at,
    )


def error_of(text: str) -> tuple[str, str]:
    """Code and message of an error body; a proxy may have answered HTML or nothing, and authentication has no code."""
    try:
        body = json.loads(text)
    except json.JSONDecodeError:
        return "", " ".join(text.split())[:200] or "an empty answer"
    if not isinstance(body, dict):
        return "", str(body)[:200]
    code = body.get("code")
    return "" if code is None else str(code), str(body.get("message") or "no message")


def _price(body: Json | None, key: str) -> Decimal | None:
    value = _maybe(body, key) if body else None
    return value if value is not None and value > 0 else None


def _object(body: Json, key: str) -> Json:
    value = body.get(key)
    if not isinstance(value, Mapping):
        raise PermanentError(f"Alpaca's answer has no object {key!r}: is the address really Alpaca's?")
    return value


def _text(body: Json, key: str) -> str:
    value = body.get(key)
    if not value:
        raise PermanentError(f"Alpaca's answer has no {key!r}: is the address really Alpaca's?")
    return str(value)


def _side(body: Json) -> Side:
    side: Literal["buy", "sell"] = "buy" if str(body.get("side")).startswith("buy") else "sell"
    return side


def _maybe(body: Json, key: str) -> Decimal | None:
    value = body.get(key)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise PermanentError(f"Alpaca's {key!r} is {value!r}, which is no number") from error
    if not number.is_finite():
        raise PermanentError(f"Alpaca's {key!r} is {value!r}, which is no number")
    return number


def _decimal(body: Json, key: str) -> Decimal:
    value = _maybe(body, key)
    if value is None:
        raise PermanentError(f"Alpaca's answer has no {key!r}: is the address really Alpaca's?")
    return value


def _maybe_instant(body: Json, key: str) -> datetime | None:
    value = body.get(key)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(_micros(str(value)))
    except ValueError as error:
        raise PermanentError(f"Alpaca's {key!r} is {value!r}, which is no instant") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _instant(body: Json, key: str) -> datetime:
    at = _maybe_instant(body, key)
    if at is None:
        raise PermanentError(f"Alpaca's answer has no {key!r}: is the address really Alpaca's?")
    return at


def _micros(text: str) -> str:
    """RFC 3339 with nanoseconds cut to the microseconds that Python keeps."""
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]}{tail[digits:]}"
