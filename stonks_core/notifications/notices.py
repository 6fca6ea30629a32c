"""Leaving a notice, in the transaction of what it is about. Screens show it; delivery takes it elsewhere."""

from datetime import datetime
from typing import Literal

from stonks_core.stores.postgres import Connection

Severity = Literal["info", "warning", "critical"]
SCREEN = "screen"


def leave(
    connection: Connection, at: datetime, severity: Severity, subject: str, body: str, dedupe_key: str = ""
) -> bool:
    """Leave a notice for people; with a key it is left once for ever. Whether it is new."""
    done = connection.execute(
        """
        INSERT INTO notifications (at, severity, subject, body, dedupe_key) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING
        """,
        (at, severity, subject, body, dedupe_key),
    )
    return done.rowcount == 1
