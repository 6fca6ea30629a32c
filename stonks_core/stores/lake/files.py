"""The data files of a local table, taken from its log: what is read without asking for every file's statistics.

A dataset as delta-rs makes it carries them, which costs a reader of two hundred small files four times the reading. Ours
hold no deletion vectors and no renamed columns, so that a file's rows are the table's.
"""

from collections.abc import Collection, Iterator
from datetime import date
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import DeltaTable
from pyarrow import fs

from stonks_core.stores.lake.tables import LakeTable

Days = tuple[date, date]
_DAY = "day="


def files_of(handle: DeltaTable, days: Days | None = None) -> list[str]:
    """The paths of the table's data files, of some days (both included) or of all."""
    paths = [unquote(path) for path in handle.file_uris()]
    if days is None:
        return paths
    first, last = days[0].isoformat(), days[1].isoformat()
    return [path for path in paths if first <= _day_of(path) <= last]


def dataset_of(handle: DeltaTable, table: LakeTable, days: Days | None = None) -> ds.Dataset:
    """The rows of those files; columns that an older file lacks are null in it."""
    paths = files_of(handle, days)
    if not paths:
        return ds.dataset(table.schema.empty_table())
    partitioning = ds.partitioning(pa.schema([table.schema.field("day")]), flavor="hive")
    return ds.dataset(
        paths, schema=table.schema, format="parquet", partitioning=partitioning, filesystem=fs.LocalFileSystem()
    )


def new_files(
    handle: DeltaTable, days: Days, known: Collection[str], columns: Collection[str]
) -> Iterator[tuple[str, pa.Table | None]]:
    """Each file of the days by its path, and the columns of those that are not `known`; files never change."""
    for path in files_of(handle, days):
        yield path, None if path in known else pq.ParquetFile(path).read(columns=list(columns))


def _day_of(path: str) -> str:
    start = path.rindex(_DAY) + len(_DAY)
    return path[start : path.index("/", start)]
