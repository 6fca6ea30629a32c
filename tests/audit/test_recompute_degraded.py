"""What was recommended while a table could not be read, or projections could not be made, comes out again byte for byte."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stonks_assets.aggregation.provenance import read_provenance
from stonks_audit.counterfactual import counterfactual
from stonks_audit.recompute import Recomputed, recompute
from stonks_core.errors import TransientError
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE as EVIDENCE
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS, TREND_PROJECTIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENTS, GLOBAL_EVENTS
from stonks_core.stores.lake.tables import LakeTable
from tests.audit.conftest import NOW, Row, World

LATER = NOW + timedelta(minutes=20)
SETTINGS = load_settings({"MARKET_CALENDAR": "24/7", "PROJECTION_CONFIDENCE_THRESHOLD": "0"})


def spoil_log(folder: Path) -> None:
    max((folder / "_delta_log").glob("*.json")).write_text("{this is no log")


def spoil_data(folder: Path) -> None:
    for file in folder.rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:20])


def reopened(told: World, **changed: Any) -> World:
    """The same system in a new process: no table is open."""
    lake = Lake(told.lake.location)
    return replace(told, pipeline=replace(told.pipeline, lake=lake, settings=SETTINGS, **changed))


def said_while(told: World, table: LakeTable, spoil: Callable[[Path], None]) -> list[Row]:
    """What a cycle recommends while a table is spoilt; afterwards it is whole again."""
    folder = Path(told.lake.location.table_uri(table.name))
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    spoil(folder)
    reopened(told).cycle(LATER)
    shutil.rmtree(folder)
    kept.rename(folder)
    return said_later(told)


def said_later(told: World) -> list[Row]:
    return [row for row in reopened(told).lake.read(RECOMMENDATIONS).to_pylist() if row["as_of"] == LATER]


def again(told: World, row: Row) -> Recomputed:
    whole = reopened(told)
    return recompute(whole.pipeline.database, whole.lake, SETTINGS, row["recommendation_id"])


@pytest.mark.parametrize("spoil", [spoil_log, spoil_data])
@pytest.mark.parametrize("table", [TREND_PROJECTIONS, DOCUMENTS, GLOBAL_EVENTS])
def test_a_table_that_could_not_be_read(told: World, table: LakeTable, spoil: Callable[[Path], None]) -> None:
    rows = said_while(told, table, spoil)
    assert rows
    for row in rows:
        assert read_provenance(row["input_versions"]).unread == (table.name,)
        done = again(told, row)
        assert done.by_knowledge.equal, done.by_knowledge.differences
        assert done.by_versions.equal, done.by_versions.differences
    told.tell("next", LATER + timedelta(minutes=1), 0.5)
    healed = reopened(told)
    healed.cycle(LATER + timedelta(minutes=20))
    newest = healed.said()
    assert newest["as_of"] > LATER
    assert read_provenance(newest["input_versions"]).unread == ()
    assert again(told, newest).equal


class NoProjections(Lake):
    """A lake that takes no projection; all else works, and what is there can be read."""

    def merge(self, table: LakeTable, *args: Any, **kwargs: Any) -> Any:
        if table is TREND_PROJECTIONS:
            raise TransientError("trend_projections takes nothing")
        return super().merge(table, *args, **kwargs)


def test_projections_that_could_not_be_made_are_lacking_too(told: World) -> None:
    world = reopened(told)
    replace(world, pipeline=replace(world.pipeline, lake=NoProjections(told.lake.location))).cycle(LATER)
    rows = said_later(told)
    assert rows
    assert all("where the trend is heading could not be read in full" in row["thesis"] for row in rows)
    world.cycle(LATER)  # the step succeeds now, and the recommendations stand as they were given
    made = {(row["ticker"], row["window"]) for row in world.lake.read(TREND_PROJECTIONS).to_pylist()}
    without = [row for row in rows if (row["ticker"], row["window"]) in made]
    assert without, "there would have been a projection"
    assert said_later(told) == rows
    for row in rows:
        done = again(told, row)
        assert done.equal, done.by_knowledge.differences
    given = next(row for row in without if row["ticker"] == "ACME")
    name = given["recommendation_id"]
    shown = {row["document_id"] for row in world.lake.read(EVIDENCE).to_pylist() if row["recommendation_id"] == name}
    other = counterfactual(world.pipeline.database, world.lake, SETTINGS, name, sorted(shown)[:1], NOW)
    assert other.before.projected_score is None
    assert other.after is not None
    assert other.after.projected_score is None
