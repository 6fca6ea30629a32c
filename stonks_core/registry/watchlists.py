"""Watchlists: named groups of companies, for people. Nothing is computed from them, so they have no history."""

from collections.abc import Sequence
from typing import Any, LiteralString

from stonks_core.errors import ConflictError, NotFoundError
from stonks_core.registry.companies import tracked
from stonks_core.registry.editing import Edit
from stonks_core.stores.postgres import Connection, Row
from stonks_core.versions import same_version

_SHOWN: LiteralString = """
    w.watchlist_id::text, w.name, w.description, w.version,
    ARRAY(SELECT c.ticker FROM watchlist_members m JOIN companies c USING (company_id)
          WHERE m.watchlist_id = w.watchlist_id AND c.valid_to = 'infinity' ORDER BY c.ticker) AS members
"""


def list_watchlists(connection: Connection, limit: int, after: str | None = None) -> list[Row]:
    """Watchlists by name, each with the tickers of its members that are tracked."""
    query: LiteralString = (
        f"SELECT {_SHOWN} FROM watchlists w WHERE %(after)s::text IS NULL OR w.name > %(after)s "
        "ORDER BY w.name LIMIT %(limit)s"
    )
    return connection.execute(query, {"after": after, "limit": limit}).fetchall()


def watchlist(connection: Connection, name: str) -> Row:
    """One watchlist by its name or id. Raises NotFoundError."""
    query: LiteralString = (
        f"SELECT {_SHOWN} FROM watchlists w WHERE w.name = %(name)s OR w.watchlist_id::text = %(name)s"
    )
    row = connection.execute(query, {"name": name}).fetchone()
    if row is None:
        raise NotFoundError(
            f"there is no watchlist {name[:60]!r}: `stonks registry watchlists list` and GET /registry/watchlists list them"
        )
    return row


def add_watchlist(edit: Edit, name: str, description: str, members: Sequence[str]) -> Row:
    """Make a watchlist. Raises ConflictError where the name is taken."""
    made = edit.connection.execute(
        "INSERT INTO watchlists (name, description) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING RETURNING name",
        (name, description),
    ).fetchone()
    if made is None:
        raise ConflictError(f"there is a watchlist {name!r} already: choose another name, or change that one")
    for member in members:
        _put_member(edit, name, member)
    edit.note("watchlist_added", name, {"description": description, "members": list(members)})
    return watchlist(edit.connection, name)


def change_watchlist(edit: Edit, name: str, wanted: dict[str, Any], version: int | None) -> Row:
    """Change what is given of `name`, `description` and `members` (all of them); nothing where it holds already."""
    held = watchlist(edit.connection, name)
    same_version(f"the watchlist {held['name']!r}", held["version"], version)
    if "members" in wanted:
        wanted = {**wanted, "members": sorted({tracked(edit.connection, m)["ticker"] for m in wanted["members"]})}
    changes = {key: {"was": held[key], "is": value} for key, value in wanted.items() if held[key] != value}
    if not changes:
        return held
    renamed = str(wanted.get("name", held["name"]))
    edit.connection.execute(
        "UPDATE watchlists SET name = %s, description = %s, version = version + 1, updated_at = now() "
        "WHERE watchlist_id = %s",
        (renamed, wanted.get("description", held["description"]), held["watchlist_id"]),
    )
    if "members" in changes:
        for member in set(held["members"]) - set(wanted["members"]):
            _drop_member(edit, renamed, member)
        for member in set(wanted["members"]) - set(held["members"]):
            _put_member(edit, renamed, member)
    edit.note("watchlist_changed", held["name"], {"changes": changes})
    return watchlist(edit.connection, renamed)


def put_member(edit: Edit, name: str, member: str) -> Row:
    """Put a company on a watchlist; putting it there twice is putting it there once."""
    held = watchlist(edit.connection, name)
    return change_watchlist(edit, name, {"members": [*held["members"], member]}, None)


def drop_member(edit: Edit, name: str, member: str, version: int | None) -> Row:
    """Take a company off a watchlist. Raises NotFoundError where it is not on it."""
    held = watchlist(edit.connection, name)
    same_version(f"the watchlist {held['name']!r}", held["version"], version)
    ticker = tracked(edit.connection, member)["ticker"]
    if ticker not in held["members"]:
        raise NotFoundError(f"{ticker} is not on the watchlist {held['name']!r}")
    return change_watchlist(edit, name, {"members": [one for one in held["members"] if one != ticker]}, None)


def remove_watchlist(edit: Edit, name: str, version: int | None) -> None:
    """Take a watchlist away; its companies stay."""
    held = watchlist(edit.connection, name)
    same_version(f"the watchlist {held['name']!r}", held["version"], version)
    edit.connection.execute("DELETE FROM watchlists WHERE watchlist_id = %s", (held["watchlist_id"],))
    edit.note("watchlist_removed", held["name"], {"description": held["description"], "members": held["members"]})


def _put_member(edit: Edit, name: str, member: str) -> None:
    edit.connection.execute(
        "INSERT INTO watchlist_members (watchlist_id, company_id) SELECT watchlist_id, %s FROM watchlists WHERE name = %s "
        "ON CONFLICT DO NOTHING",
        (tracked(edit.connection, member)["company_id"], name),
    )


def _drop_member(edit: Edit, name: str, member: str) -> None:
    edit.connection.execute(
        "DELETE FROM watchlist_members m USING watchlists w WHERE w.watchlist_id = m.watchlist_id AND w.name = %s "
        "AND m.company_id = %s",
        (name, tracked(edit.connection, member)["company_id"]),
    )
