"""`stonks setup` against real HTTP: keys are tried, `.env` is written once they work, and the registry is filled."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from dotenv import dotenv_values
from psycopg import sql
from typer.testing import CliRunner

from stonks_assets.ingestion.public_feeds import PUBLIC_FEEDS
from stonks_cli import setup as command
from stonks_cli.__main__ import app
from stonks_cli.setup import REAL_HOME, Variable, configure, write
from stonks_core.settings import Settings, load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.opening import open_stores
from stonks_core.stores.postgres import dsn
from tests.acceptance.stage import Sandbox, sandbox

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
CONTACT = "quant@stonks.example"
Setup = Callable[..., Result]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox(tmp_path_factory.mktemp("setup") / "state", NOW) as running:
        yield running


@pytest.fixture
def environment(postgres: Postgres, played: Sandbox, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A person's environment: the vendors' addresses lead to the sandbox, which takes any key."""
    variables = {
        "DEPLOY_STAGE": f"setup{os.getpid()}", "POSTGRES_HOST": postgres.host, "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user, "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
        "EDGAR_WWW_URL": f"{played.url}/edgar/www", "EDGAR_DATA_URL": f"{played.url}/edgar/data",
        "BROKER_BASE_URL": f"{played.url}/alpaca", "BROKER_DATA_URL": f"{played.url}/alpaca-data",
        "EDGAR_CONTACT": CONTACT, "BROKER_API_KEY": "key", "BROKER_API_SECRET": "a-secret",
        "STONKS_HOME": str(tmp_path / "home"), "FETCH_PRIVATE_ORIGINS": played.url,
    }  # fmt: skip
    yield variables
    settings = load_settings(variables)
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        for name in (settings.database_name, settings.dagster_database_name):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def setup(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.chdir(tmp_path)

    def run(*words: str, **variables: str | None) -> Result:
        return CliRunner().invoke(app, ["setup", *words], env={**environment, **variables})

    return run


def tickers_of(played: Sandbox, count: int) -> list[str]:
    listed = played.client.get("/edgar/www/files/company_tickers.json", headers={"User-Agent": f"test {CONTACT}"})
    return [str(entry["ticker"]) for entry in listed.json().values()][:count]


def test_keys_that_work_are_kept_and_the_named_companies_tracked(
    setup: Setup, environment: dict[str, str], played: Sandbox, tmp_path: Path
) -> None:
    names = tickers_of(played, 8)
    done = setup("--universe", ",".join([*names, "NOFILER"]))
    assert done.exit_code == 0, done.output
    assert "9 companies and" in done.output
    assert "without filings: NOFILER" in done.output
    assert "a-secret" not in done.output
    kept = dotenv_values(tmp_path / ".env")
    assert (kept["EDGAR_CONTACT"], kept["BROKER_API_SECRET"]) == (CONTACT, "a-secret")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    with open_stores(load_settings(environment), {}, made=True) as stores:
        found = stores.database.fetch("SELECT ticker, cik, sector, industry FROM companies ORDER BY ticker")
        assert [row["ticker"] for row in found] == sorted([*names, "NOFILER"])
        assert all(row["cik"] and row["sector"] and row["industry"] for row in found if row["ticker"] != "NOFILER")
        sources = stores.database.fetch("SELECT source_type, name, config->>'provider' AS provider FROM sources")
        feeds = {row["name"] for row in sources if row["provider"] == "rss"}
        assert feeds == {feed.publisher for feed in PUBLIC_FEEDS}
        vendors = {row["source_type"]: row["provider"] for row in sources if row["provider"] not in {"rss", None}}
        assert vendors == {"market_api": "alpaca", "news_api": "alpaca"}
        assert stores.database.fetch("SELECT FROM exposure_profiles") != []
    again = setup("--universe", ",".join(names))
    assert "0 companies and 0 sources came in" in again.output


def test_a_table_of_constituents_gives_sectors_and_peers(
    setup: Setup, environment: dict[str, str], played: Sandbox, tmp_path: Path
) -> None:
    one, two, three = tickers_of(played, 3)
    rows = [f"{one},One Inc.,Energy,Oil", f"{two},Two Inc.,Energy,Oil", f"{three},Three Inc.,Utilities,Water"]
    (tmp_path / "mine.csv").write_text("\n".join(["Symbol,Security,GICS Sector,GICS Sub-Industry", *rows]))
    assert setup("--universe", "mine.csv").exit_code == 0
    with open_stores(load_settings(environment), {}, made=True) as stores:
        pairs = stores.database.fetch(
            "SELECT a.ticker AS a, b.ticker AS b, relationship FROM competitor_relationships r "
            "JOIN companies a USING (company_id) JOIN companies b ON b.company_id = competitor_id"
        )
    assert {(row["a"], row["b"], row["relationship"]) for row in pairs} == {
        (one, two, "direct_competitor"),
        (two, one, "direct_competitor"),
    }


@pytest.mark.parametrize(
    ("universe", "variables", "sentence"),
    [
        ("AAPL", {"EDGAR_CONTACT": None}, "edgar would stay simulated"),
        ("AAPL", {"BROKER_API_KEY": None, "BROKER_API_SECRET": None}, "market_data would stay simulated"),
        ("AAPL", {"BROKER_API_SECRET": None}, "BROKER_API_KEY is set but BROKER_API_SECRET is not"),
        ("AAPL", {"BROKER_BASE_URL": "http://127.0.0.1:9"}, "broker: .*refused"),
        ("$$$", {}, "cannot be tickers"),
        ("none.csv", {}, "none.csv cannot be read"),
    ],
)
def test_what_does_not_work_is_said_and_nothing_is_written(
    setup: Setup, tmp_path: Path, universe: str, variables: dict[str, str | None], sentence: str
) -> None:
    done = setup("--universe", universe, **variables)
    assert done.exit_code == 1
    assert re.search(sentence, " ".join(done.output.split()))
    assert not (tmp_path / ".env").exists()


def test_a_home_that_holds_the_simulated_market_is_refused(
    setup: Setup, environment: dict[str, str], tmp_path: Path
) -> None:
    with open_stores(load_settings(environment), {}) as stores:
        stores.database.execute("INSERT INTO sources (source_type, name) VALUES ('web_scrape', 'Sandbox blog')")
    done = setup("--universe", "AAPL")
    assert done.exit_code == 1
    assert "holds the simulated market's registry and books" in " ".join(done.output.split())
    assert not (tmp_path / ".env").exists()


def test_a_person_is_asked_again_until_a_key_works_or_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[str] = []

    def problem(values: dict[str, str], parts: tuple[str, ...]) -> str:
        tried.append(values.get("EDGAR_CONTACT", ""))
        return "refused" if values.get("EDGAR_CONTACT") == "wrong@example.com" else ""

    monkeypatch.setattr(command, "_problem", problem)
    answers = iter(["wrong@example.com", "right@example.com", "", "", "", "", ""])
    dotenv = tmp_path / ".env"
    dotenv.write_text("BROKER_API_KEY=old\nBROKER_API_SECRET=old\nLOG_LEVEL=DEBUG\n")

    def ask(variable: Variable, present: str) -> str:
        assert present == ("old" if variable.name.startswith("BROKER") else "")
        return next(answers)

    settings, chosen = configure(dotenv, {}, ask)
    assert isinstance(settings, Settings)
    assert tried == ["wrong@example.com", "right@example.com"]
    assert chosen == {
        "EDGAR_CONTACT": "right@example.com", "BROKER_API_KEY": "", "BROKER_API_SECRET": "", "STONKS_HOME": REAL_HOME,
    }  # fmt: skip
    write(dotenv, chosen)
    kept = dotenv_values(dotenv)
    assert (kept["LOG_LEVEL"], kept["BROKER_API_KEY"], kept["EDGAR_CONTACT"]) == ("DEBUG", "", "right@example.com")
    assert load_settings({}, dotenv).sandboxed["broker"]
