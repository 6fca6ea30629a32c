"""The upkeep of tables: how many small files a day has, and files that no version needs any more.

Merging a day's small files is `Lake.compact`; checkpoints are written with every tenth commit, by the table's own
configuration. Whoever calls here holds the table's pool: one writer at a time.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

import pyarrow as pa

from stonks_core.errors import BadInputError
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable

SMALL_BYTES = 16_000_000
"""A file below this is worth merging: well under what compaction makes, so that a merged day is not merged again."""
LEAST_KEPT = timedelta(days=7)


def small_files(lake: Lake, table: LakeTable) -> Mapping[date, int]:
    """How many small files each day of a table has at its newest version; from the log, no file is opened."""
    actions = pa.table(lake.ensure(table).get_add_actions(flatten=True))
    counted: dict[date, int] = defaultdict(int)
    for day, size in zip(actions["partition.day"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True):
        counted[date.fromisoformat(day)] += size < SMALL_BYTES
    return dict(counted)


def leftover_files(lake: Lake, table: LakeTable, keep: timedelta) -> int:
    """How many files of a table's folder no version of the last `keep` needs: replaced ones, and those of killed writes."""
    return len(lake.ensure(table).vacuum(_hours(table, keep), dry_run=True, full=True))


def vacuum(lake: Lake, table: LakeTable, keep: timedelta) -> int:
    """Delete those files and the log entries that have expired; how many files went. May be killed and run again.

    Raises BadInputError for less than a week: a run, a reader or a time travel may still need the files.
    """
    handle = lake.ensure(table)
    gone = len(handle.vacuum(_hours(table, keep), dry_run=False, full=True))
    if gone:
        handle.create_checkpoint()
        handle.cleanup_metadata()
    return gone


def _hours(table: LakeTable, keep: timedelta) -> int:
    if keep < LEAST_KEPT:
        raise BadInputError(
            f"files of lake table {table.name} were to be kept for {keep}: {LEAST_KEPT.days} days are the least"
        )
    return int(keep.total_seconds() // 3600)
