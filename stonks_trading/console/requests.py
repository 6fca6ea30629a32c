"""What an operator wants done once: asked for as a row, done by the engine, found again by its id."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from stonks_core.errors import ConflictError, NotFoundError
from stonks_core.stores.postgres import Connection, Row
from stonks_trading.console.author import Author
from stonks_trading.console.switches import turn

Kind = Literal["cancel_all", "cancel_entries", "flatten", "reset", "override_order"]


def ask(
    connection: Connection,
    author: Author,
    account_id: str,
    kind: Kind,
    *,
    key: str = "",
    detail: Mapping[str, Any] | None = None,
    valid_until: datetime | None = None,
) -> Row:
    """Ask the engine for something. Where the same is asked for already (open, or under the same key), that request.

    Raises ConflictError for a key that stands for something else.
    """
    wanted = dict(detail or {})
    made = connection.execute(
        """
        INSERT INTO engine_requests (account_id, kind, idempotency_key, detail, reason, asked_by, asked_at, valid_until)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING *
        """,
        (account_id, kind, key, Jsonb(wanted), author.reason, author.name, author.at, valid_until),
    ).fetchone()
    if made is not None:
        author.record(connection, f"{kind}_asked", str(made["request_id"]), wanted)
        return made
    held = connection.execute(
        """
        SELECT * FROM engine_requests
        WHERE account_id = %(account)s AND CASE WHEN %(key)s = '' THEN kind = %(kind)s AND done_at IS NULL
                                                ELSE idempotency_key = %(key)s END
        """,
        {"account": account_id, "kind": kind, "key": key},
    ).fetchone()
    if held is None:
        raise ConflictError(f"a request for {kind} was done while this one was asked for: ask again")
    if key and (held["kind"], held["detail"]) != (kind, wanted):
        raise ConflictError(
            f"the idempotency key {key!r} stands for another order ({held['kind']} {held['detail']}): "
            "use a new key for a new order"
        )
    return held


def known(connection: Connection, account_id: str, key: str) -> bool:
    """Whether a request of this key was asked for before."""
    row = connection.execute(
        "SELECT 1 FROM engine_requests WHERE account_id = %s AND idempotency_key = %s", (account_id, key)
    ).fetchone()
    return row is not None


def ask_flatten(connection: Connection, author: Author, account_id: str) -> Row:
    """Pause, so that nothing is bought meanwhile, and ask for every position to be left."""
    turn(connection, author, "paused", on=True)
    return ask(connection, author, account_id, "flatten")


def find(connection: Connection, request_id: UUID) -> Row:
    """One request; NotFoundError."""
    row = connection.execute("SELECT * FROM engine_requests WHERE request_id = %s", (request_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no request {request_id}: GET /api/trading/requests lists them")
    return row


def withdraw(connection: Connection, author: Author, request_id: UUID) -> Row:
    """Take back a request that is not done; what it did already stays done. ConflictError for one that is over."""
    find(connection, request_id)
    row = connection.execute(
        """
        UPDATE engine_requests SET done_at = %s, outcome = 'withdrawn', note = %s
        WHERE request_id = %s AND done_at IS NULL RETURNING *
        """,
        (author.at, f"{author.name}: {author.reason}", request_id),
    ).fetchone()
    if row is None:
        raise ConflictError(f"the request {request_id} is over already: there is nothing to withdraw")
    author.record(connection, "request_withdrawn", str(request_id), {"kind": row["kind"]})
    return row
