"""Asset checks, generated from the table registry: keys are unique, clocks are in order, the schema is the declared one."""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from stonks_assets.partitions import daily
from stonks_assets.resources import PipelineResource
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable


def checks_of(table: LakeTable) -> Iterator[dg.AssetChecksDefinition]:
    """The checks that every table gets."""

    @dg.multi_asset_check(
        name=f"check_{table.name}",
        specs=[
            dg.AssetCheckSpec(
                "unique_key", asset=table.name, description="no two rows share a business key", partitions_def=daily
            ),
            dg.AssetCheckSpec(
                "clock_order", asset=table.name, description="published_at <= available_at", partitions_def=daily
            ),
            dg.AssetCheckSpec(
                "declared_schema",
                asset=table.name,
                description="columns are those of the registry",
                partitions_def=daily,
            ),
        ],
        can_subset=False,
    )
    def body(context: dg.AssetCheckExecutionContext, pipeline: PipelineResource) -> Iterator[dg.AssetCheckResult]:
        day = date.fromisoformat(context.partition_key)
        with pipeline.open() as opened:
            for name, problem in findings(opened.lake, table, day).items():
                yield dg.AssetCheckResult(
                    asset_key=table.name,
                    check_name=name,
                    passed=not problem,
                    description=problem or "holds",
                )

    yield body


def findings(lake: Lake, table: LakeTable, day: date) -> dict[str, str]:
    """Each check's problem as a sentence, empty where it holds."""
    return {
        "unique_key": _duplicates(lake, table, day),
        "clock_order": _clock_order(lake, table, day),
        "declared_schema": _schema(lake, table),
    }


def _duplicates(lake: Lake, table: LakeTable, day: date) -> str:
    keys = lake.read(table, days=(day, day), columns=["day", *table.key])
    groups = keys.group_by(["day", *table.key]).aggregate([([], "count_all")])
    repeated = groups.filter(pc.field("count_all") > 1)
    if repeated.num_rows == 0:
        return ""
    return f"{repeated.num_rows} keys of {table.name} stand more than once on {day}, such as {repeated.slice(0, 1).to_pylist()[0]}"


def _clock_order(lake: Lake, table: LakeTable, day: date) -> str:
    names = {c.name for c in table.columns}
    if not {"published_at", "available_at"} <= names:
        return ""
    rows = lake.read(table, days=(day, day), columns=["published_at", "available_at"])
    early = rows.filter(pc.field("available_at") < pc.field("published_at"))
    return (
        f"{early.num_rows} rows of {table.name} on {day} were known before they were published"
        if early.num_rows
        else ""
    )


def _schema(lake: Lake, table: LakeTable) -> str:
    held = lake.ensure(table).to_pyarrow_dataset().schema
    wanted = {f.name: _comparable(f.type) for f in table.schema}
    found = {f.name: _comparable(f.type) for f in held}
    return "" if wanted == found else f"{table.name} holds {found} where the registry declares {wanted}"


def _comparable(kind: pa.DataType) -> str:
    return str(kind).replace("large_", "").replace("_view", "")
