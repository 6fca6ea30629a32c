"""Approved orders judged once more, on fresh quotes and the books of the moment, just before they are sent.

A person's yes is about the prices of then; the order goes only while a verdict on the prices of now stands. The outbox
sends an approved order within `CHECK_HOLDS` of its check and never without one.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection, Database, Row
from stonks_trading import control, portfolio, quotebook
from stonks_trading.broker import orders
from stonks_trading.broker.orders import OrderRow
from stonks_trading.broker.outbox import CHECK_HOLDS
from stonks_trading.broker.protocol import OrderState
from stonks_trading.engine.lease import Fence
from stonks_trading.records import MarketView, OrderPlan, Portfolio
from stonks_trading.situation import Observer, Seen
from stonks_trading.vetting import Vetter

ZERO = Decimal(0)


class Rechecker:
    """Judges the approved orders of an account that have not left."""

    def __init__(self, database: Database, observer: Observer, fence: Fence) -> None:
        self._database, self._observer, self._fence = database, observer, fence

    def recheck(self, account_id: str, as_of: datetime) -> Mapping[str, bool]:
        """Judge what is approved and not judged freshly; by order, whether it may go. What may not is rejected.

        Raises TransientError when the broker gives no quotes: the orders wait.
        """
        with self._database.connection() as connection:
            waiting = _waiting(connection, account_id, as_of)
            held = portfolio.held_tickers(connection, account_id)
        if not waiting:
            return {}
        seen = self._observer.seen({*held, *(row["ticker"] for row in waiting)}, as_of)
        quotebook.keep(self._database, seen.quotes)
        return {row["order_id"]: self._judge(account_id, row["order_id"], seen) for row in waiting}

    def _judge(self, account_id: str, order_id: str, seen: Seen) -> bool:
        with self._database.connection() as connection:
            self._fence(connection)
            order = orders.locked(connection, order_id)
            if order is None or order.state is not OrderState.INTENDED:
                return False
            books = without(self._observer.portfolio(connection, account_id, seen), order)
            state = self._observer.state(connection, account_id, seen.as_of)
            open_tickers = sorted({*books.positions, *books.pending_buys})
            views: dict[str, MarketView] = {t: seen.view(t, open_tickers) for t in {*open_tickers, order.ticker}}
            vetter = Vetter(connection, account_id, books, views, state, self._observer.rules_at(seen))
            plan = plan_of(order)
            verdict = vetter.judge(order_id, plan, seen.as_of)
            evaluation = vetter.store(order_id, plan, verdict, seen.as_of, "approval")
            connection.execute(
                """
                UPDATE approval_requests SET recheck = %s, rechecked_at = %s, recheck_evaluation_id = %s
                WHERE order_id = %s AND status = 'approved'
                """,
                ("eligible" if verdict.eligible else "refused", seen.as_of, evaluation, order_id),
            )
            if not verdict.eligible:
                why = "approved, but refused at the prices of now: " + " ".join(verdict.reasons)
                orders.move(connection, order, OrderState.REJECTED, seen.as_of, "engine", why, code="recheck")
                leave(connection, seen.as_of, "warning", f"{order.side} of {order.ticker} is refused", why)
            return verdict.eligible


def without(books: Portfolio, order: OrderRow) -> Portfolio:
    """The portfolio as if an order that never left were not there."""
    if order.side == "sell":
        left = books.pending_sells.get(order.ticker, ZERO) - (order.quantity or ZERO)
        return replace(books, pending_sells=_with(books.pending_sells, order.ticker, left))
    price = order.reference_price or ZERO
    dollars = order.notional if order.notional is not None else (order.quantity or ZERO) * price
    left = books.pending_buys.get(order.ticker, ZERO) - dollars
    return replace(
        books, pending_buys=_with(books.pending_buys, order.ticker, left), committed=books.committed - dollars
    )


def plan_of(order: OrderRow) -> OrderPlan:
    """What was asked for when the order was intended."""
    return OrderPlan(
        ticker=order.ticker,
        side=order.side,
        type=order.type,
        notional=order.notional,
        quantity=order.quantity,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        purpose=order.purpose,
        tranche=order.tranche,
        tranches=order.tranches,
        micro=order.micro,
    )


def _with(amounts: Mapping[str, Decimal], ticker: str, left: Decimal) -> Mapping[str, Decimal]:
    others = {name: amount for name, amount in amounts.items() if name != ticker}
    return {**others, ticker: left} if left > 0 else others


def _waiting(connection: Connection, account_id: str, as_of: datetime) -> list[Row]:
    """Approved orders that could leave but for a fresh verdict; none while a switch keeps them here anyway."""
    told = control.switches(connection)
    if told.get("kill_switch"):
        return []
    return connection.execute(
        """
        SELECT o.order_id, o.ticker FROM orders o JOIN approval_requests a USING (order_id)
        WHERE o.account_id = %(account)s AND o.state = 'intended' AND a.status = 'approved' AND o.cancel_asked_at IS NULL
            AND (a.recheck = '' OR (a.recheck = 'eligible' AND a.rechecked_at <= %(stale)s))
            AND NOT (%(paused)s AND o.side = 'buy' AND o.purpose <> 'override')
        ORDER BY o.intended_at, o.order_id
        """,
        {"account": account_id, "stale": as_of - CHECK_HOLDS, "paused": bool(told.get("paused"))},
    ).fetchall()
