"""Sensors and schedules: they ask for a run, or say why they do not."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from stonks_assets.automation.asking import RANGE_END, RANGE_START
from stonks_assets.automation.control import set_pipeline
from stonks_assets.automation.jobs import CYCLE_ASSETS, cycle_config
from stonks_assets.automation.sensors import broker_statements, cycle_watermark, market_history, sweep
from stonks_assets.automation.work import HISTORIES, statements_due
from stonks_assets.pipeline import Pipeline
from stonks_assets.resources import PipelineResource
from stonks_core.clock import ManualClock
from stonks_core.registry.source_state import STAGE as PARKED
from stonks_core.registry.source_state import alert_parked
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.stores.postgres import Database
from tests.assets.automating import NOON, TODAY, At, add_source, bar


@pytest.fixture
def at(lake: Lake, database: Database) -> At:
    settings = load_settings({"MARKET_CALENDAR": "XNYS"})
    return lambda now: Pipeline(settings, lake, database, ManualClock(now))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def resource(pipeline: Pipeline) -> PipelineResource:
    @contextmanager
    def opener() -> Iterator[Pipeline]:
        yield pipeline

    return PipelineResource.of(opener)


def tick(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance, pipeline: Pipeline
) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, resources={"pipeline": resource(pipeline)})
    answered = sensor(context)
    (one,) = list(answered)  # type: ignore[call-overload]
    assert isinstance(one, dg.RunRequest | dg.SkipReason)
    return one


def test_a_due_source_asks_for_today_s_cycle(instance: dg.DagsterInstance, at: At, database: Database) -> None:
    add_source(database, next_attempt_at=NOON)
    request = tick(cycle_watermark, instance, at(NOON))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-03-10"
    assert request.run_config == cycle_config()
    assert request.tags["stonks/why"] == "due: news"


def test_a_replay_of_a_parking_s_alert_un_parks_the_source(
    instance: dg.DagsterInstance, at: At, database: Database
) -> None:
    parked = add_source(database, parked=True, failures_in_a_row=10)
    gone = "00000000-0000-0000-0000-000000000000"
    with database.connection() as connection:
        alert_parked(connection, parked, "gone.", NOON)
    pipeline = at(NOON)
    pipeline.failures.record(PARKED, gone, "of a source that was deleted since", NOON)
    assert isinstance(tick(cycle_watermark, instance, pipeline), dg.SkipReason)
    database.execute("UPDATE failures SET status = 'replay'")
    request = tick(cycle_watermark, instance, pipeline)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["stonks/why"] == "due: news"
    assert database.fetch("SELECT DISTINCT status FROM failures") == [{"status": "resolved"}]
    assert database.fetch("SELECT parked FROM source_states") == [{"parked": False}]


def test_the_first_cycle_is_a_range_in_one_run(instance: dg.DagsterInstance, at: At, database: Database) -> None:
    add_source(database)
    request = tick(cycle_watermark, instance, at(NOON))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key is None
    assert request.tags[RANGE_START] < request.tags[RANGE_END] == "2026-03-10"


@pytest.mark.parametrize(
    ("sensor", "words"), [(cycle_watermark, "nothing to do"), (market_history, "every past session has its bars")]
)
def test_a_sensor_says_why_it_does_not_ask(
    instance: dg.DagsterInstance, at: At, lake: Lake, sensor: dg.SensorDefinition, words: str
) -> None:
    pipeline = at(NOON)
    sessions = pipeline.calendar.sessions_between(TODAY - HISTORIES[-1], TODAY)
    lake.merge(MARKET_SNAPSHOTS, [bar(session.day) for session in sessions])
    reason = tick(sensor, instance, pipeline)
    assert isinstance(reason, dg.SkipReason)
    assert words in str(reason.skip_message)


@pytest.mark.parametrize("sensor", [cycle_watermark, market_history, broker_statements])
def test_a_pipeline_that_is_off_asks_for_nothing(
    instance: dg.DagsterInstance, at: At, database: Database, sensor: dg.SensorDefinition
) -> None:
    add_source(database, next_attempt_at=NOON)
    set_pipeline(database, enabled=False, actor="ada", reason="off")
    reason = tick(sensor, instance, at(NOON))
    assert isinstance(reason, dg.SkipReason)
    assert reason.skip_message == "the pipeline is switched off"


@pytest.mark.parametrize(("sensor", "kind"), [(cycle_watermark, "cycle"), (market_history, "history")])
def test_one_run_at_a_time(
    instance: dg.DagsterInstance, at: At, database: Database, sensor: dg.SensorDefinition, kind: str
) -> None:
    add_source(database, next_attempt_at=NOON)
    run = dg.DagsterRun(job_name="cycle", status=dg.DagsterRunStatus.STARTED, tags={"stonks/kind": kind})
    instance.add_run(run)
    reason = tick(sensor, instance, at(NOON))
    assert isinstance(reason, dg.SkipReason)
    assert f"{run.run_id[:8]} is not finished" in str(reason.skip_message)
    instance.report_run_canceled(run)
    assert isinstance(tick(sensor, instance, at(NOON)), dg.RunRequest)


def test_a_broker_is_asked_for_statements_after_the_first_cycle_began_and_every_half_hour(
    instance: dg.DagsterInstance, at: At, database: Database
) -> None:
    news = add_source(database)
    broker = add_source(database, "Alpaca", "broker")
    assert isinstance(tick(broker_statements, instance, at(NOON)), dg.SkipReason)
    database.execute("INSERT INTO source_states (source_id, last_attempt_at) VALUES (%s, %s)", (news, NOON))
    request = tick(broker_statements, instance, at(NOON))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-03-10"
    database.execute(
        "INSERT INTO source_states (source_id, last_attempt_at, last_success_at, next_attempt_at) VALUES (%s, %s, %s, %s)",
        (broker, NOON, NOON, NOON + timedelta(seconds=30)),
    )
    asked = {
        minutes: tick(broker_statements, instance, at(NOON + timedelta(minutes=minutes))) for minutes in (1, 29, 30)
    }
    assert [minutes for minutes, answer in asked.items() if isinstance(answer, dg.RunRequest)] == [30]


@pytest.mark.parametrize(
    ("state", "due"), [("next_attempt_at = 'infinity'", False), ("parked = true", False), ("", True)]
)
def test_a_broker_that_failed_is_asked_when_it_may_be(at: At, database: Database, *, state: str, due: bool) -> None:
    add_source(database, "Alpaca", "broker", last_success_at=None, next_attempt_at=NOON)
    if state:
        database.execute(f"UPDATE source_states SET {state}")  # type: ignore[arg-type]
    assert statements_due(at(NOON), NOON) is due


def test_missing_history_is_asked_for_in_one_range(instance: dg.DagsterInstance, at: At) -> None:
    request = tick(market_history, instance, at(NOON))
    assert isinstance(request, dg.RunRequest)
    assert request.tags[RANGE_START] < request.tags[RANGE_END] <= "2026-03-10"


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-10T00:30", "2026-03-09"),
        ("2026-03-10T00:45", "2026-03-10"),
        ("2026-03-10T05:30", "2026-03-09"),
        ("2026-03-10T06:00", "2026-03-10"),
        ("2026-03-10T12:15", "2026-03-10"),
    ],
)
def test_the_sweep_takes_yesterday_in_turn_until_it_has_settled(at: At, moment: str, day: str) -> None:
    scheduled = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    context = dg.build_schedule_context(
        scheduled_execution_time=scheduled, resources={"pipeline": resource(at(scheduled))}
    )
    request = sweep(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == day
    assert request.run_key == f"sweep:{scheduled:%Y%m%dT%H%M}"


def test_a_sweep_of_a_pipeline_that_is_off_does_nothing(at: At, database: Database) -> None:
    set_pipeline(database, enabled=False, actor="ada", reason="off")
    context = dg.build_schedule_context(scheduled_execution_time=NOON, resources={"pipeline": resource(at(NOON))})
    assert isinstance(sweep(context), dg.SkipReason)


def test_the_cycle_s_configuration_speaks_of_its_own_assets() -> None:
    ops = cycle_config()["ops"]
    assert isinstance(ops, dict)
    assert set(ops) <= set(CYCLE_ASSETS)
