"""Upkeep of the lake: days of many small files are merged, files that nothing needs go, readers see the same rows."""

import os
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from stonks_assets.automation.control import initialise_toggle, set_pipeline
from stonks_assets.automation.healing import HEALING_SENSORS
from stonks_assets.automation.health import HEALTH_SENSORS
from stonks_assets.automation.sensors import SCHEDULES, SENSORS
from stonks_assets.automation.upkeep import (
    UPKEEP_SCHEDULES,
    VACUUMED,
    WRITERS,
    lake_maintenance,
    tend,
    vacuum_is_due,
    worn_tables,
)
from stonks_assets.automation.wear import MANY_BEFORE, MANY_TODAY
from stonks_assets.definitions import build_definitions
from stonks_core.errors import BadInputError
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.registry import TABLES
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, IMPACT_RECORDS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.lake.upkeep import leftover_files, small_files, vacuum
from stonks_core.stores.postgres import Database
from tests.assets.automation_stage import NOON, TODAY, filled, on_schedule, pipeline_at, resource, said, tick
from tests.core.things import THINGS, thing

YESTERDAY = TODAY - timedelta(days=1)
WEEK = timedelta(days=7)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(scope="module")
def kept_instance() -> Iterator[dg.DagsterInstance]:
    """A schedule's context takes no ephemeral one."""
    with dg.instance_for_test(set_dagster_home=False) as made:
        yield made


def write(lake: Lake, table: LakeTable, day: date, commits: int, first: int = 0) -> None:
    for number in range(first, first + commits):
        lake.merge(table, [filled(table, day=day.isoformat(), **{table.key[0]: f"{day}-{number}"})])


def folder(lake: Lake, table: LakeTable) -> Path:
    return Path(lake.location.table_uri(table.name))


def files(lake: Lake, table: LakeTable) -> list[Path]:
    return sorted(folder(lake, table).glob("day=*/*.parquet"))


def age(paths: list[Path], by: timedelta) -> None:
    then = time.time() - by.total_seconds()
    for path in paths:
        os.utime(path, (then, then))


def test_small_files_are_counted_by_day(lake: Lake) -> None:
    assert small_files(lake, THINGS) == {}
    for number in range(3):
        lake.merge(THINGS, [thing(f"t{number}")])
    lake.merge(THINGS, [thing("y", day=YESTERDAY)])
    assert small_files(lake, THINGS) == {TODAY: 3, YESTERDAY: 1}
    assert lake.compact(THINGS, TODAY) == 3
    assert small_files(lake, THINGS) == {TODAY: 1, YESTERDAY: 1}


def test_a_reader_of_the_tail_goes_on_by_key_after_compaction(lake: Lake) -> None:
    for number in range(3):
        lake.merge(THINGS, [thing(f"t{number}")])
    seen_to = lake.version(THINGS)
    lake.merge(THINGS, [thing("new")])
    lake.compact(THINGS, TODAY)
    rows, version = lake.tail(THINGS, seen_to, columns=["name"])
    assert set(rows["name"].to_pylist()) == {"t0", "t1", "t2", "new"}, "what was moved comes again, nothing is lost"
    assert version == lake.version(THINGS)


def test_what_a_killed_write_left_goes_after_a_week_and_what_a_version_needs_stays(lake: Lake) -> None:
    lake.merge(THINGS, [thing("a"), thing("b")])
    live = files(lake, THINGS)
    orphans = [live[0].with_name(f"orphan-{days}.parquet") for days in (6, 8)]
    for orphan, days in zip(orphans, (6, 8), strict=True):
        orphan.write_bytes(live[0].read_bytes())
        age([orphan], timedelta(days=days))
    age(live, timedelta(days=100))
    assert leftover_files(lake, THINGS, WEEK) == 1
    assert vacuum(lake, THINGS, WEEK) == 1
    assert files(lake, THINGS) == sorted([*live, orphans[0]])
    assert set(lake.read(THINGS)["name"].to_pylist()) == {"a", "b"}
    assert vacuum(lake, THINGS, WEEK) == 0


def test_files_that_were_merged_stay_for_running_readers(lake: Lake) -> None:
    for number in range(3):
        lake.merge(THINGS, [thing(f"t{number}")])
    before = files(lake, THINGS)
    lake.compact(THINGS, TODAY)
    assert vacuum(lake, THINGS, WEEK) == 0
    assert set(before) < set(files(lake, THINGS))


def test_less_than_a_week_is_refused(lake: Lake) -> None:
    lake.merge(THINGS, [thing("a")])
    with pytest.raises(BadInputError, match="files of lake table things were to be kept for 6 days"):
        vacuum(lake, THINGS, timedelta(days=6))


def test_pools_are_those_of_the_assets_that_write(database: Database, lake: Lake) -> None:
    definitions = build_definitions(resource(pipeline_at(NOON, lake, database)))
    pools = {
        key.to_user_string(): pool
        for asset in definitions.assets or ()
        if isinstance(asset, dg.AssetsDefinition)
        for key in asset.keys
        for pool in asset.node_def.pools
    }
    assert {table.name: pool for pool, tables in WRITERS.items() for table in tables} == pools
    assert sorted(table.name for tables in WRITERS.values() for table in tables) == sorted(t.name for t in TABLES)
    for name in ("retention", "lake_maintenance"):
        job = definitions.resolve_job_def(name)
        held = {pool for node in job.graph.nodes for pool in node.definition.pools if pool}
        assert held <= set(pools.values())
        assert name != "lake_maintenance" or held == set(pools.values())


def test_worn_days_are_merged_and_what_nobody_wrote_to_is_left(lake: Lake, database: Database) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    write(lake, DOCUMENT_INTELLIGENCE, TODAY, MANY_TODAY)
    write(lake, DOCUMENT_INTELLIGENCE, YESTERDAY, MANY_BEFORE)
    write(lake, IMPACT_RECORDS, TODAY, MANY_TODAY - 1)
    rows = lake.read(DOCUMENT_INTELLIGENCE, columns=["document_id"]).num_rows
    assert worn_tables(pipeline) == {"document_intelligence": [YESTERDAY, TODAY]}
    untouched = lake.version(IMPACT_RECORDS)
    gone = tend(pipeline, (DOCUMENT_INTELLIGENCE, IMPACT_RECORDS), rid=False)
    assert gone == {"document_intelligence": MANY_TODAY + MANY_BEFORE, "impact_records": 0}
    assert lake.version(IMPACT_RECORDS) == untouched
    assert lake.read(DOCUMENT_INTELLIGENCE, columns=["document_id"]).num_rows == rows
    version = lake.version(DOCUMENT_INTELLIGENCE)
    assert tend(pipeline, (DOCUMENT_INTELLIGENCE,), rid=True) == {"document_intelligence": 0}
    assert lake.version(DOCUMENT_INTELLIGENCE) == version, "a second time changes nothing"


def test_the_job_tends_what_is_worn_under_its_pool_and_skips_the_rest(
    instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    write(lake, DOCUMENT_INTELLIGENCE, YESTERDAY, MANY_BEFORE)
    job = build_definitions(resource(pipeline)).resolve_job_def("lake_maintenance")
    assert vacuum_is_due(pipeline)
    first = job.execute_in_process(instance=instance)
    assert first.success
    assert {e.step_key for e in first.get_step_success_events()} == {
        "look",
        "note_vacuum",
        *(f"tend_{pool.removeprefix('lake_')}" for pool in WRITERS),
    }, "a vacuum looks at every table"
    assert small_files(lake, DOCUMENT_INTELLIGENCE) == {YESTERDAY: 1}
    assert not vacuum_is_due(pipeline)
    write(lake, DOCUMENT_INTELLIGENCE, YESTERDAY, MANY_BEFORE, first=100)
    second = job.execute_in_process(instance=instance)
    assert second.success
    done = {event.step_key for event in second.get_step_success_events()}
    assert done == {"look", "tend_document_intelligence", "note_vacuum"}
    assert small_files(lake, DOCUMENT_INTELLIGENCE) == {YESTERDAY: 1}


def test_maintenance_is_asked_for_with_its_reason(
    kept_instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    request = on_schedule(lake_maintenance, kept_instance, pipeline)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["stonks/why"] == "the daily vacuum is due"
    database.execute("INSERT INTO pipeline_control (key, value, updated_at) VALUES (%s, 'true', %s)", (VACUUMED, NOON))
    none = "no table has a day of many small files, and files were deleted within the day"
    assert said(on_schedule(lake_maintenance, kept_instance, pipeline)) == none
    write(lake, DOCUMENT_INTELLIGENCE, YESTERDAY, MANY_BEFORE)
    request = on_schedule(lake_maintenance, kept_instance, pipeline)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["stonks/why"] == "small files in document_intelligence"


# The toggle.


@pytest.mark.parametrize("first_boot", [True, False])
def test_nothing_asks_for_anything_while_the_pipeline_is_off(
    instance: dg.DagsterInstance,
    kept_instance: dg.DagsterInstance,
    lake: Lake,
    database: Database,
    *,
    first_boot: bool,
) -> None:
    """By a person, or by PIPELINE_DEFAULT_OFF: every sensor and schedule that there is, but for who tells people."""
    pipeline = pipeline_at(NOON, lake, database)
    if first_boot:
        initialise_toggle(database, default_off=True)
    else:
        set_pipeline(database, enabled=False, actor="ada", reason="maintenance")
    definitions = build_definitions(resource(pipeline))
    assert list(definitions.sensors or ()) == [*SENSORS, *HEALING_SENSORS, *HEALTH_SENSORS]
    assert list(definitions.schedules or ()) == [*SCHEDULES, *UPKEEP_SCHEDULES]
    for sensor in (*SENSORS, *HEALING_SENSORS, *HEALTH_SENSORS):
        if sensor.name == "messages":
            assert "0 messages sent" in said(tick(sensor, instance, pipeline)[0])
            continue
        assert said(tick(sensor, instance, pipeline)[0]) == "the pipeline is switched off", sensor.name
    for schedule in (*SCHEDULES, *UPKEEP_SCHEDULES):
        assert said(on_schedule(schedule, kept_instance, pipeline)) == "the pipeline is switched off", schedule.name


@pytest.mark.parametrize(
    ("hour", "partition", "first"),
    [(0, None, "2026-03-09"), (6, None, "2026-03-09"), (7, "2026-03-10", None), (12, "2026-03-10", None)],
)
def test_facts_of_yesterday_are_renewed_until_its_feeds_have_settled(
    kept_instance: dg.DagsterInstance,
    lake: Lake,
    database: Database,
    hour: int,
    partition: str | None,
    first: str | None,
) -> None:
    (facts,) = [schedule for schedule in SCHEDULES if schedule.name == "facts"]
    request = on_schedule(facts, kept_instance, pipeline_at(NOON.replace(hour=hour, minute=5), lake, database))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == partition
    assert request.tags.get("dagster/asset_partition_range_start") == first
