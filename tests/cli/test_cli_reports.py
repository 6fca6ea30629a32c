"""The commands that report: JSON that parses, sentences for whoever asks for what is not there, books kept apart."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from psycopg import sql
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_cli.books import open_books, stage_of
from stonks_core.health.store import keep_results, keep_verdict
from stonks_core.health.verdict import Reason, Verdict
from stonks_core.health.verdict import Result as CheckResult
from stonks_core.settings import Settings, load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.opening import open_stores
from stonks_core.stores.postgres import dsn
from tests.api import story

STAGE = f"reports{os.getpid()}"
Stonks = Callable[..., Result]


def _environment(postgres: Postgres, home: Path, stage: str) -> dict[str, str]:
    return {
        "STONKS_HOME": str(home), "DEPLOY_STAGE": stage, "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port), "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def environment(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A home with a live book and a demo's, each with the same small story in it."""
    variables = _environment(postgres, tmp_path_factory.mktemp("reports"), STAGE)
    settings = load_settings(variables)
    for book in ("live", "demo"):
        with open_stores(stage_of(settings, book), {}) as stores:
            story.tell_database(stores.database)
            story.tell_lake(stores.lake)
            if book == "demo":
                stores.database.execute("DELETE FROM fills WHERE order_id = %s", (story.STOP,))
                stores.database.execute("DELETE FROM orders WHERE order_id = %s", (story.STOP,))
    yield variables
    _drop(postgres, settings)


def _drop(postgres: Postgres, settings: Settings) -> None:
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        for book in ("live", "demo"):
            staged = stage_of(settings, book)
            for name in (staged.database_name, staged.dagster_database_name):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def stonks(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stonks:
    monkeypatch.chdir(tmp_path)

    def run(*words: str, **variables: str) -> Result:
        return CliRunner().invoke(app, list(words), env={**environment, **variables})

    return run


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_orders_of_all_books_and_of_one(stonks: Stonks) -> None:
    orders = _json(stonks("orders", "--json"))
    assert {(order["book"], order["order_id"]) for order in orders} >= {
        ("live", story.ENTRY), ("live", story.STOP), ("demo", story.ENTRY),
    }  # fmt: skip
    only = _json(stonks("orders", "--book", "demo", "--json"))
    assert {order["book"] for order in only} == {"demo"}
    assert story.STOP not in {order["order_id"] for order in only}


def test_a_book_that_is_not_there_is_named_with_those_that_are(stonks: Stonks) -> None:
    result = stonks("orders", "--book", "replay-nothing", "--json")
    assert result.exit_code == 1
    assert "there is no book 'replay-nothing'; there are: live, demo" in " ".join(result.stderr.split())


def test_orders_as_a_table(stonks: Stonks) -> None:
    result = stonks("orders", COLUMNS="200")
    assert result.exit_code == 0
    assert "ACME" in result.stdout


def test_why_holds_the_chain_down_to_the_sentence(stonks: Stonks) -> None:
    chain = _json(stonks("why", story.ENTRY, "--json"))
    assert chain["order"]["order_id"] == story.ENTRY
    assert chain["recommendation"]["recommendation_id"] == story.RECOMMENDATION
    assert chain["evidence"]
    for evidence in chain["evidence"]:
        assert {"quote", "start", "end", "document_id", "sha256", "weight"} <= evidence.keys()
        assert evidence["end"] - evidence["start"] == len(evidence["quote"])


def test_why_takes_a_beginning_and_the_brokers_own_id(stonks: Stonks) -> None:
    assert _json(stonks("why", "so-stop", "--json"))["order"]["order_id"] == story.STOP
    assert _json(stonks("why", "alp-aaaa", "--json"))["order"]["order_id"] == story.ENTRY


def test_why_for_people_shows_the_quote_as_it_stands(stonks: Stonks) -> None:
    result = stonks("why", story.ENTRY, COLUMNS="200")
    assert result.exit_code == 0
    assert "<script>alert('x')</script>" in result.stdout
    assert stonks("why", story.STOP, COLUMNS="200").exit_code == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("so-unknown", "no book has an order or a recommendation so-unknown: `stonks orders` lists the orders"),
        ("so-entry", "'so-entry' begins the ids of several orders"),
        (" ", "an order's id is needed"),
    ],
)
def test_why_without_an_answer_ends_in_a_sentence(stonks: Stonks, name: str, words: str) -> None:
    result = stonks("why", name)
    assert result.exit_code == 1
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_doctor_reports_every_part(stonks: Stonks) -> None:
    findings = _json(stonks("doctor", "--json"))
    assert [f["part"] for f in findings] == [
        "database", "lake", "market data", "filings", "broker", "LLM", "clock",
    ]  # fmt: skip
    assert all(f["well"] for f in findings)


def test_doctor_says_what_fails_and_what_to_do(stonks: Stonks) -> None:
    result = stonks("doctor", "--json", OLLAMA_BASE_URL="http://127.0.0.1:9")
    assert result.exit_code == 1
    failing = [f for f in json.loads(result.stdout) if not f["well"]]
    assert [f["part"] for f in failing] == ["LLM"]
    assert "ollama" in failing[0]["advice"].lower()


def test_health_tells_whether_positions_may_be_opened_and_why_not(
    stonks: Stonks, environment: dict[str, str], tmp_path: Path
) -> None:
    never = stonks("health")
    assert never.exit_code == 1
    assert "New positions may not be opened: data health has not been judged yet" in " ".join(never.stdout.split())
    now = datetime.now(UTC)
    ill = CheckResult("signals", "ranges", "sentiment is 1.7", now, blocks="trends are sums of it")
    with open_books(load_settings(environment), "live") as books:
        database = books["live"].database
        keep_results(database, [ill, replace(ill, check="words", problem="")])
        with database.connection() as connection:
            keep_verdict(connection, Verdict(now, (Reason("signals", "ranges", "sentiment is 1.7"),)))
        told = stonks("health", COLUMNS="150")
        assert told.exit_code == 1
        assert "New positions may not be opened: sentiment is 1.7." in told.stdout
        assert "1 of 2 checks hold" in told.stdout
        assert "words" not in told.stdout
        assert "words" in stonks("health", "--all", COLUMNS="150").stdout
        shown = json.loads(stonks("health", "--json").stdout)
        assert (shown["entries_open"], shown["reasons"][0]["check"], len(shown["checks"])) == (False, "ranges", 2)
        gone = stonks("health", DATA_HEALTH_GATE="false")
        assert (gone.exit_code, "DATA_HEALTH_GATE is false" in gone.stdout) == (0, True)
        with database.connection() as connection:
            keep_verdict(connection, Verdict(now + timedelta(seconds=1)))
        assert _json(stonks("health", "--json"))["because"] == ""
    assert "never been judged in this book" in " ".join(stonks("health", "--book", "demo").stdout.split())


def test_reports_touch_no_book(stonks: Stonks, environment: dict[str, str]) -> None:
    before = _json(stonks("orders", "--json"))
    for words in (["doctor"], ["orders"], ["why", story.ENTRY]):
        stonks(*words)
    assert _json(stonks("orders", "--json")) == before


def test_books_of_another_stage_are_not_ours(
    environment: dict[str, str], postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for stage in (f"other{os.getpid()}", f"{STAGE}-demo"):
        result = CliRunner().invoke(app, ["orders", "--json"], env=_environment(postgres, tmp_path, stage))
        assert all(order["book"] == "live" for order in _json(result))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("MACRO_SIGNAL_WEIGHT", "5"), ("TRADING_RISK_TIER", "bold"), ("STONKS_API_PORT", "eighty")],
)
def test_a_bad_setting_stops_every_command_with_a_sentence(stonks: Stonks, variable: str, value: str) -> None:
    for words in (["orders"], ["doctor"], ["up"], ["demo"]):
        result = stonks(*words, **{variable: value})
        assert result.exit_code == 1
        said = " ".join(result.stderr.split())
        assert variable in said
        assert value in said
        assert "Traceback" not in said


def test_a_bad_setting_says_what_is_allowed(stonks: Stonks) -> None:
    said = stonks("orders", TRADING_RISK_TIER="bold").stderr
    assert all(word in said for word in ("conservative", "moderate", "aggressive"))
    said = stonks("orders", MACRO_SIGNAL_WEIGHT="5").stderr
    assert "1" in said.replace("MACRO_SIGNAL_WEIGHT", "")


def test_a_secret_is_not_printed_with_its_complaint(stonks: Stonks) -> None:
    result = stonks("orders", BROKER_API_KEY="a-very-secret-key")
    assert result.exit_code == 1
    assert "BROKER_API_SECRET" in result.stderr
    assert "a-very-secret-key" not in result.output


def test_a_database_that_does_not_answer_is_said_in_a_sentence(stonks: Stonks) -> None:
    for words in (["orders"], ["why", "x"], ["run", "true"]):
        result = stonks(*words, POSTGRES_PORT="9")
        assert result.exit_code == 1
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "port 9 failed" in result.stderr
        assert "`stonks doctor`" in result.stderr
        assert "POSTGRES_*" in result.stderr


def test_a_home_that_is_no_folder_is_refused(stonks: Stonks, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        result = stonks("orders", STONKS_HOME=str(home))
        assert result.exit_code == 1
        assert "is no folder: name a folder that can be made and written" in " ".join(result.stderr.split())


def test_env_before_up_says_so(stonks: Stonks) -> None:
    result = stonks("env")
    assert result.exit_code == 1
    assert "`stonks up` writes it when it starts" in " ".join(result.stderr.split())


def test_replay_refuses_what_is_no_recording_and_dates_that_run_backwards(stonks: Stonks, tmp_path: Path) -> None:
    result = stonks("replay", str(tmp_path), "--from", "2024-05-01", "--to", "2024-05-02")
    assert result.exit_code == 1
    assert "is no recording: it has no filings.jsonl" in " ".join(result.stderr.split())
    backwards = stonks("replay", str(tmp_path), "--from", "2024-05-02", "--to", "2024-05-01")
    assert backwards.exit_code == 2
    assert "lies before" in " ".join(backwards.stderr.split())


def test_run_hands_the_systems_environment_on(stonks: Stonks, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(os.environ['STONKS_DAGSTER_DATABASE_URL'])"
    assert stonks("run", "python", "-c", script).exit_code == 0
    assert seen.read_text().startswith("postgresql+psycopg2://")
    assert stonks("run", "python", "-c", "raise SystemExit(7)").exit_code == 7
    assert stonks("run").exit_code == 2
    missing = stonks("run", "no-such-command-anywhere")
    assert missing.exit_code == 1
    assert "no-such-command-anywhere cannot be run" in " ".join(missing.stderr.split())


def test_docs_prints_the_page_of_settings(stonks: Stonks) -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert stonks("docs").stdout == page.read_text(encoding="utf-8")
