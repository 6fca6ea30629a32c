"""The shell around the stages: instants of a run, assets made of tables, what was written, failures."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.checks import days_of_run
from stonks_assets.partitions import as_of_for
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_assets.resources import PipelineResource
from stonks_assets.shell import table_asset
from stonks_core.clock import ManualClock
from stonks_core.errors import BadInputError
from stonks_core.health.store import door
from stonks_core.settings import load_settings
from stonks_core.stores.failing import STORE_FAILURES
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.stores.lake.tables import Grade, LakeTable, instant, real, text
from stonks_core.stores.postgres import Database
from tests.assets.automation_stage import filled

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
THINGS = LakeTable(
    "things",
    Grade.SILVER,
    "tests",
    "Things.",
    ("name",),
    (
        text("name", "its name"),
        real("value", "a number", "things.name"),
        instant("published_at", "p"),
        instant("available_at", "a"),
    ),
)


@pytest.fixture
def pipeline(lake: Lake, database: Database) -> Pipeline:
    return Pipeline(load_settings({"MARKET_CALENDAR": "XNYS"}), lake, database, ManualClock(NOON))


def thing(name: str, day: date = TODAY, *, published: datetime = NOON, known: datetime = NOON) -> dict[str, Any]:
    return {"day": day.isoformat(), "name": name, "value": 1.0, "published_at": published, "available_at": known}


# Instants.


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.datetimes(datetime(2020, 1, 2), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_day_is_computed_for_now_or_for_its_end_and_never_for_later(day: date, now: datetime) -> None:
    as_of = as_of_for(day, now)
    assert as_of <= now
    assert as_of.date() <= day
    assert (as_of == now) == (now.date() <= day)
    if now.date() > day:
        assert as_of + timedelta(microseconds=1) == datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)


def test_a_run_s_own_instant_counts() -> None:
    assert as_of_for(TODAY, NOON, "2024-05-01T09:00:00-04:00") == datetime(2024, 5, 1, 13, tzinfo=UTC)
    assert as_of_for(TODAY, NOON, "2024-05-01T13:00:00Z") == datetime(2024, 5, 1, 13, tzinfo=UTC)
    for odd, words in (("2024-05-01T09:00:00", "without an offset"), ("noon", "give it as")):
        with pytest.raises(BadInputError, match=words):
            as_of_for(TODAY, NOON, odd)


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        ({}, (TODAY, TODAY)),
        ({"dagster/partition": "2026-03-01"}, (date(2026, 3, 1), date(2026, 3, 1))),
        (
            {"dagster/asset_partition_range_start": "2026-03-01", "dagster/asset_partition_range_end": "2026-03-04"},
            (date(2026, 3, 1), date(2026, 3, 4)),
        ),
    ],
)
def test_the_days_of_a_run_s_checks(tags: dict[str, str], days: tuple[date, date]) -> None:
    assert days_of_run(tags, TODAY) == days


# Assets.


def materialise(asset: dg.AssetsDefinition, pipeline: Pipeline, **more: Any) -> dg.ExecuteInProcessResult:
    @contextmanager
    def opener() -> Iterator[Pipeline]:
        yield pipeline

    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize([asset], resources={"pipeline": PipelineResource.of(opener)}, instance=instance, **more)


@pytest.mark.parametrize(
    ("gold", "as_of"), [(False, NOON), (True, datetime(2026, 3, 2, tzinfo=UTC) - timedelta(microseconds=1))]
)
def test_an_asset_calls_its_stage_and_reports(pipeline: Pipeline, *, gold: bool, as_of: datetime) -> None:
    called: list[tuple[date, datetime]] = []

    def stage(given: Pipeline, day: date, at: datetime) -> StepReport:
        called.append((day, at))
        written = given.lake.merge(THINGS, [thing("a", day)])
        return StepReport({THINGS.name: written.inserted}, failed=2, figures={"looked_at": 3})

    result = materialise(table_asset((THINGS,), stage, gold=gold), pipeline, partition_key="2026-03-01")
    assert called == [(date(2026, 3, 1), as_of)]
    (event,) = result.asset_materializations_for_node("things")
    said = {name: value.value for name, value in event.metadata.items()}
    assert said == {"rows_written": 1, "failed_items": 2, "lake_version": 1, "looked_at": 3}


@pytest.mark.parametrize("noted", [True, False])
def test_a_broken_table_fails_its_asset_unless_the_stage_has_noted_it_and_gone_on(
    pipeline: Pipeline, *, noted: bool
) -> None:
    """Otherwise one layer's table would stop every asset after it in the cycle's run."""

    def stage(given: Pipeline, day: date, at: datetime) -> StepReport:
        folder = Path(given.lake.location.table_uri(THINGS.name))
        shutil.rmtree(folder)
        folder.write_text("no table")
        return StepReport(failed=int(noted))

    asset = table_asset((THINGS,), stage)
    if noted:
        result = materialise(asset, pipeline, partition_key="2026-03-01")
        (event,) = result.asset_materializations_for_node("things")
        assert (event.metadata["lake_version"].value, event.metadata["failed_items"].value) == (-1, 1)
    else:
        with pytest.raises(STORE_FAILURES):
            materialise(asset, pipeline, partition_key="2026-03-01")


def test_a_range_is_one_run_over_its_days(pipeline: Pipeline) -> None:
    called: list[date] = []

    def stage(given: Pipeline, day: date, at: datetime) -> StepReport:
        called.append(day)
        return StepReport({THINGS.name: 2})

    tags = {"dagster/asset_partition_range_start": "2026-03-01", "dagster/asset_partition_range_end": "2026-03-03"}
    result = materialise(table_asset((THINGS,), stage), pipeline, tags=tags)
    assert called == [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)]
    assert result.asset_materializations_for_node("things")[0].metadata["rows_written"].value == 6
    called.clear()
    newest = {"ops": {"things": {"config": {"newest_only": True}}}}
    materialise(table_asset((THINGS,), stage), pipeline, tags=tags, run_config=newest)
    assert called == [date(2026, 3, 3)]


def test_a_run_may_name_its_instant(pipeline: Pipeline) -> None:
    called: list[datetime] = []

    def stage(given: Pipeline, day: date, at: datetime) -> StepReport:
        called.append(at)
        return StepReport()

    config = {"ops": {"things": {"config": {"as_of": "2026-03-01T09:00:00+00:00"}}}}
    materialise(table_asset((THINGS,), stage), pipeline, partition_key="2026-03-01", run_config=config)
    assert called == [datetime(2026, 3, 1, 9, tzinfo=UTC)]


# What was written.


def test_rows_that_break_a_promise_close_the_door_in_the_step_that_wrote_them(pipeline: Pipeline) -> None:
    ill = {**filled(SIGNALS, signal_id="s1", layer="company", catalyst="other", duration=""), "sentiment": 1.7}

    def stage(given: Pipeline, day: date, at: datetime) -> StepReport:
        return StepReport({SIGNALS.name: given.lake.merge(SIGNALS, [{**ill, "day": day.isoformat()}]).inserted})

    result = materialise(table_asset((SIGNALS,), stage), pipeline, partition_key=TODAY.isoformat())
    assert result.success
    (event,) = result.asset_materializations_for_node(SIGNALS.name)
    assert "sentiment is not within [-1, 1], such as sentiment 1.7" in str(event.metadata["breaches"].value)
    with pipeline.database.connection() as connection:
        assert "sentiment is not within [-1, 1]" in door(connection, NOON, timedelta(minutes=10))


def test_rows_in_order_say_nothing(pipeline: Pipeline) -> None:
    well = filled(SIGNALS, signal_id="s1", layer="company", catalyst="other", duration="")

    def stage(given: Pipeline, day: date, at: datetime) -> StepReport:
        return StepReport({SIGNALS.name: given.lake.merge(SIGNALS, [{**well, "day": day.isoformat()}]).inserted})

    result = materialise(table_asset((SIGNALS,), stage), pipeline, partition_key=TODAY.isoformat())
    (event,) = result.asset_materializations_for_node(SIGNALS.name)
    assert "breaches" not in event.metadata
    assert pipeline.database.fetch("SELECT * FROM data_health_verdict") == []


# Failures and switches.


def test_a_failure_is_counted_and_resolved(pipeline: Pipeline) -> None:
    def row() -> dict[str, Any]:
        found = pipeline.database.fetch_one(
            "SELECT error, attempts, status, first_at, last_at, day, detail FROM failures"
        )
        assert found is not None
        return found

    pipeline.failures.record("parse", "item", "broken", NOON, day=TODAY, detail={"version": 1})
    assert (row()["attempts"], row()["status"], row()["day"], row()["detail"]) == (1, "open", TODAY, {"version": 1})
    pipeline.failures.record("parse", "item", "broken again", NOON + timedelta(hours=1))
    assert (row()["attempts"], row()["error"]) == (2, "broken again")
    assert (row()["first_at"], row()["last_at"]) == (NOON, NOON + timedelta(hours=1))
    pipeline.failures.resolve("other stage", ["item"], NOON)
    pipeline.failures.resolve("parse", [], NOON)
    assert row()["status"] == "open"
    pipeline.failures.resolve("parse", ["item", "never failed"], NOON + timedelta(hours=2))
    assert row()["status"] == "resolved"
    pipeline.failures.record("parse", "item", "and again", NOON)
    assert (row()["status"], row()["attempts"]) == ("open", 3)


def test_a_layer_s_row_goes_before_its_setting(pipeline: Pipeline) -> None:
    assert pipeline.layer_enabled("macro")
    assert pipeline.layer_enabled("company")
    pipeline.database.execute("INSERT INTO risk_configs (key, value) VALUES ('macro_enabled', 'false')")
    assert not pipeline.layer_enabled("macro")
    off = Pipeline(load_settings({"COMPETITIVE_ENABLED": "false"}), pipeline.lake, pipeline.database, pipeline.clock)
    assert not off.layer_enabled("competitive")
    pipeline.database.execute("INSERT INTO risk_configs (key, value) VALUES ('competitive_enabled', 'true')")
    assert off.layer_enabled("competitive")
