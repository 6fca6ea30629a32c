"""`stonks registry` over a home's real database: read, edit, import, export, and sentences where something does not fit."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from psycopg import sql
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.opening import open_stores
from stonks_core.stores.postgres import Database, dsn

STAGE = f"registering{os.getpid()}"
WHY = ("--reason", "said the test")
Stonks = Callable[..., Result]


@pytest.fixture(scope="module")
def environment(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A home whose live book is made and empty."""
    variables = {
        "STONKS_HOME": str(tmp_path_factory.mktemp("registry")), "DEPLOY_STAGE": STAGE, "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port), "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
    }  # fmt: skip
    settings = load_settings(variables)
    with open_stores(settings, {}):
        pass
    yield variables
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        for name in (settings.database_name, settings.dagster_database_name):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def book(environment: dict[str, str]) -> Iterator[Database]:
    """The live book's database, its registry empty."""
    settings = load_settings(environment)
    with Database(settings.postgres, settings.database_name) as opened:
        opened.execute("TRUNCATE companies, sources, watchlists, audit_events CASCADE")
        yield opened


@pytest.fixture
def stonks(environment: dict[str, str], book: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stonks:
    monkeypatch.chdir(tmp_path)

    def run(*words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, ["registry", *words], env={**environment, "COLUMNS": "200"}, input=typed)

    return run


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def told(result: Result) -> Any:
    return json.loads(done(result))


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def test_a_companys_life(stonks: Stonks, book: Database) -> None:
    since = ("--effective-from", "2026-01-05")
    done(stonks("add", "fb", "Facebook Inc.", "--cik", "1326801", *since, *WHY))
    done(stonks("change", "FB", "--sector", "Communication Services", "--effective-from", "2026-02-01", *WHY))
    done(stonks("rename", "FB", "META", "--legal-name", "Meta Platforms, Inc.", "--effective-from", "2026-06-09", *WHY))
    assert [row["ticker"] for row in told(stonks("list", "--json"))] == ["META"]
    (then,) = told(stonks("list", "--as-of", "2026-03-01", "--json"))
    assert (then["ticker"], then["sector"]) == ("FB", "Communication Services")
    shown = told(stonks("show", "FB", "--as-of", "2026-01-06", "--json"))
    assert (shown["ticker"], shown["sector"], len(shown["history"])) == ("FB", "", 3)
    assert "Meta Platforms" in done(stonks("show", "META"))
    assert "META" in done(stonks("list"))
    done(stonks("delist", "META", "--effective-from", "2026-07-01", *WHY))
    assert told(stonks("list", "--json")) == []
    assert [row["ticker"] for row in told(stonks("list", "--delisted", "--json"))] == ["META"]
    assert [row["ticker"] for row in told(stonks("list", "--as-of", "2026-06-30", "--json"))] == ["META"]
    done(stonks("add", "OOPS", "A mistake", *WHY))
    done(stonks("remove", "OOPS", *WHY))
    events = book.fetch("SELECT actor, action, reason FROM audit_events ORDER BY id")
    assert [row["action"] for row in events] == [
        "company_added", "company_changed", "company_renamed", "company_delisted", "company_added", "company_removed",
    ]  # fmt: skip
    assert {(row["actor"], row["reason"]) for row in events} == {("operator", "said the test")}


def test_what_hangs_on_a_company(stonks: Stonks) -> None:
    for ticker in ("AAA", "BBB"):
        done(stonks("add", ticker, f"{ticker} Inc.", *WHY))
    assert told(stonks("alias", "add", "AAA", "Alpha", "--json", *WHY))["new"]
    assert not told(stonks("alias", "add", "AAA", "Alpha", "--json", *WHY))["new"]
    assert [row["alias"] for row in told(stonks("alias", "list", "AAA", "--json"))] == ["Alpha"]
    done(stonks("alias", "remove", "AAA", "Alpha", *WHY))
    assert told(stonks("alias", "list", "AAA", "--json")) == []
    done(
        stonks("exposure", "set", "AAA", "--region", "europe=0.4", "--commodity", "oil=-0.3", "--supply", "china", *WHY)
    )
    shown = told(stonks("exposure", "show", "AAA", "--json"))
    assert (shown["revenue_by_region"], shown["commodity_sensitivity"]) == ({"europe": 0.4}, {"oil": -0.3})
    assert "europe" in done(stonks("exposure", "show", "AAA"))
    done(stonks("exposure", "remove", "AAA", *WHY))
    done(stonks("competitors", "set", "AAA", "BBB", "0.7", "--relationship", "supplier", *WHY))
    (pair,) = told(stonks("competitors", "list", "AAA", "--json"))
    assert (pair["competitor"], pair["relationship"], pair["strength"]) == ("BBB", "supplier", 0.7)
    assert "referred to by its competitors" in refused(stonks("remove", "BBB", *WHY))
    done(stonks("competitors", "remove", "AAA", "BBB", *WHY))
    done(stonks("watchlists", "add", "mine", "--member", "aaa", *WHY))
    done(stonks("watchlists", "put", "mine", "BBB", *WHY))
    done(stonks("watchlists", "drop", "mine", "AAA", *WHY))
    assert [(row["name"], row["members"]) for row in told(stonks("watchlists", "list", "--json"))] == [
        ("mine", ["BBB"])
    ]
    done(stonks("watchlists", "remove", "mine", *WHY))
    assert "Watchlists" in done(stonks("watchlists", "list"))


def test_sources(stonks: Stonks, book: Database) -> None:
    feed = json.dumps({"provider": "rss", "url": "https://news.example/feed"})
    made = told(
        stonks("sources", "add", "news_api", "A feed", "--config", feed, "--credibility", "0.7", "--json", *WHY)
    )
    changed = told(stonks("sources", "update", "A feed", "--inactive", "--name", "Feed", "--json", *WHY))
    assert (changed["active"], changed["name"], changed["config"]["provider"]) == (False, "Feed", "rss")
    book.execute(
        "INSERT INTO source_states (source_id, failures_in_a_row, parked, last_error) VALUES (%s, 10, true, 'down')",
        (made["source_id"],),
    )
    assert [row["last_error"] for row in told(stonks("sources", "list", "--parked", "--json"))] == ["down"]
    done(stonks("sources", "unpark", "Feed", *WHY))
    assert told(stonks("sources", "list", "--parked", "--json")) == []
    assert "Feed" in done(stonks("sources", "list"))
    assert told(stonks("sources", "runs", "Feed", "--json")) == []
    done(stonks("sources", "remove", "Feed", *WHY))
    assert "config.url" in refused(stonks("sources", "add", "web_scrape", "x", "--config", "{}", *WHY))
    assert "is no JSON" in refused(stonks("sources", "add", "web_scrape", "x", "--config", "{", *WHY))


def test_out_and_in_again(stonks: Stonks, tmp_path: Path, book: Database) -> None:
    done(stonks("add", "AAA", "=Formula Inc.", *WHY))
    done(stonks("alias", "add", "AAA", "@alpha", *WHY))
    for name in ("all.json", "aliases.csv"):
        table = ("--table", "aliases") if name.endswith(".csv") else ()
        done(stonks("export", name, *table))
        report = told(stonks("import", name, *table, "--json", *WHY))
        assert (report["changed"], report["lines"] > 0) == (0, True)
    assert "'@alpha" in (tmp_path / "aliases.csv").read_text()
    assert set(json.loads(done(stonks("export", "-")))) == {
        "companies", "aliases", "exposures", "competitors", "watchlists", "sources",
    }  # fmt: skip
    (tmp_path / "more.csv").write_text("ticker,legal_name\nBBB,Beta\n")
    assert "would change" in done(stonks("import", "more.csv", "--table", "companies", "--dry-run", *WHY))
    assert len(told(stonks("list", "--json"))) == 1
    assert "changed" in done(stonks("import", "more.csv", "--table", "companies", *WHY))
    assert len(told(stonks("list", "--json"))) == 2
    body = json.dumps({"companies": [{"ticker": "CCC", "legal_name": "Gamma"}]})
    assert told(stonks("import", "-", "--json", *WHY, typed=body))["changed"] == 1
    (tmp_path / "bad.csv").write_text("ticker,legal_name,cik\nDDD,Delta,x\n")
    assert "line 2, cik" in refused(stonks("import", "bad.csv", "--table", "companies", *WHY))


def test_the_secs_list_from_a_file(stonks: Stonks, tmp_path: Path) -> None:
    done(stonks("add", "AAA", "AAA", *WHY))
    rows = {
        "0": {"cik_str": 7, "ticker": "AAA", "title": "Alpha"},
        "1": {"cik_str": 8, "ticker": "BBB", "title": "Beta"},
    }
    (tmp_path / "company_tickers.json").write_text(json.dumps(rows))
    report = told(stonks("import-tickers", "company_tickers.json", "--ticker", "bbb", "--json", *WHY))
    assert (report["added"], report["filled"]) == (["BBB"], ["AAA"])
    assert [(row["ticker"], row["cik"]) for row in told(stonks("list", "--json"))] == [("AAA", 7), ("BBB", 8)]
    assert "0 added, 0 filled in" in done(stonks("import-tickers", "company_tickers.json", "--all", *WHY))
    assert "set EDGAR_CONTACT to ask the SEC, or name a FILE" in refused(stonks("import-tickers", *WHY))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "NOPE"), "the registry has no company 'NOPE'"),
        (("add", "x y", "X", *WHY), "ticker: "),
        (("add", "XX", "X", "--sector", "Tech", *WHY), "sector: "),
        (("add", "XX", "X", "--reason", " "), "--reason"),
        (("add", "XX", "X", "--effective-from", "2999-01-01", *WHY), "lies in the future"),
        (("exposure", "set", "XX", "--region", "europe", *WHY), "is not NAME=NUMBER"),
        (("import", "nothing.csv", "--table", "companies", *WHY), "cannot be read"),
        (("import", "nothing.csv", *WHY), "name it with --table"),
        (("import", "nothing.txt", *WHY), "neither FILE.csv nor FILE.json"),
        (("export", "x.csv", "--table", "orders"), "--table 'orders' is none of"),
        (("list", "--book", "demo"), "there is no book 'demo'"),
        (("sources", "unpark", "nope", *WHY), "there is no source 'nope'"),
        (("watchlists", "remove", "nope", *WHY), "there is no watchlist 'nope'"),
    ],
)
def test_what_does_not_fit_ends_in_a_sentence(stonks: Stonks, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(stonks(*words))


def test_an_edit_without_a_reason_is_not_even_tried(stonks: Stonks) -> None:
    assert stonks("add", "AAA", "Alpha").exit_code == 2
