"""Changes of agents and variants: one transaction each, of the version that was read, on record with what was and is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from stonks_api.audit import record
from stonks_core.audit import OPERATOR
from stonks_core.errors import BadInputError, ConflictError, NotFoundError
from stonks_core.stores.postgres import Connection, Database, Row
from stonks_core.versions import differences, same_version

BASE = "base"
_CONFIGURED: tuple[LiteralString, ...] = ("model", "system_prompt", "options", "input_token_limit")
_AGENT: tuple[LiteralString, ...] = ("role", "purpose", *_CONFIGURED, "active")
_VARIANT: tuple[LiteralString, ...] = (*_CONFIGURED, "traffic_weight", "token_budget_per_hour", "shadow", "active")


@dataclass(frozen=True)
class Author:
    """Why something is changed, who said so where a person must, and the trace id that finds the request in the log."""

    reason: str
    trace_id: str
    person: str = ""


@dataclass(frozen=True)
class Edit:
    """An edit of one agent under way; its row is locked, so that weights are added up by one editor at a time."""

    connection: Connection
    author: Author
    agent: Row

    def variant(self, name: str) -> Row:
        """A variant's row, locked; NotFoundError where the agent has none of that name."""
        row = self.connection.execute(
            "SELECT * FROM agent_variants WHERE agent = %s AND name = %s FOR UPDATE", (self.agent["agent"], name)
        ).fetchone()
        if row is None:
            raise NotFoundError(
                f"{self.agent['agent']} has no variant {name}: GET /api/agents lists those that there are"
            )
        return row

    def note(self, action: str, variant: str, version: int, changed: Mapping[str, Any]) -> None:
        """Put a change into the agent's history and into the audit trail."""
        agent = self.agent["agent"]
        self.connection.execute(
            """
            INSERT INTO agent_history (agent, variant, action, actor, person, reason, version, changed)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (agent, variant, action, OPERATOR, self.author.person, self.author.reason, version, Jsonb(dict(changed))),
        )
        subject = f"{agent}/{variant}" if variant else agent
        detail = {"changed": dict(changed), "version": version, "trace_id": self.author.trace_id}
        detail |= {"person": self.author.person} if self.author.person else {}
        record(self.connection, f"agent_{action}", subject, self.author.reason, detail)


def create_agent(database: Database, author: Author, wanted: Mapping[str, Any]) -> None:
    """Make an agent of an operator's own; ConflictError where there is one of that name."""
    columns = sql.SQL(", ").join(map(sql.Identifier, wanted))
    values = sql.SQL(", ").join([sql.Placeholder()] * len(wanted))
    with database.connection() as connection:
        row = connection.execute(
            sql.SQL("INSERT INTO ai_agents ({}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING *").format(
                columns, values
            ),
            [_stored(value) for value in wanted.values()],
        ).fetchone()
        if row is None:
            raise ConflictError(f"there is an agent {wanted['agent']} already: change that one, or take another name")
        given = {name: {"was": None, "is": value} for name, value in wanted.items() if name != "agent"}
        Edit(connection, author, row).note("created", "", row["version"], given)


def remove_agent(edit: Edit, version: int) -> None:
    """Take out an operator's own agent with its variants; its history stays. ConflictError for one the pipeline asks."""
    held = edit.agent
    same_version(f"agent {held['agent']}", held["version"], version)
    if held["agent"] == held["role"]:
        raise ConflictError(f"{held['agent']} is what the pipeline asks and cannot be deleted: deactivate it instead")
    edit.connection.execute("DELETE FROM ai_agents WHERE agent = %s", (held["agent"],))
    gone = {field: {"was": held[field], "is": None} for field in _AGENT}
    edit.note("deleted", "", held["version"], gone)


@contextmanager
def editing(database: Database, agent: str, author: Author) -> Iterator[Edit]:
    """One edit in a transaction of its own; NotFoundError for an agent that does not exist."""
    with database.connection() as connection:
        row = connection.execute("SELECT * FROM ai_agents WHERE agent = %s FOR UPDATE", (agent,)).fetchone()
        if row is None:
            raise NotFoundError(f"there is no agent {agent}: GET /api/agents lists those that there are")
        yield Edit(connection, author, row)


def change_agent(edit: Edit, version: int, wanted: Mapping[str, Any], action: str = "changed") -> None:
    """Change an agent's base; nothing is written where nothing differs."""
    held = edit.agent
    same_version(f"agent {held['agent']}", held["version"], version)
    changed = differences(held, wanted)
    if changed:
        _update(edit, "ai_agents", {name: wanted[name] for name in changed}, "agent = %(key)s", held["agent"])
        edit.note(action, "", held["version"] + 1, changed)


def add_variant(edit: Edit, name: str, wanted: Mapping[str, Any]) -> None:
    """Make an inactive variant."""
    if name == BASE:
        raise BadInputError(f"{BASE} is what the agent itself is called: name the variant otherwise")
    fields = [field for field in _VARIANT if field in wanted]
    columns = sql.SQL(", ").join(map(sql.Identifier, ("agent", "name", *fields)))
    values = sql.SQL(", ").join([sql.Placeholder()] * (2 + len(fields)))
    try:
        edit.connection.execute(
            sql.SQL("INSERT INTO agent_variants ({}) VALUES ({})").format(columns, values),
            (edit.agent["agent"], name, *(_stored(wanted[field]) for field in fields)),
        )
    except psycopg.errors.UniqueViolation as error:
        raise ConflictError(
            f"{edit.agent['agent']} has a variant {name} already: change that one, or take another name"
        ) from error
    edit.note("created", name, 1, {field: {"was": None, "is": wanted[field]} for field in fields})


def change_variant(edit: Edit, name: str, version: int, wanted: Mapping[str, Any], action: str = "changed") -> None:
    """Change a variant; BadInputError where the active variants would have more than all documents."""
    held = edit.variant(name)
    same_version(f"variant {name}", held["version"], version)
    changed = differences(held, wanted)
    if not changed:
        return
    _check(edit, {**held, **wanted})
    key = edit.agent["agent"], name
    _update(
        edit, "agent_variants", {field: wanted[field] for field in changed}, "(agent, name) = (%(key)s, %(name)s)", *key
    )
    edit.note(action, name, held["version"] + 1, changed)


def remove_variant(edit: Edit, name: str, version: int) -> None:
    """Take out a variant that is not active; what it read and how it fared stays."""
    held = edit.variant(name)
    same_version(f"variant {name}", held["version"], version)
    if held["active"]:
        raise ConflictError(f"variant {name} is active: deactivate it first")
    edit.connection.execute("DELETE FROM agent_variants WHERE variant_id = %s", (held["variant_id"],))
    edit.note("deleted", name, held["version"], {field: {"was": held[field], "is": None} for field in _VARIANT})


def promote(edit: Edit, name: str, version: int, agent_version: int) -> None:
    """Make what a variant is asked with the agent's base, and switch the variant off: its documents are the base's now."""
    held, base = edit.variant(name), edit.agent
    same_version(f"variant {name}", held["version"], version)
    same_version(f"agent {base['agent']}", base["version"], agent_version)
    wanted = {
        "model": held["model"] or base["model"],
        "system_prompt": held["system_prompt"] or base["system_prompt"],
        "options": {**base["options"], **held["options"]},
        "input_token_limit": held["input_token_limit"] or base["input_token_limit"],
    }
    changed = differences(base, wanted)
    if not changed:
        raise ConflictError(f"variant {name} is asked as the base is: there is nothing to promote")
    _update(edit, "ai_agents", wanted, "agent = %(key)s", base["agent"])
    if held["active"]:
        key = base["agent"], name
        _update(edit, "agent_variants", {"active": False}, "(agent, name) = (%(key)s, %(name)s)", *key)
    edit.note("promoted", name, base["version"] + 1, changed)


def _check(edit: Edit, wanted: Mapping[str, Any]) -> None:
    if not wanted["active"] or wanted["shadow"]:
        return
    row = edit.connection.execute(
        """
        SELECT COALESCE(sum(traffic_weight), 0) AS others FROM agent_variants
        WHERE agent = %s AND name <> %s AND active AND NOT shadow
        """,
        (edit.agent["agent"], wanted["name"]),
    ).fetchone()
    others = row["others"] if row else 0.0
    if others + wanted["traffic_weight"] > 1 + 1e-9:
        raise BadInputError(
            f"the other active variants of {edit.agent['agent']} have {others:g} of the documents already, and "
            f"{wanted['name']} asks for {wanted['traffic_weight']:g}: lower a weight first"
        )


def _update(edit: Edit, table: LiteralString, wanted: Mapping[str, Any], where: LiteralString, *key: str) -> None:
    names: Sequence[str] = list(wanted)
    setting = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(f"_{n}")) for n in names)
    values = {f"_{name}": _stored(wanted[name]) for name in names}
    edit.connection.execute(
        sql.SQL("UPDATE {} SET {}, version = version + 1, updated_at = now() WHERE ").format(
            sql.Identifier(table), setting
        )
        + sql.SQL(where),
        {**values, **dict(zip(("key", "name"), key, strict=False))},
    )


def _stored(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value
