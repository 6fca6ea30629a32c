"""Whatever the model server does, no bad row, nothing lost, the failure named, and a replay that succeeds later."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stonks_assets.automation.recovery import model_rests
from stonks_assets.extraction.client import OllamaClient
from stonks_assets.extraction.joint_step import materialise_extraction
from stonks_assets.extraction.macro_step import materialise_global_events
from stonks_assets.extraction.step import materialise_intelligence
from stonks_assets.pipeline import Pipeline
from stonks_core.alerts import open_alerts
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, GLOBAL_EVENTS, IMPACT_RECORDS
from stonks_core.stores.postgres import Database
from tests.assets.extraction.corpus import BEAT, DAY, NOON, STORM, raw, seed_registry, store
from tests.assets.extraction.planned import Act, Planned, garbage, hangs, hangs_up, planned, says, status

QUOTE = "the strongest quarter in its history"


@pytest.fixture
def pipeline(database: Database, lake: Lake) -> Pipeline:
    seed_registry(database)
    settings = load_settings({"OLLAMA_BASE_URL": "http://127.0.0.1:1", "OLLAMA_MODEL": "tiny", "OLLAMA_PARALLEL": "1"})
    return Pipeline(settings, lake, database, ManualClock(NOON))


def asking(server: Planned, retries: int = 0, timeout: float = 5) -> Callable[[], OllamaClient]:
    return lambda: OllamaClient([server.url], timeout=timeout, max_retries=retries, sleep=lambda _: None)


def record(**changes: Any) -> dict[str, Any]:
    stated = {"ticker": "ORIN", "sentiment": 0.5, "impact": 0.5, "catalyst": "other", "horizon": "days"}
    return {**stated, "confidence": 0.5, "quote": QUOTE, **changes}


def answer(*records: dict[str, Any], **changes: Any) -> str:
    envelope = {"summary": "It went well.", "sentiment": 0.5, "catalyst": "other", "confidence": 0.5}
    return json.dumps({**envelope, "impacts": list(records), **changes})


GOOD = answer(record())
PASSING: dict[str, tuple[Act, str]] = {
    "503": (status(503, "queue full"), "busy or failing"),
    "500": (status(500, "out of memory"), "busy or failing"),
    "slow": (hangs, "raise OLLAMA_TIMEOUT"),
    "hang-up": (hangs_up, "cannot be reached"),
    "html": (garbage(b"<html>welcome</html>"), "not Ollama's JSON"),
    "nothing": (garbage(b""), "not Ollama's JSON"),
    "deep": (garbage(b"[" * 100_000), "not Ollama's JSON"),
}
LASTING: dict[str, tuple[Act, str]] = {
    "cut answer": (says(GOOD[:80], done_reason="length"), "was cut after 100 tokens"),
    "cut JSON": (says(GOOD[:80]), "breaks the schema"),
    "cut prompt": (says(GOOD, prompt_eval_count=20_000), "it was cut"),
    "empty content": (says(""), "breaks the schema"),
    "null": (says("null"), "breaks the schema"),
    "NaN envelope": (says(answer(record(), sentiment=math.nan)), "breaks the schema"),
    "-1e300 envelope": (says(answer(record(), sentiment=-1e300)), "breaks the schema"),
    "NaN": (says(answer(record(sentiment=math.nan))), "1 break the schema"),
    "infinity": (says(answer(record(impact=math.inf))), "1 break the schema"),
    "-1e300": (says(answer(record(sentiment=-1e300))), "1 break the schema"),
    "long integer": (says(answer(record()).replace("0.5", "1" + "0" * 5000)), "breaks the schema"),
    "unknown ticker": (says(answer(record(ticker="EVIL"))), "1 name an unknown company"),
    "forged quote": (
        says(answer(record(quote="Orion is bankrupt and will be liquidated"))),
        "1 quote what is not in it",
    ),
    "NUL": (says(answer(record(quote="a\x00b\x00c\x00d\x00e\x00f\x00g\x00h"))), "1 quote what is not in it"),
    "surrogate": (says(answer(record(ticker="\ud800"))), "breaks the schema"),
    "400": (status(400, "invalid format"), "refuses the request"),
}


def failure(pipeline: Pipeline, stage: str = "extraction") -> dict[str, Any]:
    row = pipeline.database.fetch_one("SELECT * FROM failures WHERE stage = %s", (stage,))
    assert row is not None
    return row


@pytest.mark.parametrize("name", sorted(PASSING))
def test_what_passes_leaves_the_document_undone_and_the_next_cycle_reads_it(
    pipeline: Pipeline, lake: Lake, name: str
) -> None:
    act, sentence = PASSING[name]
    store(lake, raw("beat", BEAT))
    with planned(act) as server:
        timeout = 0.2 if name == "slow" else 5
        report = materialise_intelligence(pipeline, DAY, NOON, connect=asking(server, timeout=timeout))
        assert (report.failed, report.figures["undone"]) == (1, 1)
        assert lake.read(DOCUMENT_INTELLIGENCE).num_rows == lake.read(IMPACT_RECORDS).num_rows == 0
        assert sentence in failure(pipeline)["error"]
        assert pipeline.database.fetch("SELECT * FROM recorded_answers") == []
        report = materialise_intelligence(pipeline, DAY, NOON, connect=asking(server))
    assert (report.failed, report.figures["undone"]) == (0, 0)
    assert [row["ticker"] for row in lake.read(IMPACT_RECORDS).to_pylist()] == ["ORIN"]
    assert failure(pipeline)["status"] == "resolved"


@pytest.mark.parametrize("name", sorted(LASTING))
def test_what_lasts_is_named_makes_no_row_and_succeeds_when_it_is_replayed(
    pipeline: Pipeline, lake: Lake, name: str
) -> None:
    act, sentence = LASTING[name]
    store(lake, raw("beat", BEAT))
    with planned(act) as server:
        report = materialise_intelligence(pipeline, DAY, NOON, connect=asking(server, retries=2))
        assert report.failed == 1
        assert lake.read(IMPACT_RECORDS).num_rows == 0
        assert [row["status"] for row in lake.read(DOCUMENT_INTELLIGENCE).to_pylist()] == ["extraction_failed"]
        assert sentence in failure(pipeline)["error"]
        materialise_intelligence(pipeline, DAY, NOON, connect=asking(server))
        assert len(server.asked) == 1
        pipeline.database.execute("UPDATE failures SET status = 'replay' WHERE stage = 'extraction'")
        materialise_intelligence(pipeline, DAY, NOON, connect=asking(server))
    assert [row["status"] for row in lake.read(DOCUMENT_INTELLIGENCE).to_pylist()] == ["extracted"]
    assert [row["ticker"] for row in lake.read(IMPACT_RECORDS).to_pylist()] == ["ORIN"]
    assert {row["status"] for row in pipeline.database.fetch("SELECT status FROM failures")} == {"resolved"}


def test_busy_servers_are_asked_again_within_the_call(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    with planned(status(503), status(429)) as server:
        report = materialise_intelligence(pipeline, DAY, NOON, connect=asking(server, retries=2))
        assert (report.failed, len(server.asked)) == (0, 3)


def test_no_retry_begins_after_the_deadline(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    clock = pipeline.clock
    assert isinstance(clock, ManualClock)

    def late(server: Planned, body: dict[str, Any]) -> tuple[int, bytes] | None:
        clock.advance_to(NOON.replace(hour=13))
        return status(503)(server, body)

    with planned(late, status(503)) as server:
        assert materialise_intelligence(pipeline, DAY, NOON, connect=asking(server, retries=5)).failed == 1
        assert len(server.asked) == 1


def test_one_slow_document_does_not_stop_the_others_and_three_do(pipeline: Pipeline, lake: Lake) -> None:
    texts = [BEAT.replace("4.2", f"{n}.2") for n in range(6)]
    store(lake, *(raw(f"beat{n}", text) for n, text in enumerate(texts)))
    with planned(hangs) as server:
        report = materialise_intelligence(pipeline, DAY, NOON, connect=asking(server, timeout=0.3))
        assert (report.failed, report.figures["undone"]) == (1, 1)
    pipeline.database.execute("DELETE FROM failures")
    lake.delete(DOCUMENT_INTELLIGENCE, "true")
    pipeline.database.execute("DELETE FROM recorded_answers")
    with planned(hangs, hangs, hangs) as server:
        report = materialise_intelligence(pipeline, DAY, NOON, connect=asking(server, timeout=0.3))
        assert (report.failed, len(server.asked)) == (3, 3)


def test_refused_records_are_kept_with_their_reasons_beside_those_that_held(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    bad = (record(ticker="EVIL"), record(sentiment=math.nan), record(quote="Orion will be liquidated"))
    mixed = says(answer(record(), *bad, summary="Profit rose by 77 percent."))
    with planned(mixed) as server:
        report = materialise_intelligence(pipeline, DAY, NOON, connect=asking(server))
        assert report.failed == 0
        read = lake.read(DOCUMENT_INTELLIGENCE).to_pylist()[0]
        assert (read["status"], read["impacts_kept"], read["summary"]) == ("extracted", 1, "")
        kept = failure(pipeline, "refused_records")
        assert kept["status"] == "noted"  # the contract did its work: nobody must act on it
        assert not model_rests(pipeline, pipeline.clock.now())
        assert kept["detail"]["counts"] == {
            "hallucinated_ticker": 1,
            "invalid_record": 1,
            "invented_number": 1,
            "unsupported_quote": 1,
        }
        assert "4 records that tiny made" in kept["error"]
        assert json.loads(kept["detail"]["records"][0]["record"])["ticker"] == "EVIL"
        pipeline.database.execute("UPDATE failures SET status = 'replay' WHERE stage = 'refused_records'")
        materialise_intelligence(pipeline, DAY, NOON, connect=asking(server))
        assert len(server.asked) == 2
    assert failure(pipeline, "refused_records")["status"] == "resolved"


def test_metrics_and_log_say_what_it_cost(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    with planned(says(answer(record(), record(ticker="EVIL")))) as server:
        materialise_intelligence(pipeline, DAY, NOON, connect=asking(server))
    rows = pipeline.database.fetch("SELECT metric, value, samples FROM model_performance_metrics WHERE model = 'tiny'")
    found = {row["metric"]: (row["value"], row["samples"]) for row in rows}
    assert found["valid_share"] == (0.5, 2)
    assert (found["prompt_tokens"][0], found["output_tokens"][0]) == (400, 100)
    assert found["latency_ms_mean"] == (5.0, 1)
    lake.delete(DOCUMENT_INTELLIGENCE, "true")
    with planned() as server:
        materialise_intelligence(pipeline, DAY, NOON, connect=asking(server))
        assert server.asked == []
    rows = pipeline.database.fetch("SELECT metric, value FROM model_performance_metrics")
    assert {row["metric"]: row["value"] for row in rows}["recorded_share"] == 0.5
    assert {row["metric"]: row["value"] for row in rows}["prompt_tokens"] == 400


def test_a_replay_does_not_take_another_models_answer(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT))
    with planned() as server:
        materialise_intelligence(pipeline, DAY, NOON, connect=asking(server))
    lake.delete(DOCUMENT_INTELLIGENCE, "true")
    only = {"OLLAMA_BASE_URL": "http://127.0.0.1:1", "OLLAMA_REPLAY_ONLY": "true"}
    pipeline.settings = load_settings({**only, "OLLAMA_MODEL": "other"})
    assert materialise_intelligence(pipeline, DAY, NOON).failed == 1
    assert "no answer of other" in failure(pipeline)["error"]
    pipeline.settings = load_settings({**only, "OLLAMA_MODEL": "tiny"})
    assert materialise_intelligence(pipeline, DAY, NOON).failed == 0


def test_documents_that_cannot_be_written_stop_no_macro_report(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("beat", BEAT), raw("storm", STORM, "macro_news"))
    records = Path(lake.location.table_uri(IMPACT_RECORDS.name))
    records.write_text("no table")
    with planned() as server:
        report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    assert (report.failed, lake.read(GLOBAL_EVENTS).num_rows) == (1, 1)
    (noted,) = pipeline.database.fetch("SELECT stage, item, error FROM failures WHERE status = 'open'")
    assert (noted["stage"], noted["item"]) == ("document_intelligence", f"day {DAY}")
    assert "goes on with the next cycle" in noted["error"]
    records.unlink()
    with planned() as server:
        report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
        assert server.asked == [], "what was answered is not paid for again"
    assert (report.failed, lake.read(IMPACT_RECORDS).num_rows > 0) == (0, True)
    assert pipeline.database.fetch("SELECT 1 AS one FROM failures WHERE status = 'open'") == []


def test_the_alarm_counts_over_cycles_and_is_silenced_by_a_success(
    pipeline: Pipeline, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    def alarms() -> int:
        return [entry.levelname for entry in caplog.records].count("CRITICAL")

    store(lake, raw("storm", STORM, "macro_news"))
    with planned(status(503), status(503)) as server:
        for _ in range(3):
            materialise_global_events(pipeline, DAY, NOON, connect=asking(server))
    assert (alarms(), lake.read(GLOBAL_EVENTS).num_rows) == (0, 1)
    store(lake, raw("storm2", STORM.replace("Monday", "Tuesday"), "macro_news"))
    with planned(*[status(503)] * 3) as server:
        for expected in (0, 0, 1):
            materialise_global_events(pipeline, DAY, NOON, connect=asking(server))
            assert alarms() == expected
            assert len(open_alerts(pipeline.database)) == expected
    assert "failed 3 times in a row" in open_alerts(pipeline.database)["macro classification"]
    assert [row["severity"] for row in pipeline.database.fetch("SELECT severity FROM notifications")] == ["critical"]
    with planned() as server:
        materialise_global_events(pipeline, DAY, NOON, connect=asking(server))
    assert open_alerts(pipeline.database) == {}


def test_of_each_four_questions_one_is_a_macro_report_while_both_wait(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, *(raw(f"beat{n}", BEAT.replace("4.2", f"{n}.2")) for n in range(7)))
    store(lake, *(raw(f"storm{n}", STORM.replace("Monday", f"day {n}"), "macro_news") for n in range(4)))
    with planned() as server:
        report = materialise_extraction(pipeline, DAY, NOON, connect=asking(server))
    kinds = ["D" if "impacts" in body["format"]["properties"] else "M" for body in server.asked]
    assert "".join(kinds) == "DDDMDDDMDMM"
    assert report.written == {"document_intelligence": 7, "impact_records": 7, "global_events": 4}
    assert report.figures["undone"] == 0


def test_never_more_in_flight_than_is_allowed(pipeline: Pipeline, lake: Lake) -> None:
    pipeline.settings = load_settings({"OLLAMA_BASE_URL": "http://x", "OLLAMA_MODEL": "tiny", "OLLAMA_PARALLEL": "3"})
    store(lake, *(raw(f"beat{n}", BEAT.replace("4.2", f"{n}.2")) for n in range(9)))
    with planned() as server:
        assert materialise_extraction(pipeline, DAY, NOON, connect=asking(server)).failed == 0
        assert 1 <= server.most_in_flight <= 3
