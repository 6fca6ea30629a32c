"""Booking an execution exactly once: the fill, the order, the position, the cash, in the caller's transaction.

Stream and REST hear of the same execution under ids that need not agree, so it is known by its id and by the order's
filled quantity after it; whichever way it comes second finds it booked.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection
from stonks_trading.broker import orders
from stonks_trading.broker.orders import OrderRow
from stonks_trading.broker.protocol import Execution
from stonks_trading.decide import ledger


def book(
    connection: Connection, order: OrderRow, execution: Execution, at: datetime, source: Literal["rest", "stream"]
) -> bool:
    """Book one execution of a locked order; False when it had been booked. Needs the order's row locked."""
    row = connection.execute(
        """
        INSERT INTO fills (order_id, account_id, execution_id, ticker, side, quantity, price, cumulative_quantity, source,
            executed_at, booked_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING fill_id
        """,
        (
            order.order_id,
            order.account_id,
            execution.execution_id,
            order.ticker,
            order.side,
            execution.quantity,
            execution.price,
            execution.cumulative_quantity,
            source,
            execution.at,
            at,
        ),
    ).fetchone()
    if row is None:
        return False
    _count(connection, order.order_id)
    _reckon(connection, order, at)
    amount = execution.quantity * execution.price * (-1 if order.side == "buy" else 1)
    connection.execute(
        "INSERT INTO cash_ledger (account_id, at, trigger, amount, balance, fill_id) VALUES (%s, %s, 'fill', %s, 0, %s)",
        (order.account_id, execution.at, amount, row["fill_id"]),
    )
    detail = {"quantity": str(execution.quantity), "price": str(execution.price), "execution": execution.execution_id}
    orders.note(connection, order.order_id, at, "fill", source, detail=detail)
    return True


def booked(connection: Connection, account_id: str, ticker: str = "") -> list[ledger.Fill]:
    """The account's fills, of one ticker where it is named, oldest first."""
    rows = connection.execute(
        """
        SELECT order_id, execution_id, ticker, side, quantity, price, executed_at AS at, fee FROM fills
        WHERE account_id = %(account_id)s AND (%(ticker)s = '' OR ticker = %(ticker)s)
        ORDER BY executed_at, side, fill_id
        """,
        {"account_id": account_id, "ticker": ticker},
    ).fetchall()
    return [ledger.Fill(**row) for row in rows]


def cash_balance(connection: Connection, account_id: str) -> Decimal | None:
    """Cash by our own books, dollars; None before the ledger's opening row."""
    row = connection.execute(
        "SELECT balance FROM cash_ledger WHERE account_id = %s ORDER BY id DESC LIMIT 1", (account_id,)
    ).fetchone()
    return row["balance"] if row else None


def _count(connection: Connection, order_id: str) -> None:
    connection.execute(
        """
        UPDATE orders SET filled_quantity = f.quantity, filled_average_price = f.cost / f.quantity,
            broker_filled_quantity = GREATEST(broker_filled_quantity, f.quantity)
        FROM (SELECT sum(quantity) AS quantity, sum(quantity * price) AS cost FROM fills WHERE order_id = %(id)s) f
        WHERE order_id = %(id)s
        """,
        {"id": order_id},
    )


def _reckon(connection: Connection, order: OrderRow, at: datetime) -> None:
    """Fold the ticker's fills again and store what changed: a late fill corrects what came after it."""
    connection.execute(
        "INSERT INTO positions (account_id, ticker, updated_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (order.account_id, order.ticker, at),
    )
    before = connection.execute(
        "SELECT quantity FROM positions WHERE account_id = %s AND ticker = %s FOR UPDATE",
        (order.account_id, order.ticker),
    ).fetchone()
    book = ledger.book(booked(connection, order.account_id, order.ticker))
    held = book.holdings.get(order.ticker, ledger.Holding())
    opening = before is not None and before["quantity"] == 0
    connection.execute(
        """
        UPDATE positions SET quantity = %(quantity)s, cost = %(cost)s, realised_pnl = %(realised)s,
            opened_at = %(opened_at)s, micro = CASE WHEN %(opening)s THEN %(micro)s ELSE micro END, updated_at = %(at)s
        WHERE account_id = %(account_id)s AND ticker = %(ticker)s
        """,
        {
            "quantity": held.quantity,
            "cost": held.average_cost,
            "realised": book.profit,
            "opened_at": held.opened_at,
            "opening": opening,
            "micro": order.micro,
            "at": at,
            "account_id": order.account_id,
            "ticker": order.ticker,
        },
    )
    _store_realised(connection, book.realised)
    for missing in book.oversold:
        leave(connection, at, "critical", f"{order.ticker}: a fill is missing", missing.sentence, missing.sentence)


def _store_realised(connection: Connection, sales: Sequence[ledger.Realised]) -> None:
    connection.execute(
        """
        UPDATE fills SET realised_pnl = n.value
        FROM unnest(%s::text[], %s::text[], %s::numeric[]) AS n(order_id, execution_id, value)
        WHERE (fills.order_id, fills.execution_id) = (n.order_id, n.execution_id) AND fills.realised_pnl <> n.value
        """,
        ([s.fill.order_id for s in sales], [s.fill.execution_id for s in sales], [s.profit for s in sales]),
    )
