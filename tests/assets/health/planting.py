"""Rows that keep every promise of a table, and rows that break one of them, put into a real Delta table."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import Column, LakeTable

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
Row = dict[str, Any]


@dataclass(frozen=True)
class Breach:
    """A row that breaks one promise: the check that must find it, and words that it must say."""

    check: str
    words: str
    row: Row


def sound(table: LakeTable, number: int = 0) -> Row:
    """A row that keeps every promise; rows of different numbers have different keys."""
    row: Row = {"day": TODAY.isoformat()}
    for column in table.columns:
        row[column.name] = _value(column)
    for less, more in table.ordered:
        row[more] = max(row[less], row[more])
    key = next(
        name for name in table.key if pa.types.is_string(table.column(name).type) and not table.column(name).among
    )
    row[key] = f"{key}-{number:04}"
    return row


def _value(column: Column) -> Any:
    if column.among:
        return column.among[0]
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        whole = pa.types.is_integer(column.type)
        return (1 if whole else 0.5) if column.within is None or column.within.high >= 1 else column.within.low
    if pa.types.is_timestamp(column.type):
        return NOON
    return {"bool": True, "binary": b"x"}.get(str(column.type), "x")


def breaches(table: LakeTable) -> Iterator[Breach]:
    """One row for each promise that can be broken by a row of its own, nulls aside."""
    number = 1
    for column in table.columns:
        for check, words, value in _bad_values(column):
            number += 1
            yield Breach(check, words, {**sound(table, number), column.name: value})
    for less, more in (*table.ordered, *_clocks(table)):
        number += 1
        row = sound(table, number)
        row[less], row[more] = _apart(row[less], row[more])
        check = "clock_order" if (less, more) in _clocks(table) else "column_order"
        yield Breach(check, f"{less} is more than {more}", row)


def _clocks(table: LakeTable) -> list[tuple[str, str]]:
    both = {"published_at", "available_at"} <= {column.name for column in table.columns}
    return [("published_at", "available_at")] if both else []


def _bad_values(column: Column) -> Iterator[tuple[str, str, Any]]:
    if column.among:
        yield "words", f"{column.name} is none of", "no such word"
    if pa.types.is_floating(column.type):
        for strange in (math.nan, math.inf):
            yield "ranges", f"{column.name} is no finite number", strange
    if column.within is not None:
        step = 1 if pa.types.is_integer(column.type) else 0.001
        words = f"{column.name} is not "
        if math.isfinite(column.within.low):
            yield "ranges", words, _as(column, column.within.low - (0 if column.within.above else step))
        if math.isfinite(column.within.high):
            yield "ranges", words, _as(column, column.within.high + step)


def _as(column: Column, value: float) -> float | int:
    return int(value) if pa.types.is_integer(column.type) else value


def _apart(less: Any, more: Any) -> tuple[Any, Any]:
    """Both exchanged and apart: the first is more than the second."""
    if isinstance(less, datetime):
        return more.replace(hour=13), less
    return (2, 1) if isinstance(less, int) else (0.9, 0.4)


def plant(lake: Lake, table: LakeTable, *rows: Row) -> None:
    """Append rows as they are, past every check on the way in; the table may hold nulls where none may be."""
    loose = replace(table, columns=tuple(replace(column, nullable=True) for column in table.columns))
    lake.ensure(loose)
    write_deltalake(
        lake.location.table_uri(table.name), pa.Table.from_pylist(list(rows), schema=loose.schema), mode="append"
    )
