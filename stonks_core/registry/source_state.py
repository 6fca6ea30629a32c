"""Parking and un-parking a source: the state of its attempts, the alert that tells a person, and the record of who did it."""

import logging
from collections.abc import Mapping
from datetime import datetime

from psycopg.types.json import Jsonb

from stonks_core.errors import NotFoundError
from stonks_core.stores.postgres import Connection

LOG = logging.getLogger(__name__)
STAGE = "source_parked"


def alert_parked(connection: Connection, source_id: str, error: str, at: datetime) -> str:
    """Tell people that a source is parked: a CRITICAL log record and an open row in `failures`; the sentence.

    NotFoundError for an unknown source.
    """
    row = connection.execute(
        """
        SELECT s.name, s.source_type, COALESCE(c.ticker, '') AS ticker, COALESCE(t.failures_in_a_row, 0) AS failures
        FROM sources s LEFT JOIN companies c USING (company_id) LEFT JOIN source_states t USING (source_id)
        WHERE s.source_id::text = %s
        """,
        (source_id,),
    ).fetchone()
    if row is None:
        raise NotFoundError(f"there is no source {source_id}: `stonks registry sources` lists them")
    of = f" of {row['ticker']}" if row["ticker"] else ""
    sentence = (
        f"source {row['name']} ({row['source_type']}){of} failed {row['failures']} times in a row and is parked, the last "
        f"time with: {error} Mend the cause, then un-park it with `stonks registry sources unpark {source_id}` or "
        f"POST /registry/sources/{source_id}/unpark"
    )
    connection.execute(
        """
        INSERT INTO failures (stage, item, error, detail, first_at, last_at)
        VALUES (%(stage)s, %(item)s, %(error)s, %(detail)s, %(at)s, %(at)s)
        ON CONFLICT (stage, item) DO UPDATE SET error = excluded.error, detail = excluded.detail, status = 'open',
            last_at = excluded.last_at, attempts = failures.attempts + 1
        """,
        {
            "stage": STAGE,
            "item": source_id,
            "error": sentence,
            "detail": Jsonb({"name": row["name"], "source_type": row["source_type"], "ticker": row["ticker"]}),
            "at": at,
        },
    )
    LOG.critical("%s", sentence)
    return sentence


def settle_alert(connection: Connection, source_id: str, at: datetime) -> None:
    """Note that a source that may have been parked is asked again, or has answered a person's asking by hand."""
    connection.execute(
        "UPDATE failures SET status = 'resolved', last_at = %s WHERE stage = %s AND item = %s AND status <> 'resolved'",
        (at, STAGE, source_id),
    )


def unpark(
    connection: Connection,
    source_id: str,
    *,
    actor: str,
    reason: str,
    at: datetime,
    detail: Mapping[str, object] | None = None,
) -> bool:
    """Let a source be asked again, at once and as if it had never failed; whether it was parked.

    Settles the alert and leaves an audit event, which holds `detail`. A source that is not parked stays as it is, with
    no event. NotFoundError for an unknown source. `connection` is in a transaction, which the caller commits.
    """
    known = connection.execute(
        "SELECT name FROM sources WHERE source_id::text = %s FOR UPDATE", (source_id,)
    ).fetchone()
    if known is None:
        raise NotFoundError(f"there is no source {source_id}: `stonks registry sources` lists them")
    freed = connection.execute(
        """
        UPDATE source_states SET parked = false, failures_in_a_row = 0, next_attempt_at = '-infinity'
        WHERE source_id = %s AND parked
        """,
        (source_id,),
    ).rowcount
    settle_alert(connection, source_id, at)
    if freed:
        connection.execute(
            "INSERT INTO audit_events (at, actor, action, subject, reason, detail) VALUES (%s, %s, %s, %s, %s, %s)",
            (at, actor, "source_unparked", source_id, reason, Jsonb({"name": known["name"], **(detail or {})})),
        )
    return freed > 0
