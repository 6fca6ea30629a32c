"""What tests of sensors, schedules and upkeep stand on: a pipeline at an instant, rows filled up, and a tick."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg

from stonks_assets.pipeline import Pipeline
from stonks_assets.resources import PipelineResource
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
Answer = dg.RunRequest | dg.SkipReason


def pipeline_at(now: datetime, lake: Lake, database: Database, **environment: str) -> Pipeline:
    """A pipeline over these stores whose clock stands at an instant."""
    return Pipeline(load_settings({"MARKET_CALENDAR": "XNYS", **environment}), lake, database, ManualClock(now))


def filled(table: LakeTable, **given: object) -> dict[str, object]:
    """A row of a table with something in every column that needs it."""
    blank = {"string": "", "double": 1.0, "int64": 1, "bool": False, "binary": b""}
    fields = {f.name: blank.get(str(f.type), NOON) for f in table.schema if not f.nullable}
    return {**fields, **given}


def resource(pipeline: Pipeline) -> PipelineResource:
    """The resource that opens this pipeline."""

    @contextmanager
    def opener() -> Iterator[Pipeline]:
        yield pipeline

    return PipelineResource.of(opener)


def tick(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance, pipeline: Pipeline, cursor: str | None = None
) -> tuple[Answer, str | None]:
    """What a sensor answers, and its cursor afterwards."""
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"pipeline": resource(pipeline)}, sensor_name=sensor.name
    )
    answered = sensor(context)
    one = answered if isinstance(answered, Answer) else next(iter(answered))  # type: ignore[call-overload]
    assert isinstance(one, Answer)
    return one, context.cursor


def on_schedule(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance, pipeline: Pipeline) -> Answer:
    """What a schedule answers at the pipeline's present."""
    with dg.build_schedule_context(  # closed, or its instance stays the current one of the process
        instance=instance,
        scheduled_execution_time=pipeline.clock.now(),
        resources={"pipeline": resource(pipeline)},
    ) as context:
        answered = schedule(context)
    assert isinstance(answered, Answer)
    return answered


def said(answer: Answer) -> str:
    """The sentence of an answer that asks for nothing."""
    assert isinstance(answer, dg.SkipReason), answer
    return str(answer.skip_message)
