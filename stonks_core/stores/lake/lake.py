"""Reading and writing the lake's tables. Only asset bodies and the replay write; everybody reads.

Every write is by key and may be repeated: a merge that finds nothing new makes no commit.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.schema import Schema
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from stonks_core.clock import require_utc
from stonks_core.errors import BadInputError, CommitConflictError
from stonks_core.stores.lake.arriving import Rows, to_write
from stonks_core.stores.lake.files import dataset_of, new_files
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.tables import UTC_MICROS, LakeTable

CONFIGURATION = {"delta.checkpointInterval": "10", "delta.logRetentionDuration": "interval 30 days"}
EVOLVED = "stonks.columnsAdded"
"""The property of a table that columns were added to: some of its files lack them."""
LOG = logging.getLogger(__name__)
ATTEMPTS = 8
CHUNK_BYTES = 32_000_000
T = TypeVar("T")


@dataclass(frozen=True)
class Written:
    """What a write did; `version` is the table's after it."""

    inserted: int
    updated: int
    version: int

    @property
    def changed(self) -> int:
        """Rows inserted or updated."""
        return self.inserted + self.updated


class Lake:
    """All tables under one location. Safe to share between threads of one process."""

    def __init__(self, location: LakeLocation) -> None:
        self.location = location
        self._open: dict[str, DeltaTable] = {}
        self._lock = threading.Lock()

    def ensure(self, table: LakeTable) -> DeltaTable:
        """The Delta table, created with its declared schema when it is missing, at its newest version."""
        with self._lock:
            handle = self._open.get(table.name)
            if handle is None:
                handle = self._open[table.name] = self._open_or_create(table)
            else:
                handle.update_incremental()
            return handle

    def _open_or_create(self, table: LakeTable) -> DeltaTable:
        uri, options = self.location.table_uri(table.name), dict(self.location.options)
        try:
            return self._with_new_columns(table, DeltaTable(uri, storage_options=options))
        except TableNotFoundError:
            DeltaTable.create(
                uri,
                table.schema,
                mode="ignore",
                partition_by=["day"],
                name=table.name,
                description=table.doc,
                configuration=CONFIGURATION,
                storage_options=options,
            )
            return DeltaTable(uri, storage_options=options)

    def _with_new_columns(self, table: LakeTable, handle: DeltaTable) -> DeltaTable:
        """The table with the declared columns that an older release did not know; they are null in its rows."""
        held = {field.name for field in handle.schema().fields}
        missing = [field for field in table.schema if field.name not in held]
        if not missing:
            return handle
        if needed := [field.name for field in missing if not field.nullable]:
            raise BadInputError(
                f"lake table {table.name} at {self.location.root} lacks {', '.join(needed)}, which no older row can have: "
                "move the lake away and fetch again, or use the release that wrote it"
            )
        try:
            handle.alter.add_columns(Schema.from_arrow(pa.schema(missing)).fields)
            handle.alter.set_table_properties({EVOLVED: "true"}, raise_if_not_exists=False)
        except CommitFailedError:  # another process has added them just now
            LOG.info("the columns of lake table %s are being added by another process", table.name)
        return DeltaTable(self.location.table_uri(table.name), storage_options=dict(self.location.options))

    def version(self, table: LakeTable) -> int:
        """The table's newest version."""
        return self.ensure(table).version()

    def identity(self, table: LakeTable) -> str:
        """The table's own id: another one means that it was made anew."""
        return str(self.ensure(table).metadata().id)

    def read(
        self,
        table: LakeTable,
        *,
        days: tuple[date, date] | None = None,
        as_of: datetime | None = None,
        columns: Sequence[str] | None = None,
        where: ds.Expression | None = None,
        version: int | None = None,
    ) -> pa.Table:
        """Rows of the days (both included) that could have been known at `as_of`, and that match `where`.

        With `version` they are read as the table held them then; see `pinned` for what is no longer kept.
        """
        dataset = self._dataset(table, days, version)
        wanted = list(columns) if columns else [f.name for f in table.schema]
        if where is None:
            return _declared(table, dataset.to_table(columns=wanted, filter=_within(table, days, as_of)))
        # Merged files hold string views, which arrow cannot compare inside a scan: their rows are picked chunk by chunk.
        named = [f.name for f in table.schema if f.name in wanted or f.name in str(where)]
        scanner = dataset.scanner(columns=named, filter=_within(table, days, as_of))
        picked = [_declared(table, chunk).filter(where) for chunk in _chunks(scanner.to_batches())]
        rows = pa.concat_tables(picked) if picked else table.schema.empty_table().select(named)
        return rows.select([f.name for f in table.schema if f.name in wanted])

    def _dataset(self, table: LakeTable, days: tuple[date, date] | None, version: int | None) -> ds.Dataset:
        handle = self.ensure(table)
        dataset = self._dataset_of(handle, table, days)
        # Asked for after the dataset was made: versions only grow, so that an equal one is that of the dataset.
        if version is None or handle.version() == version:
            return dataset
        uri, options = self.location.table_uri(table.name), dict(self.location.options)
        return self._dataset_of(DeltaTable(uri, version=version, storage_options=options), table, days)

    def _dataset_of(self, handle: DeltaTable, table: LakeTable, days: tuple[date, date] | None) -> ds.Dataset:
        if self.location.local:
            return dataset_of(handle, table, days)
        return handle.to_pyarrow_dataset(file_pruning_predicate=_days_predicate(days))

    def pieces(
        self, table: LakeTable, days: tuple[date, date], known: Collection[str], columns: Sequence[str]
    ) -> Iterator[tuple[str, pa.Table | None]]:
        """The days' rows in pieces that never change, each by its name; None for the rows of one that is `known`.

        For whoever asks often: what it has of pieces that are still named stays true, the others are gone.
        """
        if self.location.local:
            for name, rows in new_files(self.ensure(table), days, known, columns):
                yield name, None if rows is None else _declared(table, rows)
            return
        version = f"version {self.version(table)} of {days[0]} to {days[1]}"
        yield version, None if version in known else self.read(table, days=days, columns=columns)

    def tail(
        self, table: LakeTable, since_version: int, *, columns: Sequence[str] | None = None
    ) -> tuple[pa.Table, int]:
        """Rows of the files that came after a version, and the newest version.

        Rows that compaction moved come again, so that readers go on by key; a version that is no longer kept means all
        rows.
        """
        handle = self.ensure(table)
        newest = handle.version()
        dataset = handle.to_pyarrow_dataset()
        if newest <= since_version:
            return _declared(
                table, dataset.to_table(columns=list(columns) if columns else None, filter=ds.scalar(False))
            ), newest
        before = self._paths_at(table, since_version) if since_version >= 0 else frozenset()
        fragments = [f for f in dataset.get_fragments() if f.path.lstrip("/") not in before]
        fresh = ds.FileSystemDataset(fragments, dataset.schema, dataset.format, dataset.filesystem)
        return _declared(table, fresh.to_table(columns=list(columns) if columns else None)), newest

    def at(self, table: LakeTable, version: int) -> DeltaTable:
        """The Delta table as it stood at an earlier version."""
        where, options = self.location.table_uri(table.name), dict(self.location.options)
        return DeltaTable(where, version=version, storage_options=options)

    def _paths_at(self, table: LakeTable, version: int) -> frozenset[str]:
        try:
            handle = self.at(table, version)
        except (TableNotFoundError, OSError, ValueError):
            return frozenset()
        return frozenset(f.path.lstrip("/") for f in handle.to_pyarrow_dataset().get_fragments())

    def merge(self, table: LakeTable, rows: Rows, *, update: bool = False) -> Written:
        """Insert the rows whose key is new and, with `update`, replace those whose key is known and that differ.

        Where the table's knowledge column is `as_of`, only a later row replaces. Of rows that share a key in one call
        the last one counts. Raises BadInputError for rows that break the declared schema.
        """
        source = _one_per_key(table, to_write(table, rows))
        if source.num_rows == 0:
            return Written(0, 0, self.version(table))
        days = sorted(set(source["day"].to_pylist()))
        listed = ", ".join(f"'{day}'" for day in days)
        keys = " AND ".join(f"target.{name} = source.{name}" for name in ("day", *table.key))
        worth = _differs(table) if table.knowledge != "as_of" else "source.as_of > target.as_of"

        def commit(handle: DeltaTable) -> Written:
            merger = handle.merge(
                source,
                predicate=f"target.day IN ({listed}) AND {keys}",
                source_alias="source",
                target_alias="target",
            )
            if update:
                merger = merger.when_matched_update_all(predicate=worth)
            figures = merger.when_not_matched_insert_all().execute()
            return Written(figures["num_target_rows_inserted"], figures["num_target_rows_updated"], handle.version())

        return self._committed(table, commit)

    def append(self, table: LakeTable, rows: Rows) -> Written:
        """Add rows without a look at those that are there, which costs the same however many those are.

        For a caller that knows that none of their keys is; everybody else merges.
        """
        source = _one_per_key(table, to_write(table, rows))
        if source.num_rows == 0:
            return Written(0, 0, self.version(table))

        def commit(handle: DeltaTable) -> Written:
            write_deltalake(handle, source, mode="append")
            return Written(source.num_rows, 0, handle.version())

        return self._committed(table, commit)

    def replace_day(self, table: LakeTable, day: date, rows: Rows) -> Written:
        """Make a day's partition hold exactly these rows."""
        source = _one_per_key(table, to_write(table, rows))
        if any(found != day.isoformat() for found in pc.unique(source["day"]).to_pylist()):
            raise BadInputError(
                f"rows of other days than {day} were given to replace that day of lake table {table.name}"
            )

        def commit(handle: DeltaTable) -> Written:
            write_deltalake(handle, source, mode="overwrite", predicate=f"day = '{day.isoformat()}'")
            return Written(source.num_rows, 0, handle.version())

        return self._committed(table, commit)

    def delete(self, table: LakeTable, predicate: str) -> int:
        """Delete rows by a SQL predicate; how many."""

        def commit(handle: DeltaTable) -> int:
            return int(handle.delete(predicate)["num_deleted_rows"])

        return self._committed(table, commit)

    def compact(self, table: LakeTable, day: date) -> int:
        """Merge a day's small files; how many files went away."""

        def commit(handle: DeltaTable) -> int:
            figures = handle.optimize.compact(partition_filters=[("day", "=", day.isoformat())])
            return int(figures["numFilesRemoved"])

        return self._committed(table, commit)

    def _committed(self, table: LakeTable, operation: Callable[[DeltaTable], T]) -> T:
        """Run a write, and the whole of it again when another writer was first."""
        retrying = Retrying(
            retry=retry_if_exception_type(CommitFailedError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=2),
        )
        try:
            return retrying(lambda: operation(self.ensure(table)))
        except RetryError as error:
            raise CommitConflictError(
                f"lake table {table.name} was committed to by another writer {ATTEMPTS} times in a row: only one may write it"
            ) from error


def _declared(table: LakeTable, rows: pa.Table) -> pa.Table:
    """The rows as read, in the declared types and order (of the columns that are there)."""
    fields = [f for f in table.schema if f.name in rows.column_names]
    return rows.select([f.name for f in fields]).cast(pa.schema(fields))


def _one_per_key(table: LakeTable, rows: pa.Table) -> pa.Table:
    keys = ["day", *table.key]
    if rows.num_rows < 2:
        return rows
    numbered = rows.select(keys).append_column("_row", pa.array(range(rows.num_rows)))
    last = numbered.group_by(keys, use_threads=False).aggregate([("_row", "max")])["_row_max"]
    return rows if len(last) == rows.num_rows else rows.take(pa.array(sorted(last.to_pylist())))


def _differs(table: LakeTable) -> str:
    """Whether any column outside the key is another one: a row that stays as it is makes no commit."""
    others = [column.name for column in table.columns if column.name not in table.key]
    return " OR ".join(f"(source.{name} IS DISTINCT FROM target.{name})" for name in others) or "false"


def _chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches put together to some megabytes: a file's rows may be few, and each look at them costs the same."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size > CHUNK_BYTES:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _days_predicate(days: tuple[date, date] | None) -> list[tuple[str, str, str]] | None:
    """Only the files of these days are listed: a dataset of all files of a year costs fifty times as much to make."""
    return [("day", ">=", days[0].isoformat()), ("day", "<=", days[1].isoformat())] if days else None


def _within(table: LakeTable, days: tuple[date, date] | None, as_of: datetime | None) -> ds.Expression | None:
    condition: ds.Expression | None = None
    if days:
        condition = (ds.field("day") >= days[0].isoformat()) & (ds.field("day") <= days[1].isoformat())
    if as_of is not None:
        if table.knowledge is None:
            raise BadInputError(f"lake table {table.name} has no knowledge time, so it cannot be read as of an instant")
        condition = _both(condition, ds.field(table.knowledge) <= pa.scalar(require_utc(as_of), UTC_MICROS))
    return condition


def _both(left: ds.Expression | None, right: ds.Expression | None) -> ds.Expression | None:
    if left is None or right is None:
        return left if right is None else right
    return left & right


def instants(values: Iterable[datetime]) -> pa.Array:
    """A UTC timestamp array, for `isin` conditions."""
    return pa.array(list(values), UTC_MICROS)
