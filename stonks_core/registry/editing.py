"""An edit of the registry: one transaction, one editor at a time, from an instant on, each change on record.

What has validity is never overwritten: an edit closes the state that held and opens another. Backdating (`effective_from`)
is the caller's word that it was so already then; nothing can take effect before the newest state did, nor in the future.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

import psycopg

from stonks_core.audit import note
from stonks_core.clock import require_utc
from stonks_core.errors import BadInputError, ConflictError
from stonks_core.stores.postgres import Connection, Database

LOCK: Final = "registry"
_TAKEN: Final[Mapping[str, str]] = {
    "one_company_per_ticker": "the ticker belongs to another company at that time",
    "companies_one_current_ticker": "the ticker belongs to another company",
    "one_state_per_company": "the company has another state at that time",
    "one_alias_at_a_time": "the company has that alias at that time already",
    "one_profile_at_a_time": "the company has an exposure profile at that time already",
    "one_relationship_at_a_time": "the two companies have a relationship at that time already",
    "sources_one_name": "there is a source of that type and name already",
    "watchlists_name_key": "there is a watchlist of that name already",
}


@dataclass(frozen=True)
class Author:
    """Who edits and why; `trace_id` finds the request in the log."""

    actor: str
    reason: str
    trace_id: str = ""


@dataclass(frozen=True)
class Edit:
    """An edit under way. `at` is when it takes effect; `given` whether somebody said so."""

    connection: Connection
    author: Author
    at: datetime
    given: bool

    def note(self, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Put a change on record."""
        traced = {"trace_id": self.author.trace_id} if self.author.trace_id else {}
        more = {"effective_from": self.at.isoformat(), **traced}
        note(self.connection, self.author.actor, action, subject, self.author.reason, {**detail, **more})


@contextmanager
def editing(
    database: Database, author: Author, now: datetime, effective_from: datetime | None = None, *, dry_run: bool = False
) -> Iterator[Edit]:
    """One edit in a transaction of its own, taken back at the end where it is a dry run.

    Raises ConflictError where the database finds a name taken, BadInputError for an instant that lies ahead.
    """
    at = now if effective_from is None else require_utc(effective_from)
    if at > now:
        raise BadInputError(
            f"effective_from {at.isoformat()} lies in the future; it is {now.isoformat()}: make the edit when it takes effect"
        )
    try:
        with database.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (LOCK,))
            yield Edit(connection, author, at, effective_from is not None)
            if dry_run:
                connection.rollback()
    except (psycopg.errors.ExclusionViolation, psycopg.errors.UniqueViolation) as error:
        told = _TAKEN.get(error.diag.constraint_name or "")
        if told is None:
            raise
        raise ConflictError(f"{told}: nothing was changed") from error


def close_state(edit: Edit, table: LiteralString, where: LiteralString, key: Mapping[str, Any]) -> datetime | None:
    """Close the open row of a table with validity; from when a row that follows it holds, None where none was open.

    A row that would have held for no time at all is taken out instead. Raises ConflictError where the edit was told to take
    effect before the open row did.
    """
    found = edit.connection.execute(
        f"SELECT valid_from < %(at)s AS earlier, CASE WHEN isfinite(valid_from) THEN valid_from END AS since FROM {table} "
        f"WHERE {where} AND valid_to = 'infinity'",
        {**key, "at": edit.at},
    ).fetchone()
    if found is None:
        return None
    if found["earlier"]:
        edit.connection.execute(
            f"UPDATE {table} SET valid_to = %(at)s WHERE {where} AND valid_to = 'infinity'", {**key, "at": edit.at}
        )
        return edit.at
    since: datetime = found["since"]
    if edit.given and edit.at < since:
        raise ConflictError(
            f"what holds now took effect at {since.isoformat()}, so no edit can take effect at {edit.at.isoformat()}: "
            "name a later instant"
        )
    edit.connection.execute(f"DELETE FROM {table} WHERE {where} AND valid_to = 'infinity'", key)
    return since


def same_version(what: str, held: int, expected: int | None) -> None:
    """Raises ConflictError where somebody else has changed it since the caller read it; None where nobody read it before."""
    if expected is not None and held != expected:
        raise ConflictError(
            f"{what} is at version {held} and you changed version {expected}: somebody else was first. "
            "Read it again and repeat the change"
        )


def differences(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What would change: by field, what it `was` and what it `is` to be."""
    return {name: {"was": held[name], "is": value} for name, value in wanted.items() if held[name] != value}
