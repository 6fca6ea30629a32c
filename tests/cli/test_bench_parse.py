"""`stonks bench parse` at a tiny size: what it prints has the shape that it promises. Nothing here is about speed."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_cli.bench.commands import PARSE
from stonks_cli.bench.parse import token_f1


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("pages")
    prose = "".join(f"<p>Orion Systems said that region {i} had grown in the quarter as planned.</p>" for i in range(9))
    (folder / "a.html").write_text(
        f"<html><body><nav>Home</nav><article>{prose}</article><script>1</script></body></html>"
    )
    (folder / "a.gold.html").write_text(f"<html><body>{prose}</body></html>")
    (folder / "index.json").write_text('[{"file": "a.html", "gold": "a.gold.html"}]')
    sizes = ("--articles", str(folder), "--filings", str(folder), "--names", "50", "--documents", "8")
    result = CliRunner().invoke(app, ["bench", "parse", *sizes, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_every_section_has_the_columns_that_are_shown(report: dict[str, Any]) -> None:
    assert set(report) == {"machine", *PARSE}
    for name, (_, columns) in PARSE.items():
        for row in report[name]:
            assert set(columns) <= set(row), name


def test_ours_stands_first_beside_peers_and_finds_all(report: dict[str, Any]) -> None:
    assert [row["what"] for row in report["pages"]][:2] == ["ours", "trafilatura"]
    assert report["pages"][0]["f1"] == 1
    assert report["filings"][0]["numbers_kept"] == 1
    ours, expression, *_ = report["mentions"]
    assert ours["found"] == expression["found"] > 0
    assert report["duplicates"][1]["right"] == 1


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", "parse", "--articles", str(tmp_path)])
    assert result.exit_code == 1


def test_f1_counts_each_token_as_often_as_it_stands() -> None:
    assert token_f1("a b b c", "a b c d") == 0.75
    assert token_f1("a b c d e", "a b c d x", 4) == 0.5
    assert token_f1("", "") == 1
    assert token_f1("a", "") == 0
