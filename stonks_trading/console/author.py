"""Who tells the engine something, when and why; and the account that it is said about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stonks_core.audit import OPERATOR, note
from stonks_core.errors import ConflictError
from stonks_core.stores.postgres import Connection, Row

CHANNEL = "stonks_engine_control"


@dataclass(frozen=True)
class Author:
    """An operator's act: its reason, its instant, the person's name where one was given, and the request's trace id."""

    reason: str
    at: datetime
    person: str = ""
    trace_id: str = ""

    @property
    def name(self) -> str:
        """Who is shown beside what was done."""
        return self.person or OPERATOR

    def record(self, connection: Connection, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Put the act on record and wake the engine, both with the transaction."""
        more = {name: value for name, value in (("person", self.person), ("trace_id", self.trace_id)) if value}
        note(connection, OPERATOR, action, subject, self.reason, {**detail, **more})
        connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, action))


def account_of(connection: Connection) -> Row:
    """The account that trades: the one that was synced last. ConflictError before the engine has met its broker."""
    row = connection.execute("SELECT * FROM broker_accounts ORDER BY synced_at DESC LIMIT 1").fetchone()
    if row is None:
        raise ConflictError("there is no broker account yet: start the trading daemon once, with `stonks up`")
    return row


def account_id_of(connection: Connection) -> str:
    """The id of the account that trades; empty before the engine has met its broker, for whoever only looks."""
    row = connection.execute("SELECT account_id FROM broker_accounts ORDER BY synced_at DESC LIMIT 1").fetchone()
    return row["account_id"] if row else ""
