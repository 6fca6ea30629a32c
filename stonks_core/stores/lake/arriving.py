"""Rows on their way into a table: held against its declared schema, refused in a sentence that names the table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from stonks_core.errors import BadInputError
from stonks_core.stores.lake.tables import LakeTable

Rows: TypeAlias = Sequence[Mapping[str, Any]] | pa.Table
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def to_write(table: LakeTable, rows: Rows) -> pa.Table:
    """The rows with exactly the declared columns, types and order; a column that may be null may be left out.

    Raises BadInputError for a column that is missing or unknown, a value of another type, a null where none may be, a
    naive timestamp, and a `day` that is no ISO date.
    """
    try:
        given = _table(table, rows)
        _require_columns(table, given.column_names)
        whole = pa.table({f.name: _column(given, f) for f in table.schema})
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise BadInputError(f"rows for lake table {table.name} break its schema: {error}") from error
    for wanted in table.schema:
        if not wanted.nullable and (missing := whole[wanted.name].null_count):
            raise BadInputError(f"lake table {table.name} allows no null in {wanted.name}, and {missing} rows have one")
    for day in pc.unique(whole["day"]).to_pylist():
        if not _DAY.fullmatch(day):
            raise BadInputError(f"a row for lake table {table.name} has the day {day!r}: give it as YYYY-MM-DD")
    return whole.cast(table.schema)


def _table(table: LakeTable, rows: Rows) -> pa.Table:
    if isinstance(rows, pa.Table):
        return rows
    _require_columns(table, {name for row in rows for name in row} or table.schema.names)
    clocks = [f.name for f in table.schema if pa.types.is_timestamp(f.type)]
    for row in rows:
        for name in clocks:
            if isinstance(at := row.get(name), datetime) and at.tzinfo is None:
                raise BadInputError(f"{name} of a row for lake table {table.name} is naive: {at.isoformat()}")
    return pa.Table.from_pylist([dict(row) for row in rows], schema=table.schema)


def _require_columns(table: LakeTable, names: Iterable[str]) -> None:
    unknown = set(names) - set(table.schema.names)
    missing = {f.name for f in table.schema if not f.nullable} - set(names)
    for problem, found in (("has no column", unknown), ("needs a value for", missing)):
        if found:
            raise BadInputError(f"lake table {table.name} {problem} {', '.join(sorted(found))}")


def _column(rows: pa.Table, wanted: pa.Field) -> pa.ChunkedArray:
    if wanted.name not in rows.column_names:
        return pa.chunked_array([pa.nulls(rows.num_rows, wanted.type)])
    column = rows[wanted.name]
    if pa.types.is_timestamp(wanted.type) and pa.types.is_timestamp(column.type) and column.type.tz is None:
        raise BadInputError(f"{wanted.name} has no time zone: give UTC timestamps")
    return column.cast(wanted.type)
