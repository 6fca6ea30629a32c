"""`stonks parse` as a person runs it: lines of JSON, sentences for what cannot be read, no store."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_cli.seen import companies_of
from stonks_core.errors import StonksError

PROSE = "<p>Orion Systems said that demand for its storage products was strong in every region of the world.</p>" * 8
PAGE = (
    '<html lang="en"><head><title>Orion grows | Example Wire</title><meta property="og:site_name" content="Example Wire">'
    '<meta name="author" content="By Ann Author"><link rel="canonical" href="https://wire.example/a?utm_source=x">'
    f'<meta name="date" content="2026-03-02T10:00:00"></head><body><nav>Home</nav><article>{PROSE}</article></body></html>'
)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSTGRES_HOST", "nowhere.invalid")
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "note.txt").write_text("Shares of $ORIN rose.")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "companies.json").write_text('[{"ticker": "ORIN", "name": "Orion Systems Inc.", "aliases": ["Orion"]}]')
    return tmp_path


def run(*arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]]]:
    result = CliRunner().invoke(app, ["parse", "--jsonl", *arguments], input=stdin)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_a_page_is_seen_with_what_it_says_of_itself(files: Path) -> None:
    code, (seen,) = run("page.html", "--companies", "companies.json")
    assert code == 0
    assert (seen["title"], seen["author"], seen["publisher"]) == ("Orion grows", "Ann Author", "Example Wire")
    assert seen["canonical_url"] == "https://wire.example/a"
    assert (seen["published"], seen["published_zone"]) == ("2026-03-02T10:00:00+00:00", "assumed UTC")
    assert (seen["language"], seen["confidence"], seen["file"]) == ("en", "high", "page.html")
    assert len(seen["mentions"]) == 8
    assert {seen["text"][m["start"] : m["end"]] for m in seen["mentions"]} == {"Orion Systems"}


def test_one_that_cannot_be_read_is_a_sentence_and_the_others_go_on(files: Path) -> None:
    code, seen = run("empty.txt", "absent.html", "note.txt", ".")
    assert code == 1
    assert [("error" in line) for line in seen] == [True, True, False, True]
    assert "absent.html cannot be read: No such file" in seen[1]["error"]
    assert seen[2]["text"] == "Shares of $ORIN rose."


def test_standard_input_and_a_time_that_is_not_stated(files: Path) -> None:
    code, (seen,) = run("-", "--companies", "companies.json", stdin=b"Orion fell.")
    assert (code, seen["file"], seen["published"], seen["published_zone"]) == (0, "-", None, None)
    assert [m["ticker"] for m in seen["mentions"]] == ["ORIN"]


def test_without_jsonl_the_json_is_for_people(files: Path) -> None:
    result = CliRunner().invoke(app, ["parse", "note.txt"])
    assert json.loads(result.stdout)["confidence"] == "low"
    assert result.stdout.count("\n") > 5


@pytest.mark.parametrize(
    "written",
    [
        '{"ORIN": "Orion Systems Inc."}',
        '{"companies": [{"symbol": "ORIN", "legal_name": "Orion Systems Inc."}]}',
        '{"ticker": "ORIN", "name": "Orion Systems Inc."}\n{"ticker": "PTRA", "name": "Petra"}',
        "ticker,name,aliases\nORIN,Orion Systems Inc.,\n",
    ],
)
def test_companies_in_the_shapes_that_people_have(tmp_path: Path, written: str) -> None:
    path = tmp_path / "c"
    path.write_text(written)
    first = companies_of(path)[0]
    assert (first.ticker, first.legal_name, first.aliases) == ("ORIN", "Orion Systems Inc.", ())


@pytest.mark.parametrize("written", ["", "[]", '[{"name": "x"}]', "[1", '[{"ticker": ""}]'])
def test_a_file_that_names_no_company_is_refused(tmp_path: Path, written: str) -> None:
    path = tmp_path / "c"
    path.write_text(written)
    with pytest.raises(StonksError, match="compan"):
        companies_of(path)
    result = CliRunner().invoke(app, ["parse", "--companies", str(path), "-"], input=b"x")
    assert result.exit_code == 1
