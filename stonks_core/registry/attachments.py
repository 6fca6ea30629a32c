"""What hangs on a company and has validity: its aliases, its exposure profile, its competitors."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.registry.companies import company_id_of, tracked
from stonks_core.registry.editing import Edit, close_state, differences, same_version
from stonks_core.registry.entries import Exposure, Rivalry
from stonks_core.stores.postgres import Connection, Row

_VALID: LiteralString = """
    CASE WHEN isfinite(t.valid_from) THEN t.valid_from END AS valid_from,
    CASE WHEN isfinite(t.valid_to) THEN t.valid_to END AS valid_to
"""
_HOLDS: LiteralString = "t.valid_from <= %(as_of)s AND %(as_of)s < t.valid_to"
_PROFILE: LiteralString = (
    f"t.revenue_by_region, t.commodity_sensitivity, t.supply_chain_regions, t.basis, t.version, {_VALID}"
)


def aliases_of(connection: Connection, name: str, as_of: datetime) -> list[Row]:
    """A company's other names at an instant."""
    query: LiteralString = (
        f"SELECT t.alias_id::text, t.alias, t.version, {_VALID} FROM company_aliases t "
        f"WHERE t.company_id = %(id)s AND {_HOLDS} ORDER BY t.alias"
    )
    return connection.execute(query, {"id": company_id_of(connection, name), "as_of": as_of}).fetchall()


def add_alias(edit: Edit, name: str, alias: str) -> bool:
    """Give a company another name; whether it did not have it already. Raises ConflictError where it had it until later."""
    held = tracked(edit.connection, name)
    key = {"id": held["company_id"], "alias": alias}
    if _open_alias(edit.connection, key):
        return False
    edit.connection.execute(
        "INSERT INTO company_aliases (company_id, alias, valid_from) VALUES (%(id)s, %(alias)s, %(at)s)",
        {**key, "at": edit.at},
    )
    edit.note("alias_added", held["ticker"], {"alias": alias})
    return True


def remove_alias(edit: Edit, name: str, alias: str, version: int | None) -> None:
    """Take a name from a company, from the edit's instant on."""
    held = tracked(edit.connection, name)
    key = {"id": held["company_id"], "alias": alias}
    row = _open_alias(edit.connection, key)
    if row is None:
        raise NotFoundError(f"{held['ticker']} has no alias {alias[:60]!r}")
    same_version(f"the alias {alias!r} of {held['ticker']}", row["version"], version)
    close_state(edit, "company_aliases", "company_id = %(id)s AND alias = %(alias)s", key)
    edit.note("alias_removed", held["ticker"], {"alias": alias})


def exposure_of(connection: Connection, name: str, as_of: datetime) -> Row | None:
    """A company's exposure profile at an instant; None where its sector's default holds."""
    query: LiteralString = f"SELECT {_PROFILE} FROM exposure_profiles t WHERE t.company_id = %(id)s AND {_HOLDS}"
    return connection.execute(query, {"id": company_id_of(connection, name), "as_of": as_of}).fetchone()


def exposure_states(connection: Connection, name: str) -> list[Row]:
    """Every exposure profile that a company has had, oldest first."""
    query: LiteralString = f"SELECT {_PROFILE} FROM exposure_profiles t WHERE t.company_id = %s ORDER BY t.valid_from"
    return connection.execute(query, (company_id_of(connection, name),)).fetchall()


def set_exposure(edit: Edit, name: str, exposure: Exposure, version: int | None) -> bool:
    """Give a company an exposure profile; whether it is another than it had. `version` 0 says that it has none."""
    held = tracked(edit.connection, name)
    key = {"id": held["company_id"]}
    row = _open_profile(edit.connection, held["company_id"])
    same_version(f"the exposure profile of {held['ticker']}", row["version"] if row else 0, version)
    wanted = exposure.model_dump()
    changes: dict[str, Any] = differences(row, wanted) if row else {"new": wanted}
    if not changes:
        return False
    since = close_state(edit, "exposure_profiles", "company_id = %(id)s", key) or edit.at
    edit.connection.execute(
        """
        INSERT INTO exposure_profiles (company_id, revenue_by_region, commodity_sensitivity, supply_chain_regions, basis,
                                       version, valid_from)
        SELECT %(id)s, %(revenue)s, %(commodities)s, %(regions)s, %(basis)s,
               GREATEST(%(version)s, COALESCE(max(version), 0)) + 1, %(since)s
        FROM exposure_profiles WHERE company_id = %(id)s
        """,
        {
            **key,
            "revenue": Jsonb(exposure.revenue_by_region),
            "commodities": Jsonb(exposure.commodity_sensitivity),
            "regions": Jsonb(exposure.supply_chain_regions),
            "basis": exposure.basis,
            "version": row["version"] if row else 0,
            "since": since,
        },
    )
    edit.note("exposure_changed", held["ticker"], {"changes": changes})
    return True


def remove_exposure(edit: Edit, name: str, version: int | None) -> None:
    """Let the default of the company's sector hold again, from the edit's instant on."""
    held = tracked(edit.connection, name)
    row = _open_profile(edit.connection, held["company_id"])
    if row is None:
        raise NotFoundError(f"{held['ticker']} has no exposure profile: its sector's default holds")
    same_version(f"the exposure profile of {held['ticker']}", row["version"], version)
    close_state(edit, "exposure_profiles", "company_id = %(id)s", {"id": held["company_id"]})
    edit.note("exposure_removed", held["ticker"], {})


def competitors_of(connection: Connection, name: str, as_of: datetime) -> list[Row]:
    """Whom a company's news may move at an instant, the strongest first."""
    query: LiteralString = f"""
        SELECT h.ticker AS competitor, h.legal_name, t.competitor_id::text, t.relationship, t.strength, t.version, {_VALID}
        FROM competitor_relationships t JOIN company_history h ON h.company_id = t.competitor_id
            AND h.valid_from <= %(as_of)s AND %(as_of)s < h.valid_to
        WHERE t.company_id = %(id)s AND {_HOLDS} ORDER BY t.strength DESC, h.ticker
    """
    return connection.execute(query, {"id": company_id_of(connection, name), "as_of": as_of}).fetchall()


def set_competitor(edit: Edit, name: str, competitor: str, rivalry: Rivalry, version: int | None) -> bool:
    """Say how a company stands to another; whether that is news. `version` 0 says that nothing was said before."""
    one, other = tracked(edit.connection, name), tracked(edit.connection, competitor)
    if one["company_id"] == other["company_id"]:
        raise BadInputError(f"{one['ticker']} cannot be its own competitor")
    key = {"id": one["company_id"], "other": other["company_id"]}
    row = _open_relationship(edit.connection, key)
    pair = f"{one['ticker']} to {other['ticker']}"
    same_version(f"the relationship of {pair}", row["version"] if row else 0, version)
    wanted = {"relationship": rivalry.relationship.value, "strength": rivalry.strength}
    changes: dict[str, Any] = differences(row, wanted) if row else {"new": wanted}
    if not changes:
        return False
    where: LiteralString = "company_id = %(id)s AND competitor_id = %(other)s"
    since = close_state(edit, "competitor_relationships", where, key) or edit.at
    edit.connection.execute(
        """
        INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength, version, valid_from)
        SELECT %(id)s, %(other)s, %(relationship)s, %(strength)s, GREATEST(%(version)s, COALESCE(max(version), 0)) + 1, %(since)s
        FROM competitor_relationships WHERE company_id = %(id)s AND competitor_id = %(other)s
        """,
        {**key, **wanted, "version": row["version"] if row else 0, "since": since},
    )
    edit.note("competitor_changed", pair, {"changes": changes})
    return True


def remove_competitor(edit: Edit, name: str, competitor: str, version: int | None) -> None:
    """Say no longer how a company stands to another, from the edit's instant on."""
    one, other = tracked(edit.connection, name), tracked(edit.connection, competitor)
    key = {"id": one["company_id"], "other": other["company_id"]}
    pair = f"{one['ticker']} to {other['ticker']}"
    row = _open_relationship(edit.connection, key)
    if row is None:
        raise NotFoundError(f"there is no relationship of {pair}")
    same_version(f"the relationship of {pair}", row["version"], version)
    close_state(edit, "competitor_relationships", "company_id = %(id)s AND competitor_id = %(other)s", key)
    edit.note("competitor_removed", pair, {"was": {k: row[k] for k in ("relationship", "strength")}})


def _open_alias(connection: Connection, key: dict[str, Any]) -> Row | None:
    return connection.execute(
        "SELECT version FROM company_aliases WHERE company_id = %(id)s AND alias = %(alias)s AND valid_to = 'infinity'",
        key,
    ).fetchone()


def _open_profile(connection: Connection, company_id: str) -> Row | None:
    query: LiteralString = (
        f"SELECT {_PROFILE} FROM exposure_profiles t WHERE t.company_id = %s AND t.valid_to = 'infinity'"
    )
    return connection.execute(query, (company_id,)).fetchone()


def _open_relationship(connection: Connection, key: dict[str, Any]) -> Row | None:
    return connection.execute(
        "SELECT relationship, strength, version FROM competitor_relationships "
        "WHERE company_id = %(id)s AND competitor_id = %(other)s AND valid_to = 'infinity'",
        key,
    ).fetchone()
