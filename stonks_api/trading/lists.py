"""What happened: decisions, requests, breaker events, the audit trail and notifications, each newest first."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from stonks_api.context import Ctx
from stonks_api.routers.decisions import Decision, newest_decisions
from stonks_api.trading.configuring import number_of
from stonks_api.trading.entries import Asked
from stonks_api.wire import Cursor, Limit, Page, Real, Shown, decode_place, page

router = APIRouter(prefix="/api/trading", tags=["trading"])
Text = Annotated[str | None, Query(max_length=80)]


class AuditEvent(Shown):
    """Who did what to what, when and why."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    detail: dict[str, Any]


class BreakerEvent(Shown):
    """A breaker tripped or was reset."""

    id: int
    at: datetime
    breaker: str
    event: str
    ticker: str
    value: Real
    threshold: Real
    resets_at: datetime | None
    actor: str
    reason: str


class Notification(Shown):
    """A notification and what became of it."""

    id: int
    at: datetime
    channel: str
    severity: str
    subject: str
    body: str
    status: str
    error: str
    sent_at: datetime | None


@router.get("/decisions")
def get_decisions(
    ctx: Ctx,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    outcome: Literal["act", "skip"] | None = None,
    kind: Text = None,
    reason: Text = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Decision]:
    """Decisions by ticker, outcome, kind and reason."""
    return newest_decisions(ctx.database, limit, cursor, ticker.upper() if ticker else None, outcome, kind, reason)


@router.get("/requests")
def get_requests(
    ctx: Ctx, kind: Text = None, *, is_open: Annotated[bool, Query(alias="open")] = False, limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Asked]:  # fmt: skip
    """What operators asked for once; with `open`, what is not done."""
    at, after = decode_place(cursor)
    rows = ctx.database.fetch(
        """
        SELECT * FROM engine_requests
        WHERE (%(kind)s::text IS NULL OR kind = %(kind)s) AND (NOT %(open)s OR done_at IS NULL)
          AND (%(at)s::timestamptz IS NULL OR (asked_at, request_id::text) < (%(at)s, %(after)s))
        ORDER BY asked_at DESC, request_id::text DESC LIMIT %(limit)s
        """,
        {"kind": kind, "open": is_open, "at": at, "after": after, "limit": limit + 1},
    )
    return page(Asked, rows, limit, lambda row: (row["asked_at"], row["request_id"]))


@router.get("/breakers")
def get_breakers(ctx: Ctx, breaker: Text = None, limit: Limit = 50, cursor: Cursor = "") -> Page[BreakerEvent]:
    """Every trip and reset."""
    rows = ctx.database.fetch(
        """
        SELECT id, at, breaker, event, ticker, value, threshold, resets_at, actor, reason FROM circuit_breaker_events
        WHERE (%(breaker)s::text IS NULL OR breaker = %(breaker)s) AND (%(after)s::bigint IS NULL OR id < %(after)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"breaker": breaker, "after": number_of(cursor), "limit": limit + 1},
    )
    return page(BreakerEvent, rows, limit, lambda row: (row["id"],))


@router.get("/audit")
def get_audit(
    ctx: Ctx,
    action: Text = None,
    actor: Text = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[AuditEvent]:
    """The whole system's audit trail, by action, actor and subject."""
    rows = ctx.database.fetch(
        """
        SELECT id, at, actor, action, subject, reason, detail FROM audit_events
        WHERE (%(action)s::text IS NULL OR action = %(action)s) AND (%(actor)s::text IS NULL OR actor = %(actor)s)
          AND (%(subject)s::text IS NULL OR subject = %(subject)s) AND (%(after)s::bigint IS NULL OR id < %(after)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"action": action, "actor": actor, "subject": subject, "after": number_of(cursor), "limit": limit + 1},
    )
    return page(AuditEvent, rows, limit, lambda row: (row["id"],))


@router.get("/notifications/history")
def get_notifications(
    ctx: Ctx,
    channel: Text = None,
    severity: Literal["info", "warning", "critical"] | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Notification]:
    """Notifications by channel and severity."""
    rows = ctx.database.fetch(
        """
        SELECT id, at, channel, severity, subject, body, status, error, sent_at FROM notifications
        WHERE (%(channel)s::text IS NULL OR channel = %(channel)s)
          AND (%(severity)s::text IS NULL OR severity = %(severity)s)
          AND (%(after)s::bigint IS NULL OR id < %(after)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"channel": channel, "severity": severity, "after": number_of(cursor), "limit": limit + 1},
    )
    return page(Notification, rows, limit, lambda row: (row["id"],))
