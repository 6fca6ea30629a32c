"""The extraction stages against a real PostgreSQL, a real lake and the sandbox's Ollama over loopback HTTP."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from stonks_assets.extraction.client import OllamaClient, Reply
from stonks_assets.extraction.macro_step import materialise_global_events, materialise_macro_impacts
from stonks_assets.extraction.step import materialise_intelligence
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import (
    DOCUMENT_INTELLIGENCE,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
)
from stonks_core.stores.postgres import Database
from stonks_sandbox.ollama import build_ollama
from tests.assets.extraction.corpus import BEAT, DAY, NOON, STORM, raw, seed_registry, store


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    app = FastAPI()
    app.include_router(build_ollama(), prefix="/ollama")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        running = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        running.should_exit = True
        thread.join()


@pytest.fixture
def pipeline(database: Database, lake: Lake, server: str) -> Pipeline:
    seed_registry(database)
    settings = load_settings({"SANDBOX_URL": server})
    return Pipeline(settings, lake, database, ManualClock(NOON))


def test_a_document_becomes_intelligence_with_a_verbatim_quote(pipeline: Pipeline) -> None:
    store(pipeline.lake, raw("beat", BEAT))
    report = materialise_intelligence(pipeline, DAY, NOON)
    assert report.failed == 0
    document = pipeline.lake.read(DOCUMENTS).to_pylist()[0]
    read = pipeline.lake.read(DOCUMENT_INTELLIGENCE).to_pylist()[0]
    impact = pipeline.lake.read(IMPACT_RECORDS).to_pylist()[0]
    assert (read["status"], read["impacts_kept"], read["model"]) == ("extracted", 1, "stonks-rules:latest")
    assert (impact["ticker"], impact["document_sha256"]) == ("ORIN", document["sha256"])
    assert impact["sentiment"] > 0
    assert document["text"][impact["quote_start"] : impact["quote_end"]] == impact["quote"]
    answers = pipeline.database.fetch("SELECT answer_key, model_digest FROM recorded_answers")
    assert [(row["answer_key"], row["model_digest"]) for row in answers] == [(read["answer_key"], read["model_digest"])]
    log = pipeline.database.fetch("SELECT agent, ok, kept, recorded FROM agent_performance_log")
    assert log == [{"agent": "document-extractor", "ok": True, "kept": 1, "recorded": False}]


def test_a_second_run_changes_nothing(pipeline: Pipeline) -> None:
    store(pipeline.lake, raw("beat", BEAT))
    materialise_intelligence(pipeline, DAY, NOON)
    versions = [pipeline.lake.version(t) for t in (DOCUMENT_INTELLIGENCE, IMPACT_RECORDS)]
    report = materialise_intelligence(pipeline, DAY, NOON)
    assert set(report.written.values()) == {0}
    assert versions == [pipeline.lake.version(t) for t in (DOCUMENT_INTELLIGENCE, IMPACT_RECORDS)]


def test_a_replay_from_the_record_gives_the_same_rows_without_a_server(
    pipeline: Pipeline, lake: Lake, tmp_path: Any
) -> None:
    store(lake, raw("beat", BEAT))
    materialise_intelligence(pipeline, DAY, NOON)
    before = lake.read(IMPACT_RECORDS).to_pylist()
    lake.delete(IMPACT_RECORDS, "true")
    lake.delete(DOCUMENT_INTELLIGENCE, "true")
    offline = load_settings({"OLLAMA_REPLAY_ONLY": "true", "SANDBOX_URL": "http://127.0.0.1:1"})
    report = materialise_intelligence(Pipeline(offline, lake, pipeline.database, ManualClock(NOON)), DAY, NOON)
    assert report.failed == 0
    assert lake.read(IMPACT_RECORDS).to_pylist() == before


def test_replay_only_without_a_record_leaves_the_document_undone(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    offline = load_settings({"OLLAMA_REPLAY_ONLY": "true", "SANDBOX_URL": "http://127.0.0.1:1"})
    report = materialise_intelligence(Pipeline(offline, lake, pipeline.database, ManualClock(NOON)), DAY, NOON)
    assert (report.failed, lake.read(DOCUMENT_INTELLIGENCE).num_rows) == (1, 0)


def test_an_unreachable_server_leaves_documents_undone_and_says_so(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))

    def nowhere() -> OllamaClient:
        return OllamaClient(["http://127.0.0.1:1"], timeout=1, max_retries=1, sleep=lambda _: None)

    report = materialise_intelligence(pipeline, DAY, NOON, connect=nowhere)
    assert (report.failed, lake.read(DOCUMENT_INTELLIGENCE).num_rows) == (1, 0)
    failure = pipeline.database.fetch_one("SELECT stage, status, error FROM failures")
    assert failure is not None
    assert (failure["stage"], failure["status"]) == ("extraction", "open")
    assert "cannot be reached" in failure["error"]
    materialise_intelligence(pipeline, DAY, NOON)
    assert lake.read(DOCUMENT_INTELLIGENCE).num_rows == 1
    assert pipeline.database.fetch_one("SELECT status FROM failures") == {"status": "resolved"}


def test_low_quality_and_later_documents_are_not_read(pipeline: Pipeline, lake: Lake) -> None:
    later = raw("late", BEAT, available_at=NOON + timedelta(hours=1), fetched_at=NOON + timedelta(hours=1))
    store(lake, raw("stub", "<p>Orion Systems: subscribe now to continue reading</p>"), later)
    report = materialise_intelligence(pipeline, DAY, NOON)
    assert report.written["document_intelligence"] == 0


def test_a_spent_budget_starts_nothing(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    report = materialise_intelligence(pipeline, DAY, NOON, budget=-1)
    assert (report.written["document_intelligence"], report.figures["undone"]) == (0, 1)


def test_a_macro_report_becomes_an_event_and_impacts(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("storm", STORM, "macro_news"))
    assert materialise_intelligence(pipeline, DAY, NOON).written["document_intelligence"] == 0
    assert materialise_global_events(pipeline, DAY, NOON).written == {"global_events": 1}
    event = lake.read(GLOBAL_EVENTS).to_pylist()[0]
    text = lake.read(DOCUMENTS).to_pylist()[0]["text"]
    assert text[event["quote_start"] : event["quote_end"]] == event["quote"] != ""
    materialise_macro_impacts(pipeline, DAY, NOON)
    impacts = {row["ticker"]: row for row in lake.read(MACRO_IMPACTS).to_pylist()}
    assert impacts["PETR"]["exposure"] > 0
    version = lake.version(MACRO_IMPACTS)
    assert materialise_macro_impacts(pipeline, DAY, NOON).written == {"macro_impacts": 0}
    assert materialise_global_events(pipeline, DAY, NOON).written == {"global_events": 0}
    assert lake.version(MACRO_IMPACTS) == version


def test_a_report_without_an_event_is_read_once_and_makes_no_impacts(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT, "macro_news"))
    materialise_global_events(pipeline, DAY, NOON)
    assert [row["type"] for row in lake.read(GLOBAL_EVENTS).to_pylist()] == ["none"]
    materialise_macro_impacts(pipeline, DAY, NOON)
    assert lake.read(MACRO_IMPACTS).num_rows == 0


class Liar:
    """A model that makes up what it says, until it is told the truth."""

    def __init__(self) -> None:
        self.answer = {
            "summary": "s",
            "sentiment": 1,
            "catalyst": "other",
            "confidence": 1,
            "impacts": [self.record("EVIL")],
        }
        self.asked = 0

    def record(self, ticker: str) -> dict[str, Any]:
        stated = {"ticker": ticker, "sentiment": 1, "impact": 1, "catalyst": "other", "horizon": "days"}
        return {**stated, "confidence": 1, "quote": "the strongest quarter in its history"}

    def __enter__(self) -> "Liar":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def digest(self, model: str) -> str:
        return "liar"

    def chat(self, *_: object) -> Reply:
        self.asked += 1
        return Reply(json.dumps(self.answer), 10, 5, 1.0)


def test_a_made_up_answer_fails_the_document_until_it_is_replayed(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    liar = Liar()
    report = materialise_intelligence(pipeline, DAY, NOON, connect=lambda: liar)
    assert (report.failed, report.figures["hallucinated_ticker"]) == (1, 1)
    read = lake.read(DOCUMENT_INTELLIGENCE).to_pylist()[0]
    assert (read["status"], read["impacts_kept"], read["hallucinated_ticker"]) == ("extraction_failed", 0, 1)
    failure = pipeline.database.fetch_one("SELECT error FROM failures WHERE status = 'open'")
    assert failure is not None
    assert "1 name an unknown company" in failure["error"]
    materialise_intelligence(pipeline, DAY, NOON, connect=lambda: liar)
    assert liar.asked == 1

    liar.answer["impacts"] = [liar.record("ORIN")]
    pipeline.database.execute("UPDATE failures SET status = 'replay'")
    materialise_intelligence(pipeline, DAY, NOON, connect=lambda: liar)
    assert liar.asked == 2
    assert [row["status"] for row in lake.read(DOCUMENT_INTELLIGENCE).to_pylist()] == ["extracted"]
    assert [row["ticker"] for row in lake.read(IMPACT_RECORDS).to_pylist()] == ["ORIN"]
    assert pipeline.database.fetch_one("SELECT status FROM failures") == {"status": "resolved"}


def test_three_failed_classifications_in_a_row_alarm_the_operator(
    pipeline: Pipeline, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    store(lake, raw("storm", STORM, "macro_news"))

    def nowhere() -> OllamaClient:
        return OllamaClient(["http://127.0.0.1:1"], timeout=1, max_retries=0)

    for expected in (0, 0, 1):
        materialise_global_events(pipeline, DAY, NOON, connect=nowhere)
        assert [record.levelname for record in caplog.records].count("CRITICAL") == expected
    assert lake.read(GLOBAL_EVENTS).num_rows == 0


def test_impacts_follow_the_registry(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("storm", STORM, "macro_news"))
    materialise_global_events(pipeline, DAY, NOON)
    materialise_macro_impacts(pipeline, DAY, NOON)
    pipeline.database.execute("DELETE FROM exposure_profiles")
    pipeline.database.execute("UPDATE companies SET sector = ''")
    materialise_macro_impacts(pipeline, DAY, NOON)
    assert lake.read(MACRO_IMPACTS).num_rows == 0


def test_a_switched_off_agent_is_not_asked(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    pipeline.database.execute("UPDATE ai_agents SET active = false")
    report = materialise_intelligence(pipeline, DAY, NOON)
    assert report.figures == {"agent": "document-extractor is switched off"}
