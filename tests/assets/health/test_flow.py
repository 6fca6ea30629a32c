"""Whether everything flows: sources that are late, sessions without bars, trends that lag, stages that fail too often."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from stonks_assets.health.flow import flow_checks, flow_findings
from stonks_assets.pipeline import Pipeline
from stonks_core.stores.lake.gold_tables import TREND_WINDOWS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENTS, MARKET_SNAPSHOTS, SIGNALS
from stonks_core.stores.postgres import Database
from tests.assets.automation_stage import NOON, TODAY, pipeline_at
from tests.assets.health.planting import sound

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BARS = {"market_snapshots": "fresh"}


@pytest.fixture
def pipeline(lake: Lake, database: Database) -> Pipeline:
    return pipeline_at(NOON, lake, database)


def said(pipeline: Pipeline, table: str, check: str, at: datetime = NOON) -> str:
    found = flow_findings(pipeline, at)
    assert {table for table, _ in found} == flow_checks().keys()
    assert {(t, c) for t, checks in flow_checks().items() for c in checks} == found.keys()
    return found[table, check].problem


def source(database: Database, name: str, last: datetime | None, **more: Any) -> str:
    values = {
        "type": "news_api",
        "name": name,
        "config": Jsonb(more.get("config", {})),
        "active": more.get("active", True),
        "added": more.get("added", NOON - 24 * HOUR),
    }
    row = database.fetch_one(
        """
        INSERT INTO sources (source_type, name, config, active, created_at)
        VALUES (%(type)s, %(name)s, %(config)s, %(active)s, %(added)s)
        RETURNING source_id::text AS id
        """,
        values,
    )
    assert row is not None
    if last is not None:
        database.execute(
            "INSERT INTO source_states (source_id, last_success_at, last_error) VALUES (%s, %s, %s)",
            (row["id"], last, more.get("error", "")),
        )
    return str(row["id"])


# Sources.


def test_a_type_without_a_source_is_well(pipeline: Pipeline) -> None:
    assert said(pipeline, "raw_news_api", "fresh") == said(pipeline, "raw_news_api", "sources_answer") == ""


def test_all_sources_of_a_type_must_be_late_to_be_blind(pipeline: Pipeline, database: Database) -> None:
    source(database, "late", NOON - 31 * MINUTE, error="503 Service Unavailable.")
    assert said(pipeline, "raw_news_api", "fresh") == (
        "no news_api source answers (1 active), such as late, which last answered at 2026-03-10 11:29 UTC and said: "
        "503 Service Unavailable: see `stonks registry sources list`"
    )
    assert said(pipeline, "raw_news_api", "sources_answer") == ""  # once is enough
    source(database, "prompt", NOON - 30 * MINUTE)
    source(database, "off", None, active=False)
    assert said(pipeline, "raw_news_api", "fresh") == ""
    assert said(pipeline, "raw_news_api", "sources_answer").startswith("1 of 2 news_api sources are late, such as late")


def test_an_answer_without_news_is_an_answer(pipeline: Pipeline, database: Database) -> None:
    """A quiet weekend: sources answer with nothing, and no table has a new row for days."""
    sunday = datetime(2026, 3, 15, 12, tzinfo=UTC)
    for name in ("a", "b"):
        source(database, name, sunday - 5 * MINUTE)
    friday = {**sound(MARKET_SNAPSHOTS), "day": "2026-03-13", "span": "1d"}
    pipeline.lake.merge(MARKET_SNAPSHOTS, [friday])
    pipeline.lake.merge(SIGNALS, [sound(SIGNALS)])
    pipeline.lake.merge(TREND_WINDOWS, [{**sound(TREND_WINDOWS), "as_of": NOON + MINUTE}])
    assert {name for name, finding in flow_findings(pipeline, sunday).items() if finding.problem} == set()


def test_a_source_that_never_answered_is_late_and_one_that_is_new_or_asked_seldom_is_not(
    pipeline: Pipeline, database: Database
) -> None:
    source(database, "seldom", NOON - 5 * HOUR, config={"polling_interval_seconds": 7200})
    source(database, "new", None, added=NOON - MINUTE)
    assert said(pipeline, "raw_news_api", "sources_answer") == ""
    source(database, "never", None)
    assert "never, which has never answered" in said(pipeline, "raw_news_api", "sources_answer")


def test_a_source_that_nobody_has_asked_yet_has_its_turns_from_when_it_was_added(
    pipeline: Pipeline, database: Database
) -> None:
    new = source(database, "new", None, added=NOON)
    for check in ("fresh", "sources_answer"):
        assert said(pipeline, "raw_news_api", check, NOON + 15 * MINUTE) == ""
    assert "new, which has never answered" in said(pipeline, "raw_news_api", "fresh", NOON + 31 * MINUTE)
    database.execute(
        "INSERT INTO source_states (source_id, last_attempt_at, last_error) VALUES (%s, %s, '401')", (new, NOON)
    )
    assert "never answered and said: 401" in said(pipeline, "raw_news_api", "fresh", NOON + MINUTE)


# Sessions.


@pytest.mark.parametrize(
    ("day", "hour", "bar", "well"),
    [
        (10, 12, "2026-03-09", True),  # Tuesday noon, Monday's bar
        (10, 12, "2026-03-06", False),  # Tuesday noon, Friday's bar only
        (9, 12, "2026-03-06", True),  # Monday noon
        (10, 6, "2026-03-06", True),  # Monday's close is not twelve hours old
        (8, 12, "2026-03-06", True),  # Sunday
        (8, 12, "2026-03-05", False),  # Sunday, Thursday's bar only
    ],
)
def test_the_newest_session_that_is_over_has_bars(
    pipeline: Pipeline, day: int, hour: int, bar: str, *, well: bool
) -> None:
    pipeline.lake.merge(MARKET_SNAPSHOTS, [{**sound(MARKET_SNAPSHOTS), "day": bar, "span": "1d"}])
    told = said(pipeline, "market_snapshots", "fresh", datetime(2026, 3, day, hour, tzinfo=UTC))
    assert (told == "") is well
    assert well or "has no bar of the session 2026-03-0" in told


def test_a_snapshot_of_the_running_session_is_no_bar(pipeline: Pipeline) -> None:
    pipeline.lake.merge(MARKET_SNAPSHOTS, [{**sound(MARKET_SNAPSHOTS), "day": "2026-03-09", "span": "snapshot"}])
    assert "has no bar of the session 2026-03-09" in said(pipeline, "market_snapshots", "fresh")


# Trends.


def test_trends_must_follow_the_signals(pipeline: Pipeline) -> None:
    pipeline.lake.merge(SIGNALS, [sound(SIGNALS)])
    assert said(pipeline, "trend_windows", "fresh", NOON + 30 * MINUTE) == ""
    assert "there is none at all" in said(pipeline, "trend_windows", "fresh", NOON + 31 * MINUTE)
    pipeline.lake.merge(TREND_WINDOWS, [{**sound(TREND_WINDOWS), "as_of": NOON - MINUTE}])
    assert "those of 2026-03-10 11:59 UTC" in said(pipeline, "trend_windows", "fresh", NOON + 31 * MINUTE)
    pipeline.lake.merge(TREND_WINDOWS, [{**sound(TREND_WINDOWS), "as_of": NOON + MINUTE}], update=True)
    assert said(pipeline, "trend_windows", "fresh", NOON + 5 * HOUR) == ""


# Shares.


def asked(database: Database, ok: int, failed: int, **more: Any) -> None:
    row = {"agent": "document-extractor", "kept": 0, "dropped": 0, "shadow": False, "at": NOON - MINUTE, **more}
    for n in range(ok + failed):
        database.execute(
            """
            INSERT INTO agent_performance_log (agent, model, document_id, ok, latency_ms, kept, dropped, error, at, shadow)
            VALUES (%(agent)s, 'm', %(document)s, %(ok)s, 1, %(kept)s, %(dropped)s, %(error)s, %(at)s, %(shadow)s)
            """,
            {**row, "document": str(n), "ok": n < ok, "error": "" if n < ok else "the model timed out."},
        )


@pytest.mark.parametrize(("ok", "failed", "well"), [(5, 6, False), (5, 5, True), (0, 9, True), (0, 10, False)])
def test_more_than_half_of_enough_answers_must_fail(
    pipeline: Pipeline, database: Database, ok: int, failed: int, *, well: bool
) -> None:
    asked(database, ok, failed)
    told = said(pipeline, "document_intelligence", "failure_share")
    assert (told == "") is well
    assert well or told.startswith(
        f"{failed} of {ok + failed} answers in extraction failed within an hour, such as: the model"
    )


def test_failures_of_hours_ago_and_of_shadows_say_nothing(pipeline: Pipeline, database: Database) -> None:
    asked(database, 0, 20, at=NOON - 2 * HOUR)
    asked(database, 0, 20, shadow=True)
    assert said(pipeline, "document_intelligence", "failure_share") == ""
    asked(database, 0, 20, agent="event-classifier")
    assert "answers in event_classification" in said(pipeline, "global_events", "failure_share")


def test_askings_that_fail_are_counted_by_source_type(pipeline: Pipeline, database: Database) -> None:
    one = source(database, "news", NOON)
    for n in range(12):
        database.execute(
            """
            INSERT INTO ingestion_runs (source_id, day, status, error, started_at, finished_at)
            VALUES (%s, %s, %s, 'no route', %s, %s)
            """,
            (one, TODAY, "failed" if n < 7 else "succeeded", NOON, NOON - MINUTE),
        )
    assert "7 of 12 askings of news_api sources failed within an hour, such as: no route" in said(
        pipeline, "raw_news_api", "failure_share"
    )
    assert said(pipeline, "raw_filings_api", "failure_share") == ""


def test_documents_that_cannot_be_parsed_are_held_against_those_that_were(pipeline: Pipeline) -> None:
    for n in range(10):
        pipeline.failures.record("parsing", str(n), "not a page", NOON - MINUTE)
    assert "10 of 10 documents in parsing" in said(pipeline, "documents", "failure_share")
    pipeline.lake.merge(DOCUMENTS, [sound(DOCUMENTS, n) for n in range(10)])
    assert said(pipeline, "documents", "failure_share") == ""


def test_records_that_documents_do_not_bear_out_are_a_warning_when_they_are_most(
    pipeline: Pipeline, database: Database
) -> None:
    asked(database, 24, 0, kept=1, dropped=1)
    assert said(pipeline, "document_intelligence", "refused_share") == ""
    asked(database, 1, 0, dropped=2)
    assert "26 of 50 records that the model made" in said(pipeline, "document_intelligence", "refused_share")
