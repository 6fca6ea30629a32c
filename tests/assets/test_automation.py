"""What happens by itself: work that waits, the toggle, and sensors that ask for a run or say why they do not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from stonks_assets.automation.asking import RANGE_END, RANGE_START
from stonks_assets.automation.control import initialise_toggle, pipeline_enabled, set_pipeline
from stonks_assets.automation.jobs import CYCLE_ASSETS, cycle_config
from stonks_assets.automation.sensors import broker_statements, cycle_watermark, market_history, sweep
from stonks_assets.automation.work import HISTORIES, history_gap, statements_due, work_waiting
from stonks_assets.pipeline import Pipeline
from stonks_assets.resources import PipelineResource
from stonks_core.clock import ManualClock
from stonks_core.registry.source_state import STAGE as PARKED
from stonks_core.registry.source_state import alert_parked
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENTS, GLOBAL_EVENTS, MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
At = Callable[[datetime], Pipeline]


@pytest.fixture
def at(lake: Lake, database: Database) -> At:
    settings = load_settings({"MARKET_CALENDAR": "XNYS"})
    return lambda now: Pipeline(settings, lake, database, ManualClock(now))


def filled(table: LakeTable, **given: object) -> dict[str, object]:
    """A row of a table with something in every column that needs it."""
    blank = {"string": "", "double": 1.0, "int64": 1, "bool": False, "binary": b""}
    fields = {f.name: blank.get(str(f.type), NOON) for f in table.schema if not f.nullable}
    return {**fields, **given}


def add_source(database: Database, name: str = "news", source_type: str = "news_api", **state: object) -> str:
    row = database.fetch_one(
        "INSERT INTO sources (source_type, name) VALUES (%s, %s) RETURNING source_id::text AS id", (source_type, name)
    )
    assert row is not None
    if state:
        columns = {
            "source_id": row["id"],
            "next_attempt_at": NOON + timedelta(minutes=5),
            "last_success_at": NOON,
            **state,
        }
        names, holes = ", ".join(columns), ", ".join(["%s"] * len(columns))
        database.execute(f"INSERT INTO source_states ({names}) VALUES ({holes})", list(columns.values()))  # type: ignore[arg-type]
    return str(row["id"])


def document(name: str, day: date = TODAY, **more: object) -> dict[str, object]:
    given = {"status": "parsed", "document_type": "article", **more}
    return filled(DOCUMENTS, day=day.isoformat(), document_id=name, **given)


# The toggle.


def test_the_toggle_is_on_until_somebody_says_otherwise(database: Database) -> None:
    assert pipeline_enabled(database)
    set_pipeline(database, enabled=False, actor="ada", reason="maintenance")
    assert not pipeline_enabled(database)
    set_pipeline(database, enabled=True, actor="bob", reason="done")
    assert pipeline_enabled(database)
    events = database.fetch("SELECT actor, action, subject, reason FROM audit_events ORDER BY id")
    assert [(e["actor"], e["action"], e["reason"]) for e in events] == [
        ("ada", "pipeline_disabled", "maintenance"),
        ("bob", "pipeline_enabled", "done"),
    ]


@pytest.mark.parametrize("default_off", [True, False])
def test_the_default_counts_on_the_first_boot_only(database: Database, *, default_off: bool) -> None:
    initialise_toggle(database, default_off=default_off)
    assert pipeline_enabled(database) is not default_off
    set_pipeline(database, enabled=default_off, actor="ada", reason="by hand")
    initialise_toggle(database, default_off=default_off)
    assert pipeline_enabled(database) is default_off


# Work that waits.


def test_without_sources_there_is_nothing_to_do(at: At) -> None:
    work = work_waiting(at(NOON), NOON)
    assert work.reasons == ()
    assert "fill the registry" in work.next_due


def test_the_first_look_goes_back_some_days(at: At, database: Database) -> None:
    add_source(database)
    work = work_waiting(at(NOON), NOON)
    assert work.reasons == ("first look at all sources",)
    assert work.first_day < TODAY


def test_sources_that_are_due_are_named(at: At, database: Database) -> None:
    add_source(database, "later", next_attempt_at=NOON + timedelta(minutes=5))
    assert work_waiting(at(NOON), NOON).reasons == ()
    assert "the next source is due at 12:05:00 UTC" in work_waiting(at(NOON), NOON).next_due
    add_source(database, "now", next_attempt_at=NOON)
    add_source(database, "never asked")
    add_source(database, "freed", next_attempt_at="-infinity")
    add_source(database, "parked", next_attempt_at=NOON, parked=True)
    add_source(database, "alpaca", "broker")
    (reason,) = work_waiting(at(NOON), NOON).reasons
    assert {"now", "never asked", "freed"} == set(reason.removeprefix("due: ").split(", "))


@pytest.mark.parametrize(
    ("hour", "first_day"), [(0, TODAY - timedelta(days=1)), (5, TODAY - timedelta(days=1)), (6, TODAY), (23, TODAY)]
)
def test_yesterday_is_asked_for_until_its_feeds_have_settled(
    at: At, database: Database, hour: int, first_day: date
) -> None:
    now = NOON.replace(hour=hour)
    add_source(database, next_attempt_at=now)
    assert work_waiting(at(now), now).first_day == first_day


def test_documents_that_nobody_has_read_are_work(at: At, database: Database, lake: Lake) -> None:
    add_source(database, next_attempt_at=NOON + timedelta(minutes=5))
    lake.merge(
        DOCUMENTS,
        [
            document("20260310-a"),
            document("20260310-c", status="low_quality"),
        ],
    )
    assert work_waiting(at(NOON), NOON).reasons == ("1 documents wait for extraction",)
    lake.merge(DOCUMENTS, [document("20260309-d", TODAY - timedelta(days=1))])
    assert work_waiting(at(NOON), NOON).reasons == ("1 documents wait for extraction",)
    early = NOON.replace(hour=1)
    assert work_waiting(at(early), early).reasons == ("2 documents wait for extraction",)


def test_macro_reports_wait_until_they_have_an_event_or_the_classifier_had_no_use(
    at: At, database: Database, lake: Lake
) -> None:
    add_source(database, next_attempt_at=NOON + timedelta(minutes=5))
    pipeline = at(NOON)
    lake.merge(DOCUMENTS, [document(f"20260310-{name}", document_type="macro_event") for name in "abc"])
    assert work_waiting(pipeline, NOON).reasons == ("3 macro reports wait for classification",)
    lake.merge(GLOBAL_EVENTS, [filled(GLOBAL_EVENTS, day=TODAY.isoformat(), event_id="e", document_id="20260310-a")])
    useless = {"terminal": True}
    pipeline.failures.record("event_classification", "20260310-b", "no event", NOON, day=TODAY, detail=useless)
    assert work_waiting(pipeline, NOON).reasons == ("1 macro reports wait for classification",)
    database.execute("UPDATE ai_agents SET active = false WHERE agent = 'event-classifier'")
    assert work_waiting(pipeline, NOON).reasons == ()


def test_items_of_other_days_that_are_to_be_tried_again_are_no_work_of_today(at: At, database: Database) -> None:
    add_source(database, next_attempt_at=NOON + timedelta(minutes=5))
    pipeline = at(NOON)
    pipeline.failures.record("parsing", "a", "failed", NOON - timedelta(hours=1), day=TODAY - timedelta(days=4))
    database.execute("UPDATE failures SET status = 'replay'")
    work = work_waiting(pipeline, NOON)
    assert (work.reasons, work.first_day) == ((), TODAY)


def test_documents_wait_for_nothing_while_their_agent_is_switched_off(at: At, database: Database, lake: Lake) -> None:
    add_source(database, next_attempt_at=NOON + timedelta(minutes=5))
    lake.merge(DOCUMENTS, [document("20260310-a")])
    database.execute("UPDATE ai_agents SET active = false WHERE agent = 'document-extractor'")
    assert work_waiting(at(NOON), NOON).reasons == ()


def test_a_model_that_failed_rests_a_minute(at: At, database: Database, lake: Lake) -> None:
    add_source(database, next_attempt_at=NOON + timedelta(minutes=5))
    pipeline = at(NOON)
    lake.merge(
        DOCUMENTS, [filled(DOCUMENTS, day=TODAY.isoformat(), document_id="d1", status="parsed", document_type="news")]
    )
    assert work_waiting(pipeline, NOON).reasons == ("1 documents wait for extraction",)
    pipeline.failures.record("extraction", "d1", "the model does not answer", NOON, day=TODAY)
    assert work_waiting(pipeline, NOON + timedelta(seconds=30)).reasons == ()
    assert work_waiting(pipeline, NOON + timedelta(seconds=61)).reasons == ("1 documents wait for extraction",)


def test_a_model_that_answered_to_no_use_does_not_rest(at: At, database: Database, lake: Lake) -> None:
    add_source(database, next_attempt_at=NOON + timedelta(minutes=5))
    pipeline, useless = at(NOON), {"terminal": True}
    lake.merge(DOCUMENTS, [document("20260310-a")])
    pipeline.failures.record("extraction", "d1", "cut JSON", NOON, day=TODAY, detail=useless)
    pipeline.failures.record("refused_records", "d2", "1 record was refused", NOON, day=TODAY, detail=useless)
    pipeline.failures.record("parsing", "d3", "no text", NOON, day=TODAY)
    assert work_waiting(pipeline, NOON + timedelta(seconds=1)).reasons == ("1 documents wait for extraction",)


# History.


def bar(day: date) -> dict[str, object]:
    return filled(MARKET_SNAPSHOTS, day=day.isoformat(), ticker="AAA", span="1d", feed="sandbox")


def test_history_is_asked_for_where_there_is_none(at: At, lake: Lake) -> None:
    pipeline = at(NOON)
    sessions = [s.day for s in pipeline.calendar.sessions_between(TODAY - HISTORIES[0], TODAY) if s.close <= NOON]
    assert history_gap(pipeline, NOON) == (sessions[0], sessions[-1])
    lake.merge(MARKET_SNAPSHOTS, [bar(day) for day in sessions if day != sessions[3]])
    assert history_gap(pipeline, NOON) == (sessions[3], sessions[3])
    lake.merge(MARKET_SNAPSHOTS, [bar(sessions[3])])
    gap = history_gap(pipeline, NOON)
    assert gap is not None
    assert gap[1] < sessions[0]


def test_history_that_was_asked_for_in_vain_rests_for_an_hour(at: At, database: Database) -> None:
    source = add_source(database, "bars", "market_api")
    pipeline = at(NOON)
    asked: set[date] = set()
    while gap := history_gap(pipeline, NOON):
        assert gap[0] not in asked
        asked.add(gap[0])
        database.execute(
            "INSERT INTO ingestion_runs (source_id, day, status, started_at, finished_at) VALUES (%s, %s, 'succeeded', %s, %s)",
            (source, gap[0], NOON, NOON),
        )
    assert asked
    assert history_gap(pipeline, NOON + timedelta(hours=2)) is not None


# Sensors.


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
