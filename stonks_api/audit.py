"""What an operator changed, when and why: one row of the audit trail, in the transaction of the change itself."""

from collections.abc import Mapping
from typing import Annotated, Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, StringConstraints

from stonks_core.stores.postgres import Connection

OPERATOR = "operator"
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=r"^[^\x00]*$")]


class Wish(BaseModel):
    """The body of every changing request: at least a reason, which goes on record."""

    model_config = ConfigDict(extra="forbid", strict=True)
    reason: Reason


def record(connection: Connection, action: str, subject: str, reason: str, detail: Mapping[str, Any]) -> None:
    """Note an operator's act; the database stamps the instant."""
    connection.execute(
        "INSERT INTO audit_events (actor, action, subject, reason, detail) VALUES (%s, %s, %s, %s, %s)",
        (OPERATOR, action, subject, reason, Jsonb(dict(detail))),
    )
