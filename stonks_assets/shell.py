"""The thin shell around every stage: assets made from the lake's table registry, and nothing decided in them.

An asset's key, columns, lineage, owner group and description are its table's; its body opens the pipeline, calls the
stage for each day of the run, and reports.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from stonks_assets.health.judging import examine_written, judge_flow
from stonks_assets.partitions import as_of_for, daily, days_of
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_assets.resources import PipelineResource
from stonks_core.stores.failing import STORE_FAILURES
from stonks_core.stores.lake.tables import LakeTable

SKEW = timedelta(seconds=2)
"""How far the clock that dates a file may be behind ours."""
BROKEN = -1
"""The version of a table that cannot be opened."""
log = logging.getLogger(__name__)
Stage = Callable[[Pipeline, date, datetime], StepReport]


class StageConfig(dg.Config):
    """What a run may say to a stage."""

    as_of: str = ""
    """Compute for this instant (ISO, with offset) instead of now or the day's end."""
    newest_only: bool = False
    """Of a range, compute only the last day: catching up wants today's trends, not those of every day it passed."""


def table_asset(
    tables: Sequence[LakeTable],
    stage: Stage,
    *,
    reads: Sequence[str | dg.AssetDep] = (),
    gold: bool = False,
    per_day: bool = True,
    judges: bool = False,
    kinds: frozenset[str] = frozenset({"python", "deltalake"}),
) -> dg.AssetsDefinition:
    """One stage as one asset, or as several that are written together.

    A silver stage works on a day's items as far as they are known now: every row carries its own knowledge time. A gold
    stage is computed for the day's `as_of`. With `per_day` false a range is done in one pass, for its last day. What was
    written is held against the table's declarations; the stage that ends a cycle also `judges` the data's health.
    """
    name = tables[0].name
    specs = [
        dg.AssetSpec(
            key=table.name,
            deps=list(reads),
            description=table.doc,
            group_name=table.owner,
            kinds=set(kinds),
            metadata=metadata_of(table),
            tags={"grade": table.grade.value},
            partitions_def=daily,
        )
        for table in tables
    ]

    @dg.multi_asset(
        name=name,
        specs=specs,
        pool=f"lake_{name}",
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )
    def body(
        context: dg.AssetExecutionContext, config: StageConfig, pipeline: PipelineResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        days = days_of(context)
        broken: dict[str, str] = {}
        with pipeline.open() as opened:
            started = opened.clock.now() - SKEW
            before = {table.name: _version(opened, table, noted=True) for table in tables}
            reports = []
            for day in days if per_day and not config.newest_only else days[-1:]:
                now = opened.clock.now()
                as_of = as_of_for(day, now, config.as_of) if gold or config.as_of else now
                reports.append(stage(opened, day, as_of))
            noted = any(report.failed for report in reports)
            versions = {table.name: _version(opened, table, noted=noted) for table in tables}
            for table in tables:
                if versions[table.name] not in (BROKEN, before[table.name]):
                    broken[table.name] = breaches(opened, table, started)
            if judges:
                judge_flow(opened, opened.clock.now())
        for table in tables:
            if broken.get(table.name):
                context.log.error("%s: %s", table.name, broken[table.name])
            if dg.AssetKey(table.name) not in context.selected_asset_keys:
                continue  # written all the same, as the stage writes its tables together, but not what was asked for
            metadata = figures(table, reports, versions[table.name], broken.get(table.name, ""))
            yield dg.MaterializeResult(asset_key=table.name, metadata=metadata)

    return body


def _version(pipeline: Pipeline, table: LakeTable, *, noted: bool) -> int:
    """The table's newest version; -1 where it cannot be opened and that is its stage's business, or was noted by it."""
    try:
        return pipeline.lake.version(table)
    except STORE_FAILURES as error:
        if not noted:
            raise
        log.warning("lake table %s cannot be opened: %s", table.name, error)
        return BROKEN


def metadata_of(table: LakeTable) -> dict[str, Any]:
    """Column schema and column lineage as Dagster shows them."""
    columns = [
        dg.TableColumn(f.name, str(f.type), _doc(table, f.name), _constraints(table, f.name, nullable=f.nullable))
        for f in table.schema
    ]
    lineage = {
        c.name: [dg.TableColumnDep(*_asset_and_column(source)) for source in c.lineage]
        for c in table.columns
        if c.lineage
    }
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        **({"dagster/column_lineage": dg.TableColumnLineage(lineage)} if lineage else {}),
        "key": ", ".join(("day", *table.key)),
        "knowledge_time": table.knowledge or "",
    }


def _constraints(table: LakeTable, name: str, *, nullable: bool) -> dg.TableColumnConstraints:
    column = table.column(name) if name != "day" else None
    other = [f"within {column.within}"] if column and column.within else []
    other += [f"one of {', '.join(word or 'empty' for word in column.among)}"] if column and column.among else []
    return dg.TableColumnConstraints(nullable=nullable, other=other)


def _asset_and_column(source: str) -> tuple[str, str]:
    table, _, column = source.partition(".")
    return table, column


def _doc(table: LakeTable, name: str) -> str:
    return "UTC day, the partition" if name == "day" else table.column(name).doc


def breaches(pipeline: Pipeline, table: LakeTable, since: datetime) -> str:
    """What is wrong with the rows that were written since an instant, kept for the verdict; empty where nothing is."""
    broken = examine_written(pipeline, table, since)
    return "; ".join(f"{name}: {finding.problem}" for name, finding in broken.items())


def figures(table: LakeTable, reports: Sequence[StepReport], version: int, broken: str = "") -> dict[str, Any]:
    """What a materialisation says of itself; numbers are plotted over partitions by Dagster's pages."""
    said: dict[str, Any] = {
        "rows_written": sum(report.written.get(table.name, 0) for report in reports),
        "failed_items": sum(report.failed for report in reports),
        "lake_version": version,
    }
    for report in reports:
        said |= dict(report.figures)
    return {**said, "breaches": broken} if broken else said
