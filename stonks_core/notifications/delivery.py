"""Delivery: every notice copied once to each channel, claimed, sent, tried again, and held back by each channel's limit.

A message that was under way when its process died is sent again: twice is better than never.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from stonks_core.errors import PermanentError, TransientError
from stonks_core.notifications.channels import Channel
from stonks_core.notifications.notices import SCREEN
from stonks_core.settings.notifying import Notifying
from stonks_core.stores.postgres import Database, Row

SEVERITIES = ("info", "warning", "critical")
HOUR = timedelta(hours=1)
OLD = timedelta(hours=24)
"""A notice older than this is news no more."""
FIRST_PAUSE, LONGEST_PAUSE, MOST_ATTEMPTS = timedelta(seconds=30), timedelta(minutes=30), 8
AT_ONCE = 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """What one call did: messages by what became of them."""

    sent: int = 0
    failed: int = 0
    held_back: int = 0
    put_off: int = 0


def ensure_channels(database: Database, channels: Mapping[str, Channel], settings: Notifying, now: datetime) -> None:
    """A row for each channel, with the settings' defaults where it is new; what a person has set stays."""
    for name in channels:
        database.execute(
            """
            INSERT INTO notification_channels (channel, severity, per_hour, created_at, updated_at)
            VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            (name, settings.severity, settings.per_hour, now, now),
        )


def deliver(database: Database, channels: Mapping[str, Channel], now: datetime) -> Delivered:
    """Send what waits, through the channels that have a row. Safe to call from several processes at once.

    A notice goes to a channel that is enabled, at its severity or above, when it is younger than a day and not older
    than the channel. Above a channel's hourly limit critical messages wait for room and the others are held back; the
    next one that goes out says how many.
    """
    if not channels:
        return Delivered()
    _copy(database, list(channels), now)
    sent = failed = held = off = 0
    for row in _claim(database, list(channels), now):
        if (room := _full(database, row, now)) is not None:
            if row["severity"] == "critical":
                _put_off(database, row, room, attempted=False)
                off += 1
            else:
                _end(database, row, "suppressed", f"over the limit of {row['per_hour']} messages an hour", now)
                held += 1
            continue
        try:
            channels[row["channel"]].send(f"Stonks Oracle: {row['subject']}", _body(database, row, now))
        except PermanentError as error:
            _fail(database, row, str(error), now)
            failed += 1
        except TransientError as error:
            if row["attempts"] >= MOST_ATTEMPTS:
                _fail(database, row, f"given up after {row['attempts']} attempts: {error}", now)
                failed += 1
            else:
                _put_off(database, row, now + pause_after(row["attempts"]), error=str(error))
                off += 1
        else:
            _end(database, row, "sent", "", now)
            sent += 1
    return Delivered(sent, failed, held, off)


def pause_after(attempts: int) -> timedelta:
    """The pause after so many attempts (1 and more): it doubles, up to half an hour."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << (attempts - 1)))


def _copy(database: Database, names: list[str], now: datetime) -> None:
    """A queued copy of each notice for each channel that wants it and has none."""
    database.execute(
        """
        INSERT INTO notifications (at, channel, severity, subject, body, dedupe_key, status, notice_id, next_attempt_at)
        SELECT n.at, c.channel, n.severity, n.subject, n.body, 'notice:' || n.id, 'queued', n.id, %(now)s
        FROM notifications n CROSS JOIN notification_channels c
        WHERE n.channel = %(screen)s AND n.at > %(old)s AND n.at >= c.created_at
          AND c.channel = ANY(%(names)s) AND c.enabled
          AND array_position(%(severities)s::text[], n.severity) >= array_position(%(severities)s::text[], c.severity)
          AND NOT EXISTS (SELECT 1 FROM notifications k WHERE k.notice_id = n.id AND k.channel = c.channel)
        ON CONFLICT DO NOTHING
        """,
        {"now": now, "screen": SCREEN, "old": now - OLD, "names": names, "severities": list(SEVERITIES)},
    )


def _claim(database: Database, names: list[str], now: datetime) -> list[Row]:
    """The messages that are due, the gravest first; while they are under way nobody else has them."""
    rows = database.fetch(
        """
        UPDATE notifications q SET attempts = q.attempts + 1, next_attempt_at = %(again)s
        FROM notification_channels c
        WHERE c.channel = q.channel AND q.id IN (
            SELECT id FROM notifications
            WHERE status = 'queued' AND channel = ANY(%(names)s) AND next_attempt_at <= %(now)s
            ORDER BY array_position(%(severities)s::text[], severity) DESC, id
            LIMIT %(most)s FOR UPDATE SKIP LOCKED
        )
        RETURNING q.id, q.at, q.channel, q.severity, q.subject, q.body, q.attempts, c.per_hour
        """,
        {
            "now": now,
            "again": now + LONGEST_PAUSE,
            "names": names,
            "severities": list(SEVERITIES),
            "most": AT_ONCE,
        },
    )
    return sorted(rows, key=lambda row: (-SEVERITIES.index(row["severity"]), row["id"]))


def _full(database: Database, row: Row, now: datetime) -> datetime | None:
    """When a channel that is at its limit has room again; None where it has."""
    sent = database.fetch(
        """
        SELECT sent_at FROM notifications
        WHERE channel = %s AND status = 'sent' AND sent_at > %s ORDER BY sent_at DESC LIMIT %s
        """,
        (row["channel"], now - HOUR, row["per_hour"]),
    )
    oldest: datetime | None = sent[-1]["sent_at"] if len(sent) >= row["per_hour"] else None
    return oldest + HOUR if oldest else None


def _body(database: Database, row: Row, now: datetime) -> str:
    """The text, with when it was written and how many were held back since the last message went out."""
    held = database.fetch_one(
        """
        SELECT count(*) AS n FROM notifications WHERE channel = %(channel)s AND status = 'suppressed'
          AND ended_at > %(old)s AND ended_at >= COALESCE(
            (SELECT max(sent_at) FROM notifications WHERE channel = %(channel)s AND status = 'sent'), '-infinity')
        """,
        {"channel": row["channel"], "old": now - OLD},
    )
    told = f"{row['body']}\n\n{row['severity']}, {row['at']:%Y-%m-%d %H:%M:%S} UTC".strip()
    if held and held["n"]:
        told += f"\n{held['n']} messages before this one were held back by the limit of {row['per_hour']} an hour."
    return told


def _fail(database: Database, row: Row, sentence: str, now: datetime) -> None:
    _log.error("a message could not be delivered by %s: %s", row["channel"], sentence)
    _end(database, row, "failed", sentence, now)


def _end(database: Database, row: Row, status: str, error: str, now: datetime) -> None:
    database.execute(
        """
        UPDATE notifications SET status = %s, error = %s, sent_at = %s, ended_at = %s, next_attempt_at = NULL
        WHERE id = %s
        """,
        (status, error[:1000], now if status == "sent" else None, now, row["id"]),
    )


def _put_off(database: Database, row: Row, until: datetime, *, attempted: bool = True, error: str = "") -> None:
    if error:
        _log.warning("%s: tried again at %s UTC: %s", row["channel"], f"{until:%H:%M:%S}", error)
    database.execute(
        "UPDATE notifications SET next_attempt_at = %s, error = %s, attempts = attempts - %s WHERE id = %s",
        (until, error[:1000], 0 if attempted else 1, row["id"]),
    )
