"""What stands in the way of an order that is about to leave, by the ticker's other orders. Reads rows, decides nothing else.

Two sells of one ticker never exceed what is held together, and no order leaves beside its opposite.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from stonks_core.stores.postgres import Connection
from stonks_trading.broker import orders
from stonks_trading.broker.orders import OrderRow

ASK_AGAIN_AFTER = timedelta(seconds=30)  # a cancellation that the broker has not confirmed by then


@dataclass(frozen=True)
class Blocked:
    """Why an order waits; `by_stop`: for a protective stop, which can be cancelled."""

    sentence: str
    by_stop: bool


def blocked(connection: Connection, order: OrderRow) -> Blocked | None:
    """What an intent waits for: a protective stop of its ticker that may be at the broker, or whose fills are not booked.

    A protective stop itself waits for every other order of its ticker.
    """
    row = connection.execute(
        """
        SELECT order_id, purpose, state IN ('filled', 'canceled', 'expired', 'rejected') AS final FROM orders
        WHERE account_id = %(account)s AND ticker = %(ticker)s AND order_id <> %(order_id)s
            AND (purpose = 'protective_stop' OR %(stop)s)
            AND (state IN ('submitting', 'unknown', 'accepted', 'partially_filled')
                OR (state = 'intended' AND side = 'sell' AND %(stop)s AND purpose <> 'protective_stop')
                OR broker_filled_quantity > filled_quantity)
        ORDER BY purpose = 'protective_stop', intended_at LIMIT 1
        """,
        {
            "account": order.account_id,
            "ticker": order.ticker,
            "order_id": order.order_id,
            "stop": order.purpose == "protective_stop",
        },
    ).fetchone()
    if row is None:
        return None
    stop = row["purpose"] == "protective_stop"
    what = f"the protective stop {row['order_id']}" if stop else f"the order {row['order_id']}"
    until = "its fills are booked" if row["final"] else ("it is cancelled" if stop else "it is over")
    return Blocked(f"waits for {what} of {order.ticker} until {until}", by_stop=stop)


def to_cancel(connection: Connection, order: OrderRow, as_of: datetime) -> list[OrderRow]:
    """The ticker's protective stops at the broker whose cancellation was not asked for just now."""
    rows = connection.execute(
        """
        SELECT order_id FROM orders
        WHERE account_id = %s AND ticker = %s AND order_id <> %s AND purpose = 'protective_stop'
            AND state IN ('accepted', 'partially_filled') AND (cancel_asked_at IS NULL OR cancel_asked_at <= %s)
        ORDER BY intended_at
        """,
        (order.account_id, order.ticker, order.order_id, as_of - ASK_AGAIN_AFTER),
    ).fetchall()
    found = (orders.locked(connection, row["order_id"]) for row in rows)
    return [row for row in found if row is not None]


def quantity_changed(connection: Connection, order: OrderRow) -> str:
    """Why a sell must not leave: it is of more shares than are held and not being sold. Empty where it may."""
    if order.side != "sell" or order.quantity is None:
        return ""
    row = connection.execute(
        """
        SELECT COALESCE((SELECT quantity FROM positions WHERE account_id = %(account)s AND ticker = %(ticker)s), 0)
            - COALESCE((SELECT sum(quantity - filled_quantity) FROM orders WHERE account_id = %(account)s
                AND ticker = %(ticker)s AND side = 'sell' AND order_id <> %(order_id)s
                AND state IN ('submitting', 'unknown', 'accepted', 'partially_filled')), 0) AS free
        """,
        {"account": order.account_id, "ticker": order.ticker, "order_id": order.order_id},
    ).fetchone()
    free = row["free"] if row else Decimal(0)
    if order.quantity <= free:
        return ""
    return f"it sells {order.quantity.normalize():f} shares, but only {max(free, Decimal(0)).normalize():f} are held and free"
