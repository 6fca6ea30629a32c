"""Recovery: documents that nobody has read and extractions that failed are asked for again, by day, with a bound."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import dagster as dg
import pytest

from stonks_assets.automation.asking import RANGE_END, RANGE_START
from stonks_assets.automation.healing import (
    HEALING_ASSETS,
    HEALING_SENSORS,
    failed_extractions,
    replays_sensor,
    stale_documents_sensor,
    unpropagated_news_sensor,
)
from stonks_assets.automation.jobs import CYCLE_ASSETS
from stonks_assets.automation.recovery import replays, retry_failed_extractions, stale_documents
from stonks_assets.definitions import build_definitions
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, DOCUMENTS, GLOBAL_EVENTS
from stonks_core.stores.postgres import Database
from tests.assets.automation_stage import NOON, TODAY, filled, pipeline_at, resource, said, tick

LONG_AGO = NOON - timedelta(minutes=241)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def document(name: str, day: date = TODAY, at: datetime = LONG_AGO, **more: object) -> dict[str, object]:
    given = {"status": "parsed", "document_type": "news", "published_at": at, "available_at": at, **more}
    return filled(DOCUMENTS, day=day.isoformat(), document_id=name, **given)


def back(days: int) -> date:
    return TODAY - timedelta(days=days)


# Stale documents.


def test_what_stood_parsed_for_four_hours_and_was_read_by_nobody_is_stale(lake: Lake, database: Database) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    lake.merge(
        DOCUMENTS,
        [
            document("stale"),
            document("fresh", at=NOON - timedelta(minutes=239)),
            document("read"),
            document("poor", status="low_quality"),
            document("macro", document_type="macro_event"),
            document("classified", document_type="macro_event"),
            document("old", back(29), NOON - timedelta(days=29)),
            document("ancient", back(31), NOON - timedelta(days=31)),
        ],
    )
    lake.merge(DOCUMENT_INTELLIGENCE, [filled(DOCUMENT_INTELLIGENCE, day=TODAY.isoformat(), document_id="read")])
    lake.merge(GLOBAL_EVENTS, [filled(GLOBAL_EVENTS, day=TODAY.isoformat(), event_id="e", document_id="classified")])
    assert stale_documents(pipeline, NOON) == {TODAY: 2, back(29): 1}
    later = pipeline_at(NOON + timedelta(minutes=5), lake, database, STALE_DOCUMENT_MINUTES="300")
    assert stale_documents(later, later.clock.now()) == {back(29): 1}


def test_a_failure_on_record_is_that_failure_s_business(lake: Lake, database: Database) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    lake.merge(DOCUMENTS, [document("a"), document("b", document_type="macro_event"), document("c")])
    pipeline.failures.record("extraction", "a", "cut", LONG_AGO, day=TODAY)
    pipeline.failures.record("event_classification", "b", "cut", LONG_AGO, day=TODAY)
    pipeline.failures.record("extraction", "c", "cut", LONG_AGO, day=TODAY)
    pipeline.failures.resolve("extraction", ["c"], LONG_AGO)
    assert stale_documents(pipeline, NOON) == {TODAY: 1}


def test_a_document_whose_agent_is_switched_off_is_meant_to_wait(lake: Lake, database: Database) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    lake.merge(DOCUMENTS, [document("a"), document("b", back(2), document_type="macro_event")])
    database.execute("UPDATE ai_agents SET active = false WHERE agent = 'document-extractor'")
    assert stale_documents(pipeline, NOON) == {back(2): 1}


def test_stale_days_are_asked_for_exactly_and_the_run_says_why(
    instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    days = (back(3), back(4), back(9))
    lake.merge(DOCUMENTS, [document(f"d{day}", day, NOON - timedelta(days=3)) for day in days])
    request, cursor = tick(stale_documents_sensor, instance, pipeline)
    assert isinstance(request, dg.RunRequest)
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == ("2026-03-06", "2026-03-07")
    assert request.tags["stonks/kind"] == "recovery"
    assert request.tags["stonks/why"] == (
        "2 documents of 2026-03-06 to 2026-03-07 stood parsed for more than 240 minutes without being read"
    )
    assert not any(key.to_user_string().startswith("raw_") for key in request.asset_selection or ()), "asks no source"
    answer, cursor = tick(stale_documents_sensor, instance, pipeline, cursor)
    assert "asking changed nothing: they are asked for again at 12:01:00 UTC" in said(answer)
    later = pipeline_at(NOON + timedelta(minutes=5), lake, database)
    request, _ = tick(stale_documents_sensor, instance, later, cursor)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-03-01", "what cannot be helped does not hold up the rest"


def test_nothing_stale_is_said(instance: dg.DagsterInstance, lake: Lake, database: Database) -> None:
    answer, _ = tick(stale_documents_sensor, instance, pipeline_at(NOON, lake, database))
    assert said(answer) == "no document of the last 30 days has stood parsed for 240 minutes without being read"


def test_a_recovery_under_way_and_a_model_that_rests_are_waited_for(
    instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    lake.merge(DOCUMENTS, [document("a")])
    run = dg.DagsterRun(job_name="cycle", status=dg.DagsterRunStatus.STARTED, tags={"stonks/kind": "recovery"})
    instance.add_run(run)
    assert f"{run.run_id[:8]} is not finished" in said(tick(stale_documents_sensor, instance, pipeline)[0])
    instance.report_run_canceled(run)
    pipeline.failures.record("extraction", "b", "the model does not answer", NOON, day=TODAY)
    assert "the model failed within the minute" in said(tick(stale_documents_sensor, instance, pipeline)[0])
    assert "the model failed within the minute" in said(tick(failed_extractions, instance, pipeline)[0])


# Failed extractions.


def test_failed_extractions_are_put_to_replay_after_an_hour_so_many_times(lake: Lake, database: Database) -> None:
    pipeline = pipeline_at(NOON, lake, database, FAILED_EXTRACTION_MAX_ATTEMPTS="2")
    hour_ago = NOON - timedelta(minutes=60)
    for stage, item, at in (
        ("extraction", "old", hour_ago),
        ("event_classification", "macro", hour_ago),
        ("extraction", "young", NOON - timedelta(minutes=59)),
        ("parsing", "page", hour_ago),
        ("extraction", "waived", hour_ago),
    ):
        pipeline.failures.record(stage, item, "cut", at, day=TODAY)
    database.execute("UPDATE failures SET status = 'dismissed' WHERE item = 'waived'")

    def standing() -> set[str]:
        return {row["item"] for row in database.fetch("SELECT item FROM failures WHERE status = 'replay'")}

    assert retry_failed_extractions(pipeline, NOON) == 2
    assert standing() == {"old", "macro"}
    assert retry_failed_extractions(pipeline, NOON) == 0, "again changes nothing"
    later = NOON
    for expected in (1, 0):
        pipeline.failures.record("extraction", "old", "cut again", later, day=TODAY)
        later += timedelta(hours=1)
        pipeline.failures.resolve("extraction", ["young"], later)
        assert retry_failed_extractions(pipeline, later) == expected
    row = database.fetch_one("SELECT status, retries, attempts FROM failures WHERE item = 'old'")
    assert row == {"status": "open", "retries": 2, "attempts": 3}, "it stays open for a person"


def test_what_succeeded_and_fails_anew_is_retried_anew(lake: Lake, database: Database) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    pipeline.failures.record("extraction", "a", "cut", NOON - timedelta(hours=2), day=TODAY)
    assert retry_failed_extractions(pipeline, NOON) == 1
    pipeline.failures.resolve("extraction", ["a"], NOON)
    pipeline.failures.record("extraction", "a", "cut", NOON, day=TODAY)
    assert database.fetch_one("SELECT retries FROM failures") == {"retries": 0}


def test_no_retries_by_schedule_where_none_are_wanted(
    instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    pipeline = pipeline_at(NOON, lake, database, FAILED_EXTRACTION_MAX_ATTEMPTS="0")
    pipeline.failures.record("extraction", "a", "cut", LONG_AGO, day=TODAY)
    assert "with less than 0 retries" in said(tick(failed_extractions, instance, pipeline)[0])


def test_the_retry_is_found_by_the_replays_and_asks_for_its_own_day(
    instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    pipeline.failures.record("extraction", "a", "cut", LONG_AGO, day=back(6))
    assert said(tick(replays_sensor, instance, pipeline)[0]) == "no failed item is to be tried again"
    answer, _ = tick(failed_extractions, instance, pipeline)
    assert said(answer) == "1 failed extractions were put to replay: the sensor `replays` asks for their days"
    request, _ = tick(replays_sensor, instance, pipeline)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-03-04"
    assert request.tags["stonks/why"] == "1 failed items of 2026-03-04 are to be tried again"


def test_replays_are_counted_by_day_those_without_one_for_today(lake: Lake, database: Database) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    for stage, item, day in (
        ("parsing", "a", back(4)),
        ("extraction", "b", back(4)),
        ("extraction", "c", None),
        ("trend_windows", "nobody replays this", back(1)),
    ):
        pipeline.failures.record(stage, item, "failed", LONG_AGO, day=day)
    assert replays(pipeline, NOON) == {}
    database.execute("UPDATE failures SET status = 'replay'")
    assert replays(pipeline, NOON) == {back(4): 2, TODAY: 1}


# The run that is asked for.


def test_days_that_owe_their_competitors_news_are_asked_for_once_the_layer_is_on(
    instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    for days, noted in ((0, True), (1, True), (2, False), (91, True)):
        item, day = f"day {back(days)}", back(days)
        pipeline.failures.record("competitive_signals", item, "left out", NOON, day=day, noted=noted)
    database.execute("INSERT INTO risk_configs (key, value) VALUES ('competitive_enabled', 'false')")
    assert "is off, or owes no day" in said(tick(unpropagated_news_sensor, instance, pipeline)[0])
    database.execute("UPDATE risk_configs SET value = 'true'")
    request, cursor = tick(unpropagated_news_sensor, instance, pipeline)
    assert isinstance(request, dg.RunRequest)
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == (back(2).isoformat(), back(1).isoformat())
    assert "asking changed nothing" in said(tick(unpropagated_news_sensor, instance, pipeline, cursor)[0])
    pipeline.failures.resolve("competitive_signals", [f"day {back(1)}", f"day {back(2)}"], NOON)
    assert "owes no day" in said(tick(unpropagated_news_sensor, instance, pipeline, cursor)[0])


def test_a_recovery_is_a_part_of_the_cycle_that_runs(lake: Lake, database: Database) -> None:
    assert set(HEALING_ASSETS) < set(CYCLE_ASSETS)
    pipeline = pipeline_at(NOON, lake, database)
    job = build_definitions(resource(pipeline)).resolve_job_def("cycle")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            asset_selection=[dg.AssetKey(name) for name in HEALING_ASSETS],
            tags={RANGE_START: back(2).isoformat(), RANGE_END: TODAY.isoformat()},
            instance=instance,
        )
        assert result.success
        done = {
            event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key
        }
    assert done == set(HEALING_ASSETS)
    assert database.fetch("SELECT 1 AS one FROM ingestion_runs") == []


def test_the_sensors_run_by_themselves() -> None:
    assert {sensor.default_status for sensor in HEALING_SENSORS} == {dg.DefaultSensorStatus.RUNNING}
    assert {s.name: s.minimum_interval_seconds for s in HEALING_SENSORS} == {
        "stale_documents": 300,
        "replays": 10,
        "unpropagated_news": 60,
        "failed_extractions": 600,
    }
