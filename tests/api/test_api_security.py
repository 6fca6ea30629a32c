"""Who may ask: loopback names only, the operator's token on every change, no other origin, nothing from elsewhere."""

import http.client
import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_api.security import hosts_of
from stonks_api.tracing import choose
from stonks_core.stores.postgres import Database
from tests.api import story
from tests.api.conftest import TOKEN

WISH = {"enabled": False, "reason": "somebody tried"}


def port_of(client: httpx.Client) -> int:
    assert client.base_url.port
    return client.base_url.port


def test_only_loopback_names_with_the_served_port_are_answered(client: httpx.Client) -> None:
    port = port_of(client)
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        assert client.get("/api/health", headers={"host": host}).status_code == 200
    others = (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1",
        f"127.0.0.1:{port + 1}",
        f"localhost:{port}.evil",
        "",
    )
    for host in others:
        for path in ("/", "/api/health", "/static/app.css", "/openapi.json"):
            answer = client.get(path, headers={"host": host})
            assert answer.status_code in (400, 421), host
            assert "Stonks Oracle" not in answer.text


def test_a_second_host_header_does_not_help(client: httpx.Client) -> None:
    port = port_of(client)
    for named in ("evil.example", f"127.0.0.1:{port}"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.putrequest("GET", "/api/health", skip_host=True)
        connection.putheader("Host", f"127.0.0.1:{port}")
        connection.putheader("Host", named)
        connection.endheaders()
        assert connection.getresponse().status in (400, 421)
        connection.close()


def test_on_port_80_the_name_alone_is_enough() -> None:
    assert "localhost" in hosts_of(80)
    assert "localhost" not in hosts_of(8000)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer  x",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer x {TOKEN}",
        "Bearer ünïcode",
    ],
)
def test_a_change_without_the_operators_token_is_refused(
    client: httpx.Client, kept_database: Database, header: str | None
) -> None:
    headers = {"authorization": header.encode("latin-1")} if header is not None else {}
    for method in ("PUT", "POST", "PATCH", "DELETE"):
        answer = client.request(method, "/api/pipeline/toggle", json=WISH, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["title"] == "Unauthorized"
        assert TOKEN not in answer.text
    assert kept_database.fetch("SELECT * FROM audit_events") == []


def test_every_changing_route_that_is_described_needs_the_token(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()["paths"]
    changing = [(m, p) for p, methods in described.items() for m in methods if m != "get"]
    assert len(changing) >= 2
    for method, path in changing:
        assert client.request(method, re.sub(r"{\w+}", "x", path)).status_code == 401


def test_the_token_is_never_needed_to_read(client: httpx.Client) -> None:
    assert client.get("/api/orders", headers={"authorization": "Bearer wrong"}).status_code == 200


def test_no_other_origin_may_read_or_frame(client: httpx.Client) -> None:
    for path in ("/", "/api/orders", "/static/live.js", "/api/nothing"):
        answer = client.get(path, headers={"origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    preflight = {"origin": "https://evil.example", "access-control-request-method": "PUT"}
    answer = client.options("/api/pipeline/toggle", headers=preflight)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_answers_are_not_kept_by_caches(client: httpx.Client) -> None:
    for path in ("/", "/api/orders", f"/orders/{story.ENTRY}/why"):
        assert client.get(path).headers["cache-control"] == "no-store"


def test_static_files_stay_in_their_folder(client: httpx.Client) -> None:
    for path in (
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/../../app.py",
        "/static/",
        "/static//etc/passwd",
    ):
        assert client.get(path).status_code == 404


def test_a_trace_id_is_taken_over_or_made(client: httpx.Client) -> None:
    assert client.get("/api/health", headers={"x-trace-id": "my-trace-0001"}).headers["x-trace-id"] == "my-trace-0001"
    made = {
        client.get("/api/health", headers={"x-trace-id": bad}).headers["x-trace-id"] for bad in ("", "a b", "x" * 65)
    }
    assert len(made) == 3
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in made)


@given(st.text(max_size=80))
def test_a_trace_id_is_always_safe_to_log_and_to_send(given_id: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", choose(given_id))
