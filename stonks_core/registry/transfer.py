"""The registry as text, out and in: CSV for one table, JSON for one or all. Pure: rows to bytes, bytes to entries.

A cell that a spreadsheet would take for a formula goes out behind an apostrophe and comes in without it. Lists and maps
stand in CSV as JSON. An empty cell says nothing about its column.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import ValidationError

from stonks_core.errors import BadFieldsError, BadInputError
from stonks_core.registry.entries import (
    AliasEntry,
    CompetitorEntry,
    Entry,
    ExposureEntry,
    NewCompany,
    SourceEntry,
    WatchlistEntry,
)
from stonks_core.registry.source_config import checked_config

Kind = Literal["text", "integer", "number", "boolean", "json"]
Format = Literal["csv", "json"]
TableName = Literal["companies", "aliases", "exposures", "competitors", "watchlists", "sources"]
MOST_TOLD = 50
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_HIDDEN = re.compile(r"'+[=+\-@\t\r]")
_BOOLEANS: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class Table:
    """A table that goes out and in: its columns in order with their kinds, what names a row, and the entry's model."""

    model: type[Entry]
    columns: Mapping[str, Kind]
    key: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """An entry and where it stood."""

    where: str
    entry: Entry


@dataclass
class Refusals:
    """What is wrong with an import, gathered so that all of it is told at once."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, column: str, message: str) -> None:
        """Another bad line and column."""
        self.found.append((f"{where}, {column}" if column else where, message))

    def settle(self) -> None:
        """Raises BadFieldsError where anything was found."""
        if self.found:
            rest = len(self.found) - MOST_TOLD
            more = [("and more", f"{rest} further refusals")] if rest > 0 else []
            raise BadFieldsError([*self.found[:MOST_TOLD], *more])


TABLES: Mapping[TableName, Table] = {
    "companies": Table(
        NewCompany,
        {
            "ticker": "text", "legal_name": "text", "sector": "text", "industry": "text", "cik": "integer",
            "exchange": "text", "active": "boolean",
        },
        ("ticker",),
    ),
    "aliases": Table(AliasEntry, {"ticker": "text", "alias": "text"}, ("ticker", "alias")),
    "exposures": Table(
        ExposureEntry,
        {
            "ticker": "text", "revenue_by_region": "json", "commodity_sensitivity": "json",
            "supply_chain_regions": "json", "basis": "text",
        },
        ("ticker",),
    ),
    "competitors": Table(
        CompetitorEntry,
        {"ticker": "text", "competitor": "text", "relationship": "text", "strength": "number"},
        ("ticker", "competitor"),
    ),
    "watchlists": Table(WatchlistEntry, {"name": "text", "description": "text", "members": "json"}, ("name",)),
    "sources": Table(
        SourceEntry,
        {
            "source_type": "text", "name": "text", "ticker": "text", "config": "json", "credibility": "number",
            "active": "boolean",
        },
        ("source_type", "name", "ticker"),
    ),
}  # fmt: skip


def shielded(cell: str) -> str:
    """The cell, behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unshielded(cell: str) -> str:
    """The cell as it was before it was shielded."""
    return cell[1:] if _HIDDEN.match(cell) else cell


def to_csv(name: TableName, rows: Sequence[Mapping[str, Any]]) -> str:
    """One table's rows as CSV with a header."""
    columns = TABLES[name].columns
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column], kind) for column, kind in columns.items()])
    return out.getvalue()


def to_json(tables: Mapping[TableName, Sequence[Mapping[str, Any]]]) -> str:
    """Tables as one JSON object: by name, a list of rows."""
    plain = {name: [{c: row[c] for c in TABLES[name].columns} for row in rows] for name, rows in tables.items()}
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_csv(name: TableName, body: bytes) -> dict[TableName, list[Line]]:
    """A table's entries out of CSV. Raises BadFieldsError naming each bad line and column."""
    refusals, rows = Refusals(), []
    for line, row in _csv_rows(name, body, refusals):
        bad, where = len(refusals.found), f"line {line}"
        values = _values(name, row, where, refusals)
        if len(refusals.found) == bad:
            rows.append((where, values))
    entries = _entries(name, rows, refusals)
    refusals.settle()
    return {name: entries}


def read_json(body: bytes, name: TableName | None = None) -> dict[TableName, list[Line]]:
    """Entries out of JSON: an object of tables, or with `name` also one table's list. Raises BadFieldsError."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"the import is no JSON: {error}") from error
    tables = {name: given} if name is not None and isinstance(given, list) else given
    if not isinstance(tables, dict):
        raise BadInputError(f"the import must be a JSON object with some of {', '.join(TABLES)}, each a list of rows")
    refusals = Refusals()
    found: dict[TableName, list[Line]] = {}
    for table in tables:
        if table not in TABLES or (name is not None and table != name):
            refusals.add(
                str(table)[:40], "", f"is no table that can be imported here: there is {name or ', '.join(TABLES)}"
            )
    for table in TABLES:
        rows = tables.get(table, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            refusals.add(table, "", "must be a list of objects")
            continue
        found[table] = _entries(table, [(f"{table} {n}", row) for n, row in enumerate(rows, 1)], refusals)
    refusals.settle()
    return found


def _csv_rows(name: TableName, body: bytes, refusals: Refusals) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"the CSV is not in UTF-8: byte {error.start} is none of it") from error
    columns = TABLES[name].columns
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        for column in header:
            if column not in columns or header.count(column) > 1:
                refusals.add("line 1", column[:40] or "an empty column", f"{name} has once each: {', '.join(columns)}")
        for column, told in TABLES[name].model.model_fields.items():
            if told.is_required() and column not in header:
                refusals.add("line 1", column, "this column is missing")
        refusals.settle()
        end = reader.line_num
        for cells in reader:
            line, end = end + 1, reader.line_num
            if not cells:
                continue
            if len(cells) != len(header):
                refusals.add(f"line {line}", "", f"has {len(cells)} cells, and the header {len(header)}")
                continue
            yield line, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise BadInputError(f"line {reader.line_num} is no CSV: {error}") from error


def _values(name: TableName, row: Mapping[str, str], where: str, refusals: Refusals) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column, cell in row.items():
        if cell and column in TABLES[name].columns:
            try:
                values[column] = _value(unshielded(cell), TABLES[name].columns[column])
            except ValueError as error:
                refusals.add(where, column, str(error))
    return values


def _value(cell: str, kind: Kind) -> Any:
    if kind == "text":
        return cell
    try:
        match kind:
            case "integer":
                return int(cell)
            case "number":
                return float(cell)
            case "boolean":
                return _BOOLEANS[cell.strip().lower()]
            case _:
                return json.loads(cell)
    except (ValueError, KeyError, RecursionError) as error:
        wanted = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "json": "JSON"}[kind]
        raise ValueError(f"{cell[:40]!r} is not {wanted}") from error


def _cell(value: Any, kind: Kind) -> str:
    if value is None:
        return ""
    if kind == "json":
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if kind == "boolean":
        return "true" if value else "false"
    return shielded(str(value))


def _entries(name: TableName, rows: Sequence[tuple[str, Mapping[str, Any]]], refusals: Refusals) -> list[Line]:
    table, lines = TABLES[name], list[Line]()
    seen: dict[tuple[str, ...], str] = {}
    for where, row in rows:
        try:
            entry = table.model.model_validate(dict(row))
            if isinstance(entry, SourceEntry):
                checked_config(entry.source_type, entry.config)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                refusals.add(where, ".".join(str(part) for part in one["loc"]), str(one["msg"]))
            continue
        except BadFieldsError as error:
            for column, message in error.fields:
                refusals.add(where, column, message)
            continue
        key = tuple(str(getattr(entry, column)) for column in table.key)
        if key in seen:
            refusals.add(where, table.key[-1], f"names {' '.join(filter(None, key))} again, after {seen[key]}")
            continue
        seen[key] = where
        lines.append(Line(where, entry))
    return lines
