"""The sensor of the data's health: it judges at every tick, without a run, and asks for the checks of whole tables.

While the pipeline is switched off it judges nothing: the toggle itself says why no position is opened.
"""

from datetime import datetime, timedelta

import dagster as dg

from stonks_assets.automation.asking import Asked, switched_off
from stonks_assets.automation.jobs import checks_job
from stonks_assets.automation.runs import unfinished
from stonks_assets.health.judging import judge_flow, note_cycles
from stonks_assets.resources import PipelineResource
from stonks_core.health.verdict import CHECKS, Verdict, in_a_line

CHECK_EVERY = timedelta(minutes=30)
CHECK_AGAIN = timedelta(minutes=5)
"""After a run of checks that left some unmade: it was killed, or a step of it failed."""
JUDGED_CYCLES = 3
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)


@dg.sensor(
    name="data_health",
    job=checks_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Judges whether new positions may be opened, and asks for the tables' checks twice an hour.",
)
def data_health(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> Asked:
    """The verdict, every half a minute; a run of checks when the last was asked for half an hour ago, or left some out."""
    with pipeline.open() as opened:
        if off := switched_off(opened):
            yield off
            return
        now = opened.clock.now()
        note_cycles(opened, failing_cycles(context.instance), now)
        verdict = judge_flow(opened, now)
        busy = unfinished(context.instance, "checks", now)
    if busy or not _due(context.cursor, verdict, now):
        yield dg.SkipReason(in_a_line(verdict))
        return
    context.update_cursor(now.isoformat())
    yield dg.RunRequest(run_key=f"checks:{now.isoformat()}", tags={"stonks/why": in_a_line(verdict)[:250]})


def failing_cycles(instance: dg.DagsterInstance) -> str:
    """What is wrong where each of the newest cycles that ended has failed; empty otherwise."""
    runs = instance.get_runs(dg.RunsFilter(statuses=list(ENDED), tags={"stonks/kind": "cycle"}), limit=JUDGED_CYCLES)
    if len(runs) < JUDGED_CYCLES or any(run.status is dg.DagsterRunStatus.SUCCESS for run in runs):
        return ""
    return (
        f"the last {JUDGED_CYCLES} cycles failed, the newest as run {runs[0].run_id[:8]}: its page in Dagster says why"
    )


def _due(cursor: str | None, verdict: Verdict, now: datetime) -> bool:
    asked = datetime.fromisoformat(cursor) if cursor else None
    wait = CHECK_AGAIN if any(reason.subject == CHECKS for reason in verdict.reasons) else CHECK_EVERY
    return asked is None or now - asked >= wait


HEALTH_SENSORS = (data_health,)
