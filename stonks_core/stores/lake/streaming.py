"""A table's rows in batches, for readers of more than memory should hold, and what changed in it since a version."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyarrow.fs import FileSystem, LocalFileSystem, SubTreeFileSystem
from pyarrow.parquet import ParquetFile

from stonks_core.errors import BadInputError
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import UTC_MICROS, LakeTable

BATCH_ROWS = 131_072
_STATISTICS_ROUNDED = timedelta(milliseconds=1)  # the log's statistics hold timestamps cut to milliseconds
Days = tuple[date, date]


def stream(
    lake: Lake,
    table: LakeTable,
    *,
    columns: Sequence[str],
    days: Days | None = None,
    as_of: datetime | None = None,
    encoded: Collection[str] = (),
    only: tuple[str, Collection[str]] | None = None,
    version: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """Rows of the days (both included) that could have been known at `as_of`, a file after the other.

    `columns` come in the table's order, in the declared types, and those of `encoded` as dictionaries. `only` names one
    of them, and the values whose rows are wanted. All batches are of one version: the one given, else the newest at the first.
    """
    wanted = [f.name for f in table.schema if f.name in columns]
    if as_of is not None and (table.knowledge is None or table.knowledge not in wanted):
        raise BadInputError(f"rows of lake table {table.name} cannot be cut at an instant without their knowledge time")
    handle = lake.ensure(table)
    if version is not None and handle.version() != version:
        handle = lake.at(table, version)
    files = _files(handle, days)
    place = _place(lake, table, handle) if files else None
    for file in files.values():
        yield from _rows(table, place, file, wanted, as_of=as_of, encoded=encoded, only=only)


@dataclass(frozen=True)
class Changes:
    """Rows of the files that came into a table since a version, and of those that went out of it.

    A row that a rewritten file still holds is in both. `awaited` are rows of the other files that became known since an
    instant. None is of after the instant that was asked for.
    """

    come: pa.Table
    gone: pa.Table
    awaited: pa.Table


def changes(
    lake: Lake, table: LakeTable, since_version: int, known_since: datetime, *, as_of: datetime, days: Days
) -> Changes | None:
    """What differs in these days from an earlier version, and what became known or was published since an instant.

    Only the files of which the log says so are read: of a table that stands still, none. For tables with `available_at`
    and `published_at`. None when the earlier version is not kept any more.
    """
    now = lake.ensure(table)
    if since_version > now.version():
        return None
    try:
        then = lake.at(table, since_version) if since_version < now.version() else now
        held, before = _files(now, days), _files(then, days)
        place = _place(lake, table, now)
        come = _read(table, place, [file for path, file in held.items() if path not in before])
        gone = _read(table, place, [file for path, file in before.items() if path not in held])
    except (DeltaError, OSError):
        return None
    still = [file for path, file in held.items() if path in before and file.may_hold_after(known_since)]
    awaited = _read(table, place, still)
    known = [_until(rows, as_of) for rows in (come, gone, awaited)]
    return Changes(known[0], known[1], known[2].filter(pc.greater(_latest(known[2]), _scalar(known_since))))


def count_rows(lake: Lake, table: LakeTable, days: Days) -> int:
    """How many rows these days hold, by the log."""
    return sum(file.rows for file in _files(lake.ensure(table), days).values())


@dataclass(frozen=True)
class _File:
    """A file by the log: none of its rows' clocks is later than `latest`; None without statistics."""

    path: str
    day: str
    rows: int
    latest: datetime | None

    def may_hold_after(self, instant: datetime) -> bool:
        return self.latest is None or self.latest >= instant


def _rows(
    table: LakeTable,
    place: FileSystem,
    file: _File,
    columns: Sequence[str],
    *,
    as_of: datetime | None = None,
    encoded: Collection[str] = (),
    only: tuple[str, Collection[str]] | None = None,
) -> Iterator[pa.RecordBatch]:
    """One file's rows; a batch of which none is wanted is left out, and one of which all are is handed on as it is."""
    with place.open_input_file(file.path) as opened, ParquetFile(opened, read_dictionary=list(encoded)) as parquet:
        for read in parquet.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=False):
            batch = _declared(table, read, file.day, columns, encoded)
            if as_of is not None:
                known = batch.column(str(table.knowledge))
                if batch.num_rows and pc.max(known).as_py() > as_of:
                    batch = batch.filter(pc.less_equal(known, _scalar(as_of)))
            if only is not None:
                batch = _picked(batch, *only)
            if batch.num_rows:
                yield batch


def _declared(
    table: LakeTable, read: pa.RecordBatch, day: str, columns: Sequence[str], encoded: Collection[str]
) -> pa.RecordBatch:
    """A batch in the declared types, with the day that its file stands under, and null where an older file has none."""
    fields = [_encoded(table.schema.field(name), name in encoded) for name in columns]
    held = set(read.schema.names)
    found = []
    for field in fields:
        if field.name == "day":
            found.append(pa.repeat(pa.scalar(day, pa.string()), read.num_rows).cast(field.type))
        elif field.name in held:
            found.append(read.column(field.name).cast(field.type))
        else:
            found.append(pa.nulls(read.num_rows, field.type))
    return pa.record_batch(found, schema=pa.schema(fields))


def _picked(batch: pa.RecordBatch, name: str, values: Collection[str]) -> pa.RecordBatch:
    column = batch.column(name)
    if not pa.types.is_dictionary(column.type):
        return batch.filter(pc.is_in(column, pa.array(sorted(values), column.type)))
    wanted = np.array([value in values for value in column.dictionary.to_pylist()], dtype=np.bool_)
    if wanted.all():
        return batch
    return batch.filter(pa.array(wanted[column.indices.to_numpy()])) if wanted.any() else batch.slice(0, 0)


def _encoded(field: pa.Field, encoded: bool) -> pa.Field:
    return field.with_type(pa.dictionary(pa.int32(), field.type)) if encoded else field


def _files(handle: DeltaTable, days: Days | None) -> dict[str, _File]:
    """The files of the days by path, in its order."""
    actions = pa.table(handle.get_add_actions(flatten=True))
    clocks = [f"max.{name}" for name in ("available_at", "published_at")]
    wanted = ("path", "partition.day", "num_records", *clocks)
    first, last = (day.isoformat() for day in days) if days else ("", "~")
    found = []
    for row in actions.select([name for name in wanted if name in actions.column_names]).to_pylist():
        if first <= row["partition.day"] <= last:
            instants = [row.get(clock) for clock in clocks]
            latest = None if None in instants else max(instants) + _STATISTICS_ROUNDED
            found.append(_File(row["path"], row["partition.day"], row["num_records"] or 0, latest))
    return {file.path: file for file in sorted(found, key=lambda file: file.path)}


def _place(lake: Lake, table: LakeTable, handle: DeltaTable) -> FileSystem:
    """Where a table's files are opened by their paths; the log's own file system costs twice as much on a local disk."""
    if lake.location.local:
        return SubTreeFileSystem(lake.location.table_uri(table.name), LocalFileSystem())
    return handle.to_pyarrow_dataset().filesystem


def _latest(rows: pa.Table) -> pa.ChunkedArray:
    """When a row could count: it was published, and known."""
    available, published = rows["available_at"], rows["published_at"]
    return pc.if_else(pc.greater(available, published), available, published)


def _until(rows: pa.Table, as_of: datetime) -> pa.Table:
    return rows.filter(pc.less_equal(_latest(rows), _scalar(as_of)))


def _scalar(instant: datetime) -> pa.Scalar:
    return pa.scalar(instant, UTC_MICROS)


def _read(table: LakeTable, place: FileSystem, files: Sequence[_File]) -> pa.Table:
    batches = (batch for file in files for batch in _rows(table, place, file, table.schema.names))
    return pa.Table.from_batches(batches, schema=table.schema)
