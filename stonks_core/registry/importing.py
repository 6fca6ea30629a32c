"""The registry's rows for an export, and an import over what is there: adds and changes, never removes, all or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal, LiteralString

from stonks_core.errors import BadFieldsError, BadInputError, ConflictError, NotFoundError
from stonks_core.registry.attachments import add_alias, set_competitor, set_exposure
from stonks_core.registry.companies import add_company, change_company
from stonks_core.registry.editing import Edit
from stonks_core.registry.entries import (
    AliasEntry,
    CompanyChange,
    CompetitorEntry,
    Entry,
    Exposure,
    ExposureEntry,
    NewCompany,
    Rivalry,
    SourceChange,
    SourceEntry,
    WatchlistEntry,
)
from stonks_core.registry.sources import add_source, change_source, source_by_key
from stonks_core.registry.transfer import TABLES, Line, Refusals, TableName
from stonks_core.registry.watchlists import add_watchlist, change_watchlist
from stonks_core.stores.postgres import Connection, Row

_AT: Final = (
    "{0}.valid_from <= %(as_of)s::timestamptz AND (%(as_of)s::timestamptz < {0}.valid_to OR {0}.valid_to = 'infinity')"
)
_TRACKED: Final = f"JOIN company_history h ON h.company_id = {{0}} AND {_AT.format('h')}"
NEWEST: Final = "infinity"
ROWS: Mapping[TableName, LiteralString] = {
    "companies": "SELECT ticker, legal_name, sector, industry, cik, exchange, active FROM company_history h "
    f"WHERE {_AT.format('h')} ORDER BY ticker",
    "aliases": f"SELECT h.ticker, t.alias FROM company_aliases t {_TRACKED.format('t.company_id')} "
    f"WHERE {_AT.format('t')} ORDER BY h.ticker, t.alias",
    "exposures": "SELECT h.ticker, t.revenue_by_region, t.commodity_sensitivity, t.supply_chain_regions, t.basis "
    f"FROM exposure_profiles t {_TRACKED.format('t.company_id')} WHERE {_AT.format('t')} ORDER BY h.ticker",
    "competitors": "SELECT h.ticker, o.ticker AS competitor, t.relationship, t.strength FROM competitor_relationships t "
    f"{_TRACKED.format('t.company_id')} JOIN company_history o ON o.company_id = t.competitor_id AND {_AT.format('o')} "
    f"WHERE {_AT.format('t')} ORDER BY h.ticker, o.ticker",
    "watchlists": "SELECT w.name, w.description, ARRAY(SELECT h.ticker FROM watchlist_members m "
    f"{_TRACKED.format('m.company_id')} WHERE m.watchlist_id = w.watchlist_id ORDER BY h.ticker) AS members "
    "FROM watchlists w ORDER BY w.name",
    "sources": "SELECT s.source_type, s.name, COALESCE(h.ticker, '') AS ticker, s.config, s.credibility, s.active "
    f"FROM sources s LEFT {_TRACKED.format('s.company_id')} WHERE s.company_id IS NULL OR h.company_id IS NOT NULL "
    "ORDER BY s.source_type, s.name, ticker",
}


@dataclass(frozen=True)
class Imported:
    """What one line of an import does: `add` or `change`, and of a change which fields, what they were and what they are."""

    table: str
    where: str
    key: str
    action: str
    changes: dict[str, Any]

    def told(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def rows_of(connection: Connection, table: TableName, as_of: datetime | Literal["infinity"]) -> list[Row]:
    """A table's rows for an export, as of an instant or the newest; watchlists and sources as they are now."""
    return connection.execute(ROWS[table], {"as_of": as_of}).fetchall()


def apply(edit: Edit, tables: Mapping[TableName, Sequence[Line]]) -> list[Imported]:
    """Bring the registry to what the lines say; what each line does. A line that says what holds already does nothing.

    Raises BadFieldsError naming every line that cannot be taken, and then nothing is changed.
    """
    done: list[Imported] = []
    for name in TABLES:
        refusals = Refusals()
        held = {_key(name, row): row for row in rows_of(edit.connection, name, NEWEST)}
        for line in tables.get(name, ()):
            wanted = _plain(line.entry)
            key = _key(name, line.entry.model_dump(mode="json"))
            before = held.get(key)
            changes = _changes(before, wanted) if before else {}
            if before and not changes:
                continue
            try:
                with edit.connection.transaction():
                    _APPLY[name](edit, line.entry, before)
            except BadFieldsError as error:
                for column, message in error.fields:
                    refusals.add(line.where, column, message)
            except (BadInputError, ConflictError, NotFoundError) as error:
                refusals.add(line.where, "ticker" if "ticker" in TABLES[name].columns else "members", str(error))
            else:
                label = " ".join(part for part in key if part)
                done.append(Imported(name, line.where, label, "change" if before else "add", changes))
        refusals.settle()
    return done


def _key(name: TableName, row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[column]) for column in TABLES[name].key)


def _plain(entry: Entry) -> dict[str, Any]:
    values = entry.model_dump(mode="json", exclude_unset=True)
    if "members" in values:
        values["members"] = sorted(values["members"])
    return values


def _changes(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"was": before[name], "is": value} for name, value in wanted.items() if before[name] != value}


def _company(edit: Edit, entry: Entry, before: Row | None) -> None:
    if isinstance(entry, NewCompany):
        if before is None:
            add_company(edit, entry)
            return
        given = entry.model_dump(exclude_unset=True, exclude={"ticker"})
        change_company(edit, entry.ticker, CompanyChange(**given), None)


def _alias(edit: Edit, entry: Entry, _: Row | None) -> None:
    if isinstance(entry, AliasEntry):
        add_alias(edit, entry.ticker, entry.alias)


def _exposure(edit: Edit, entry: Entry, before: Row | None) -> None:
    if isinstance(entry, ExposureEntry):
        given = {**(before or {}), **entry.model_dump(exclude_unset=True)}
        given.pop("ticker")
        set_exposure(edit, entry.ticker, Exposure(**given), None)


def _competitor(edit: Edit, entry: Entry, before: Row | None) -> None:
    if isinstance(entry, CompetitorEntry):
        kind = (
            entry.relationship if "relationship" in entry.model_fields_set or before is None else before["relationship"]
        )
        set_competitor(edit, entry.ticker, entry.competitor, Rivalry(relationship=kind, strength=entry.strength), None)


def _watchlist(edit: Edit, entry: Entry, before: Row | None) -> None:
    if isinstance(entry, WatchlistEntry):
        if before is None:
            add_watchlist(edit, entry.name, entry.description, entry.members)
        else:
            change_watchlist(edit, entry.name, entry.model_dump(exclude_unset=True, exclude={"name"}), None)


def _source(edit: Edit, entry: Entry, _: Row | None) -> None:
    if isinstance(entry, SourceEntry):
        held = source_by_key(edit.connection, entry.source_type.value, entry.name, entry.ticker)
        if held is None:
            add_source(edit, entry)
        else:
            given = entry.model_dump(exclude_unset=True, exclude={"source_type", "name", "ticker"})
            change_source(edit, held["source_id"], SourceChange(**given), None)


_APPLY: Final[Mapping[TableName, Callable[[Edit, Entry, Row | None], None]]] = {
    "companies": _company,
    "aliases": _alias,
    "exposures": _exposure,
    "competitors": _competitor,
    "watchlists": _watchlist,
    "sources": _source,
}
