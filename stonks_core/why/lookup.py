"""Look-ups in the lake by key, touching only the days that may hold the rows."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_core.errors import NotFoundError
from stonks_core.identifiers import day_of_document
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable

Row = dict[str, Any]


def document_day(document_id: str) -> date:
    """The feed day that a document's id begins with; NotFoundError when it begins with none, so that no row can have it."""
    try:
        return day_of_document(document_id)
    except ValueError as error:
        raise NotFoundError(
            f"there is no document {document_id!r}: a document's id begins with its day, as in 20240501-..."
        ) from error


def rows_by(
    lake: Lake,
    table: LakeTable,
    key: str,
    wanted: Collection[str],
    days: Iterable[date],
    columns: Iterable[str] | None = None,
) -> dict[str, Row]:
    """Rows of a table by the value of a key column, read from these days' partitions; what is not there is missing."""
    listed = sorted(set(days))
    if not wanted or not listed:
        return {}
    among = ds.field(key).isin(pa.array(sorted(wanted), pa.string())) & ds.field("day").isin(
        pa.array([day.isoformat() for day in listed], pa.string())
    )
    names = list(dict.fromkeys((key, *columns))) if columns is not None else None
    found = lake.read(table, days=(listed[0], listed[-1]), columns=names, where=among).to_pylist()
    return {str(row[key]): row for row in found}


def first_row(lake: Lake, table: LakeTable, key: str, value: str, first: date, last: date) -> Row | None:
    """The row with that key in the days from `first` to `last`, or None."""
    found = lake.read(table, days=(first, last), where=ds.field(key) == value).to_pylist()
    return found[0] if found else None


def row_near(lake: Lake, table: LakeTable, key: str, value: str, until: date, reach: int) -> Row | None:
    """The row with that key in the `reach` days up to `until`; the last days, where it mostly stands, are tried first."""
    near = first_row(lake, table, key, value, until - timedelta(days=2), until)
    return near or first_row(lake, table, key, value, until - timedelta(days=reach), until - timedelta(days=3))
