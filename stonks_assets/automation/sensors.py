"""The sensors: each tick reads where things stand in PostgreSQL and asks for a run, or says why it does not."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stonks_assets.automation.asking import RANGE_END, RANGE_START, Asked, over, switched_off
from stonks_assets.automation.jobs import (
    cycle_config,
    cycle_job,
    facts_job,
    history_job,
    outcomes_job,
    statements_job,
)
from stonks_assets.automation.messages import messages
from stonks_assets.automation.recovery import unpark_asked
from stonks_assets.automation.runs import unfinished
from stonks_assets.automation.work import Work, history_gap, statements_due, work_waiting
from stonks_assets.partitions import SETTLING
from stonks_assets.pipeline import Pipeline
from stonks_assets.resources import PipelineResource

TICK_SECONDS = 10


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
        if held := _held(context, opened, "cycle", now):
            yield held
            return
        unpark_asked(opened, now)
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
        if held := _held(context, opened, "history", now):
            yield held
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


@dg.sensor(
    name="broker_statements",
    job=statements_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps the broker's statements twice an hour; the trading daemon itself syncs every minute.",
)
def broker_statements(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> Asked:
    """Today's statements, whenever the newest are half an hour old: after a start at once."""
    with pipeline.open() as opened:
        now = opened.clock.now()
        if held := _held(context, opened, "statements", now):
            yield held
            return
        due = statements_due(opened, now)
    if not due:
        yield dg.SkipReason("the first cycle goes first, the statements are new, or no broker source may be asked yet")
        return
    yield dg.RunRequest(run_key=f"statements:{now.isoformat()}", partition_key=now.date().isoformat())


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
        if off := switched_off(opened):
            return off
    at = context.scheduled_execution_time.astimezone(UTC)
    day = _settling_day(at)
    return dg.RunRequest(run_key=f"sweep:{at:%Y%m%dT%H%M}", partition_key=day.isoformat(), run_config=cycle_config())


def _settling_day(at: datetime) -> date:
    """Yesterday on every other sweep of its first six hours after midnight, today otherwise."""
    today = at.date()
    settling = at < datetime(today.year, today.month, today.day, tzinfo=UTC) + SETTLING
    return today - timedelta(days=1) if settling and at.minute % 30 == 0 else today


def _held(context: dg.SensorEvaluationContext, pipeline: Pipeline, kind: str, now: datetime) -> dg.SkipReason | None:
    """Why nothing of a kind is asked for: a run of it is not finished, or the pipeline is off."""
    if busy := unfinished(context.instance, kind, now):
        return dg.SkipReason(f"{kind} run {busy} is not finished")
    return switched_off(pipeline)


def _request(work: Work, now: datetime) -> dg.RunRequest:
    partition, tags = over(work.first_day, now.date())
    return dg.RunRequest(
        run_key=f"cycle:{now.isoformat()}",
        partition_key=partition,
        tags={**tags, "stonks/why": "; ".join(work.reasons)[:250]},
        run_config=cycle_config(),
    )


@dg.schedule(
    name="facts",
    cron_schedule="5 * * * *",
    job=facts_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Renews the twelve facts every hour.",
)
def facts(context: dg.ScheduleEvaluationContext, pipeline: PipelineResource) -> dg.RunRequest | dg.SkipReason:
    """The facts of today; of yesterday too until its feeds have settled, so that its last hour is published."""
    with pipeline.open() as opened:
        if off := switched_off(opened):
            return off
    at = context.scheduled_execution_time.astimezone(UTC)
    partition, tags = over((at - SETTLING - timedelta(hours=1)).date(), at.date())
    return dg.RunRequest(run_key=f"facts:{at:%Y%m%dT%H%M}", partition_key=partition, tags=dict(tags))


@dg.schedule(
    name="outcomes",
    cron_schedule="30 1 * * *",
    job=outcomes_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Measures every night what came of the recommendations.",
)
def outcomes(context: dg.ScheduleEvaluationContext, pipeline: PipelineResource) -> dg.RunRequest | dg.SkipReason:
    """The outcomes that the sessions up to now allow."""
    with pipeline.open() as opened:
        if off := switched_off(opened):
            return off
    at = context.scheduled_execution_time.astimezone(UTC)
    return dg.RunRequest(run_key=f"outcomes:{at:%Y%m%dT%H%M}", partition_key=at.date().isoformat())


SENSORS = (cycle_watermark, market_history, broker_statements, messages)
SCHEDULES = (sweep, facts, outcomes)
