"""What goes wrong is told in one shape, with a sentence, and without the server's insides."""

from typing import Any

import httpx
import psycopg
import pytest

from stonks_core.errors import PermanentError, TransientError
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from tests.api.conftest import app_over, serving

NOWHERE = "00000000-0000-0000-0000-000000000000"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) - {"errors"} == {"type", "title", "status", "detail", "instance", "trace_id"}
    assert body["status"] == status
    assert body["instance"] == answer.request.url.path
    assert body["trace_id"] == answer.headers["x-trace-id"]
    assert body["type"].startswith("urn:stonks:problem:")
    assert "Traceback" not in answer.text
    return body


@pytest.mark.parametrize(
    "address",
    [
        "/api/nothing",
        "/api",
        "/registry",
        "/registry/nothing",
        "/registry/companies/NOPE",
        "/registry/sources/nope",
        "/registry/watchlists/nope",
        "/risk/x",
        "/trading",
        "/api/companies/NOPE",
        "/api/documents/20260304-nope",
        "/api/documents/nope",
        "/api/documents/nope/orders",
        "/api/trends/NOPE",
        "/api/recommendations/nope",
        "/api/orders/nope",
        "/api/orders/nope/why",
        "/api/decisions/nope",
        "/static/nope.js",
    ],
)
def test_what_does_not_exist_is_a_404_with_a_sentence(client: httpx.Client, address: str) -> None:
    assert len(problem(client.get(address), 404)["detail"]) > 15


@pytest.mark.parametrize(
    "address",
    [
        "/api/orders?limit=0",
        "/api/orders?limit=201",
        "/api/orders?limit=many",
        "/api/documents?day=yesterday",
        "/api/trends?window=1y",
        "/api/trends/ACME/history",
        "/api/recommendations?action=panic",
        "/api/failures?status=lost",
        "/api/decisions?outcome=maybe",
        f"/api/orders?cursor={'x' * 501}",
    ],
)
def test_bad_parameters_are_named(client: httpx.Client, address: str) -> None:
    body = problem(client.get(address), 422)
    assert body["errors"][0]["where"].startswith("query.")
    assert body["errors"][0]["where"] in body["detail"]


@pytest.mark.parametrize(
    "path", ["orders", "documents", "decisions", "failures", "recommendations", "trends", "companies"]
)
@pytest.mark.parametrize(
    "cursor", ["nonsense", "e30", "WyIxIl0x", "WzEsMl0", "WyJ4IiwieSIsInoiXQ", "%00", "W1wiXHVkODAwXCJd"]
)
def test_a_cursor_that_was_never_given_out_is_refused(client: httpx.Client, path: str, cursor: str) -> None:
    assert "next_cursor" in problem(client.get(f"/api/{path}?cursor={cursor}"), 400)["detail"]


@pytest.mark.parametrize("path", ["orders", "documents", "decisions", "failures", "recommendations"])
def test_a_cursor_of_another_shape_is_refused(client: httpx.Client, path: str) -> None:
    cursors = ["WyJub3RhdGltZSIsIngiXQ", "WyIyMDI2LTAzLTA0VDE1OjAwOjAwIiwieCJd"]  # no instant; one without an offset
    for cursor in cursors:
        problem(client.get(f"/api/{path}?cursor={cursor}"), 400)


def test_values_that_no_database_holds_are_refused(client: httpx.Client) -> None:
    for address in ("/api/orders/a%00b", "/api/orders?ticker=%00", "/api/decisions/%00", "/api/companies/%00"):
        assert client.get(address).status_code in (400, 404)
    assert "NUL" in problem(client.get("/api/orders/a%00b"), 400)["detail"]


def test_hostile_values_are_only_values(client: httpx.Client) -> None:
    for value in ("' OR 1=1 --", '" OR ""="', "%27%3B DROP TABLE orders", "%25"):
        assert client.get("/api/documents", params={"ticker": value[:12]}).json()["items"] == []
        assert client.get("/api/orders", params={"ticker": value[:12]}).json()["items"] == []
        assert client.get(f"/api/recommendations/{value}").status_code == 404
    assert len(client.get("/api/orders").json()["items"]) == 3


def test_an_ambiguous_order_is_a_400(client: httpx.Client) -> None:
    assert "several orders" in problem(client.get("/api/orders/so-"), 400)["detail"]


def test_bodies_are_checked(client: httpx.Client, operator: dict[str, str]) -> None:
    good: dict[str, Any] = {"enabled": True, "reason": "because"}
    bad: list[dict[str, Any]] = [
        {},
        {"enabled": True},
        good | {"reason": " x "},
        good | {"enabled": "yes"},
        good | {"more": 1},
        good | {"reason": "a\x00bc"},
        good | {"reason": "long" * 200},
    ]
    for body in bad:
        problem(client.put("/api/pipeline/toggle", json=body, headers=operator), 422)
    problem(client.put("/api/pipeline/toggle", content=b"{", headers=operator), 422)
    problem(client.post("/api/failures/no-uuid/replay", json={"reason": "because"}, headers=operator), 422)
    problem(client.post(f"/api/failures/{NOWHERE}/replay", json={"reason": "because"}, headers=operator), 404)
    assert client.get("/api/pipeline/toggle").json()["updated_by"] is None


def test_other_methods_are_refused(client: httpx.Client, operator: dict[str, str]) -> None:
    answer = client.delete("/api/orders", headers=operator)
    assert "not offered" in problem(answer, 405)["detail"]
    assert answer.headers["allow"] == "GET"


def test_a_person_gets_a_page_and_a_program_a_problem(client: httpx.Client) -> None:
    html = {"accept": "text/html,application/xhtml+xml"}
    page = client.get("/nowhere<b>", headers=html)
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "<b>" not in page.text
    assert client.get("/orders/nope/why", headers=html).status_code == 404
    problem(client.get("/nowhere"), 404)
    problem(client.get("/api/nowhere", headers=html), 404)


def test_failures_of_the_server_tell_nothing_of_its_insides(database: Database, lake: Lake) -> None:
    raised: dict[str, Exception] = {
        "bug": RuntimeError("secret insides"),
        "database": psycopg.OperationalError("secret insides"),
        "passing": TransientError("the lake does not answer: try again"),
        "lasting": PermanentError("the model refused"),
    }

    def broken(kind: str) -> None:
        raise raised[kind]

    def build(port: int) -> Any:
        app = app_over(database, lake, port)
        app.add_api_route("/api/broken/{kind}", broken)
        return app

    with serving(build) as client:
        for kind, status in {"bug": 500, "database": 503, "passing": 503, "lasting": 502}.items():
            answer = client.get(f"/api/broken/{kind}")
            body = problem(answer, status)
            assert "secret" not in answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert ("retry-after" in answer.headers) == (status == 503)
            if kind == "bug":
                assert body["trace_id"] in body["detail"]
