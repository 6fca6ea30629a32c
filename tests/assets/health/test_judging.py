"""Checks made, results kept, the verdict renewed: over real Delta and PostgreSQL, by the sensor and by Dagster's checks."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from stonks_assets.automation.control import set_pipeline
from stonks_assets.automation.health import data_health, failing_cycles
from stonks_assets.checks import checks_of
from stonks_assets.health.judging import (
    examine,
    examine_written,
    expected,
    judge_whole,
    recent,
    renew_verdict,
)
from stonks_assets.pipeline import Pipeline
from stonks_core.health import store
from stonks_core.health.verdict import CHECKS, Verdict, in_a_line
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.registry import BY_NAME, TABLES
from stonks_core.stores.lake.silver_tables import DOCUMENTS, MARKET_SNAPSHOTS, SIGNALS
from stonks_core.stores.postgres import Database
from tests.assets.automation_stage import NOON, TODAY, pipeline_at, resource, said, tick
from tests.assets.health.planting import plant, sound

MINUTE = timedelta(minutes=1)


@pytest.fixture
def pipeline(lake: Lake, database: Database) -> Pipeline:
    """A pipeline whose data is well."""
    plant(lake, MARKET_SNAPSHOTS, {**sound(MARKET_SNAPSHOTS), "day": "2026-03-09", "span": "1d"})
    return pipeline_at(NOON, lake, database)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def reasons(verdict: Verdict) -> set[tuple[str, str]]:
    return {(reason.subject, reason.check) for reason in verdict.reasons}


def test_data_that_is_well_opens_the_door(pipeline: Pipeline) -> None:
    verdict = judge_whole(pipeline, NOON)
    assert verdict.reasons == ()
    with pipeline.database.connection() as connection:
        assert store.door(connection, NOON, 10 * MINUTE) == ""


def test_every_check_that_blocks_says_why_and_is_made(pipeline: Pipeline) -> None:
    judge_whole(pipeline, NOON, TABLES)
    with pipeline.database.connection() as connection:
        made = {result.name for result in store.results(connection)}
    assert made == {check.name for check in expected() if check.needed}
    subjects = {check.subject for check in expected()} - {"pipeline"}
    assert subjects == set(BY_NAME)
    assert {check.subject for check in expected() if check.blocks} >= {"signals", "recommendations", "raw_news_api"}


def test_bad_rows_close_the_door_where_orders_follow_from_them_and_warn_elsewhere(pipeline: Pipeline) -> None:
    plant(pipeline.lake, DOCUMENTS, {**sound(DOCUMENTS), "quality_score": 2.0})
    verdict = judge_whole(pipeline, NOON)
    assert (reasons(verdict), [w.subject for w in verdict.warnings]) == (set(), ["documents"])
    plant(pipeline.lake, SIGNALS, {**sound(SIGNALS), "impact": float("nan")})
    verdict = judge_whole(pipeline, NOON)
    assert reasons(verdict) == {("signals", "ranges")}
    assert verdict.reasons[0].sentence.endswith("of signals again (trends are sums of it)")


def test_a_breach_in_a_step_closes_at_once_and_stays_until_its_day_is_well(pipeline: Pipeline) -> None:
    judge_whole(pipeline, NOON)
    long_ago = "2026-02-01"
    plant(pipeline.lake, SIGNALS, {**sound(SIGNALS), "sentiment": 3.0, "day": long_ago})
    assert examine_written(pipeline, SIGNALS, NOON - timedelta(days=1)).keys() == {"ranges"}
    with pipeline.database.connection() as connection:
        assert "sentiment is not within" in store.door(connection, NOON, 10 * MINUTE)
    later = NOON + MINUTE
    assert reasons(judge_whole(pipeline, later)) == {("signals", "ranges")}  # though the day is long past
    pipeline.lake.delete(SIGNALS, f"day = '{long_ago}'")
    assert judge_whole(pipeline, later + MINUTE).entries_open


def test_days_of_long_ago_are_let_go(pipeline: Pipeline) -> None:
    plant(pipeline.lake, SIGNALS, {**sound(SIGNALS), "sentiment": 3.0})
    assert reasons(judge_whole(pipeline, NOON)) == {("signals", "ranges")}
    after = NOON + timedelta(days=93)
    assert [r.problem for r in examine(pipeline, [SIGNALS], recent(after), after) if r.problem] == []


def test_whole_checks_that_are_not_made_any_more_close_the_door(pipeline: Pipeline) -> None:
    judge_whole(pipeline, NOON)
    assert renew_verdict(pipeline, NOON + 9 * MINUTE).entries_open
    verdict = renew_verdict(pipeline, NOON + 11 * MINUTE)  # the flow's results are too old
    assert reasons(verdict) == {(CHECKS, "not_run")}
    assert "failure_share of document_intelligence was last made at 2026-03-10 12:00 UTC and 7 more" in in_a_line(
        verdict
    )


# The sensor.


def test_the_sensor_asks_for_the_checks_at_once_then_twice_an_hour(
    pipeline: Pipeline, instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    first, cursor = tick(data_health, instance, pipeline)
    assert isinstance(first, dg.RunRequest)
    assert "checks are missing or too old" in first.tags["stonks/why"]
    soon, cursor = tick(data_health, instance, pipeline_at(NOON + MINUTE, lake, database), cursor)
    assert said(soon).startswith("no new positions: checks are missing")
    again, cursor = tick(data_health, instance, pipeline_at(NOON + 6 * MINUTE, lake, database), cursor)
    assert isinstance(again, dg.RunRequest)
    judge_whole(pipeline_at(NOON + 7 * MINUTE, lake, database), NOON + 7 * MINUTE)
    well, cursor = tick(data_health, instance, pipeline_at(NOON + 30 * MINUTE, lake, database), cursor)
    assert said(well) == "new positions may be opened"
    due, _ = tick(data_health, instance, pipeline_at(NOON + 36 * MINUTE, lake, database), cursor)
    assert isinstance(due, dg.RunRequest)


def test_a_switched_off_pipeline_is_not_judged_and_says_so_itself(
    pipeline: Pipeline, instance: dg.DagsterInstance
) -> None:
    judge_whole(pipeline, NOON)
    set_pipeline(pipeline.database, enabled=False, actor="ada", reason="maintenance")
    answer, _ = tick(data_health, instance, pipeline)
    assert said(answer) == "the pipeline is switched off"
    with pipeline.database.connection() as connection:
        assert "switched off by ada" in store.door(connection, NOON, 10 * MINUTE)


def test_three_failed_cycles_in_a_row_close_the_door_until_one_succeeds(
    pipeline: Pipeline, instance: dg.DagsterInstance
) -> None:
    @dg.job
    def cycle() -> None:
        pass

    def ended(status: dg.DagsterRunStatus) -> None:
        instance.create_run_for_job(cycle, status=status, tags={"stonks/kind": "cycle"})

    judge_whole(pipeline, NOON)
    for _ in range(2):
        ended(dg.DagsterRunStatus.FAILURE)
    assert failing_cycles(instance) == ""
    ended(dg.DagsterRunStatus.FAILURE)
    answer, _ = tick(data_health, instance, pipeline, NOON.isoformat())
    assert "the last 3 cycles failed" in said(answer)
    ended(dg.DagsterRunStatus.SUCCESS)
    answer, _ = tick(data_health, instance, pipeline, NOON.isoformat())
    assert said(answer) == "new positions may be opened"


# Dagster's checks.


def test_asset_checks_show_each_finding_with_its_severity_and_days(pipeline: Pipeline) -> None:
    plant(pipeline.lake, SIGNALS, {**sound(SIGNALS), "layer": "gossip"})
    checks = checks_of("some_checks", [SIGNALS, MARKET_SNAPSHOTS])
    job = dg.Definitions(
        assets=[dg.AssetSpec("signals"), dg.AssetSpec("market_snapshots")],
        asset_checks=[checks],
        jobs=[dg.define_asset_job("some", selection=dg.AssetSelection.all_asset_checks())],
        resources={"pipeline": resource(pipeline)},
    ).resolve_job_def("some")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    shown = {(c.asset_key.to_user_string(), c.check_name): c for c in result.get_asset_check_evaluations()}
    assert shown.keys() == {("signals", "rows"), ("market_snapshots", "rows"), ("market_snapshots", "flow")}
    found = shown["signals", "rows"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert str(found.description).startswith("words: in a row of signals layer is none of company, macro, competitive")
    assert found.metadata["words"].value == TODAY.isoformat()
    assert shown["market_snapshots", "flow"].passed
