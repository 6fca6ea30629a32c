"""Runs that are not finished, and runs that will never be: a run's process can be killed without a word to Dagster."""

from datetime import UTC, datetime, timedelta

import dagster as dg

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
)
SILENCE = timedelta(minutes=6)
"""Longer than any stage works without logging: the longest is an extraction budget."""


def unfinished(instance: dg.DagsterInstance, kind: str, now: datetime) -> str:
    """The short id of a run of a kind that is under way or waits; empty when there is none.

    A run that has started and then said nothing for `SILENCE` has lost its process: it is put on record as failed.
    """
    filters = dg.RunsFilter(statuses=list(UNFINISHED), tags={"stonks/kind": kind})
    for run in instance.get_runs(filters, limit=20):
        if run.status is not dg.DagsterRunStatus.STARTED or now - _last_word(instance, run.run_id, now) < SILENCE:
            return run.run_id[:8]
        instance.report_run_failed(run, f"its process said nothing for {SILENCE}: it was killed")
    return ""


def bury_dead_runs(instance: dg.DagsterInstance) -> int:
    """Put every run that has started on record as failed; how many. For a start, when no run's process can be alive."""
    started = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    runs = instance.get_runs(dg.RunsFilter(statuses=started))
    for run in runs:
        instance.report_run_failed(run, "the system was stopped while it ran")
    return len(runs)


def _last_word(instance: dg.DagsterInstance, run_id: str, now: datetime) -> datetime:
    records = instance.get_records_for_run(run_id, limit=1, ascending=False).records
    return datetime.fromtimestamp(records[0].timestamp, UTC) if records else now
