"""Approvals: orders that wait for a person. A yes holds only when the engine's check at fresh prices agrees."""

import time
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field

from stonks_api.context import Context, Ctx
from stonks_api.trading.entries import Person, Told
from stonks_api.wire import Cursor, Limit, Money, Page, Shown, decode_place, page
from stonks_core.stores.postgres import Row
from stonks_trading.console import approvals

router = APIRouter(prefix="/risk/approvals", tags=["risk"])
LOOK_EVERY = 0.05  # seconds


class Approval(Shown):
    """An order that waits or waited for a person; `recheck` is what the check at fresh prices said of a yes."""

    approval_id: UUID
    order_id: str
    decision_id: str
    recommendation_id: str | None
    ticker: str
    side: str
    type: str
    purpose: str
    notional: Money | None
    quantity: Money | None
    limit_price: Money | None
    reference_price: Money | None
    valid_until: datetime | None
    status: str
    stands: str
    reason: str
    requested_at: datetime
    expires_at: datetime
    reviewed_by: str
    review_reason: str
    reviewed_at: datetime | None
    recheck: str
    rechecked_at: datetime | None
    recheck_evaluation_id: UUID | None
    order_state: str
    order_reason: str


class Approvals(Shown):
    """Approvals that were just let go."""

    items: list[Approval]


class Review(Told):
    """A person's decision, and why. `wait_seconds` is how long the answer may wait for the check at fresh prices."""

    person: Person
    decision: Literal["approve", "reject"]
    wait_seconds: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False, strict=False)] = 5


class Expiry(Told):
    """Let go of what nobody reviewed in time and, where given, of all that waits longer than so many minutes."""

    older_than_minutes: Annotated[int | None, Field(ge=1, le=100_000)] = None


@router.get("")
def list_approvals(
    ctx: Ctx,
    status: Literal["pending", "approved", "rejected", "expired"] | None = None,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Approval]:
    """Approvals, newest first."""
    at, after = decode_place(cursor)
    rows = ctx.database.fetch(
        approvals.APPROVAL
        + """
        WHERE (%(status)s::text IS NULL OR a.status = %(status)s) AND (%(ticker)s::text IS NULL OR o.ticker = %(ticker)s)
          AND (%(at)s::timestamptz IS NULL OR (a.requested_at, a.approval_id::text) < (%(at)s, %(after)s))
        ORDER BY a.requested_at DESC, a.approval_id::text DESC LIMIT %(limit)s
        """,
        {"status": status, "ticker": ticker.upper() if ticker else None, "at": at, "after": after, "limit": limit + 1},
    )
    told = [{**row, "stands": approvals.stands(row)} for row in rows]
    return page(Approval, told, limit, lambda row: (row["requested_at"], row["approval_id"]))


@router.post("/expire")
def post_expire(ctx: Ctx, request: Request, wish: Expiry) -> Approvals:
    """Let go of stale approvals; their orders never leave."""
    older = timedelta(minutes=wish.older_than_minutes) if wish.older_than_minutes is not None else None
    with ctx.database.connection() as connection:
        return Approvals(items=[_shown(row) for row in approvals.expire(connection, wish.author(ctx, request), older)])


@router.get("/{approval_id}")
def get_approval(ctx: Ctx, approval_id: UUID) -> Approval:
    """One approval with its order."""
    with ctx.database.connection() as connection:
        return _shown(approvals.find(connection, approval_id))


@router.post("/{approval_id}/review")
def post_review(ctx: Ctx, request: Request, approval_id: UUID, wish: Review) -> Approval:
    """Approve or reject. A yes takes effect when the engine, woken at once, has judged the order at fresh prices.

    The answer waits for that verdict a little where an engine runs; `recheck` is empty where it is still to come, and
    the order stays where it is until then.
    """
    with ctx.database.connection() as connection:
        author = wish.author(ctx, request)
        row = approvals.review(connection, author, approval_id, approve=wish.decision == "approve")
    return _shown(_checked(ctx, row, wish.wait_seconds) if wish.decision == "approve" else row)


def _checked(ctx: Context, row: Row, seconds: float) -> Row:
    """The approval once its order was judged, or as it is when nobody judges or the time is over."""
    until = time.monotonic() + seconds
    lease = ctx.database.fetch_one("SELECT 1 FROM engine_lease WHERE name = 'trading' AND expires_at >= now()")
    while lease is not None and row["recheck"] == "" and time.monotonic() < until:
        time.sleep(LOOK_EVERY)
        with ctx.database.connection() as connection:
            row = approvals.find(connection, row["approval_id"])
    return row


def _shown(row: Row) -> Approval:
    return Approval.model_validate({**row, "stands": approvals.stands(row)})
