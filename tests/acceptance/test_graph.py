"""The asset graph at work: the cycle as a Dagster run, two days in one run, and a source that is down."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from stonks_assets.automation.jobs import CYCLE_ASSETS, cycle_config
from stonks_assets.checks import SOURCES_UP
from stonks_assets.definitions import build_definitions
from stonks_assets.pipeline import Pipeline
from stonks_assets.resources import PipelineResource
from stonks_core.clock import ManualClock
from stonks_core.health.store import door
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS, TREND_HISTORY
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.registry import PIPELINE_TABLES
from stonks_core.stores.lake.silver_tables import DOCUMENTS, MARKET_SNAPSHOTS
from stonks_core.stores.postgres import Database
from tests.acceptance.day import NOW, TODAY, YESTERDAY, register
from tests.acceptance.stage import Sandbox, fresh_database, sandbox, settings_for

NOBODY_LISTENS = {"MARKET_DATA_API_KEY": "key", "MARKET_DATA_BASE_URL": "http://127.0.0.1:9"}


@dataclass
class Graph:
    """The graph over one home; `variables` are what the next run's settings are loaded with."""

    home: Path
    database: Database
    played: Sandbox
    instance: dg.DagsterInstance
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def lake(self) -> Lake:
        """The home's lake."""
        return Lake(LakeLocation(str(self.home / "lake")))

    @contextmanager
    def open(self) -> Iterator[Pipeline]:
        """The pipeline as an asset's body finds it."""
        settings = settings_for(self.home, self.played.url, **self.variables)
        yield Pipeline(settings, self.lake, self.database, ManualClock(NOW))

    def run(self, job: str, *days: str, config: Mapping[str, object] | None = None) -> dg.ExecuteInProcessResult:
        """One run over a day, or over all days from the first to the last."""
        definitions = build_definitions(PipelineResource.of(self.open))
        tags = {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}
        return definitions.resolve_job_def(job).execute_in_process(
            partition_key=days[0] if len(days) == 1 else None,
            tags=tags if len(days) > 1 else {},
            run_config=dict(config or {}),
            instance=self.instance,
            raise_on_error=False,
        )


@pytest.fixture(scope="module")
def graph(postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("graph")
    with (
        sandbox(folder / "state", NOW) as played,
        fresh_database(postgres, template) as database,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        made = Graph(folder, database, played, instance)
        with made.open() as pipeline:
            register(pipeline)
        yield made


@pytest.fixture(scope="module")
def without_polygon(graph: Graph) -> dg.ExecuteInProcessResult:
    """A cycle while nobody answers where Polygon should be."""
    graph.variables = dict(NOBODY_LISTENS)
    result = graph.run("cycle", TODAY.isoformat(), config=cycle_config())
    graph.variables = {}
    return result


@pytest.fixture(scope="module")
def cycle(graph: Graph, without_polygon: dg.ExecuteInProcessResult) -> dg.ExecuteInProcessResult:
    """The next cycle, as an operator asks for it by hand, with every source up."""
    assert without_polygon
    return graph.run("cycle", TODAY.isoformat())


def _checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    found = result.get_asset_check_evaluations()
    return {check.asset_key.to_user_string(): check.passed for check in found if check.check_name == SOURCES_UP}


def _materialised(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def test_a_source_that_is_down_fails_its_own_check_and_nobody_elses(without_polygon: dg.ExecuteInProcessResult) -> None:
    assert without_polygon.success
    checks = _checks(without_polygon)
    down = {name for name, passed in checks.items() if not passed}
    assert down == {"raw_news_api", "raw_macro_news", "raw_market_api"}
    assert checks.keys() - down == {"raw_filings_api", "raw_web_scrape"}
    assert _materialised(without_polygon) == set(CYCLE_ASSETS)


def test_what_the_other_sources_brought_went_all_the_way(graph: Graph, cycle: dg.ExecuteInProcessResult) -> None:
    assert cycle.success
    attempts = graph.database.fetch(
        """
        SELECT s.source_type, r.status, r.items_new, r.error FROM ingestion_runs r JOIN sources s USING (source_id)
        ORDER BY r.started_at, r.status
        """
    )
    news = [row for row in attempts if row["source_type"] == "news_api"]
    assert {row["status"] for row in news} == {"failed", "succeeded"}
    assert any("127.0.0.1:9" in row["error"] for row in news)
    assert any(row["items_new"] > 0 for row in attempts if row["source_type"] == "filings_api")


def test_the_cycle_ends_in_recommendations_with_evidence(graph: Graph, cycle: dg.ExecuteInProcessResult) -> None:
    assert _materialised(cycle) == set(CYCLE_ASSETS)
    assert all(_checks(cycle).values())
    spoken = {row["recommendation_id"] for row in graph.lake.read(RECOMMENDATIONS).to_pylist()}
    shown = {row["recommendation_id"] for row in graph.lake.read(RECOMMENDATION_EVIDENCE).to_pylist()}
    assert spoken
    assert spoken == shown


def test_every_materialisation_tells_rows_and_version(graph: Graph, cycle: dg.ExecuteInProcessResult) -> None:
    for event in cycle.get_asset_materialization_events():
        said = event.materialization.metadata
        assert {"rows_written", "failed_items", "lake_version"} <= said.keys(), event.asset_key


def test_the_same_cycle_again_writes_nothing(graph: Graph, cycle: dg.ExecuteInProcessResult) -> None:
    lake = graph.lake
    before = {table.name: lake.version(table) for table in PIPELINE_TABLES}
    assert graph.run("cycle", TODAY.isoformat()).success
    assert {table.name: lake.version(table) for table in PIPELINE_TABLES} == before


def test_two_days_are_brought_in_by_one_run(graph: Graph, cycle: dg.ExecuteInProcessResult) -> None:
    first = YESTERDAY - timedelta(days=1)
    result = graph.run("market_history", first.isoformat(), YESTERDAY.isoformat())
    assert result.success
    bars = [row for row in graph.lake.read(MARKET_SNAPSHOTS).to_pylist() if row["span"] == "1d"]
    assert {row["day"] for row in bars} == {first.isoformat(), YESTERDAY.isoformat()}
    days = {
        e.partition for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey("raw_market_api")
    }
    assert days == {first.isoformat(), YESTERDAY.isoformat()}


def test_a_range_of_the_whole_chain_catches_up_and_computes_the_newest_day_only(
    graph: Graph, cycle: dg.ExecuteInProcessResult
) -> None:
    history = graph.lake.read(TREND_HISTORY).num_rows
    assert graph.run("cycle", YESTERDAY.isoformat(), TODAY.isoformat(), config=cycle_config()).success
    documents = {row["day"] for row in graph.lake.read(DOCUMENTS, columns=["day"]).to_pylist()}
    assert documents >= {TODAY.isoformat()}
    assert {row["as_of"] for row in graph.lake.read(TREND_HISTORY).to_pylist()} == {NOW}
    assert graph.lake.read(TREND_HISTORY).num_rows >= history


def test_the_tables_checks_hold_over_the_day(graph: Graph, cycle: dg.ExecuteInProcessResult) -> None:
    assert graph.run("market_history", YESTERDAY.isoformat(), YESTERDAY.isoformat()).success
    definitions = build_definitions(PipelineResource.of(graph.open))
    result = definitions.resolve_job_def("checks").execute_in_process(instance=graph.instance)
    assert result.success
    evaluated = result.get_asset_check_evaluations()
    assert len(evaluated) >= len(CYCLE_ASSETS)
    failing = [(check.asset_key.to_user_string(), check.check_name) for check in evaluated if not check.passed]
    assert failing == []
    with graph.database.connection() as connection:
        assert door(connection, NOW, timedelta(minutes=10)) == ""
