"""The layers over HTTP: switched by the operator alone, on record, shown on the page with what fails."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from stonks_core.alerts import raise_alert, settle_alert
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import MACRO_IMPACTS, SIGNALS
from stonks_core.stores.postgres import Database
from tests.api import story
from tests.api.conftest import app_over, serving

OFF = {"enabled": False, "reason": "  too much noise before the vote  "}


def layers(client: httpx.Client) -> dict[str, dict[str, Any]]:
    return {one["layer"]: one for one in client.get("/api/layers").json()["layers"]}


def test_a_layer_is_switched_with_a_reason_on_record(
    own_client: httpx.Client, database: Database, operator: dict[str, str]
) -> None:
    before = layers(own_client)
    assert {name: (one["enabled"], one["says"], one["weight"]) for name, one in before.items()} == {
        "company": (True, "always", 1.0),
        "macro": (True, "setting", 0.3),
        "competitive": (True, "setting", 0.2),
    }
    assert own_client.put("/api/layers/macro", json=OFF).status_code == 401
    assert own_client.put("/api/layers/macro", json={"enabled": False}, headers=operator).status_code == 422
    assert layers(own_client) == before
    answer = own_client.put("/api/layers/macro", json=OFF, headers={**operator, "x-trace-id": "of-the-test"})
    assert answer.status_code == 200
    macro = layers(own_client)["macro"]
    assert (macro["enabled"], macro["says"], macro["updated_by"]) == (False, "risk_configs", "operator")
    assert macro["reason"] == "too much noise before the vote"
    on = own_client.put("/api/layers/macro", json={"enabled": True, "reason": "it is over"}, headers=operator)
    assert {one["layer"]: one["enabled"] for one in on.json()["layers"]}["macro"] is True
    told = own_client.get("/api/layers/macro/history").json()["switchings"]
    assert [(one["action"], one["reason"], one["actor"]) for one in told] == [
        ("layer_enabled", "it is over", "operator"),
        ("layer_disabled", "too much noise before the vote", "operator"),
    ]
    (first, _) = database.fetch("SELECT subject, detail FROM audit_events ORDER BY id")
    assert first == {"subject": "layer macro", "detail": {"was": None, "trace_id": "of-the-test"}}
    assert database.fetch("SELECT value, version FROM risk_configs") == [{"value": True, "version": 2}]


def test_the_base_cannot_be_switched_and_what_is_no_layer_is_not_found(
    own_client: httpx.Client, operator: dict[str, str]
) -> None:
    base = own_client.put("/api/layers/company", json=OFF, headers=operator)
    assert base.status_code == 400
    assert "the company layer is the base" in base.json()["detail"]
    for answer in (
        own_client.put("/api/layers/weather", json=OFF, headers=operator),
        own_client.get("/api/layers/weather/history"),
    ):
        assert answer.status_code == 404
        assert "company, macro, competitive" in answer.json()["detail"]


def test_alerts_and_switched_layers_are_on_the_page_and_in_the_status(
    own_client: httpx.Client, database: Database, operator: dict[str, str]
) -> None:
    own_client.put("/api/layers/competitive", json={"enabled": False, "reason": "<b>why</b>"}, headers=operator)
    sentence = "macro classification failed 3 times in a row, the last time with: <i>no server</i>"
    for minutes in (0, 5):
        raise_alert(database, "macro classification", sentence, story.AS_OF + timedelta(minutes=minutes))
    story.fail(database, [str(number) for number in range(9)])
    text = own_client.get("/").text
    assert "&lt;i&gt;no server&lt;/i&gt;" in text, "an alert is not crowded out by single items"
    assert "&lt;b&gt;why&lt;/b&gt;" in text
    assert "Competitive signals</dt><dd>switched off" in text
    assert "Macro signals</dt><dd>on, failing" in text
    status = own_client.get("/api/status").json()
    (alert,) = status["alerts"]
    assert (alert["subject"], alert["sentence"], alert["times"]) == ("macro classification", sentence, 2)
    assert {one["layer"]: bool(one["alert"]) for one in status["layers"]} == {
        "company": False,
        "macro": True,
        "competitive": False,
    }
    settle_alert(database, "macro classification", story.AS_OF)
    assert own_client.get("/api/status").json()["alerts"] == []


def test_a_table_that_cannot_be_opened_is_said_in_the_status_and_hides_no_other(lake: Lake, database: Database) -> None:
    for table in (MACRO_IMPACTS, SIGNALS):
        lake.ensure(table)
    log = Path(lake.location.table_uri(MACRO_IMPACTS.name)) / "_delta_log"
    max(log.glob("*.json")).write_text("{this is no log")
    with serving(lambda port: app_over(database, Lake(lake.location), port)) as client:
        answer = client.get("/api/status")
    assert answer.status_code == 200, answer.text
    tables = {one["table"]: one for one in answer.json()["tables"]}
    assert "lake table macro_impacts cannot be opened" in tables["macro_impacts"]["problem"]
    assert "\n" not in tables["macro_impacts"]["problem"]
    assert [name for name, one in tables.items() if one["problem"]] == ["macro_impacts"]


def test_a_row_that_is_neither_true_nor_false_is_said_and_the_setting_holds(
    own_client: httpx.Client, database: Database
) -> None:
    database.execute("""INSERT INTO risk_configs (key, value) VALUES ('macro_enabled', '"perhaps"')""")
    macro = layers(own_client)["macro"]
    assert (macro["enabled"], macro["says"]) == (True, "setting")
    assert "neither true nor false" in macro["reason"]
    database.execute("""UPDATE risk_configs SET value = '"off"'""")
    assert layers(own_client)["macro"]["enabled"] is False
