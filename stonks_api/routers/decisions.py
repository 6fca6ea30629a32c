"""Decisions: what the engine did about each recommendation, and why it did nothing."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from stonks_api.context import Ctx
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_place, page
from stonks_core.stores.postgres import Database
from stonks_core.why.order import decision_of

router = APIRouter(prefix="/api/decisions", tags=["decisions"])


class Decision(Shown):
    """A decision; one that was met again is one row, counted in `times`."""

    decision_id: str
    account_id: str
    recommendation_id: str | None
    ticker: str
    kind: str
    outcome: str
    reason: str
    sentence: str
    as_of: datetime
    final: bool
    times: int
    last_as_of: datetime


class DecisionDetail(Shown):
    """A decision with its whole trace, and the orders it gave."""

    decision_id: str
    account_id: str
    recommendation_id: str | None
    ticker: str
    kind: str
    outcome: str
    reason: str
    sentence: str
    trace: dict[str, Any]
    as_of: datetime
    order_ids: list[str]


def newest_decisions(
    database: Database,
    limit: int,
    cursor: str = "",
    ticker: str | None = None,
    outcome: str | None = None,
    kind: str | None = None,
    reason: str | None = None,
) -> Page[Decision]:
    """Decisions, newest first."""
    at, after = decode_place(cursor)
    rows = database.fetch(
        """
        SELECT decision_id, account_id, recommendation_id, ticker, kind, outcome, reason, sentence, as_of, final, times,
               last_as_of
        FROM trading_decisions
        WHERE (%(at)s::timestamptz IS NULL OR (as_of, decision_id) < (%(at)s, %(after)s))
          AND (%(ticker)s::text IS NULL OR ticker = %(ticker)s) AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
          AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(reason)s::text IS NULL OR reason = %(reason)s)
        ORDER BY as_of DESC, decision_id DESC LIMIT %(limit)s
        """,
        {
            "at": at,
            "after": after,
            "ticker": ticker,
            "outcome": outcome,
            "kind": kind,
            "reason": reason,
            "limit": limit + 1,
        },
    )
    return page(Decision, rows, limit, lambda row: (row["as_of"], row["decision_id"]))


@router.get("")
def list_decisions(
    ctx: Ctx,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    outcome: Literal["act", "skip"] | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Decision]:
    """Decisions, newest first."""
    return newest_decisions(ctx.database, limit, cursor, ticker.upper() if ticker else None, outcome)


@router.get("/{decision_id}")
def get_decision(ctx: Ctx, decision_id: str) -> DecisionDetail:
    """One decision with its trace: inputs, every clamp of the size, the order it asks for."""
    decision = decision_of(ctx.database, decision_id)
    orders = ctx.database.fetch("SELECT order_id FROM orders WHERE decision_id = %s ORDER BY order_id", (decision_id,))
    return DecisionDetail.model_validate({**decision, "order_ids": [row["order_id"] for row in orders]})
