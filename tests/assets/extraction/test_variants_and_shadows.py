"""Variants in the stages: who reads what, budgets that run out, models that are missing, and shadows that never trade."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from stonks_assets.extraction.client import OllamaClient
from stonks_assets.extraction.joint_step import materialise_extraction
from stonks_assets.extraction.resolver import AgentResolver
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, GLOBAL_EVENTS, IMPACT_RECORDS
from stonks_core.stores.postgres import Database
from tests.assets.extraction.corpus import BEAT, DAY, NOON, STORM, raw, seed_registry, store
from tests.assets.extraction.planned import Planned, planned, status


@pytest.fixture
def pipeline(database: Database, lake: Lake) -> Pipeline:
    seed_registry(database)
    settings = load_settings({"OLLAMA_BASE_URL": "http://127.0.0.1:1", "OLLAMA_MODEL": "tiny", "OLLAMA_PARALLEL": "1"})
    return Pipeline(settings, lake, database, ManualClock(NOON))


@pytest.fixture
def server() -> Iterator[Planned]:
    with planned() as running:
        running.models = {"tiny:latest": "d1", "small:latest": "d2"}
        yield running


def asking(server: Planned) -> Callable[[], OllamaClient]:
    return lambda: OllamaClient([server.url], timeout=5, max_retries=0, sleep=lambda _: None)


def variant(database: Database, name: str, **fields: Any) -> None:
    given = {"agent": "document-extractor", "model": "small", "weight": 1.0, "budget": None, "limit": None} | fields
    database.execute(
        """
        INSERT INTO agent_variants (agent, name, model, traffic_weight, token_budget_per_hour, input_token_limit, shadow, active)
        VALUES (%(agent)s, %(name)s, %(model)s, %(weight)s, %(budget)s, %(limit)s, %(shadow)s, true)
        """,
        {"shadow": False, **given, "name": name},
    )


def articles(lake: Lake, count: int, first: int = 0) -> None:
    store(lake, *(raw(f"beat{n}", BEAT.replace("4.2", f"{n}.2")) for n in range(first, first + count)))


def readers(lake: Lake) -> list[str]:
    return sorted(row["variant"] for row in lake.read(DOCUMENT_INTELLIGENCE).to_pylist())


def test_a_variant_over_its_budget_hands_its_documents_to_the_base(
    pipeline: Pipeline, lake: Lake, server: Planned, caplog: pytest.LogCaptureFixture
) -> None:
    variant(pipeline.database, "thrifty", budget=2000)
    articles(lake, 6)
    report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert report.failed == 0
    by_variant = readers(lake)
    assert by_variant.count("thrifty") >= 1
    assert by_variant.count("base") == report.figures["handed_to_base"] >= 1
    assert len([e for e in caplog.records if "over its budget of 2000 tokens" in e.getMessage()]) == 1
    spent = "SELECT sum(prompt_tokens + output_tokens) AS n FROM agent_performance_log WHERE variant = 'thrifty'"
    row = pipeline.database.fetch_one(spent)
    assert row is not None
    assert row["n"] <= 2000

    articles(lake, 1, first=7)
    materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert readers(lake).count("thrifty") == by_variant.count("thrifty")
    assert isinstance(pipeline.clock, ManualClock)
    pipeline.clock.advance_to(NOON + timedelta(minutes=61))
    articles(lake, 1, first=8)
    materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert readers(lake).count("thrifty") == by_variant.count("thrifty") + 1


def test_a_month_replays_from_the_record_though_a_budget_ran_out(
    pipeline: Pipeline, lake: Lake, server: Planned
) -> None:
    variant(pipeline.database, "thrifty", budget=2000)
    articles(lake, 5)
    materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    before = lake.read(DOCUMENT_INTELLIGENCE).to_pylist()
    lake.delete(DOCUMENT_INTELLIGENCE, "true")
    replay = {"OLLAMA_BASE_URL": "http://127.0.0.1:1", "OLLAMA_MODEL": "tiny", "OLLAMA_REPLAY_ONLY": "true"}
    pipeline.settings = load_settings(replay)
    assert materialise_extraction(pipeline, DAY, NOON).failed == 0
    after = lake.read(DOCUMENT_INTELLIGENCE).to_pylist()
    assert sorted(after, key=lambda r: r["document_id"]) == sorted(before, key=lambda r: r["document_id"])
    assert {row["variant"] for row in after} == {"base", "thrifty"}


def test_a_variant_whose_model_is_missing_stops_nobody(
    pipeline: Pipeline, lake: Lake, server: Planned, caplog: pytest.LogCaptureFixture
) -> None:
    variant(pipeline.database, "absent", model="huge", weight=1.0)
    articles(lake, 3)
    assert materialise_extraction(pipeline, DAY, NOON, connect=asking(server)).failed == 0
    assert readers(lake) == ["base"] * 3
    assert len([e for e in caplog.records if "ollama pull huge" in e.getMessage()]) == 1


def test_a_missing_base_model_stops_its_own_line_only(pipeline: Pipeline, lake: Lake, server: Planned) -> None:
    pipeline.database.execute("UPDATE ai_agents SET model = 'huge' WHERE agent = 'document-extractor'")
    articles(lake, 3)
    store(lake, raw("storm", STORM, "macro_news"))
    report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert (report.failed, report.written["global_events"]) == (1, 1)
    row = pipeline.database.fetch_one("SELECT error FROM failures WHERE stage = 'extraction'")
    assert row is not None
    assert "ollama pull huge" in row["error"]


def test_an_input_limit_shows_only_the_beginning(pipeline: Pipeline, lake: Lake, server: Planned) -> None:
    variant(pipeline.database, "short", limit=64)
    articles(lake, 1)
    materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert len(server.asked) == 1
    assert "continue through the year" not in server.asked[0]["messages"][1]["content"]


def test_shadows_read_but_their_answers_are_kept_apart(pipeline: Pipeline, lake: Lake, server: Planned) -> None:
    variant(pipeline.database, "dark", shadow=True)
    variant(pipeline.database, "dark", agent="event-classifier", shadow=True)
    articles(lake, 2)
    store(lake, raw("storm", STORM, "macro_news"))
    report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert (report.failed, report.figures["shadow_read"], report.figures["shadow_undone"]) == (0, 3, 0)
    assert [body["model"] for body in server.asked] == ["tiny"] * 3 + ["small"] * 3
    assert readers(lake) == ["base", "base"]
    assert lake.read(IMPACT_RECORDS).num_rows == 2
    assert [row["model"] for row in lake.read(GLOBAL_EVENTS).to_pylist()] == ["tiny"]
    kept = pipeline.database.fetch(
        "SELECT agent, status, model, found FROM shadow_readings ORDER BY agent, document_id"
    )
    assert [(row["agent"], row["status"]) for row in kept] == [
        ("document-extractor", "extracted"),
        ("document-extractor", "extracted"),
        ("event-classifier", "classified"),
    ]
    assert kept[0]["found"][0]["ticker"] == "ORIN"
    report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert len(server.asked) == 6
    assert "shadow_read" not in report.figures


def test_a_shadow_that_fails_costs_the_live_agent_nothing(pipeline: Pipeline, lake: Lake, server: Planned) -> None:
    variant(pipeline.database, "dark", shadow=True)
    articles(lake, 1)
    materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    pipeline.database.execute("DELETE FROM shadow_readings")
    pipeline.database.execute("DELETE FROM recorded_answers WHERE model = 'small'")
    server.plan.append(status(503))
    report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert (report.failed, report.figures["shadow_undone"]) == (0, 1)
    assert pipeline.database.fetch("SELECT * FROM failures") == []
    assert materialise_extraction(pipeline, DAY, NOON, connect=asking(server)).figures["shadow_read"] == 1


def test_a_shadow_over_its_budget_waits(pipeline: Pipeline, lake: Lake, server: Planned) -> None:
    variant(pipeline.database, "dark", shadow=True, budget=900)
    articles(lake, 3)
    report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert report.figures["shadow_undone"] >= 1
    assert readers(lake) == ["base"] * 3


def test_the_resolver_believes_the_tables_for_a_minute(database: Database) -> None:
    clock = ManualClock(NOON)
    resolver = AgentResolver(database, "tiny", clock)
    assert resolver.resolve("document-extractor").base.model == "tiny"
    database.execute("UPDATE ai_agents SET model = 'small'")
    clock.advance_to(NOON + timedelta(seconds=59))
    assert resolver.resolve("document-extractor").base.model == "tiny"
    clock.advance_to(NOON + timedelta(seconds=60))
    assert resolver.resolve("document-extractor").base.model == "small"
