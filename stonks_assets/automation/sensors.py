"""The sensors: each tick reads where things stand in PostgreSQL and asks for a run, or says why it does not."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stonks_assets.automation.control import pipeline_enabled
from stonks_assets.automation.jobs import checks_job, cycle_config, cycle_job, history_job, statements_job
from stonks_assets.automation.runs import unfinished
from stonks_assets.automation.work import Work, history_gap, work_waiting
from stonks_assets.partitions import SETTLING
from stonks_assets.resources import PipelineResource

TICK_SECONDS = 10
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

Asked = Iterator[dg.RunRequest | dg.SkipReason]


@dg.sensor(
    name="cycle_watermark",
    job=cycle_job,
    minimum_interval_seconds=TICK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for a cycle of today when a source is due or documents wait, one at a time.",
)
def cycle_watermark(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> Asked:
    """Today's cycle, whenever there is work for one."""
    with pipeline.open() as opened:
        now = opened.clock.now()
        if busy := unfinished(context.instance, "cycle", now):
            yield dg.SkipReason(f"cycle {busy} is not finished")
            return
        if not pipeline_enabled(opened.database):
            yield dg.SkipReason("the pipeline is switched off")
            return
        work = work_waiting(opened, now)
    yield _request(work, now) if work.reasons else dg.SkipReason(f"nothing to do: {work.next_due}")


@dg.sensor(
    name="market_history",
    job=history_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for the daily bars of past days where there are none yet.",
)
def market_history(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> Asked:
    """The history that stops, volatilities and patterns are computed from."""
    with pipeline.open() as opened:
        now = opened.clock.now()
        if busy := unfinished(context.instance, "history", now):
            yield dg.SkipReason(f"history run {busy} is not finished")
            return
        if not pipeline_enabled(opened.database):
            yield dg.SkipReason("the pipeline is switched off")
            return
        gap = history_gap(opened, now)
    if gap is None:
        yield dg.SkipReason("every past session has its bars, or was asked for within the hour")
        return
    first, last = gap
    yield dg.RunRequest(
        run_key=f"history:{first}:{last}:{now:%Y%m%d%H}",
        tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()},
    )


@dg.schedule(
    name="sweep",
    cron_schedule="*/15 * * * *",
    job=cycle_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A whole cycle of today every 15 minutes, which heals what was missed.",
)
def sweep(context: dg.ScheduleEvaluationContext, pipeline: PipelineResource) -> dg.RunRequest | dg.SkipReason:
    """Today's cycle whatever the watermark says; of yesterday too until its feeds have settled."""
    with pipeline.open() as opened:
        if not pipeline_enabled(opened.database):
            return dg.SkipReason("the pipeline is switched off")
    at = context.scheduled_execution_time.astimezone(UTC)
    day = _settling_day(at)
    return dg.RunRequest(run_key=f"sweep:{at:%Y%m%dT%H%M}", partition_key=day.isoformat(), run_config=cycle_config())


def _settling_day(at: datetime) -> date:
    """Yesterday on every other sweep of its first six hours after midnight, today otherwise."""
    today = at.date()
    settling = at < datetime(today.year, today.month, today.day, tzinfo=UTC) + SETTLING
    return today - timedelta(days=1) if settling and at.minute % 30 == 0 else today


def _request(work: Work, now: datetime) -> dg.RunRequest:
    tags = {"stonks/why": "; ".join(work.reasons)[:250]}
    if work.first_day < now.date():
        tags |= {RANGE_START: work.first_day.isoformat(), RANGE_END: now.date().isoformat()}
        return dg.RunRequest(run_key=f"cycle:{now.isoformat()}", tags=tags, run_config=cycle_config())
    return dg.RunRequest(
        run_key=f"cycle:{now.isoformat()}",
        partition_key=now.date().isoformat(),
        tags=tags,
        run_config=cycle_config(),
    )


health_checks = dg.ScheduleDefinition(
    name="health_checks",
    job=checks_job,
    cron_schedule="7,37 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Checks every table of the cycle twice an hour.",
)


@dg.schedule(
    name="broker_statements",
    cron_schedule="*/30 * * * *",
    job=statements_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Keeps the broker's statements twice an hour; the trading daemon itself syncs every minute.",
)
def broker_statements(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Today's statements."""
    at = context.scheduled_execution_time.astimezone(UTC)
    return dg.RunRequest(run_key=f"statements:{at:%Y%m%dT%H%M}", partition_key=at.date().isoformat())


SENSORS = (cycle_watermark, market_history)
SCHEDULES = (sweep, health_checks, broker_statements)
