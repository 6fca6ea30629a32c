"""The vendor's JSON shapes of orders, executions, assets and stream frames. Every amount is a string."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from stonks_sandbox.alpaca.model import Execution, Order, asset_id, text
from stonks_sandbox.alpaca.settlement import Change
from stonks_sandbox.world.protocol import Company

EXCHANGES = {"XNAS": "NASDAQ", "XNYS": "NYSE", "ARCX": "ARCA", "XASE": "AMEX", "BATS": "BATS", "OTCM": "OTC"}
_NAMES = uuid.UUID("9a1d1a0b-53e4-5d0e-8e7b-6d1a1f7b2c31")


def stamp(value: datetime | None) -> str | None:
    """An instant as the vendor writes it: UTC with a Z, microseconds only where there are any."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def optional(value: Decimal | None) -> str | None:
    """An amount as text, or null."""
    return None if value is None else text(value)


def order_json(order: Order, status: str | None = None) -> dict[str, Any]:
    """An order; `status` overrides the stored one in the answer to its submission."""
    average = order.filled_avg_price
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": stamp(order.submitted_at),
        "updated_at": stamp(order.updated_at),
        "submitted_at": stamp(order.submitted_at),
        "filled_at": stamp(order.filled_at),
        "expired_at": stamp(order.expired_at),
        "expires_at": stamp(order.expires_at),
        "canceled_at": stamp(order.canceled_at),
        "failed_at": stamp(order.failed_at),
        "replaced_at": stamp(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": optional(order.notional),
        "qty": optional(order.qty),
        "filled_qty": text(order.filled_qty),
        "filled_avg_price": None if average is None else text(round(average, 6)),
        "order_class": "simple",
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "position_intent": order.position_intent,
        "time_in_force": order.time_in_force,
        "limit_price": optional(order.limit_price),
        "stop_price": optional(order.stop_price),
        "status": status or order.status,
        "extended_hours": order.extended_hours,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": None,
    }


def activity_id(execution: Execution) -> str:
    """The identity of a FILL activity, which is also its page token: time to the millisecond and execution id."""
    return f"{execution.executed_at.astimezone(UTC):%Y%m%d%H%M%S%f}"[:17] + f"::{execution.id}"


def activity_json(execution: Execution) -> dict[str, Any]:
    """An execution as a FILL activity."""
    return {
        "id": activity_id(execution),
        "activity_type": "FILL",
        "transaction_time": stamp(execution.executed_at),
        "type": "fill" if execution.order_status == "filled" else "partial_fill",
        "price": text(execution.price),
        "qty": text(execution.qty),
        "side": execution.side,
        "symbol": execution.symbol,
        "leaves_qty": text(execution.leaves_qty),
        "order_id": execution.order_id,
        "cum_qty": text(execution.cum_qty),
        "order_status": execution.order_status,
    }


def asset_json(company: Company, *, fractionable: bool) -> dict[str, Any]:
    """A company as a tradable asset; a cash account can neither borrow against it nor sell it short."""
    return {
        "id": asset_id(company.ticker),
        "class": "us_equity",
        "exchange": EXCHANGES.get(company.exchange, "NASDAQ"),
        "symbol": company.ticker,
        "name": company.name,
        "status": "active",
        "tradable": True,
        "marginable": False,
        "shortable": False,
        "easy_to_borrow": False,
        "fractionable": fractionable,
        "attributes": [],
    }


def frame_json(change: Change) -> dict[str, Any]:
    """A change as a `trade_updates` frame; a fill's `execution_id` is the execution's."""
    data: dict[str, Any] = {
        "event": change.event,
        "execution_id": str(uuid.uuid5(_NAMES, f"{change.order.id}|{change.event}|{change.at.isoformat()}")),
        "timestamp": stamp(change.at),
        "order": order_json(change.order),
        "position_qty": text(change.position_qty),
    }
    if change.execution is not None:
        fill = {"execution_id": change.execution.id, "price": text(change.execution.price)}
        data |= {**fill, "qty": text(change.execution.qty)}
    return {"stream": "trade_updates", "data": data}
