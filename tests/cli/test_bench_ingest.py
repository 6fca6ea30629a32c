"""`stonks bench ingest` at a tiny size: what it prints has the shape that it promises. Nothing here is about speed."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_cli.bench.commands import INGEST
from stonks_cli.bench.measuring import Cost, measured

TINY = ("--documents", "12", "--page-kb", "8", "--sources", "3", "--days", "5,40", "--commits", "3")


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    result = CliRunner().invoke(app, ["bench", "ingest", *TINY, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_every_section_has_the_columns_that_are_shown(report: dict[str, Any]) -> None:
    assert set(report) == {"machine", *INGEST}
    for name, (_, columns) in INGEST.items():
        assert set(columns) <= set(report[name][0]), name


def test_the_limit_and_a_peer_stand_beside_ours(report: dict[str, Any]) -> None:
    ours, *others = report["throughput"]
    assert ours["count"] == 12
    assert {row["what"].partition(":")[0] for row in others} == {"limit", "peer", "limit and append"}
    for row in others:
        assert row["ours_cpu"] == pytest.approx(ours["cpu_s"] / row["cpu_s"], rel=0.25)


def test_all_sources_were_asked_and_their_entries_committed(report: dict[str, Any]) -> None:
    asked = report["sources"][0]
    assert asked["documents"] == 6
    assert asked["requests"] == 1 + 3 + 6, "one robots.txt for all, the feed of each, and the pages"
    assert 1 <= asked["most_open"] <= asked["connections"]


def test_each_size_of_a_day_is_a_row(report: dict[str, Any]) -> None:
    assert [(row["count"], row["idle_requests"]) for row in report["growth"]] == [(5, 1), (40, 1)]
    assert report["growth"][0]["lake_mb"] < report["growth"][1]["lake_mb"]


def test_commits_are_timed_at_the_marks_for_each_way(report: dict[str, Any]) -> None:
    ways = {row["what"] for row in report["commits"]}
    assert len(ways) == 3
    for way in ways:
        rows = [row for row in report["commits"] if row["what"] == way]
        assert [row["commit"] for row in rows] == [1, 3]
        assert [row["files"] for row in rows] == [1, 3]


def test_it_is_shown_as_tables_too(report: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stonks_cli.bench.ingest.run", lambda _: report)
    shown = CliRunner().invoke(app, ["bench", "ingest", *TINY])
    assert shown.exit_code == 0, shown.output
    for title, _ in INGEST.values():
        assert title.split(";", maxsplit=1)[0] in " ".join(shown.stdout.split())


@pytest.mark.parametrize("days", ["", "a", "1,,2", "0", "-1"])
def test_sizes_that_are_none_are_refused(days: str) -> None:
    refused = CliRunner().invoke(app, ["bench", "ingest", "--days", days])
    assert refused.exit_code == 2
    assert "no list of positive numbers" in refused.output


def test_a_cost_is_of_the_work_alone() -> None:
    result, cost = measured(lambda: sum(range(1000)))
    assert result == 499_500
    assert 0 <= cost.wall < 60
    assert Cost(2.0, 1.0, 3.0).row("x", 4) == {
        "what": "x", "count": 4, "wall_s": 2.0, "cpu_s": 1.0, "per_second": 2.0, "cpu_ms_each": 250.0, "memory_mb": 3.0,
    }  # fmt: skip
