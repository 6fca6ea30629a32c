"""The transactional half of a chain: an order by any of its names, its decision, risk verdicts and fills."""

from decimal import Decimal
from typing import Any, LiteralString

from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.stores.postgres import Database
from stonks_core.why.lookup import Row

ORDER: LiteralString = """
    SELECT o.order_id, o.broker_order_id, o.account_id, a.mode, a.sandbox, o.decision_id, o.recommendation_id, o.ticker,
           o.side, o.type, o.time_in_force, o.purpose, o.tranche, o.tranches, o.notional, o.quantity, o.limit_price,
           o.stop_price, o.reference_price, o.state, o.reason, o.filled_quantity, o.filled_average_price, o.intended_at,
           o.submitted_at, o.final_at
    FROM orders o JOIN broker_accounts a USING (account_id)
"""
NAMES_SHOWN = 4


def find_order(database: Database, name: str) -> Row:
    """The order whose id or broker's id is `name`, or the only one whose id begins with it.

    Raises NotFoundError when there is none, BadInputError when several begin so.
    """
    wanted = name.strip()
    if not wanted:
        raise BadInputError("an order's id is needed: `stonks orders` lists them")
    exact = database.fetch(ORDER + " WHERE o.order_id = %(name)s OR o.broker_order_id = %(name)s", {"name": wanted})
    if exact:
        return exact[0]
    found = database.fetch(
        ORDER + " WHERE starts_with(o.order_id, %(name)s) OR starts_with(o.broker_order_id, %(name)s)"
        " ORDER BY o.intended_at DESC, o.order_id LIMIT %(most)s",
        {"name": wanted, "most": NAMES_SHOWN + 1},
    )
    if not found:
        raise NotFoundError(f"there is no order {wanted!r}: `stonks orders` lists those that there are")
    if len(found) > 1:
        names = ", ".join(row["order_id"] for row in found[:NAMES_SHOWN])
        more = " and others" if len(found) > NAMES_SHOWN else ""
        raise BadInputError(f"{wanted!r} begins the ids of several orders ({names}{more}): give more of it")
    return found[0]


def fills_of(database: Database, order_id: str) -> list[Row]:
    """An order's executions, oldest first."""
    return database.fetch(
        """
        SELECT execution_id, quantity, price, fee, realised_pnl, conservative_price, conservative_pnl, executed_at FROM fills
        WHERE order_id = %s ORDER BY executed_at, fill_id
        """,
        (order_id,),
    )


def risk_of(database: Database, order_id: str) -> list[Row]:
    """The risk verdicts on an order, oldest first."""
    return database.fetch(
        """
        SELECT eligible, needs_approval, checks, reasons, as_of FROM risk_evaluations
        WHERE order_id = %s ORDER BY as_of, evaluation_id
        """,
        (order_id,),
    )


def decision_of(database: Database, decision_id: str) -> Row:
    """A decision with its whole trace."""
    row = database.fetch_one(
        """
        SELECT decision_id, account_id, recommendation_id, ticker, kind, outcome, reason, sentence, trace, as_of
        FROM trading_decisions WHERE decision_id = %s
        """,
        (decision_id,),
    )
    if row is None:
        raise NotFoundError(f"there is no decision {decision_id!r}")
    return row


def entries_of(database: Database, order: Row, decision: Row) -> list[str]:
    """The buys that built the position an exit left, that of the exit's own recommendation first, then oldest first."""
    rows = database.fetch(
        """
        SELECT o.order_id, min(f.executed_at) AS first_at
        FROM fills f JOIN orders o USING (order_id) JOIN trading_decisions d USING (decision_id)
        WHERE f.account_id = %(account_id)s AND f.ticker = %(ticker)s AND f.side = 'buy'
          AND f.executed_at >= COALESCE(%(opened_at)s::timestamptz, '-infinity') AND f.executed_at <= %(as_of)s
        GROUP BY o.order_id, o.recommendation_id
        ORDER BY o.recommendation_id IS NOT DISTINCT FROM %(recommendation_id)s DESC, first_at, o.order_id
        """,
        {
            "account_id": order["account_id"],
            "ticker": order["ticker"],
            "opened_at": decision["trace"].get("inputs", {}).get("opened_at"),
            "as_of": decision["as_of"],
            "recommendation_id": order["recommendation_id"],
        },
    )
    return [row["order_id"] for row in rows]


def plain(value: Any) -> Any:
    """A value for a report: Decimals as floats, in whatever it holds."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [plain(held) for held in value]
    return value
