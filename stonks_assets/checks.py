"""Asset checks, generated from the table registry: keys are unique, clocks are in order, the schema is the declared one."""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from stonks_assets.resources import PipelineResource
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable

Days = tuple[date, date]
SOURCES_UP = "sources_up"
TABLE_CHECKS = ("unique_key", "clock_order", "declared_schema")


def days_of_run(tags: Mapping[str, str], today: date) -> Days:
    """The first and last day of a run's partition or range; today for a run without one."""
    only = tags.get("dagster/partition")
    first = tags.get("dagster/asset_partition_range_start", only)
    last = tags.get("dagster/asset_partition_range_end", only)
    return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else (today, today)


def checks_of(table: LakeTable) -> Iterator[dg.AssetChecksDefinition]:
    """The checks that every table gets."""

    @dg.multi_asset_check(
        name=f"check_{table.name}",
        specs=[
            dg.AssetCheckSpec("unique_key", asset=table.name, description="no two rows share a business key"),
            dg.AssetCheckSpec("clock_order", asset=table.name, description="published_at <= available_at"),
            dg.AssetCheckSpec(
                "declared_schema",
                asset=table.name,
                description="columns are those of the registry",
            ),
        ],
        can_subset=False,
    )
    def body(context: dg.AssetCheckExecutionContext, pipeline: PipelineResource) -> Iterator[dg.AssetCheckResult]:
        with pipeline.open() as opened:
            days = days_of_run(context.run.tags, opened.clock.now().date())
            for name, problem in findings(opened.lake, table, days).items():
                yield dg.AssetCheckResult(
                    asset_key=table.name,
                    check_name=name,
                    passed=not problem,
                    description=problem or "holds",
                )

    yield body


def findings(lake: Lake, table: LakeTable, days: Days) -> dict[str, str]:
    """Each check's problem as a sentence, empty where it holds."""
    return {
        "unique_key": _duplicates(lake, table, days),
        "clock_order": _clock_order(lake, table, days),
        "declared_schema": _schema(lake, table),
    }


def _duplicates(lake: Lake, table: LakeTable, days: Days) -> str:
    keys = lake.read(table, days=days, columns=["day", *table.key])
    groups = keys.group_by(["day", *table.key]).aggregate([([], "count_all")])
    repeated = groups.filter(pc.field("count_all") > 1)
    if repeated.num_rows == 0:
        return ""
    one = repeated.slice(0, 1).to_pylist()[0]
    return f"{repeated.num_rows} keys of {table.name} stand more than once from {days[0]} to {days[1]}, such as {one}"


def _clock_order(lake: Lake, table: LakeTable, days: Days) -> str:
    names = {c.name for c in table.columns}
    if not {"published_at", "available_at"} <= names:
        return ""
    rows = lake.read(table, days=days, columns=["published_at", "available_at"])
    early = rows.filter(pc.field("available_at") < pc.field("published_at"))
    return (
        f"{early.num_rows} rows of {table.name} from {days[0]} to {days[1]} were known before they were published"
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
