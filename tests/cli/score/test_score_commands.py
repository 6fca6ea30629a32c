"""`stonks score-sandbox` and `stonks score-filings` as a user runs them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from tests.acceptance.recording import record
from tests.cli.score.happenings import write_home

Stonks = Callable[..., Result]


@pytest.fixture
def stonks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stonks:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("OLLAMA_", "STONKS_", "SANDBOX_", "MARKET_DATA_", "BROKER_")):
            monkeypatch.delenv(name)

    def run(*args: str, **variables: str) -> Result:
        return CliRunner().invoke(app, args, env={"STONKS_HOME": str(tmp_path / "home"), "COLUMNS": "200", **variables})

    return run


def _row(found: dict[str, Any], name: str) -> dict[str, Any]:
    (row,) = (row for row in found["rows"] if row["row"] == name)
    return row


def test_a_home_is_scored_from_its_truth_and_its_lake(stonks: Stonks, tmp_path: Path) -> None:
    write_home(tmp_path / "home")
    result = stonks("score-sandbox", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["events"], found["untold"], found["young"]) == (3, 0, 3)
    win, cut, rumour = (_row(found, name) for name in ("contract_win", "guidance_cut", "false rumour"))
    for stage in ("extraction", "signals", "trends", "recommendations", "calls"):
        assert (win[stage]["recall"], win[stage]["precision"], win[stage]["delay_minutes"]) == (1.0, 1.0, 20.0)
        assert (cut[stage]["recall"], cut[stage]["right"]) == (0.0, 0)
    assert cut["recommendations"]["opposite"] == 1
    assert (cut["calls"]["said"], rumour["calls"]["said"]) == (0, 0)
    assert (rumour["recommendations"]["said"], rumour["recommendations"]["precision"]) == (1, 0.0)
    assert _row(found, "echo")["planted"] == 1
    assert _row(found, "all company events")["recommendations"]["recall"] == 0.5
    assert found["agreement"]["of their sign"] == 1.0
    assert found["confusion"][0] == {"true": "guidance_cut", "read as": "guidance_raise", "records": 1}
    (miss,) = (one for one in found["misses"] if one["stage"] == "extraction" and one["row"] == "guidance_cut")
    assert (miss["event_id"], miss["document_id"], miss["said"]["catalyst"]) == (
        "cut",
        "20260304-cut",
        "guidance_raise",
    )


def test_the_report_is_printed_as_tables_too(stonks: Stonks, tmp_path: Path) -> None:
    write_home(tmp_path / "home")
    result = stonks("score-sandbox", "--from", "2026-03-04", "--to", "2026-03-04")
    assert result.exit_code == 0, result.output
    for told in ("3 events", "contract_win", "100/100", "False rumours", "rumours: 1", "Missed", "20260304-cut"):
        assert told in result.output, told


def test_days_without_an_event_are_said(stonks: Stonks, tmp_path: Path) -> None:
    write_home(tmp_path / "home")
    result = stonks("score-sandbox", "--from", "2026-02-01", "--to", "2026-02-02")
    assert result.exit_code == 1
    assert "no event of 2026-02-01 to 2026-02-02" in result.output


def test_an_install_without_a_synthetic_market_is_refused(stonks: Stonks, tmp_path: Path) -> None:
    for variables in ({"MARKET_DATA_API_KEY": "k"}, {"SANDBOX_RECORDED": str(tmp_path)}):
        result = stonks("score-sandbox", **variables)
        assert result.exit_code == 1
        assert "nothing was planted" in result.output
    unstarted = stonks("score-sandbox")
    assert unstarted.exit_code == 1
    assert "events.jsonl is not there" in unstarted.output


def test_a_broken_truth_is_named(stonks: Stonks, tmp_path: Path) -> None:
    write_home(tmp_path / "home")
    (tmp_path / "home" / "sandbox" / "truth" / "events.jsonl").write_text('{"event_id": "e1"}\n')
    result = stonks("score-sandbox")
    assert result.exit_code == 1
    assert "cannot be read" in result.output


def test_a_recording_is_scored_beside_word_lists(stonks: Stonks, tmp_path: Path) -> None:
    folder = record(tmp_path / "recording")
    result = stonks("score-filings", str(folder), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["filings"], found["unpriced"], found["errors"]) == (3, 0, [])
    first = {row["judge"]: row for row in found["table"] if row["horizon"] == "1"}
    assert set(first) == {"stonks-rules:latest", "words", "vader", "always up"}
    assert first["stonks-rules:latest"]["opinions"] == 2
    assert all(row["filings"] == 3 for row in first.values())
    only = stonks("score-filings", str(folder), "--ticker", "VRDN")
    assert only.exit_code == 0
    assert "1 filings read by stonks-rules:latest" in only.output


def test_a_folder_without_the_filings_asked_for_is_said(stonks: Stonks, tmp_path: Path) -> None:
    folder = record(tmp_path / "recording")
    result = stonks("score-filings", str(folder), "--ticker", "NONE")
    assert result.exit_code == 1
    assert "no filing of the tickers and days" in result.output
    assert "no recording" in stonks("score-filings", str(tmp_path)).output
