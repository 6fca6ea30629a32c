"""The sensors of recovery: documents that nobody has read, extractions that failed, replays that were asked for, and news
that did not reach the competitors.

Their runs take up what is there, from documents to signals, and ask no source: a source that is due is today's
cycle's business. They are of a kind of their own, so that today's cycle goes on beside them.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime

import dagster as dg

from stonks_assets.automation.asking import Asked as Answers
from stonks_assets.automation.asking import over, switched_off
from stonks_assets.automation.jobs import cycle_job
from stonks_assets.automation.recovery import (
    REACH,
    model_rests,
    replays,
    retry_failed_extractions,
    stale_documents,
    unpropagated,
)
from stonks_assets.automation.runs import unfinished
from stonks_assets.automation.turns import Asked, Stretch, next_turn
from stonks_assets.pipeline import Pipeline
from stonks_assets.resources import PipelineResource

KIND = "recovery"
HEALING_ASSETS = (
    *("documents", "document_company_mentions", "document_intelligence", "impact_records"),
    *("global_events", "macro_impacts", "competitive_signals", "signals"),
)
"""Trends and recommendations follow with today's next cycle, which finds the companies whose signals changed."""
Undone = Callable[[Pipeline, datetime], Mapping[date, int]]


@dg.sensor(
    name="stale_documents",
    job=cycle_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks again for days whose documents were parsed long ago and have been read by nobody.",
)
def stale_documents_sensor(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> Answers:
    """Every five minutes: documents of the last 30 days that stand parsed for STALE_DOCUMENT_MINUTES."""
    with pipeline.open() as opened:
        minutes = opened.settings.recovery.stale_document_minutes
        none = f"no document of the last {REACH.days} days has stood parsed for {minutes} minutes without being read"
        why = f"stood parsed for more than {minutes} minutes without being read"
        yield _answer(context, opened, stale_documents, "documents", why, none)


@dg.sensor(
    name="replays",
    job=cycle_job,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for the days of failed items that a person or the schedule wants tried again.",
)
def replays_sensor(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> Answers:
    """Exactly the days of failures that stand at `replay`."""
    with pipeline.open() as opened:
        yield _answer(
            context, opened, replays, "failed items", "are to be tried again", "no failed item is to be tried again"
        )


@dg.sensor(
    name="unpropagated_news",
    job=cycle_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for days whose news has not reached the competitors, as the competitive layer was off or failed.",
)
def unpropagated_news_sensor(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> Answers:
    """Every minute: past days of the longest window, once the layer is on."""
    with pipeline.open() as opened:
        why, none = "were not propagated to competitors", "the competitive layer is off, or owes no day"
        yield _answer(context, opened, unpropagated, "days of news", why, none)


@dg.sensor(
    name="failed_extractions",
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Puts extractions that failed an hour ago to replay, each a bounded number of times.",
)
def failed_extractions(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """Every ten minutes. Asks for no run itself: the `replays` sensor finds what this puts to replay."""
    with pipeline.open() as opened:
        if off := switched_off(opened):
            return off
        now, recovery = opened.clock.now(), opened.settings.recovery
        if model_rests(opened, now):
            return dg.SkipReason("the model failed within the minute: nothing is retried until it answers")
        count = retry_failed_extractions(opened, now)
    if not count:
        minutes, most = recovery.failed_extraction_retry_minutes, recovery.failed_extraction_max_attempts
        return dg.SkipReason(f"no extraction failed more than {minutes} minutes ago with less than {most} retries")
    context.log.info("%d failed extractions are to be tried again", count)
    return dg.SkipReason(f"{count} failed extractions were put to replay: the sensor `replays` asks for their days")


def _answer(
    context: dg.SensorEvaluationContext, pipeline: Pipeline, look: Undone, what: str, why: str, none: str
) -> dg.RunRequest | dg.SkipReason:
    if off := switched_off(pipeline):
        return off
    now = pipeline.clock.now()
    if busy := unfinished(context.instance, KIND, now):
        return dg.SkipReason(f"recovery run {busy} is not finished")
    if model_rests(pipeline, now):
        return dg.SkipReason("the model failed within the minute: it is given a rest")
    undone = look(pipeline, now)
    if not undone:
        return dg.SkipReason(none)
    turn = next_turn(Asked.of(context.cursor), undone, now)
    if isinstance(turn, datetime):
        return dg.SkipReason(
            f"{sum(undone.values())} {what} of {len(undone)} days {why}, and asking changed nothing: "
            f"they are asked for again at {turn:%H:%M:%S} UTC"
        )
    stretch, asked = turn
    context.update_cursor(asked.text())
    return _request(stretch, f"{stretch.items} {what} of {stretch} {why}", f"{context.sensor_name}:{now.isoformat()}")


def _request(stretch: Stretch, why: str, run_key: str) -> dg.RunRequest:
    partition, tags = over(stretch.first, stretch.last)
    return dg.RunRequest(
        run_key=run_key,
        partition_key=partition,
        tags={**tags, "stonks/kind": KIND, "stonks/why": why[:250]},
        asset_selection=[dg.AssetKey(name) for name in HEALING_ASSETS],
    )


HEALING_SENSORS = (stale_documents_sensor, replays_sensor, unpropagated_news_sensor, failed_extractions)
