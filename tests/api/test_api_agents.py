"""Agents and variants over real HTTP and a real database: who may change what, what goes on record, what is compared."""

from typing import Any

import httpx
import pytest
from psycopg.types.json import Jsonb

from stonks_api.agents.comparing import compare, compare_events
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import IMPACT_RECORDS
from stonks_core.stores.postgres import Database
from tests.api import story

EXTRACTOR = "/api/agents/document-extractor"
WHY = {"reason": "trying another model"}


@pytest.fixture
def api(own_client: httpx.Client, operator: dict[str, str]) -> httpx.Client:
    own_client.headers.update(operator)
    return own_client


def made(api: httpx.Client, name: str = "small", **fields: Any) -> dict[str, Any]:
    answer = api.post(f"{EXTRACTOR}/variants", json={**WHY, "name": name, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def told(api: httpx.Client, method: str, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = api.request(method, path, json={**WHY, **body})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def test_three_agents_are_there_from_the_start(api: httpx.Client) -> None:
    agents = api.get("/api/agents").json()["items"]
    assert [(one["agent"], one["active"]) for one in agents] == [
        ("document-extractor", True),
        ("event-classifier", True),
        ("thesis-rewriter", False),
    ]
    assert {one["effective_model"] for one in agents} == {"stonks-rules:latest"}
    assert {one["base_share"] for one in agents} == {1.0}


def test_a_change_is_on_record_with_what_was_and_is(api: httpx.Client, database: Database) -> None:
    changed = told(api, "PATCH", EXTRACTOR, version=1, model="qwen3.5:9b", options={"num_ctx": 8192})
    assert (changed["version"], changed["model"], changed["options"]) == (2, "qwen3.5:9b", {"num_ctx": 8192})
    entry = api.get(f"{EXTRACTOR}/history").json()["items"][0]
    assert entry["changed"] == {
        "model": {"was": "", "is": "qwen3.5:9b"},
        "options": {"was": {}, "is": {"num_ctx": 8192}},
    }
    assert (entry["actor"], entry["reason"], entry["action"], entry["version"]) == (
        "operator",
        WHY["reason"],
        "changed",
        2,
    )
    audit = database.fetch("SELECT action, subject, reason FROM audit_events WHERE action LIKE 'agent_%%'", {"x": 1})
    assert audit == [{"action": "agent_changed", "subject": "document-extractor", "reason": WHY["reason"]}]
    told(api, "PATCH", EXTRACTOR, version=2, model="qwen3.5:9b")
    assert len(api.get(f"{EXTRACTOR}/history").json()["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", EXTRACTOR, {"model": "other"}),
        ("POST", f"{EXTRACTOR}/deactivate", {}),
        ("PATCH", f"{EXTRACTOR}/variants/small", {"traffic_weight": 0.5}),
        ("POST", f"{EXTRACTOR}/variants/small/activate", {}),
        ("POST", f"{EXTRACTOR}/variants/small/promote", {"person": "Ada L.", "agent_version": 1}),
    ],
)
def test_whoever_read_an_older_version_is_told(
    api: httpx.Client, database: Database, method: str, path: str, body: dict[str, Any]
) -> None:
    made(api, model="tiny")
    before = database.fetch("SELECT * FROM agent_history")
    refused = told(api, method, path, 409, version=7, **body)
    assert "you changed version 7" in refused["detail"]
    assert database.fetch("SELECT * FROM agent_history") == before


def test_a_variant_is_made_switched_on_weighed_and_taken_out(api: httpx.Client) -> None:
    variant = made(api, model="tiny:1b", traffic_weight=0.7, token_budget_per_hour=5000)
    assert (variant["active"], variant["version"], variant["effective_model"]) == (False, 1, "tiny:1b")
    assert api.get(EXTRACTOR).json()["base_share"] == 1.0
    told(api, "POST", f"{EXTRACTOR}/variants/small/activate", version=1)
    assert api.get(EXTRACTOR).json()["base_share"] == pytest.approx(0.3)
    made(api, "large", traffic_weight=0.5)
    refused = told(api, "POST", f"{EXTRACTOR}/variants/large/activate", 400, version=1)
    assert "lower a weight first" in refused["detail"]
    told(api, "PATCH", f"{EXTRACTOR}/variants/large", version=1, traffic_weight=0.25, token_budget_per_hour=None)
    told(api, "POST", f"{EXTRACTOR}/variants/large/activate", version=2)
    assert api.get(EXTRACTOR).json()["base_share"] == pytest.approx(0.05)
    ask = {"version": 2, "reason": "no use"}
    assert api.delete(f"{EXTRACTOR}/variants/small", params=ask).status_code == 409
    told(api, "POST", f"{EXTRACTOR}/variants/small/deactivate", version=2)
    left = api.delete(f"{EXTRACTOR}/variants/small", params={**ask, "version": 3})
    assert [one["name"] for one in left.json()["items"]] == ["large"]
    assert api.get(f"{EXTRACTOR}/variants/small").status_code == 404
    history = api.get(f"{EXTRACTOR}/history", params={"variant": "small"}).json()["items"]
    assert [one["action"] for one in history] == ["deleted", "deactivated", "activated", "created"]
    first = api.get(f"{EXTRACTOR}/history", params={"limit": 3}).json()
    rest = api.get(f"{EXTRACTOR}/history", params={"limit": 50, "cursor": first["next_cursor"]}).json()
    ids = [one["id"] for one in (*first["items"], *rest["items"])]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 7


def test_promotion_needs_a_person_and_a_reason(api: httpx.Client, database: Database) -> None:
    made(api, model="tiny:1b", options={"temperature": 0.2}, traffic_weight=0.4, input_token_limit=900)
    told(api, "POST", f"{EXTRACTOR}/variants/small/activate", version=1)
    path = f"{EXTRACTOR}/variants/small/promote"
    told(api, "POST", path, 422, version=2, agent_version=1)
    assert api.post(path, json={"version": 2, "agent_version": 1, "person": "Ada L."}).status_code == 422
    base = told(api, "POST", path, version=2, agent_version=1, person="Ada L.")
    assert (base["model"], base["options"], base["input_token_limit"]) == ("tiny:1b", {"temperature": 0.2}, 900)
    assert (base["version"], base["variants"][0]["active"], base["variants"][0]["version"]) == (2, False, 3)
    audit = database.fetch_one("SELECT reason, detail FROM audit_events WHERE action = 'agent_promoted'")
    assert audit is not None
    assert (audit["reason"], audit["detail"]["person"]) == (WHY["reason"], "Ada L.")
    assert api.get(f"{EXTRACTOR}/history").json()["items"][0]["person"] == "Ada L."
    assert "nothing to promote" in told(api, "POST", path, 409, version=3, agent_version=2, person="Ada L.")["detail"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": "base"}, 400),
        ({"name": "Big Model"}, 422),
        ({"name": "x", "model": "a b"}, 422),
        ({"name": "x", "traffic_weight": 1.5}, 422),
        ({"name": "x", "options": {"num_ctx": 100}}, 422),
        ({"name": "x", "options": {"num_ctx": 1024, "num_predict": 1000}}, 422),
        ({"name": "x", "options": {"stop": ["}"]}}, 422),
        ({"name": "x", "token_budget_per_hour": 0}, 422),
        ({"name": "x", "system_prompt": "a\x00b"}, 422),
        ({"name": "x", "active": True}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(
    api: httpx.Client, database: Database, fields: dict[str, Any], status: int
) -> None:
    assert api.post(f"{EXTRACTOR}/variants", json={**WHY, **fields}).status_code == status
    assert database.fetch("SELECT * FROM agent_variants") == []


def test_names_are_taken_once_and_agents_must_exist(api: httpx.Client) -> None:
    made(api)
    told(api, "POST", f"{EXTRACTOR}/variants", 409, name="small")
    told(api, "POST", "/api/agents/oracle/variants", 404, name="small")
    told(api, "PATCH", f"{EXTRACTOR}/variants/small", 400, version=1, model=None)
    told(api, "POST", "/api/agents/thesis-rewriter/variants", 400, name="dark", shadow=True)
    for path in ("", "/history", "/variants", "/performance", "/metrics"):
        assert api.get(f"/api/agents/oracle{path}").status_code == 404
    assert made(api, "dark", shadow=True)["traffic_weight"] == 1.0


def test_an_agent_of_ones_own_is_made_changed_and_taken_out_and_its_history_stays(
    api: httpx.Client, database: Database
) -> None:
    mine = {
        "agent": "terse",
        "role": "document-extractor",
        "purpose": "tries a short prompt",
        "system_prompt": "Brief.",
    }
    shown = told(api, "POST", "/api/agents", 201, **mine)
    assert (shown["role"], shown["system_prompt"], shown["version"]) == ("document-extractor", "Brief.", 1)
    told(api, "POST", "/api/agents", 409, **mine)
    for wrong in ({"role": "oracle"}, {"agent": "no spaces"}, {"purpose": ""}, {"options": {"stop": []}}):
        told(api, "POST", "/api/agents", 422, **{**mine, "agent": "other", **wrong})
    told(api, "PATCH", "/api/agents/terse", version=1, purpose="tries a shorter prompt")
    assert told(api, "POST", "/api/agents/terse/variants", 201, name="dark", shadow=True)["agent"] == "terse"
    told(api, "POST", "/api/agents", 201, **{**mine, "agent": "poet", "role": "thesis-rewriter"})
    told(api, "POST", "/api/agents/poet/variants", 400, name="dark", shadow=True)
    assert api.delete("/api/agents/terse", params={**WHY, "version": 1}).status_code == 409
    left = api.delete("/api/agents/terse", params={**WHY, "version": 2}).json()["items"]
    assert [one["agent"] for one in left] == ["document-extractor", "event-classifier", "poet", "thesis-rewriter"]
    assert api.get("/api/agents/terse").status_code == 404
    history = api.get("/api/agents/terse/history").json()["items"]
    assert [(one["action"], one["variant"]) for one in history] == [
        ("deleted", ""),
        ("created", "dark"),
        ("changed", ""),
        ("created", ""),
    ]
    assert database.fetch("SELECT * FROM agent_variants") == []


def test_what_the_pipeline_asks_cannot_be_taken_out(api: httpx.Client) -> None:
    answer = api.delete(EXTRACTOR, params={**WHY, "version": 1})
    assert answer.status_code == 409
    assert "deactivate it instead" in answer.text
    assert api.get(EXTRACTOR).status_code == 200


def test_how_variants_fared_stands_side_by_side(api: httpx.Client, database: Database) -> None:
    at = story.AS_OF
    log = """
        INSERT INTO agent_performance_log (agent, variant, model, document_id, ok, latency_ms, prompt_tokens,
            output_tokens, kept, dropped, error, at)
        VALUES ('document-extractor', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    """
    for n in range(4):
        database.execute(log, ("base", "m1", f"d{n}", True, 100.0 * n, 50, 10, 3, 1, "", at))
    database.execute(log, ("small", "m2", "d9", False, 7.0, 20, 5, 0, 2, "cut", at))
    base, small = api.get(f"{EXTRACTOR}/performance").json()["items"]
    assert (base["variant"], base["documents"], base["valid_share"], base["tokens_per_document"]) == (
        "base",
        4,
        0.75,
        60,
    )
    assert base["latency_ms_mean"] == 200
    assert (small["ok_share"], small["valid_share"], small["last_error"]) == (0, 0, "cut")
    only = api.get(f"{EXTRACTOR}/performance", params={"variant": "small"}).json()["items"]
    assert [one["variant"] for one in only] == ["small"]


def test_a_shadow_is_held_against_the_live_records(api: httpx.Client, database: Database, lake: Lake) -> None:
    assert api.get(f"{EXTRACTOR}/variants/dark/comparison").status_code == 404
    live = lake.read(IMPACT_RECORDS).to_pylist()
    document = live[0]["document_id"]
    mine = [r for r in live if r["document_id"] == document]
    found = [{"ticker": r["ticker"], "sentiment": -r["sentiment"], "impact": r["impact"]} for r in mine]
    database.execute(
        "INSERT INTO shadow_readings (agent, variant, config_hash, document_id, day, model, status, found, read_at) "
        "VALUES ('document-extractor', 'dark', 'h', %s, %s, 'm', 'extracted', %s, %s)",
        (document, live[0]["day"], Jsonb(found), story.AS_OF),
    )
    judged = api.get(f"{EXTRACTOR}/variants/dark/comparison", params={"days": 30}).json()
    assert (judged["documents"], judged["compared"], judged["in_both"]) == (1, 1, len(mine))
    assert judged["same_sign_share"] == 0
    assert judged["disagreements"][0]["document_id"] == document


def test_comparisons_count_what_only_one_says() -> None:
    rows = [
        {"document_id": "a", "status": "extracted", "found": [{"ticker": "X", "sentiment": 0.5, "impact": 0.2}]},
        {"document_id": "b", "status": "no_impact", "found": []},
        {"document_id": "c", "status": "extraction_failed", "found": []},
        {"document_id": "d", "status": "extracted", "found": []},
    ]
    live = {
        "a": [{"ticker": "X", "sentiment": 0.3, "impact": 0.4}, {"ticker": "Y", "sentiment": 1, "impact": 1}],
        "b": [{"ticker": "X", "sentiment": 0.3, "impact": 0.4}],
        "c": [],
    }
    judged = compare(rows, live)
    assert (judged["documents"], judged["failed"], judged["compared"]) == (4, 1, 2)
    assert (judged["in_both"], judged["only_live"], judged["only_shadow"]) == (1, 2, 0)
    assert (judged["same_sign_share"], judged["mean_sentiment_gap"]) == (1.0, pytest.approx(0.2))
    event = {"type": "war", "severity": "high", "direction": -0.5, "confidence": 1, "is_macro_event": True}
    judged = compare_events(
        [{"document_id": "a", "status": "classified", "found": [{**event, "direction": 0.5}]}], {"a": [event]}
    )
    assert (judged["in_both"], judged["same_sign_share"], len(judged["disagreements"])) == (1, 0.0, 1)
