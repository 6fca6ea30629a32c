"""What happens by itself: the toggle, work that waits, and history that is missing."""

from datetime import date, timedelta

import pytest

from stonks_assets.automation.control import initialise_toggle, pipeline_enabled, set_pipeline
from stonks_assets.automation.work import HISTORIES, history_gap, work_waiting
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENTS, GLOBAL_EVENTS, MARKET_SNAPSHOTS
from stonks_core.stores.postgres import Database
from tests.assets.automating import NOON, TODAY, At, add_source, bar, document, filled


@pytest.fixture
def at(lake: Lake, database: Database) -> At:
    settings = load_settings({"MARKET_CALENDAR": "XNYS"})
    return lambda now: Pipeline(settings, lake, database, ManualClock(now))


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
