"""Notifications: what people were told and through which channel, how the channels are set up, and a message to try one."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from stonks_api.audit import Wish, record
from stonks_api.context import Ctx
from stonks_api.tracing import trace_id_of
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_cursor, page
from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.stores.postgres import Connection, Row
from stonks_core.versions import differences, same_version

router = APIRouter(prefix="/api/trading/notifications", tags=["notifications"])
Severity = Literal["info", "warning", "critical"]
Status = Literal["shown", "queued", "sent", "failed", "suppressed"]


class Message(Shown):
    """A notice on the screen, or its copy for a channel and what became of it; `notice_id` is whose copy it is."""

    id: int
    notice_id: int | None
    at: datetime
    channel: str
    severity: Severity
    subject: str
    body: str
    status: Status
    attempts: int
    error: str
    sent_at: datetime | None


class ShownChannel(Shown):
    """A channel: whether it is used, from which severity on, and how many messages an hour it may be sent."""

    channel: str
    enabled: bool
    severity: Severity
    per_hour: int
    sent_last_hour: int
    waiting: int
    last_error: str
    version: int
    updated_at: datetime


class Channels(Shown):
    """All channels that were ever configured, by name."""

    items: list[ShownChannel]


class ChannelChange(Wish):
    """What changes of a channel, and why; what is not given stays."""

    channel: str
    version: Annotated[int, Field(ge=1, description="the version that was read; another one by now is a 409")]
    enabled: bool | None = None
    severity: Severity | None = None
    per_hour: Annotated[int, Field(ge=1, le=1000)] | None = None


class Trial(Wish):
    """Which channel to try, and why."""

    channel: str


@router.get("/history")
def notification_history(
    ctx: Ctx,
    channel: str | None = None,
    severity: Severity | None = None,
    status: Status | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Message]:
    """Notices and their copies, newest first."""
    place = decode_cursor(cursor, 1)
    if place and not place[0].isdigit():
        raise BadInputError("the cursor is none of this list: pass `next_cursor` as it was given")
    rows = ctx.database.fetch(
        """
        SELECT * FROM notifications
        WHERE (%(channel)s::text IS NULL OR channel = %(channel)s)
          AND (%(severity)s::text IS NULL OR severity = %(severity)s)
          AND (%(status)s::text IS NULL OR status = %(status)s) AND (%(after)s::bigint IS NULL OR id < %(after)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {
            "channel": channel,
            "severity": severity,
            "status": status,
            "after": int(place[0]) if place else None,
            "limit": limit + 1,
        },
    )
    return page(Message, rows, limit, lambda row: (row["id"],))


@router.get("/config")
def notification_config(ctx: Ctx) -> Channels:
    """The channels. Their addresses and secrets are settings of the machine and are not shown."""
    rows = ctx.database.fetch(
        """
        SELECT c.*, COALESCE(s.sent, 0) AS sent_last_hour, COALESCE(s.waiting, 0) AS waiting,
               COALESCE(e.error, '') AS last_error
        FROM notification_channels c
        LEFT JOIN LATERAL (
            SELECT count(*) FILTER (WHERE n.sent_at > %(now)s - interval '1 hour') AS sent,
                   count(*) FILTER (WHERE n.status = 'queued') AS waiting
            FROM notifications n WHERE n.channel = c.channel AND n.at > %(now)s - interval '2 days'
        ) s ON true
        LEFT JOIN LATERAL (
            SELECT error FROM notifications n WHERE n.channel = c.channel AND n.status IN ('sent', 'failed', 'queued')
            ORDER BY id DESC LIMIT 1
        ) e ON true
        ORDER BY channel
        """,
        {"now": ctx.clock.now()},
    )
    return Channels(items=[ShownChannel.model_validate(row) for row in rows])


@router.put("/config")
def put_notification_config(ctx: Ctx, request: Request, wish: ChannelChange) -> Channels:
    """Change what is given of a channel. Whoever delivers reads it with the next message."""
    given = {name: getattr(wish, name) for name in wish.model_fields_set & {"enabled", "severity", "per_hour"}}
    if None in given.values():
        raise BadInputError("nothing of a channel can be null: leave out what is to stay")
    with ctx.database.connection() as connection:
        held = _held(connection, wish.channel)
        same_version(f"channel {wish.channel}", held["version"], wish.version)
        changed = differences(held, given)
        if changed:
            kept = {**held, **given, "now": ctx.clock.now()}
            connection.execute(
                """
                UPDATE notification_channels SET enabled = %(enabled)s, severity = %(severity)s,
                    per_hour = %(per_hour)s, version = version + 1, updated_at = %(now)s WHERE channel = %(channel)s
                """,
                kept,
            )
            detail = {"changed": changed, "trace_id": trace_id_of(request.scope)}
            record(connection, "notification_channel_changed", wish.channel, wish.reason, detail)
    return notification_config(ctx)


@router.post("/test", status_code=202)
def try_channel(ctx: Ctx, request: Request, wish: Trial) -> Message:
    """Queue a message to try a channel, enabled or not; the history tells what became of it within seconds."""
    with ctx.database.connection() as connection:
        _held(connection, wish.channel)
        now = ctx.clock.now()
        row = connection.execute(
            """
            INSERT INTO notifications (at, channel, severity, subject, body, status, next_attempt_at)
            VALUES (%s, %s, 'critical', 'a message to try this channel', %s, 'queued', %s) RETURNING *
            """,
            (now, wish.channel, f"An operator asked for it: {wish.reason}", now),
        ).fetchone()
        detail = {"trace_id": trace_id_of(request.scope)}
        record(connection, "notification_test", wish.channel, wish.reason, detail)
        return Message.model_validate(row)


def _held(connection: Connection, channel: str) -> Row:
    row = connection.execute("SELECT * FROM notification_channels WHERE channel = %s FOR UPDATE", (channel,)).fetchone()
    if row is None:
        names = connection.execute("SELECT channel FROM notification_channels ORDER BY channel").fetchall()
        none = "none yet: set TRADING_SNS_*, TRADING_GMAIL_* or TRADING_NOTIFY_URLS"
        there = ", ".join(one["channel"] for one in names) or none
        raise NotFoundError(f"there is no channel {channel}; there are: {there}")
    return row
