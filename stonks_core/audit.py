"""What was changed, by whom, when and why: one row of the audit trail, in the transaction of the change itself."""

from collections.abc import Mapping
from typing import Annotated, Any

from psycopg.types.json import Jsonb
from pydantic import StringConstraints

from stonks_core.stores.postgres import Connection

OPERATOR = "operator"
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=r"^[^\x00]*$")]


def note(connection: Connection, actor: str, action: str, subject: str, reason: str, detail: Mapping[str, Any]) -> None:
    """Note an act; the database stamps the instant."""
    connection.execute(
        "INSERT INTO audit_events (actor, action, subject, reason, detail) VALUES (%s, %s, %s, %s, %s)",
        (actor, action, subject, reason, Jsonb(dict(detail))),
    )
