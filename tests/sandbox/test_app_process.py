"""The sandbox as a process: it says when it is ready, keeps its clock, stops on SIGTERM and refuses with sentences."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from stonks_sandbox.__main__ import main

START = "2026-11-20T12:00:00Z"


@contextmanager
def sandbox(*options: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "stonks_sandbox", *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "ready on http://127.0.0.1:" in line
        with httpx.Client(base_url=line.split()[3], timeout=20, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_driven_sandbox_from_start_to_restart(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    with sandbox("--state", state, "--synthetic", "--seed", "9", "--clock", "driven", "--start", START) as (
        process,
        client,
    ):
        health = client.get("/sandbox/health").json()
        assert (health["world"], health["seed"], health["simulated"], health["now"]) == ("synthetic", 9, True, START)
        assert client.get("/polygon/v1/marketstatus/now").status_code == 401
        assert client.get("/edgar/www/files/company_tickers.json", headers={"User-Agent": "x"}).status_code == 403
        assert client.get("/web/none").status_code == 404
        assert client.get("/ollama/api/tags").json()["models"]
        keys = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
        assert client.get("/alpaca/v2/account", headers=keys).json()["status"] == "ACTIVE"
        assert client.get("/truth/events.jsonl").status_code == 404
        assert client.get("/web/../truth/events.jsonl").status_code == 404
        moved = client.post("/sandbox/clock", json={"now": "2026-11-20T13:00:00Z"})
        assert (moved.status_code, moved.json()["now"]) == (200, "2026-11-20T13:00:00Z")
        back = client.post("/sandbox/clock", json={"now": START})
        assert back.status_code == 409
        assert "never goes back" in back.json()["error"]
        assert client.post("/sandbox/clock", json={"now": "noon"}).status_code == 422
        assert main(["--state", state]) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) in {0, -signal.SIGTERM}
    with sandbox("--state", state, "--seed", "9", "--clock", "driven") as (_, client):
        assert client.get("/sandbox/clock").json()["now"] == "2026-11-20T13:00:00Z"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--clock", "driven"], "--start"),
        (["--start", START], "--clock driven"),
        (["--clock", "driven", "--start", "noon"], "ISO 8601"),
        (["--clock", "driven", "--start", "2015-01-01T00:00:00Z"], "begins on"),
        (["--recorded", "nowhere"], "is no folder"),
        (["--port", "70000"], "port 70000"),
    ],
)
def test_what_cannot_start_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["--state", str(tmp_path / "state"), *options]) == 2
    assert words in capsys.readouterr().err
