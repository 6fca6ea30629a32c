"""Every route over real stores and real HTTP, with the rows that were put there."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from stonks_api.wire import encode_cursor
from stonks_core.health import store as health
from stonks_core.health.verdict import Reason, Result, Verdict
from stonks_core.identifiers import sha256_text
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE, TREND_PROJECTIONS, TREND_WINDOWS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENT_COMPANY_MENTIONS
from stonks_core.stores.postgres import Database
from tests.api import story

READ = {
    "/api/health": "/api/health",
    "/api/health/data": "/api/health/data",
    "/api/health/data/history": "/api/health/data/history",
    "/api/status": "/api/status",
    "/api/companies": "/api/companies?sector=Industrials",
    "/api/companies/{ticker}": "/api/companies/bolt",
    "/api/companies/{ticker}/patterns": "/api/companies/acme/patterns?catalyst=guidance_raise",
    "/api/documents": "/api/documents?ticker=acme&day=2026-03-04",
    "/api/documents/{document_id}": f"/api/documents/{story.NEWS}",
    "/api/documents/{document_id}/orders": f"/api/documents/{story.NEWS}/orders",
    "/api/trends": "/api/trends?window=7d&direction=bearish",
    "/api/trends/{ticker}": "/api/trends/acme",
    "/api/trends/{ticker}/history": "/api/trends/acme/history?window=7d",
    "/api/recommendations": "/api/recommendations?action=buy&mode=paper_eligible&window=7d&ticker=acme",
    "/api/recommendations/{recommendation_id}": f"/api/recommendations/{story.RECOMMENDATION}",
    "/api/recommendations/{recommendation_id}/recomputed": f"/api/recommendations/{story.RECOMMENDATION}/recomputed",
    "/api/recommendations/{recommendation_id}/counterfactual": (
        f"/api/recommendations/{story.RECOMMENDATION}/counterfactual?without={story.NEWS}&without={story.MACRO}"
    ),
    "/api/orders": "/api/orders?ticker=acme&state=filled",
    "/api/orders/{order_id}": f"/api/orders/{story.ENTRY}",
    "/api/orders/{order_id}/why": f"/api/orders/{story.ENTRY}/why",
    "/api/positions": "/api/positions",
    "/api/portfolio": "/api/portfolio",
    "/api/decisions": "/api/decisions?outcome=skip",
    "/api/decisions/{decision_id}": "/api/decisions/dec-stop",
    "/api/pipeline/toggle": "/api/pipeline/toggle",
    "/api/layers": "/api/layers",
    "/api/layers/{layer}/history": "/api/layers/macro/history",
    "/api/failures": "/api/failures?status=any&stage=extraction",
}
CHANGING = {"/api/pipeline/toggle", "/api/layers/{layer}", "/api/failures/{failure_id}/replay"}


def ask(client: httpx.Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_every_route_that_is_described_is_tried_here(client: httpx.Client) -> None:
    paths = ask(client, "/openapi.json")["paths"]
    apart = ("/registry", "/api/agents", "/api/trading", "/risk")  # each tried in a room of its own
    described = {path: methods for path, methods in paths.items() if not path.startswith(apart)}
    assert {path for path, methods in described.items() if "get" in methods} == set(READ)
    assert {path for path, methods in described.items() if set(methods) - {"get"}} == CHANGING
    for operation in (one for methods in described.values() for one in methods.values()):
        assert operation["tags"]
        assert operation["description"]
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert operation["responses"]["200"]["content"]["application/json"]["schema"]


@pytest.mark.parametrize("path", sorted(READ))
def test_every_route_answers_over_full_and_over_empty_stores(
    path: str, client: httpx.Client, empty_client: httpx.Client
) -> None:
    body = ask(client, READ[path])
    assert body.get("items", True) or path in ("/api/failures", "/api/health/data/history")
    nothing = empty_client.get(READ[path])
    assert nothing.status_code == 200 or (nothing.status_code == 404 and "{" in path)
    if nothing.status_code == 200:
        assert nothing.json().get("items", []) == []


def test_status_tells_sandbox_from_real_and_how_fresh_each_table_is(
    own_client: httpx.Client, database: Database
) -> None:
    database.execute(
        "INSERT INTO engine_lease VALUES ('trading', 'me', 3, now(), now(), now() + interval '1 minute');"
        "INSERT INTO engine_heartbeats (task, owner, beat_at, cycles) VALUES ('stops', 'me', now(), 7)"
    )
    story.fail(database, ["one", "two"])
    database.execute(
        """
        INSERT INTO failures (stage, item, error, detail, status, first_at, last_at)
        VALUES ('refused_records', 'd', 'refused', '{"counts": {"unsupported_quote": 3}}', 'noted', now(), now())
        """
    )
    status = ask(own_client, "/api/status")
    assert status["sandbox"] == {"market_data": True, "edgar": True, "broker": True, "llm": True}
    assert status["real"] == []
    assert status["trading_enabled"] is True
    assert (status["broker_mode"], status["calendar"]) == ("paper", "24/7")
    assert status["engine"]["lease"] | {"owner": "me", "held": True, "fencing_token": 3} == status["engine"]["lease"]
    assert status["engine"]["heartbeats"][0]["cycles"] == 7
    assert status["engine"]["control"]["kill_switch"] is False
    assert (status["failures_open"], status["refused_records"]) == (2, {"unsupported_quote": 3})
    assert status["entries_open"] is False
    assert "has not been judged yet" in status["entries_closed_because"]
    fresh = {one["table"]: one for one in status["tables"]}
    assert (fresh["documents"]["rows"], fresh["documents"]["newest_day"]) == (3, "2026-03-04")
    assert fresh["trend_windows"]["newest_at"] == (story.AS_OF + timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert (fresh["outcomes"]["rows"], fresh["outcomes"]["newest_at"]) == (0, None)


def test_data_health_tells_the_verdict_its_reasons_and_every_check(
    own_client: httpx.Client, database: Database
) -> None:
    now = story.AS_OF + timedelta(hours=5)
    broken = Result("signals", "ranges", "sentiment is 1.7", now, ("2026-03-04",), blocks="trends are sums of it")
    health.keep_results(database, [broken, Result("signals", "words", "", now)])
    with database.connection() as connection:
        for minute, reasons in ((2, ()), (1, (Reason("signals", "ranges", "sentiment is 1.7"),))):
            health.keep_verdict(connection, Verdict(now - timedelta(minutes=minute), reasons))
    told = ask(own_client, "/api/health/data")
    assert (told["entries_open"], told["because"], told["gate"]) == (False, "sentiment is 1.7", True)
    assert told["reasons"] == [{"subject": "signals", "check": "ranges", "sentence": "sentiment is 1.7"}]
    assert [(one["check_name"], one["problem"], one["days"]) for one in told["checks"]] == [
        ("ranges", "sentiment is 1.7", ["2026-03-04"]),
        ("words", "", []),
    ]
    first = ask(own_client, "/api/health/data/history?limit=1")
    second = ask(own_client, f"/api/health/data/history?limit=1&cursor={first['next_cursor']}")
    assert [one["entries_open"] for one in (*first["items"], *second["items"])] == [False, True]
    assert second["next_cursor"] is None
    assert own_client.get(f"/api/health/data/history?cursor={encode_cursor(now, 'x')}").status_code == 400
    assert "No position is opened: <bdi>sentiment is 1.7</bdi>" in own_client.get("/").text


def test_companies(client: httpx.Client) -> None:
    assert [one["ticker"] for one in ask(client, "/api/companies")["items"]] == ["ACME", "BOLT"]
    bolt = ask(client, "/api/companies/bolt")
    assert bolt["competitors"] == [
        {"ticker": "ACME", "legal_name": "Acme Corp.", "relationship": "direct_competitor", "strength": 0.8}
    ]
    assert ask(client, "/api/companies/ACME")["aliases"] == ["Acme"]


def test_documents_by_company_are_its_own_and_those_that_name_it(own_client: httpx.Client, lake: Lake) -> None:
    mention = {"document_id": story.RIVAL, "ticker": "ACME", "surface": "Acme", "kind": "alias", "start": 40, "end": 44}
    mentions = DOCUMENT_COMPANY_MENTIONS
    lake.merge(mentions, [story.row(mentions, story.day_of(story.RIVAL), **mention)])
    found = ask(own_client, "/api/documents?ticker=acme")["items"]
    assert {one["document_id"] for one in found} == {story.NEWS, story.RIVAL}
    assert "text" not in found[0]
    assert ask(own_client, "/api/documents?day=2026-03-03")["items"][0]["document_id"] == story.MACRO
    assert ask(own_client, "/api/documents?document_type=filing")["items"] == []


def test_a_document_with_everything_that_was_read_in_it(client: httpx.Client) -> None:
    news = ask(client, f"/api/documents/{story.NEWS}")
    assert news["text"] == story.TEXTS[story.NEWS]
    assert news["sha256"] == sha256_text(news["text"])
    assert news["mentions"] == [
        {"ticker": "ACME", "surface": "Acme Corp.", "kind": "legal_name", "start": 0, "end": 10}
    ]
    assert news["intelligence"]["model"] == "stonks-rules"
    impact = news["impacts"][0]
    assert news["text"][impact["quote_start"] : impact["quote_end"]] == impact["quote"] == story.QUOTE
    macro = ask(client, f"/api/documents/{story.MACRO}")
    assert macro["event"]["severity"] == "high"
    assert macro["macro_impacts"][0]["ticker"] == "ACME"
    moved = ask(client, f"/api/documents/{story.MACRO}/orders")["items"]
    assert {one["order_id"] for one in moved} == {story.ENTRY, story.STOP}


def test_trends_are_the_newest_and_nan_is_null(own_client: httpx.Client, lake: Lake) -> None:
    newest = {one["ticker"]: one for one in ask(own_client, "/api/trends")["items"]}
    assert newest["ACME"]["trend_id"] == "trend-later"
    assert newest["ACME"]["volatility"] is None  # NaN in the lake
    story_trend = story.row(
        TREND_EVIDENCE,
        "2026-03-04",
        trend_id="trend-later",
        rank=1,
        signal_id="s",
        document_id=story.NEWS,
        weight=float("inf"),
    )
    lake.merge(TREND_EVIDENCE, [story_trend])
    projection = {"projection_id": "p", "ticker": "ACME", "window": "7d", "projected_score": float("nan"), "points": 4}
    lake.merge(TREND_PROJECTIONS, [story.row(TREND_PROJECTIONS, "2026-03-04", **projection)])
    week = ask(own_client, "/api/trends/acme")["windows"][0]
    assert week["evidence"][0]["title"] == "Acme <b>beats</b>"
    assert week["evidence"][0]["weight"] is None
    assert week["projection"] == {
        "slope": 0.0, "projected_score": None, "r_squared": 0.0, "confidence": 0.0, "points": 4, "as_of": "2026-03-04T15:00:00Z"
    }  # fmt: skip
    assert [one["trend_id"] for one in ask(own_client, "/api/trends/acme/history?window=7d")["items"]] == [story.TREND]


def test_the_newest_trend_of_another_day_is_found_and_one_too_old_is_not(own_client: httpx.Client, lake: Lake) -> None:
    week, years = story.AS_OF - timedelta(days=7), story.AS_OF - timedelta(days=400)
    for name, at in (("WEEK", week), ("YEARS", years)):
        lake.merge(TREND_WINDOWS, [{**story.trend(ticker=name, trend_id=name, as_of=at), "day": at.date().isoformat()}])
    assert [one["ticker"] for one in ask(own_client, "/api/trends")["items"]] == ["ACME", "BOLT", "WEEK"]


def test_recommendations_with_their_best_sentence_and_all_evidence(own_client: httpx.Client, lake: Lake) -> None:
    listed = {one["recommendation_id"]: one for one in ask(own_client, "/api/recommendations")["items"]}
    assert listed[story.RECOMMENDATION]["quote"] == story.QUOTE
    assert listed[story.RECOMMENDATION]["quote_document_id"] == story.NEWS
    assert listed["rec-bolt"]["quote"] is None
    detail = ask(own_client, f"/api/recommendations/{story.RECOMMENDATION}")
    assert [one["verified"] for one in detail["evidence"]] == [True, True, True]
    assert {one["order_id"] for one in detail["decisions"]} == {story.ENTRY, story.STOP}
    story.tamper(lake)
    detail = ask(own_client, f"/api/recommendations/{story.RECOMMENDATION}")
    assert [one["verified"] for one in detail["evidence"]] == [False, True, True]


def test_orders_and_one_order_with_its_life(own_client: httpx.Client, database: Database) -> None:
    database.execute(
        "INSERT INTO order_events (order_id, at, event, source, state_from, state_to) "
        "VALUES (%s, now(), 'fill', 'rest', 'accepted', 'filled')",
        (story.ENTRY,),
    )
    database.execute(
        "INSERT INTO risk_evaluations (account_id, order_id, ticker, side, eligible, as_of, checks) "
        "VALUES (%s, %s, 'ACME', 'buy', true, now(), '[{\"check\": \"sector\"}]')",
        (story.ACCOUNT, story.ENTRY),
    )
    assert {one["order_id"] for one in ask(own_client, "/api/orders")["items"]} == {story.ENTRY, story.STOP, story.OPEN}
    assert [one["order_id"] for one in ask(own_client, "/api/orders?state=accepted&ticker=bolt")["items"]] == [
        story.OPEN
    ]
    order = ask(own_client, "/api/orders/alp-aaaa")
    assert (order["order_id"], order["notional"], order["mode"], order["sandbox"]) == (story.ENTRY, 50.0, "paper", True)
    assert order["fills"][0]["price"] == 10.0
    assert order["events"][0]["state_to"] == "filled"
    assert order["risk"][0]["checks"] == [{"check": "sector"}]


def test_why_over_http_is_the_chain(own_client: httpx.Client, lake: Lake) -> None:
    chain = ask(own_client, f"/api/orders/{story.STOP}/why")
    assert chain["recommendation"] is None
    assert chain["exit"]["kind"] == "stop"
    assert chain["entry"]["recommendation"]["recommendation_id"] == story.RECOMMENDATION
    best = chain["evidence"][0]
    assert story.TEXTS[best["document_id"]][best["start"] : best["end"]] == best["quote"]
    assert best["records"][0]["table"] == "impact_records"
    story.tamper(lake)
    assert ask(own_client, f"/api/orders/{story.ENTRY}/why")["evidence"][0]["verified"] is False


def test_positions_and_portfolio(own_client: httpx.Client, database: Database) -> None:
    held = ask(own_client, "/api/positions")
    assert held["account"]["equity"] == 1010.5
    (bolt,) = held["items"]
    assert (bolt["ticker"], bolt["market_value"], bolt["unrealised_pnl"], bolt["stop"]) == ("BOLT", 60.0, 10.0, 18.5)
    assert bolt["unrealised_share"] == pytest.approx(0.2)
    for number in range(3):
        database.execute(
            """
            INSERT INTO portfolio_snapshots VALUES (%s, date '2026-03-01' + %s, now(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 'NaN', 0.1,
                0.2, 1, 'moderate')
            """,
            (story.ACCOUNT, number),
        )
    sessions = ask(own_client, "/api/portfolio?limit=2")["sessions"]
    assert [one["session"] for one in sessions] == ["2026-03-02", "2026-03-03"]
    assert sessions[0]["daily_return"] is None


def test_decisions(client: httpx.Client) -> None:
    skipped = ask(client, "/api/decisions?outcome=skip")["items"]
    assert [one["decision_id"] for one in skipped] == ["dec-skip"]
    stop = ask(client, "/api/decisions/dec-stop")
    assert stop["trace"]["inputs"]["stop"] == "9.5"
    assert stop["order_ids"] == [story.STOP]


def test_the_toggle_is_switched_with_a_reason_on_record(
    own_client: httpx.Client, database: Database, operator: dict[str, str]
) -> None:
    assert ask(own_client, "/api/pipeline/toggle") == {"enabled": True, "updated_by": None, "updated_at": None}
    wish = {"enabled": False, "reason": "  maintenance  "}
    traced = {**operator, "x-trace-id": "trace-of-the-test"}
    answer = own_client.put("/api/pipeline/toggle", json=wish, headers=traced)
    assert answer.status_code == 200
    assert (answer.json()["enabled"], answer.json()["updated_by"]) == (False, "operator")
    assert ask(own_client, "/api/pipeline/toggle")["enabled"] is False
    (noted,) = database.fetch("SELECT * FROM audit_events")
    assert (noted["actor"], noted["action"], noted["reason"]) == ("operator", "pipeline_disabled", "maintenance")
    assert noted["detail"] == {"was": None, "trace_id": "trace-of-the-test"}
    assert noted["at"] is not None
    assert own_client.put("/api/pipeline/toggle", json={"enabled": True, "reason": "done"}, headers=operator).json()[
        "enabled"
    ]
    assert database.fetch("SELECT action FROM audit_events ORDER BY id DESC")[0]["action"] == "pipeline_enabled"


def test_a_failure_is_replayed_once_and_on_record(
    own_client: httpx.Client, database: Database, operator: dict[str, str]
) -> None:
    story.fail(database, ["one", "two"])
    story.fail(database, ["over"], status="resolved")
    first, second = ask(own_client, "/api/failures")["items"]
    assert (first["item"], second["item"]) == ("two", "one")
    again = f"/api/failures/{first['failure_id']}/replay"
    for _ in range(2):
        answer = own_client.post(again, json={"reason": "the model is back"}, headers=operator)
        assert (answer.status_code, answer.json()["status"]) == (200, "replay")
    assert [one["item"] for one in ask(own_client, "/api/failures?status=replay")["items"]] == ["two"]
    (noted,) = database.fetch("SELECT action, subject, detail FROM audit_events")
    assert (noted["action"], noted["subject"]) == ("failure_replay", first["failure_id"])
    assert noted["detail"]["item"] == "two"
    over = ask(own_client, "/api/failures?status=resolved")["items"][0]["failure_id"]
    refused = own_client.post(f"/api/failures/{over}/replay", json={"reason": "again"}, headers=operator)
    assert refused.status_code == 409
    assert "succeeded since" in refused.json()["detail"]
