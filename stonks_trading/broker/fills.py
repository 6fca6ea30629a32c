"""Booking an execution exactly once: the fill, the order, the position, the cash, in the caller's transaction.

Every profit is reckoned twice: by the broker's prices, and as `decide.conservative` has them.

Stream and REST hear of the same execution under ids that need not agree, so it is known by its id and by the order's
filled quantity after it; whichever way it comes second finds it booked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection
from stonks_trading.broker import adjustments, orders
from stonks_trading.broker.orders import OrderRow
from stonks_trading.broker.protocol import Execution
from stonks_trading.decide import ledger
from stonks_trading.decide.conservative import conservative
from stonks_trading.decide.rules import ConservativeRules

RULES = ConservativeRules()


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
    reckon(connection, order.account_id, order.ticker, at, micro=order.micro)
    amount = execution.quantity * execution.price * (-1 if order.side == "buy" else 1)
    connection.execute(
        "INSERT INTO cash_ledger (account_id, at, trigger, amount, balance, fill_id) VALUES (%s, %s, 'fill', %s, 0, %s)",
        (order.account_id, execution.at, amount, row["fill_id"]),
    )
    detail = {"quantity": str(execution.quantity), "price": str(execution.price), "execution": execution.execution_id}
    orders.note(connection, order.order_id, at, "fill", source, detail=detail)
    return True


@dataclass(frozen=True)
class Books:
    """The same fills twice: as the broker told them, and as `conservative` reckons them."""

    brokers: ledger.Book
    conservative: ledger.Book
    worse: Sequence[ledger.Fill]


def folded(connection: Connection, account_id: str, tickers: Sequence[str] | None = None) -> Books:
    """The account's fills, of some tickers or all, folded with the splits and renames between them."""
    rows = connection.execute(
        """
        SELECT f.order_id, f.execution_id, f.ticker, f.side, f.quantity, f.price, f.executed_at AS at, f.fee,
            o.bid, o.ask, o.typical_volume
        FROM fills f JOIN orders o USING (order_id)
        WHERE f.account_id = %(account_id)s AND (%(tickers)s::text[] IS NULL OR f.ticker = ANY(%(tickers)s))
        ORDER BY f.executed_at, f.side, f.fill_id
        """,
        {"account_id": account_id, "tickers": None if tickers is None else list(tickers)},
    ).fetchall()
    seen = [(row.pop("bid"), row.pop("ask"), row.pop("typical_volume")) for row in rows]
    told = [ledger.Fill(**row) for row in rows]
    worse = [conservative(fill, *facts, RULES) for fill, facts in zip(told, seen, strict=True)]
    changes = adjustments.applied(connection, account_id)
    return Books(ledger.book(told, changes), ledger.book(worse, changes), worse)


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


def reckon(connection: Connection, account_id: str, ticker: str, at: datetime, *, micro: bool = False) -> None:
    """Fold the ticker's fills again and store what changed: a late fill corrects what came after it.

    A holding that was renamed is folded under all its tickers. `micro` marks a position that opens now.
    """
    tickers = adjustments.family(adjustments.applied(connection, account_id), ticker)
    for name in tickers:
        connection.execute(
            "INSERT INTO positions (account_id, ticker, updated_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (account_id, name, at),
        )
    connection.execute(
        "SELECT 1 FROM positions WHERE account_id = %s AND ticker = ANY(%s) ORDER BY ticker FOR UPDATE",
        (account_id, list(tickers)),
    ).fetchall()
    books = folded(connection, account_id, tickers)
    for name in tickers:
        held = books.brokers.holdings.get(name, ledger.Holding())
        worse = books.conservative.holdings.get(name, ledger.Holding())
        connection.execute(
            """
            UPDATE positions SET quantity = %(quantity)s, cost = %(cost)s, realised_pnl = %(realised)s,
                conservative_cost = %(worse_cost)s, conservative_pnl = %(worse)s, opened_at = %(opened_at)s,
                micro = CASE WHEN quantity = 0 THEN %(micro)s ELSE micro END, updated_at = %(at)s,
                protection = CASE WHEN %(quantity)s = 0 THEN '' ELSE protection END,
                protection_note = CASE WHEN %(quantity)s = 0 THEN '' ELSE protection_note END,
                unprotected_since = CASE WHEN %(quantity)s = 0 THEN NULL ELSE unprotected_since END,
                alarmed = alarmed AND %(quantity)s <> 0
            WHERE account_id = %(account_id)s AND ticker = %(ticker)s
            """,
            {
                "quantity": held.quantity,
                "cost": held.average_cost,
                "realised": _profit(books.brokers, name),
                "worse_cost": worse.average_cost,
                "worse": _profit(books.conservative, name),
                "opened_at": held.opened_at,
                "micro": micro,
                "at": at,
                "account_id": account_id,
                "ticker": name,
            },
        )
    _store_realised(connection, books)
    for missing in books.brokers.oversold:
        what = f"{missing.fill.ticker}: a fill is missing"
        leave(connection, at, "critical", what, missing.sentence, missing.sentence)


def _profit(book: ledger.Book, ticker: str) -> Decimal:
    return sum((sale.profit for sale in book.realised if sale.fill.ticker == ticker), Decimal(0))


def _store_realised(connection: Connection, books: Books) -> None:
    brokers, worse = (
        {(sale.fill.order_id, sale.fill.execution_id): sale.profit for sale in book.realised}
        for book in (books.brokers, books.conservative)
    )
    keys = [(fill.order_id, fill.execution_id) for fill in books.worse]
    connection.execute(
        """
        UPDATE fills SET realised_pnl = n.profit, conservative_pnl = n.worse, conservative_price = n.price,
            conservative_fee = n.fee
        FROM unnest(%s::text[], %s::text[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[])
            AS n(order_id, execution_id, profit, worse, price, fee)
        WHERE (fills.order_id, fills.execution_id) = (n.order_id, n.execution_id)
            AND (fills.realised_pnl, fills.conservative_pnl, fills.conservative_price, fills.conservative_fee)
                IS DISTINCT FROM (n.profit, n.worse, n.price, n.fee)
        """,
        (
            [order_id for order_id, _ in keys],
            [execution_id for _, execution_id in keys],
            [brokers.get(key, Decimal(0)) for key in keys],
            [worse.get(key, Decimal(0)) for key in keys],
            [fill.price for fill in books.worse],
            [fill.fee for fill in books.worse],
        ),
    )
