"""What a person must see: something failed again and again. One alert per subject, raised, seen and settled.

An alert is a CRITICAL log record, an open row of `failures` under the stage `alert`, which the page and the API show
first, and one row of `notifications` each time that it begins. It stays open until its subject works again.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

from psycopg.types.json import Jsonb

from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Database

LOG = logging.getLogger(__name__)
STAGE = "alert"
MACRO_CLASSIFICATION = "macro classification"
COMPETITIVE_PROPAGATION = "competitive propagation"


def raise_alert(
    database: Database, subject: str, sentence: str, at: datetime, detail: Mapping[str, object] | None = None
) -> None:
    """Tell people; an alert that is open already counts one more time, and notifies nobody again."""
    row = {"stage": STAGE, "item": subject, "error": sentence, "detail": Jsonb(dict(detail or {})), "at": at}
    with database.connection() as connection:
        before = connection.execute(
            "SELECT status FROM failures WHERE stage = %(stage)s AND item = %(item)s FOR UPDATE", row
        ).fetchone()
        connection.execute(
            """
            INSERT INTO failures (stage, item, error, detail, first_at, last_at)
            VALUES (%(stage)s, %(item)s, %(error)s, %(detail)s, %(at)s, %(at)s)
            ON CONFLICT (stage, item) DO UPDATE SET error = excluded.error, detail = excluded.detail,
                status = CASE WHEN failures.status = 'dismissed' THEN 'dismissed' ELSE 'open' END,
                first_at = CASE WHEN failures.status = 'resolved' THEN excluded.first_at ELSE failures.first_at END,
                attempts = CASE WHEN failures.status = 'resolved' THEN 1 ELSE failures.attempts + 1 END,
                last_at = excluded.last_at
            """,
            row,
        )
        if before is None or before["status"] == "resolved":
            leave(connection, at, "critical", subject, sentence, f"alert {subject} {at.isoformat()}")
    LOG.critical("%s", sentence)


def settle_alert(database: Database, subject: str, at: datetime) -> None:
    """Note that a subject works again; no alert, no change."""
    database.execute(
        "UPDATE failures SET status = 'resolved', last_at = %s WHERE stage = %s AND item = %s AND status <> 'resolved'",
        (at, STAGE, subject),
    )


def open_alerts(database: Database) -> Mapping[str, str]:
    """The subjects that have failed again and again and do not work yet, each with its sentence; not what was dismissed."""
    rows = database.fetch(
        "SELECT item, error FROM failures WHERE stage = %s AND status IN ('open', 'replay') ORDER BY first_at, item",
        (STAGE,),
    )
    return {row["item"]: row["error"] for row in rows}
