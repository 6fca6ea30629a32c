"""Upkeep by schedule: retention every 25 minutes, the lake's files every hour. Each table is touched under its own pool.

Both rest while the pipeline is switched off: nothing grows then, and whoever looks into what happened finds it all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
from psycopg.types.json import Jsonb

from stonks_assets.automation.asking import switched_off
from stonks_assets.automation.forgetting import (
    days_to_forget,
    forget_competitive_signals,
    forget_macro_impacts,
    forget_recommendations,
    forget_rows,
    rows_to_forget,
)
from stonks_assets.automation.retention import Cutoffs, cutoffs
from stonks_assets.automation.runs import unfinished
from stonks_assets.automation.wear import worn_days
from stonks_assets.pipeline import Pipeline
from stonks_assets.resources import PipelineResource
from stonks_core.stores.lake import gold_tables, silver_tables
from stonks_core.stores.lake.registry import TABLES
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.lake.upkeep import leftover_files, small_files, vacuum

WRITTEN_TOGETHER: Sequence[tuple[LakeTable, ...]] = (
    (silver_tables.DOCUMENTS, silver_tables.DOCUMENT_COMPANY_MENTIONS),
    (silver_tables.DOCUMENT_INTELLIGENCE, silver_tables.IMPACT_RECORDS),
    (gold_tables.TREND_WINDOWS, gold_tables.TREND_EVIDENCE, gold_tables.TREND_HISTORY),
    (gold_tables.RECOMMENDATIONS, gold_tables.RECOMMENDATION_EVIDENCE),
)
_LATER = {table.name for group in WRITTEN_TOGETHER for table in group[1:]}
_GROUPS = {group[0].name: group for group in WRITTEN_TOGETHER}
WRITERS: Mapping[str, tuple[LakeTable, ...]] = {
    f"lake_{table.name}": _GROUPS.get(table.name, (table,)) for table in TABLES if table.name not in _LATER
}
"""By pool: the tables that it guards; a pool is named after the first of the tables that one stage writes."""
VACUUMED = "lake_vacuumed"
VACUUM_EVERY = timedelta(hours=24)
Forget = Callable[[Pipeline, Cutoffs], Mapping[str, int]]


def current_cutoffs(pipeline: Pipeline) -> Cutoffs:
    """The cut-offs of the settings at the pipeline's present."""
    return cutoffs(pipeline.settings.retention.model_dump(), pipeline.clock.now())


def _forgetting(name: str, forget: Forget, pool: str | None) -> dg.OpDefinition:
    @dg.op(name=name, out=dg.Out(dg.Nothing), pool=pool)
    def forgetting(context: dg.OpExecutionContext, pipeline: PipelineResource) -> Iterator[dg.Output[None]]:
        with pipeline.open() as opened:
            gone = forget(opened, current_cutoffs(opened))
        context.log.info("forgotten: %s", ", ".join(f"{count} of {table}" for table, count in gone.items()))
        yield dg.Output(None, metadata={table: dg.MetadataValue.int(count) for table, count in gone.items()})

    return forgetting


_FORGETTING = (
    _forgetting("forget_rows", forget_rows, None),
    _forgetting("forget_recommendations", forget_recommendations, "lake_recommendations"),
    _forgetting("forget_macro_impacts", forget_macro_impacts, "lake_macro_impacts"),
    _forgetting("forget_competitive_signals", forget_competitive_signals, "lake_competitive_signals"),
)


@dg.job(name="retention", tags={"stonks/kind": "retention"}, description="Forgets rows that are old enough.")
def retention_job() -> None:
    """PostgreSQL's rows and each lake table's days."""
    for forget in _FORGETTING:
        forget()


@dg.schedule(
    name="retention",
    cron_schedule="*/25 * * * *",
    job=retention_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Forgets rows that are older than their retention and that nothing needs.",
)
def retention(context: dg.ScheduleEvaluationContext, pipeline: PipelineResource) -> dg.RunRequest | dg.SkipReason:
    """A run where there is something to forget."""
    with pipeline.open() as opened:
        if off := switched_off(opened):
            return off
        now = opened.clock.now()
        if busy := unfinished(context.instance, "retention", now):
            return dg.SkipReason(f"retention run {busy} is not finished")
        limits = current_cutoffs(opened)
        old = [*rows_to_forget(opened, limits), *days_to_forget(opened, limits)]
    if not old:
        return dg.SkipReason("no table has rows that are older than its retention")
    why = f"old rows of {', '.join(old)}"
    return dg.RunRequest(run_key=f"retention:{now.isoformat()}", tags={"stonks/why": why[:250]})


def worn_tables(pipeline: Pipeline) -> Mapping[str, Sequence[date]]:
    """The days worth compacting by table, of the tables that have any."""
    today = pipeline.clock.now().date()
    found = {table.name: worn_days(small_files(pipeline.lake, table), today) for table in TABLES}
    return {name: days for name, days in found.items() if days}


def vacuum_is_due(pipeline: Pipeline) -> bool:
    """Whether a day has passed since every table was last rid of the files that nothing needs."""
    row = pipeline.database.fetch_one("SELECT updated_at FROM pipeline_control WHERE key = %s", (VACUUMED,))
    return row is None or pipeline.clock.now() - row["updated_at"] >= VACUUM_EVERY


def tend(pipeline: Pipeline, tables: Sequence[LakeTable], *, rid: bool) -> Mapping[str, int]:
    """Merge the worn days of tables and, with `rid`, delete what nothing needs; files that went, by table.

    The caller holds the tables' pool. Readers of a table's tail get the merged rows again and go on by key.
    """
    keep = timedelta(days=pipeline.settings.retention.lake_files)
    today = pipeline.clock.now().date()
    gone: dict[str, int] = {}
    for table in tables:
        gone[table.name] = sum(
            pipeline.lake.compact(table, day) for day in worn_days(small_files(pipeline.lake, table), today)
        )
        if rid and leftover_files(pipeline.lake, table, keep):
            gone[table.name] += vacuum(pipeline.lake, table, keep)
    return gone


def _looks() -> dg.OpDefinition:
    @dg.op(name="look", out={pool: dg.Out(dg.Nothing, is_required=False) for pool in WRITERS})
    def look(context: dg.OpExecutionContext, pipeline: PipelineResource) -> Iterator[dg.Output[None]]:
        with pipeline.open() as opened:
            worn, rid = set(worn_tables(opened)), vacuum_is_due(opened)
        wanted = [pool for pool, tables in WRITERS.items() if rid or worn & {table.name for table in tables}]
        context.log.info("tables to tend: %s", ", ".join(wanted) or "none")
        for pool in wanted:
            yield dg.Output(None, output_name=pool)

    return look


def _tends(pool: str, tables: Sequence[LakeTable]) -> dg.OpDefinition:
    @dg.op(
        name=f"tend_{pool.removeprefix('lake_')}",
        ins={"wanted": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        pool=pool,
    )
    def tending(context: dg.OpExecutionContext, pipeline: PipelineResource) -> Iterator[dg.Output[None]]:
        with pipeline.open() as opened:
            gone = tend(opened, tables, rid=vacuum_is_due(opened))
        context.log.info("files that went: %s", ", ".join(f"{count} of {table}" for table, count in gone.items()))
        yield dg.Output(None, metadata={table: dg.MetadataValue.int(count) for table, count in gone.items()})

    return tending


@dg.op(name="note_vacuum", ins={"tended": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def note_vacuum(pipeline: PipelineResource) -> None:
    """Every table has been tended: the next vacuum is due in a day."""
    with pipeline.open() as opened:
        if vacuum_is_due(opened):
            opened.database.execute(
                """
                INSERT INTO pipeline_control (key, value, updated_at) VALUES (%(key)s, %(value)s, %(at)s)
                ON CONFLICT (key) DO UPDATE SET updated_at = excluded.updated_at
                """,
                {"key": VACUUMED, "value": Jsonb(True), "at": opened.clock.now()},
            )


_LOOK = _looks()
_TENDING = {pool: _tends(pool, tables) for pool, tables in WRITERS.items()}


@dg.job(
    name="lake_maintenance",
    tags={"stonks/kind": "lake_maintenance"},
    description="Merges small files of days that were written to, and once a day deletes files that nothing needs.",
)
def lake_maintenance_job() -> None:
    """Look, then tend what is wanted: the ops of tables that need nothing are skipped."""
    found: Any = _LOOK()
    note_vacuum([_TENDING[pool](getattr(found, pool)) for pool in WRITERS])


@dg.schedule(
    name="lake_maintenance",
    cron_schedule="20 * * * *",
    job=lake_maintenance_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Keeps reads fast at hundreds of commits a day.",
)
def lake_maintenance(
    context: dg.ScheduleEvaluationContext, pipeline: PipelineResource
) -> dg.RunRequest | dg.SkipReason:
    """A run where a day has many small files, or a vacuum is due."""
    with pipeline.open() as opened:
        if off := switched_off(opened):
            return off
        now = opened.clock.now()
        if busy := unfinished(context.instance, "lake_maintenance", now):
            return dg.SkipReason(f"maintenance run {busy} is not finished")
        worn, due = worn_tables(opened), vacuum_is_due(opened)
    if not worn and not due:
        return dg.SkipReason("no table has a day of many small files, and files were deleted within the day")
    reasons = [f"small files in {', '.join(worn)}"] if worn else []
    reasons += ["the daily vacuum is due"] if due else []
    return dg.RunRequest(run_key=f"lake_maintenance:{now.isoformat()}", tags={"stonks/why": "; ".join(reasons)[:250]})


UPKEEP_JOBS = (retention_job, lake_maintenance_job)
UPKEEP_SCHEDULES = (retention, lake_maintenance)
