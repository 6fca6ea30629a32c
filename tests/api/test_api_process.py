"""The API as `stonks up` starts it: one process, settings from its environment, stopped by a signal."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx

from stonks_core.settings.slices import Postgres
from tests.api.conftest import KEPT

WAIT = 60


def environment(home: Path, postgres: Postgres) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "PYTHONPATH")}
    return kept | {
        "STONKS_HOME": str(home),
        "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
        "POSTGRES_DB": KEPT,
        "PYTHONPATH": str(Path(__file__).parent.parent.parent),
    }


def start(home: Path, postgres: Postgres, *arguments: str) -> subprocess.Popen[str]:
    home.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "stonks_api", *arguments],
        env=environment(home, postgres),
        cwd=home,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_serves_with_a_token_of_its_own_and_leaves_on_sigterm(
    tmp_path: Path, postgres: Postgres, client: httpx.Client
) -> None:
    assert client.get("/api/health").status_code == 200  # the database is there
    process = start(tmp_path / "home", postgres, "--port", "0", "--dagster-url", "http://127.0.0.1:3999/")
    assert process.stderr
    try:
        address = next(found for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))[0]
        token = tmp_path / "home" / "secrets" / "operator_token"
        with httpx.Client(base_url=address, timeout=WAIT) as asked:
            assert asked.get("/api/health").json() == {"status": "ok"}
            assert "http://127.0.0.1:3999/" in asked.get("/").text
            assert len(asked.get("/api/orders").json()["items"]) == 3
            assert asked.put("/api/pipeline/toggle", json={}).status_code == 401
            known = {"authorization": f"Bearer {token.read_text()}"}
            assert asked.put("/api/pipeline/toggle", json={}, headers=known).status_code == 422
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        process.send_signal(signal.SIGTERM)
        output, log = process.communicate(timeout=WAIT)
        assert process.returncode == 0
        assert output == ""
        assert token.read_text() not in log
        assert postgres.password.get_secret_value() not in log
    finally:
        process.kill()
        process.wait()


def test_what_keeps_it_from_starting_is_said_in_a_sentence(tmp_path: Path, postgres: Postgres) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = start(tmp_path / "home", postgres, "--port", port)
        _, said = process.communicate(timeout=WAIT)
    assert process.returncode == 1
    assert said.startswith(f"stonks_api: port {port} cannot be listened on")
    assert "Traceback" not in said
