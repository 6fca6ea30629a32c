"""Rows of trading as the engine writes them: decisions, orders and fills of one account."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb

from stonks_core.stores.postgres import Database

AS_OF = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
ACCOUNT = "acc-1"


def decide(
    database: Database,
    name: str,
    kind: str,
    recommendation_id: str | None,
    sentence: str,
    as_of: datetime,
    trace: Mapping[str, Any] | None = None,
    *,
    outcome: str = "act",
) -> None:
    database.execute(
        """
        INSERT INTO trading_decisions (decision_id, account_id, recommendation_id, ticker, kind, outcome, reason,
            sentence, trace, as_of, final, last_as_of)
        VALUES (%s, %s, %s, 'ACME', %s, %s, %s, %s, %s, %s, true, %s)
        """,
        (
            name,
            ACCOUNT,
            recommendation_id,
            kind,
            outcome,
            "sized" if outcome == "act" else "not_held",
            sentence,
            Jsonb(dict(trace or {})),
            as_of,
            as_of,
        ),
    )


def order(
    database: Database,
    name: str,
    decision_id: str,
    recommendation_id: str | None,
    *,
    side: str = "buy",
    purpose: str = "entry",
    notional: float | None = None,
    quantity: float | None = None,
    state: str = "filled",
    ticker: str = "ACME",
    broker_order_id: str | None = None,
    intended_at: datetime = AS_OF,
    tranche: int = 1,
) -> None:
    database.execute(
        """
        INSERT INTO orders (order_id, account_id, decision_id, recommendation_id, ticker, side, type, purpose, notional,
            quantity, state, broker_order_id, filled_quantity, filled_average_price, intended_at, updated_at, tranche,
            tranches)
        VALUES (%s, %s, %s, %s, %s, %s, 'market', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            name,
            ACCOUNT,
            decision_id,
            recommendation_id,
            ticker,
            side,
            purpose,
            notional,
            quantity,
            state,
            broker_order_id,
            5 if state == "filled" else 0,
            10 if state == "filled" else None,
            intended_at,
            intended_at,
            tranche,
            tranche,
        ),
    )


def fill(
    database: Database, order_id: str, side: str, quantity: float, price: float | Decimal, at: datetime, pnl: float = 0
) -> None:
    database.execute(
        """
        INSERT INTO fills (order_id, account_id, execution_id, ticker, side, quantity, price, realised_pnl, source,
            executed_at, booked_at) VALUES (%s, %s, %s, 'ACME', %s, %s, %s, %s, 'rest', %s, %s)
        """,
        (order_id, ACCOUNT, f"x-{order_id}", side, quantity, price, pnl, at, at),
    )
