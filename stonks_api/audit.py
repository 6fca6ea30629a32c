"""What an operator asks for goes on record: the body of every changing request, and its row of the audit trail."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from stonks_core.audit import OPERATOR, Reason, note
from stonks_core.stores.postgres import Connection


class Wish(BaseModel):
    """The body of every changing request: at least a reason, which goes on record."""

    model_config = ConfigDict(extra="forbid", strict=True)
    reason: Reason


def record(connection: Connection, action: str, subject: str, reason: str, detail: Mapping[str, Any]) -> None:
    """Note an operator's act; the database stamps the instant."""
    note(connection, OPERATOR, action, subject, reason, detail)
