"""Sources: where raw payloads come from, how each is configured, how it fared, and taking it up again.

A source says what is asked for from now on, so it has no history; what it brought keeps its own credibility.
"""

from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from stonks_core.errors import ConflictError, NotFoundError
from stonks_core.identifiers import uuid_or_none
from stonks_core.registry.companies import tracked
from stonks_core.registry.editing import Edit
from stonks_core.registry.entries import SourceChange, SourceEntry
from stonks_core.registry.source_config import checked_config
from stonks_core.registry.source_state import unpark
from stonks_core.stores.postgres import Connection, Row
from stonks_core.versions import differences, same_version
from stonks_core.vocabulary import SourceType

_SHOWN: LiteralString = """
    s.source_id::text, s.source_type, s.name, COALESCE(c.ticker, '') AS ticker, s.config, s.credibility, s.active,
    s.last_published_at, s.version, COALESCE(t.parked, false) AS parked,
    COALESCE(t.failures_in_a_row, 0) AS failures_in_a_row, COALESCE(t.last_error, '') AS last_error,
    t.last_success_at, t.last_attempt_at,
    CASE WHEN isfinite(t.next_attempt_at) THEN t.next_attempt_at END AS next_attempt_at
"""
_FROM: LiteralString = "sources s LEFT JOIN companies c USING (company_id) LEFT JOIN source_states t USING (source_id)"
NAMED_AT_MOST = 5


def list_sources(
    connection: Connection,
    limit: int,
    *,
    after: tuple[str, str, str] | None = None,
    source_type: str | None = None,
    ticker: str | None = None,
    active: bool | None = None,
    parked: bool | None = None,
) -> list[Row]:
    """Sources by type and name, each with its state."""
    query: LiteralString = f"""
        SELECT {_SHOWN} FROM {_FROM}
        WHERE (%(source_type)s::text IS NULL OR s.source_type = %(source_type)s)
          AND (%(ticker)s::text IS NULL OR c.ticker = %(ticker)s)
          AND (%(active)s::boolean IS NULL OR s.active = %(active)s)
          AND (%(parked)s::boolean IS NULL OR COALESCE(t.parked, false) = %(parked)s)
          AND (%(type)s::text IS NULL OR (s.source_type, s.name, s.source_id::text) > (%(type)s, %(name)s, %(id)s))
        ORDER BY s.source_type, s.name, s.source_id::text LIMIT %(limit)s
    """
    place = dict(zip(("type", "name", "id"), after or (None, None, None), strict=True))
    chosen = {"source_type": source_type, "ticker": ticker, "active": active, "parked": parked}
    return connection.execute(query, {**place, **chosen, "limit": limit}).fetchall()


def source(connection: Connection, name: str) -> Row:
    """One source by its id or its name. Raises NotFoundError, ConflictError for a name that several have."""
    query: LiteralString = f"""
        SELECT {_SHOWN} FROM {_FROM} WHERE s.source_id = %(id)s OR %(id)s::uuid IS NULL AND s.name = %(name)s
        ORDER BY s.source_type LIMIT {NAMED_AT_MOST}
    """
    rows = connection.execute(query, {"id": uuid_or_none(name), "name": name}).fetchall()
    if not rows:
        raise NotFoundError(
            f"there is no source {name[:60]!r}: `stonks registry sources list` and GET /registry/sources list them"
        )
    if len(rows) > 1:
        ids = ", ".join(f"{row['source_id']} ({row['source_type']} {row['ticker']})" for row in rows)
        raise ConflictError(f"several sources are named {name!r}: give the id, one of {ids}")
    return rows[0]


def source_by_key(connection: Connection, source_type: str, name: str, ticker: str) -> Row | None:
    """The source of a type and name that belongs to a company, or to none; None where there is none."""
    query: LiteralString = (
        f"SELECT {_SHOWN} FROM {_FROM} WHERE s.source_type = %s AND s.name = %s AND COALESCE(c.ticker, '') = %s "
        "AND COALESCE(c.valid_to, 'infinity') = 'infinity'"
    )
    return connection.execute(query, (source_type, name, ticker)).fetchone()


def runs_of(connection: Connection, source_id: str, limit: int, before: tuple[Any, Any] = (None, None)) -> list[Row]:
    """How a source was asked, the last time first."""
    return connection.execute(
        """
        SELECT run_id::text, day, status, items_seen, items_new, error, error_class, started_at, finished_at
        FROM ingestion_runs WHERE source_id = %(source)s
          AND (%(at)s::timestamptz IS NULL OR (finished_at, run_id::text) < (%(at)s, %(after)s::text))
        ORDER BY finished_at DESC, run_id::text DESC LIMIT %(limit)s
        """,
        {"source": source_id, "at": before[0], "after": before[1], "limit": limit},
    ).fetchall()


def add_source(edit: Edit, new: SourceEntry) -> Row:
    """Ask another source from now on. Raises BadFieldsError for its configuration, ConflictError where the name is taken."""
    config = checked_config(new.source_type, new.config)
    company_id = tracked(edit.connection, new.ticker)["company_id"] if new.ticker else None
    made = edit.connection.execute(
        """
        INSERT INTO sources (source_type, name, company_id, config, credibility, active) VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING RETURNING source_id::text
        """,
        (new.source_type.value, new.name, company_id, Jsonb(config), new.credibility, new.active),
    ).fetchone()
    if made is None:
        of = f" of {new.ticker}" if new.ticker else ""
        raise ConflictError(f"there is a {new.source_type} source {new.name!r}{of} already: choose another name")
    detail = {**new.model_dump(mode="json"), "source_id": made["source_id"]}
    edit.note("source_added", new.name, detail)
    return source(edit.connection, made["source_id"])


def change_source(edit: Edit, name: str, change: SourceChange, version: int | None) -> Row:
    """Change what is given; `config` is replaced as a whole. Nothing where all of it holds already."""
    held = source(edit.connection, name)
    same_version(f"the source {held['name']!r}", held["version"], version)
    wanted = change.model_dump(exclude_unset=True)
    if "config" in wanted:
        wanted["config"] = checked_config(SourceType(held["source_type"]), wanted["config"])
    changes = differences(held, wanted)
    if not changes:
        return held
    state = {**held, **wanted}
    edit.connection.execute(
        """
        UPDATE sources SET name = %(name)s, config = %(config)s, credibility = %(credibility)s, active = %(active)s,
            version = version + 1, updated_at = now() WHERE source_id = %(source_id)s
        """,
        {**state, "config": Jsonb(state["config"])},
    )
    edit.note("source_changed", state["name"], {"source_id": held["source_id"], "changes": changes})
    return source(edit.connection, held["source_id"])


def remove_source(edit: Edit, name: str, version: int | None) -> None:
    """Take out a source that was never asked. Raises ConflictError for one that was: what it brought refers to it."""
    held = source(edit.connection, name)
    same_version(f"the source {held['name']!r}", held["version"], version)
    if runs_of(edit.connection, held["source_id"], 1):
        raise ConflictError(f"the source {held['name']!r} has been asked already, so it stays: switch it off instead")
    edit.connection.execute("DELETE FROM sources WHERE source_id = %s", (held["source_id"],))
    gone = {key: held[key] for key in ("source_id", "source_type", "ticker", "config", "credibility", "active")}
    edit.note("source_removed", held["name"], gone)


def unpark_source(edit: Edit, name: str) -> Row:
    """Let a parked source be asked again at the next opportunity, its failures forgotten. Asking twice is asking once."""
    held = source(edit.connection, name)
    detail = {key: held[key] for key in ("failures_in_a_row", "last_error")}
    author = edit.author
    unpark(edit.connection, held["source_id"], actor=author.actor, reason=author.reason, at=edit.at, detail=detail)
    return source(edit.connection, held["source_id"])
