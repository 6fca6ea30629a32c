"""A table's rows in batches, for readers of more than memory should hold, and what changed in it since a version."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from stonks_core.errors import BadInputError
from stonks_core.stores.lake.lake import Lake, days_predicate
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
) -> Iterator[pa.RecordBatch]:
    """Rows of the days (both included) that could have been known at `as_of`, a file after the other.

    `columns` come in the table's order, in the declared types, and those of `encoded` as dictionaries. `only` names one
    of them, and the values whose rows are wanted. All batches are of one version, the newest at the first.
    """
    wanted = [f.name for f in table.schema if f.name in columns]
    if as_of is not None and (table.knowledge is None or table.knowledge not in wanted):
        raise BadInputError(f"rows of lake table {table.name} cannot be cut at an instant without their knowledge time")
    dataset = lake.ensure(table).to_pyarrow_dataset(
        file_pruning_predicate=days_predicate(days),
        parquet_read_options=ds.ParquetReadOptions(dictionary_columns=set(encoded)),
    )
    for fragment in dataset.get_fragments():
        yield from _rows(table, dataset.schema, fragment, wanted, as_of=as_of, encoded=encoded, only=only)


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
        come = _read(table, now, held.keys() - before.keys(), days)
        gone = _read(table, then, before.keys() - held.keys(), days)
    except (DeltaError, OSError):
        return None
    still = [path for path, latest in held.items() if path in before and (latest is None or latest >= known_since)]
    awaited = _read(table, now, still, days)
    known = [_until(rows, as_of) for rows in (come, gone, awaited)]
    return Changes(known[0], known[1], known[2].filter(pc.greater(_latest(known[2]), _scalar(known_since))))


def count_rows(lake: Lake, table: LakeTable, days: Days) -> int:
    """How many rows these days hold, by the log."""
    actions = pa.table(lake.ensure(table).get_add_actions(flatten=True))
    of_day = zip(actions["partition.day"].to_pylist(), actions["num_records"].to_pylist(), strict=True)
    first, last = (day.isoformat() for day in days)
    return sum(count or 0 for day, count in of_day if first <= day <= last)


def _rows(
    table: LakeTable,
    stored: pa.Schema,
    fragment: ds.Fragment,
    columns: Sequence[str],
    *,
    as_of: datetime | None = None,
    encoded: Collection[str] = (),
    only: tuple[str, Collection[str]] | None = None,
) -> Iterator[pa.RecordBatch]:
    """One file's rows; a batch of which none is wanted is left out, and one of which all are is handed on as it is."""
    scanner = fragment.scanner(stored, columns=list(columns), batch_size=BATCH_ROWS, use_threads=False)
    schema = pa.schema([_encoded(table.schema.field(name), name in encoded) for name in columns])
    for read in scanner.to_batches():
        batch = read if read.schema.equals(schema) else read.cast(schema)
        if as_of is not None:
            known = batch.column(str(table.knowledge))
            if batch.num_rows and pc.max(known).as_py() > as_of:
                batch = batch.filter(pc.less_equal(known, pa.scalar(as_of, UTC_MICROS)))
        if only is not None:
            batch = _picked(batch, *only)
        if batch.num_rows:
            yield batch


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


def _files(handle: DeltaTable, days: Days) -> dict[str, datetime | None]:
    """The days' files, each with an instant that none of its clocks is later than; None without statistics."""
    actions = pa.table(handle.get_add_actions(flatten=True))
    clocks = [f"max.{name}" for name in ("available_at", "published_at")]
    first, last = (day.isoformat() for day in days)
    found: dict[str, datetime | None] = {}
    for row in actions.select([n for n in ("path", "partition.day", *clocks) if n in actions.column_names]).to_pylist():
        if first <= row["partition.day"] <= last:
            instants = [row.get(clock) for clock in clocks]
            found[row["path"]] = None if None in instants else max(instants) + _STATISTICS_ROUNDED
    return found


def _latest(rows: pa.Table) -> pa.ChunkedArray:
    """When a row could count: it was published, and known."""
    available, published = rows["available_at"], rows["published_at"]
    return pc.if_else(pc.greater(available, published), available, published)


def _until(rows: pa.Table, as_of: datetime) -> pa.Table:
    return rows.filter(pc.less_equal(_latest(rows), _scalar(as_of)))


def _scalar(instant: datetime) -> pa.Scalar:
    return pa.scalar(instant, UTC_MICROS)


def _read(table: LakeTable, handle: DeltaTable, paths: Collection[str], days: Days) -> pa.Table:
    names = table.schema.names
    if not paths:
        return table.schema.empty_table()
    dataset = handle.to_pyarrow_dataset(file_pruning_predicate=days_predicate(days))
    batches = [
        batch
        for fragment in dataset.get_fragments()
        if fragment.path.lstrip("/") in paths
        for batch in _rows(table, dataset.schema, fragment, names)
    ]
    return pa.Table.from_batches(batches, schema=table.schema)
