"""Companies: found by ticker or id, listed as of an instant, added, changed, renamed, delisted, removed.

A company is the same company through every rename: what it was called stands in its history.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

from stonks_core.errors import BadInputError, ConflictError, NotFoundError
from stonks_core.identifiers import uuid_or_none
from stonks_core.registry.editing import Edit, close_state
from stonks_core.registry.entries import CompanyChange, NewCompany
from stonks_core.stores.postgres import Connection, Row
from stonks_core.versions import differences, same_version

FIELDS = ("ticker", "legal_name", "sector", "industry", "cik", "exchange", "active")
_STATE: LiteralString = """
    h.company_id::text, h.ticker, h.legal_name, h.sector, h.industry, h.cik, h.exchange, h.active,
    CASE WHEN isfinite(h.valid_from) THEN h.valid_from END AS valid_from,
    CASE WHEN isfinite(h.valid_to) THEN h.valid_to END AS valid_to
"""
_ALIASES: LiteralString = """
    ARRAY(SELECT a.alias FROM company_aliases a WHERE a.company_id = h.company_id
          AND a.valid_from <= %(as_of)s AND %(as_of)s < a.valid_to ORDER BY a.alias) AS aliases
"""
LIST: LiteralString = f"""
    SELECT {_STATE}, c.version, {_ALIASES}, h.valid_to <= %(as_of)s AS delisted
    FROM company_history h JOIN companies c USING (company_id)
    WHERE h.valid_from = (SELECT max(n.valid_from) FROM company_history n
                          WHERE n.company_id = h.company_id AND n.valid_from <= %(as_of)s)
      AND (%(delisted)s::boolean IS NULL OR (h.valid_to <= %(as_of)s) = %(delisted)s)
      AND (%(active)s::boolean IS NULL OR h.active = %(active)s)
      AND (%(sector)s::text IS NULL OR h.sector = %(sector)s)
      AND (%(search)s::text IS NULL OR strpos(lower(h.ticker || ' ' || h.legal_name), lower(%(search)s)) > 0)
      AND (%(watchlist)s::text IS NULL OR EXISTS (
            SELECT FROM watchlist_members m JOIN watchlists w USING (watchlist_id)
            WHERE m.company_id = h.company_id AND w.name = %(watchlist)s))
      AND (%(after)s::text IS NULL OR (h.ticker, h.company_id::text) > (%(after)s, %(after_id)s))
    ORDER BY h.ticker, h.company_id::text LIMIT %(limit)s
"""
REFERRERS: Mapping[str, LiteralString] = {
    "sources": "SELECT FROM sources WHERE company_id = %(id)s",
    "watchlists": "SELECT FROM watchlist_members WHERE company_id = %(id)s",
    "competitors": "SELECT FROM competitor_relationships WHERE %(id)s IN (company_id, competitor_id)",
    "trading decisions": "SELECT FROM trading_decisions WHERE ticker = ANY(%(tickers)s)",
    "orders": "SELECT FROM orders WHERE ticker = ANY(%(tickers)s)",
    "positions": "SELECT FROM positions WHERE ticker = ANY(%(tickers)s)",
}
CLOSING: tuple[LiteralString, ...] = (
    "UPDATE company_aliases SET valid_to = %(at)s WHERE company_id = %(id)s AND valid_to = 'infinity'",
    "UPDATE exposure_profiles SET valid_to = %(at)s WHERE company_id = %(id)s AND valid_to = 'infinity'",
    "UPDATE competitor_relationships SET valid_to = %(at)s WHERE %(id)s IN (company_id, competitor_id) AND valid_to = 'infinity'",
)


def list_companies(
    connection: Connection,
    as_of: datetime,
    limit: int,
    *,
    after: tuple[str, str] | None = None,
    sector: str | None = None,
    active: bool | None = None,
    delisted: bool | None = False,
    watchlist: str | None = None,
    search: str | None = None,
) -> list[Row]:
    """Companies by ticker, as they stood at an instant; `delisted` None gives those that were and those that were not."""
    values = {"as_of": as_of, "limit": limit, "sector": sector, "active": active, "delisted": delisted}
    place = {"after": after[0] if after else None, "after_id": after[1] if after else None}
    return connection.execute(LIST, {**values, **place, "watchlist": watchlist, "search": search}).fetchall()


def company_id_of(connection: Connection, name: str, as_of: datetime | None = None) -> str:
    """The id behind a ticker or an id: who has the ticker at the instant; where none is given, who has it now or had it last.

    Raises NotFoundError where nobody has, or the company was not known then.
    """
    identifier = uuid_or_none(name)
    row = connection.execute(
        """
        SELECT company_id::text FROM company_history
        WHERE (company_id = %(id)s OR %(id)s::uuid IS NULL AND ticker = %(ticker)s)
          AND (%(as_of)s::timestamptz IS NULL OR valid_from <= %(as_of)s AND (%(as_of)s < valid_to OR %(id)s::uuid IS NOT NULL))
        ORDER BY valid_to DESC LIMIT 1
        """,
        {"id": identifier, "ticker": name.upper(), "as_of": as_of},
    ).fetchone()
    if row is None:
        then = f" as of {as_of.isoformat()}" if as_of else ""
        raise NotFoundError(
            f"the registry has no company {name[:40]!r}{then}: `stonks registry list` and GET /registry/companies list them"
        )
    return str(row["company_id"])


def company(connection: Connection, name: str, as_of: datetime, *, then: bool = False) -> Row:
    """One company as it stood at an instant, with its aliases; `then`: the ticker too is looked up at that instant."""
    company_id = company_id_of(connection, name, as_of if then else None)
    row = connection.execute(
        f"""
        SELECT {_STATE}, c.version, {_ALIASES}, h.valid_to <= %(as_of)s AS delisted
        FROM company_history h JOIN companies c USING (company_id)
        WHERE h.company_id = %(id)s AND h.valid_from <= %(as_of)s ORDER BY h.valid_from DESC LIMIT 1
        """,
        {"id": company_id, "as_of": as_of},
    ).fetchone()
    if row is None:
        raise NotFoundError(f"the registry did not know {name[:40]!r} yet at {as_of.isoformat()}")
    return row


def company_states(connection: Connection, company_id: str) -> list[Row]:
    """Every state of a company, oldest first; a bound that is open is None."""
    query: LiteralString = f"SELECT {_STATE} FROM company_history h WHERE h.company_id = %s ORDER BY h.valid_from"
    return connection.execute(query, (company_id,)).fetchall()


def tracked(connection: Connection, name: str) -> Row:
    """A company that may be edited: tracked now, found by ticker or id. Raises NotFoundError, ConflictError if delisted."""
    row = connection.execute(
        """
        SELECT company_id::text, ticker, legal_name, sector, industry, cik, exchange, active, version FROM companies
        WHERE valid_to = 'infinity' AND (company_id = %s OR ticker = %s)
        """,
        (uuid_or_none(name), name.upper()),
    ).fetchone()
    if row is not None:
        return row
    company_id_of(connection, name)
    raise ConflictError(f"{name[:40]} is not tracked any more under that name: only what is tracked can be changed")


def add_company(edit: Edit, new: NewCompany) -> Row:
    """Track a company from the edit's instant on. Raises ConflictError where the ticker is another's at that time."""
    _require_free(edit, new.ticker, None)
    made = edit.connection.execute(
        """
        INSERT INTO companies (ticker, legal_name, sector, industry, cik, exchange, active, valid_from)
        VALUES (%(ticker)s, %(legal_name)s, %(sector)s, %(industry)s, %(cik)s, %(exchange)s, %(active)s, %(at)s)
        RETURNING company_id::text, ticker, legal_name, sector, industry, cik, exchange, active, version
        """,
        {**new.model_dump(), "at": edit.at},
    ).fetchone()
    if made is None:
        raise ConflictError(f"{new.ticker} could not be added")
    edit.note("company_added", new.ticker, {"company_id": made["company_id"], **new.model_dump()})
    return made


def change_company(edit: Edit, name: str, change: CompanyChange, version: int | None) -> Row:
    """Change what is given, from the edit's instant on; nothing where all of it holds already."""
    return _new_state(edit, name, change.model_dump(exclude_unset=True), version, "company_changed")


def rename_company(edit: Edit, name: str, ticker: str | None, legal_name: str | None, version: int | None) -> Row:
    """Give a company another ticker, legal name or both, from the edit's instant on; it keeps its id."""
    wanted = {key: value for key, value in (("ticker", ticker), ("legal_name", legal_name)) if value is not None}
    if not wanted:
        raise BadInputError("a rename needs a ticker, a legal_name or both")
    return _new_state(edit, name, wanted, version, "company_renamed")


def delist_company(edit: Edit, name: str, version: int | None) -> Row:
    """Track a company no longer, from the edit's instant on, with all that hangs on it; its own sources are switched off."""
    held = tracked(edit.connection, name)
    key = {"id": held["company_id"], "at": edit.at}
    same_version(held["ticker"], held["version"], version)
    newest = edit.connection.execute(
        """
        SELECT valid_from FROM (
            SELECT valid_from FROM company_history WHERE company_id = %(id)s AND valid_to = 'infinity'
            UNION ALL SELECT valid_from FROM company_aliases WHERE company_id = %(id)s AND valid_to = 'infinity'
            UNION ALL SELECT valid_from FROM exposure_profiles WHERE company_id = %(id)s AND valid_to = 'infinity'
            UNION ALL SELECT valid_from FROM competitor_relationships
                WHERE %(id)s IN (company_id, competitor_id) AND valid_to = 'infinity') states
        WHERE valid_from >= %(at)s ORDER BY valid_from DESC LIMIT 1
        """,
        key,
    ).fetchone()
    if newest is not None:
        raise ConflictError(
            f"{held['ticker']} was edited with effect from {newest['valid_from'].isoformat()}, so it cannot be delisted from "
            f"{edit.at.isoformat()}: name a later instant, or remove it where it was a mistake"
        )
    edit.connection.execute(
        "UPDATE companies SET valid_to = %(at)s, version = version + 1, updated_at = now() WHERE company_id = %(id)s",
        key,
    )
    for closing in CLOSING:
        edit.connection.execute(closing, key)
    off = _switch_off_sources(edit, held["company_id"])
    detail = {"company_id": held["company_id"], "was": held["version"], "sources_switched_off": off}
    edit.note("company_delisted", held["ticker"], detail)
    return {**held, "version": held["version"] + 1}


def remove_company(edit: Edit, name: str, version: int | None, elsewhere: list[str]) -> None:
    """Take a company out as if it had never been; its aliases and exposure go with it.

    `elsewhere` names what outside this database refers to it. Raises ConflictError where anything refers to it.
    """
    company_id = company_id_of(edit.connection, name)
    states = company_states(edit.connection, company_id)
    held = edit.connection.execute("SELECT version FROM companies WHERE company_id = %s", (company_id,)).fetchone()
    same_version(name, held["version"] if held else 0, version)
    key = {"id": company_id, "tickers": [state["ticker"] for state in states]}
    found = [
        what
        for what, query in REFERRERS.items()
        if edit.connection.execute(query + " LIMIT 1", key).fetchone() is not None
    ]
    if found or elsewhere:
        raise ConflictError(
            f"{name} is referred to by its {', '.join(found + elsewhere)}, so it cannot be removed: delist it instead"
        )
    edit.connection.execute("DELETE FROM companies WHERE company_id = %s", (company_id,))
    gone = {field: states[-1][field] for field in FIELDS}
    edit.note("company_removed", str(states[-1]["ticker"]), {"company_id": company_id, **gone})


def tickers_ever(connection: Connection, name: str) -> list[str]:
    """Every ticker that a company has had."""
    states = company_states(connection, company_id_of(connection, name))
    return sorted({str(state["ticker"]) for state in states})


def _new_state(edit: Edit, name: str, wanted: Mapping[str, Any], version: int | None, action: str) -> Row:
    held = tracked(edit.connection, name)
    same_version(held["ticker"], held["version"], version)
    changes = differences(held, wanted)
    if not changes:
        return held
    state = {field: held[field] for field in FIELDS} | dict(wanted)
    if "ticker" in changes:
        _require_free(edit, state["ticker"], held["company_id"])
    key = {"id": held["company_id"]}
    since = close_state(edit, "company_history", "company_id = %(id)s", key)
    edit.connection.execute(
        """
        INSERT INTO company_history (company_id, ticker, legal_name, sector, industry, cik, exchange, active, valid_from)
        VALUES (%(id)s, %(ticker)s, %(legal_name)s, %(sector)s, %(industry)s, %(cik)s, %(exchange)s, %(active)s, %(since)s)
        """,
        {**state, **key, "since": since},
    )
    edit.connection.execute(
        """
        UPDATE companies SET ticker = %(ticker)s, legal_name = %(legal_name)s, sector = %(sector)s, industry = %(industry)s,
            cik = %(cik)s, exchange = %(exchange)s, active = %(active)s, version = version + 1, updated_at = now()
        WHERE company_id = %(id)s
        """,
        {**state, **key},
    )
    detail: dict[str, Any] = {"company_id": held["company_id"], "changes": changes}
    if changes.get("active", {}).get("is") is False:
        detail["sources_switched_off"] = _switch_off_sources(edit, held["company_id"])
    edit.note(action, str(state["ticker"]), detail)
    return {**held, **state, "version": held["version"] + 1}


def _switch_off_sources(edit: Edit, company_id: str) -> list[str]:
    """A company that is not in the universe is asked about no more; its sources would be due for ever."""
    rows = edit.connection.execute(
        "UPDATE sources SET active = false, version = version + 1, updated_at = now() "
        "WHERE company_id = %s AND active RETURNING name",
        (company_id,),
    ).fetchall()
    return [str(row["name"]) for row in rows]


def _require_free(edit: Edit, ticker: str, mine: str | None) -> None:
    row = edit.connection.execute(
        """
        SELECT company_id::text, legal_name, CASE WHEN isfinite(valid_to) THEN valid_to END AS until FROM company_history
        WHERE ticker = %s AND valid_to > %s AND company_id IS DISTINCT FROM %s::uuid ORDER BY valid_to DESC LIMIT 1
        """,
        (ticker, edit.at, mine),
    ).fetchone()
    if row is not None:
        until = f" until {row['until'].isoformat()}" if row["until"] else ""
        raise ConflictError(
            f"the ticker {ticker} belongs to {row['legal_name']} ({row['company_id']}){until}: "
            "rename or delist that company first, or name a later instant"
        )
