"""The twelve facts; the schedule `facts` renews them every hour."""

from collections.abc import Iterator

import dagster as dg

from stonks_assets.lake.step import STAGES
from stonks_assets.shell import table_asset


def assets() -> Iterator[dg.AssetsDefinition]:
    """One asset per fact; it depends on the tables that its columns come from."""
    for table, stage in STAGES.items():
        sources = sorted({source.split(".")[0] for column in table.columns for source in column.lineage})
        yield table_asset((table,), stage, reads=sources)
