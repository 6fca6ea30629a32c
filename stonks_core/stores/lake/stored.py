"""What a table's files hold, whether it keeps the table's promises or not: what checks look at, and nothing else reads."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable


def files_of(
    lake: Lake, table: LakeTable, *, days: tuple[date, date] | None = None, since: datetime | None = None
) -> pa.Table:
    """The files of some days, or those that were written since an instant, with their figures from the table's log.

    No file is opened: `path`, `partition.day` and, where the log has them, `null_count.<column>`.
    """
    files = pa.table(lake.ensure(table).get_add_actions(flatten=True))
    wanted = pa.scalar(value=True)
    if days is not None:
        day = pc.cast(files["partition.day"], pa.string())
        wanted = pc.and_(pc.greater_equal(day, days[0].isoformat()), pc.less_equal(day, days[1].isoformat()))
    if since is not None:
        wanted = pc.and_(wanted, pc.greater_equal(files["modification_time"], _millis(since)))
    return files if days is None and since is None else files.filter(wanted)


def stored_rows(lake: Lake, table: LakeTable, columns: Sequence[str], files: pa.Table) -> pa.Table:
    """Columns of those files' rows in the declared types, nulls included where none may be.

    Raises ValueError where the table lacks a column, or holds one that is of another kind than declared.
    """
    held = [name for name in table.schema.names if name in columns]
    empty = pa.schema([table.schema.field(name).with_nullable(True) for name in held])
    if files.num_rows == 0:
        return empty.empty_table()
    days = sorted(set(files["partition.day"].to_pylist()))
    dataset = lake.ensure(table).to_pyarrow_dataset(file_pruning_predicate=[("day", "in", days)])
    wanted = set(files["path"].to_pylist())
    fragments = [fragment for fragment in dataset.get_fragments() if fragment.path.lstrip("/") in wanted]
    rows = ds.FileSystemDataset(fragments, dataset.schema, dataset.format, dataset.filesystem).to_table(columns=held)
    return rows.cast(empty)


def held_schema(lake: Lake, table: LakeTable) -> pa.Schema:
    """The schema that the table has, which an older release or another hand may have made."""
    return lake.ensure(table).to_pyarrow_dataset(file_pruning_predicate=[("day", "=", "")]).schema


def newest(lake: Lake, table: LakeTable, column: str) -> datetime | None:
    """The latest instant in a column, by the figures of the table's log; None where there are none."""
    files = pa.table(lake.ensure(table).get_add_actions(flatten=True))
    name = f"max.{column}"
    latest = pc.max(files[name]).as_py() if files.num_rows and name in files.column_names else None
    return latest.replace(tzinfo=UTC) if isinstance(latest, datetime) and latest.tzinfo is None else latest


def _millis(at: datetime) -> pa.Scalar:
    return pa.scalar(int(at.timestamp() * 1000), pa.int64())
