"""Each table broken in turn, on disk: the other layers go on, the trend says what it lacks, and so does the thesis."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.extraction.joint_step import materialise_extraction
from stonks_assets.extraction.macro_step import materialise_macro_impacts
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_assets.recommendation.step import materialise_recommendations
from stonks_core.alerts import open_alerts
from stonks_core.layers import layer_states
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS, TREND_PROJECTIONS, TREND_WINDOWS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
    MARKET_SNAPSHOTS,
    SIGNALS,
)
from stonks_core.stores.lake.tables import LakeTable
from tests.assets.recommendation.test_recommendation_step import DAY, NOW, SENTENCE, filled, pipeline, tell

__all__ = ["pipeline"]
LATER = NOW + timedelta(minutes=20)
STAGES = (
    materialise_extraction,
    materialise_macro_impacts,
    materialise_competitive_signals,
    materialise_signals,
    materialise_trends,
    materialise_projections,
    materialise_recommendations,
)


def spoil_log(folder: Path) -> None:
    """The newest entry of the table's log is no JSON."""
    newest = max((folder / "_delta_log").glob("*.json"))
    newest.write_text("{this is no log")


def spoil_data(folder: Path) -> None:
    """Every data file is cut off."""
    for file in folder.rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:20])


def remove(folder: Path) -> None:
    shutil.rmtree(folder)


Spoil = Callable[[Path], None]


def reopened(told: Pipeline) -> Pipeline:
    """The same system in a new process: no table is open."""
    return replace(told, lake=Lake(told.lake.location))


def cycle(told: Pipeline, first: int = 2) -> dict[str, StepReport]:
    told.clock.advance_to(LATER)  # type: ignore[attr-defined]
    return {stage.__name__: stage(told, DAY, LATER) for stage in STAGES[first:]}


def broken(told: Pipeline, table: LakeTable, spoil: Spoil) -> Pipeline:
    """A system that has run well once, whose table was then spoilt."""
    told.settings = replace(told.settings, ollama=told.settings.ollama.model_copy(update={"replay_only": True}))
    told.database.execute("UPDATE ai_agents SET active = false")
    for stage in STAGES[2:]:
        stage(told, DAY, NOW)
    told.lake.version(table)
    spoil(Path(told.lake.location.table_uri(table.name)))
    return reopened(told)


@pytest.mark.parametrize(
    ("table", "lacks", "spoil"),
    [
        (IMPACT_RECORDS, "company", spoil_log),
        (IMPACT_RECORDS, "company", spoil_data),
        (IMPACT_RECORDS, "company", remove),
        (MACRO_IMPACTS, "macro", spoil_log),
        (MACRO_IMPACTS, "macro", spoil_data),
        (MACRO_IMPACTS, "macro", remove),
        (COMPETITIVE_SIGNALS, "competitive", spoil_log),
        (COMPETITIVE_SIGNALS, "competitive", spoil_data),
    ],
)
def test_a_layers_own_table(pipeline: Pipeline, table: LakeTable, lacks: str, spoil: Spoil) -> None:
    told = broken(pipeline, table, spoil)
    cycle(told)
    trends = told.lake.read(TREND_WINDOWS).to_pylist()
    assert {trend["as_of"] for trend in trends} == {LATER}
    assert all(lacks in trend["degraded"].split(",") for trend in trends)
    assert {trend["ticker"] for trend in trends} == {"ACME", "BETA", "CARGO"}, "what is known already goes on counting"
    assert told.lake.read(SIGNALS).num_rows == 7, "a layer that cannot be read takes no signal back"
    said = [row for row in told.lake.read(RECOMMENDATIONS).to_pylist() if row["as_of"] == LATER]
    assert said
    assert all("Part of the picture is missing" in row["thesis"] for row in said)


def test_competitive_signals_that_were_removed_are_made_again(pipeline: Pipeline) -> None:
    told = broken(pipeline, COMPETITIVE_SIGNALS, remove)
    cycle(told)
    assert told.lake.read(COMPETITIVE_SIGNALS).num_rows == 3
    assert {trend["degraded"] for trend in told.lake.read(TREND_WINDOWS).to_pylist()} == {""}


def test_events_that_cannot_be_read_stop_neither_documents_nor_companies(pipeline: Pipeline) -> None:
    told = broken(pipeline, GLOBAL_EVENTS, spoil_data)
    told.database.execute("UPDATE ai_agents SET active = true WHERE agent = 'event-classifier'")
    reports = cycle(told, first=0)
    assert reports["materialise_macro_impacts"].failed == 1
    assert reports["materialise_extraction"].failed == 1
    trends = {t["ticker"]: t for t in told.lake.read(TREND_WINDOWS).to_pylist() if t["window"] == "1d"}
    assert trends["ACME"]["degraded"] == "macro"
    assert trends["CARGO"]["macro_share"] == 1, "the impacts that were made before go on counting"
    said = {r["ticker"]: r for r in told.lake.read(RECOMMENDATIONS).to_pylist() if r["as_of"] == LATER}
    assert "events in the wider economy could not be read in full" in said["ACME"]["thesis"]
    assert "CARGO" not in said, "nothing is recommended whose evidence cannot be shown"
    stages = {row["stage"] for row in told.database.fetch("SELECT stage FROM failures WHERE status = 'open'")}
    assert {"global_events", "macro_impacts", "recommendations"} <= stages


@pytest.mark.parametrize("spoil", [spoil_log, spoil_data])
@pytest.mark.parametrize("table", [MARKET_SNAPSHOTS, CORPORATE_ACTIONS])
def test_prices(pipeline: Pipeline, table: LakeTable, spoil: Spoil) -> None:
    pipeline.lake.merge(table, [filled(table, day="2026-03-09", ticker="ACME")])  # type: ignore[no-untyped-call]
    told = broken(pipeline, table, spoil)
    tell(told, "a4", NOW, 0.5)  # type: ignore[no-untyped-call]
    cycle(told)
    trend = next(t for t in told.lake.read(TREND_WINDOWS).to_pylist() if (t["ticker"], t["window"]) == ("ACME", "1d"))
    assert trend["signals_counted"] == 4
    assert {"competitive", "market"} <= set(trend["degraded"].split(","))
    said = [r for r in told.lake.read(RECOMMENDATIONS).to_pylist() if r["as_of"] == LATER and r["ticker"] == "ACME"]
    assert said
    assert all("news about its competitors and partners and prices could not be read" in r["thesis"] for r in said)


@pytest.mark.parametrize("spoil", [spoil_log, spoil_data])
def test_projections(pipeline: Pipeline, spoil: Spoil) -> None:
    row = filled(TREND_PROJECTIONS, day="2026-03-10", ticker="ACME", window="1d", as_of=NOW)  # type: ignore[no-untyped-call]
    pipeline.lake.merge(TREND_PROJECTIONS, [row])
    told = broken(pipeline, TREND_PROJECTIONS, spoil)
    cycle(told)
    said = [row for row in told.lake.read(RECOMMENDATIONS).to_pylist() if row["as_of"] == LATER]
    assert len(said) == 15
    assert all("where the trend is heading could not be read in full" in row["thesis"] for row in said)


def test_documents_that_cannot_be_read_cost_the_publishers_name_alone(pipeline: Pipeline) -> None:
    told = broken(pipeline, DOCUMENTS, spoil_data)
    cycle(told)
    said = [r for r in told.lake.read(RECOMMENDATIONS).to_pylist() if r["as_of"] == LATER and r["ticker"] == "ACME"]
    assert any(SENTENCE["a2"].rstrip(".") in row["thesis"] and "publisher unknown" in row["thesis"] for row in said)


def test_a_layer_that_cannot_be_read_again_and_again_alerts_and_heals(pipeline: Pipeline) -> None:
    for stage in STAGES[2:]:
        stage(pipeline, DAY, NOW)
    folder = Path(pipeline.lake.location.table_uri(MACRO_IMPACTS.name))
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    spoil_data(folder)
    for tries in (1, 2, 3, 4):
        materialise_signals(reopened(pipeline), DAY, NOW)
        states = {state.layer: state for state in layer_states(pipeline.database, pipeline.settings.signals)}
        assert states["macro"].failures_in_a_row == tries
        assert bool(states["macro"].alert) == (tries >= 3)
    alert = open_alerts(pipeline.database)["macro layer"]
    assert "macro layer failed 4 times in a row" in alert
    assert "\n" not in alert
    told = pipeline.database.fetch("SELECT severity, subject, body FROM notifications")
    assert [(row["severity"], row["subject"]) for row in told] == [("critical", "macro layer")]
    shutil.rmtree(folder)
    kept.rename(folder)
    assert materialise_signals(reopened(pipeline), DAY, NOW).failed == 0
    assert open_alerts(pipeline.database) == {}
    healed = {state.layer: state for state in layer_states(pipeline.database, pipeline.settings.signals)}["macro"]
    assert (healed.failures_in_a_row, healed.alert) == (0, "")


def test_a_layer_that_is_off_degrades_nothing(pipeline: Pipeline) -> None:
    pipeline.database.execute("INSERT INTO risk_configs (key, value) VALUES ('macro_enabled', 'false')")
    told = broken(pipeline, MACRO_IMPACTS, spoil_log)
    cycle(told)
    assert {trend["degraded"] for trend in told.lake.read(TREND_WINDOWS).to_pylist()} == {""}
