"""`stonks bench extract` runs over a real model server, Delta and PostgreSQL, and `--replay-only` reaches the settings."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_core.errors import StonksError
from stonks_core.settings import Settings


def test_the_benchmark_reports_ours_beside_the_bare_client() -> None:
    result = CliRunner().invoke(
        app, ["bench", "extract", "--documents", "8", "--service-ms", "20", "--in-flight", "2", "--json"]
    )
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    bare, ours, recorded = found["extract"]
    assert [row["what"] for row in (bare, ours, recorded)] == [
        "limit: bare ollama client",
        "ours: lake to lake",
        "ours: recorded",
    ]
    assert {row["count"] for row in found["extract"]} == {8}
    assert bare["wall_s"] >= 0.08
    assert ours["wall_s"] >= 0.08
    assert ours["ours_wall"] == pytest.approx(ours["wall_s"] / bare["wall_s"], abs=0.02)
    assert found["machine"]["service_ms"] == 20


def test_replay_only_is_told_to_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    seen: list[bool] = []

    def run(settings: Settings, *_: object) -> str:
        seen.append(settings.ollama.replay_only)
        raise StonksError("stop here")

    monkeypatch.setattr("stonks_cli.demo.demo", run)
    for arguments in (["demo"], ["demo", "--replay-only"]):
        CliRunner().invoke(app, arguments, env={"STONKS_HOME": str(tmp_path)})
    assert seen == [False, True]
