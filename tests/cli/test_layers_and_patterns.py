"""`stonks layers` and `stonks patterns` over a home's real database and lake."""

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
from stonks_core.stores.lake.silver_tables import IMPACT_RECORDS, MARKET_SNAPSHOTS
from stonks_core.stores.opening import open_stores
from stonks_core.stores.postgres import dsn
from tests.core.test_patterns import bars, records

STAGE = f"layering{os.getpid()}"
Stonks = Callable[..., Result]
SINCE = "2025-01-01T00:00Z"


@pytest.fixture(scope="module")
def environment(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A home whose live book tracks four companies, with four stories about one of them and all their bars."""
    variables = {
        "STONKS_HOME": str(tmp_path_factory.mktemp("layers")), "DEPLOY_STAGE": STAGE, "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port), "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(), "COLUMNS": "200",
    }  # fmt: skip
    settings = load_settings(variables)
    with open_stores(settings, {}) as stores:
        with stores.database.connection() as connection:
            for ticker in ("AAA", "BBB", "CCC", "DDD"):
                connection.execute(
                    "INSERT INTO companies (ticker, legal_name, valid_from) VALUES (%s, %s, %s)",
                    (ticker, f"{ticker} Inc", SINCE),
                )
            connection.execute(
                """
                INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength, valid_from)
                SELECT a.company_id, b.company_id, 'direct_competitor', 0.9, %s FROM companies a, companies b
                WHERE a.ticker = 'AAA' AND b.ticker = 'BBB'
                """,
                (SINCE,),
            )
        stores.lake.merge(IMPACT_RECORDS, records())
        stores.lake.merge(MARKET_SNAPSHOTS, bars({"AAA": 0.04, "BBB": -0.02}))
    yield variables
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        for name in (settings.database_name, settings.dagster_database_name):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def stonks(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stonks:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words), env=environment)

    return run


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_patterns_of_a_company_and_its_competitors(stonks: Stonks) -> None:
    answer = told(stonks("patterns", "aaa", "--as-of", "2025-09-09T21:00", "--json"))
    own, rival = answer["items"]
    assert (own["kind"], own["samples"], own["enough"]) == ("self", 4, True)
    assert rival["mean_response"] == pytest.approx(-0.025)
    assert (rival["responder"], rival["relationship"]) == ("BBB", "direct_competitor")
    assert len(rival["stories"]) == 4
    shown = stonks("patterns", "AAA", "--catalyst", "product_launch", "--as-of", "2025-09-09T21:00").output
    assert "-2.50%" in shown
    assert "Each time" in shown
    assert told(stonks("patterns", "AAA", "--as-of", "2025-06-25", "--json"))["items"] == []
    assert "no news about AAA" in stonks("patterns", "AAA", "--as-of", "2025-06-25").output


def test_patterns_of_who_is_not_tracked_is_a_sentence(stonks: Stonks) -> None:
    result = stonks("patterns", "ZZZ")
    assert result.exit_code == 1
    assert "was not tracked" in result.stderr


def test_a_layer_is_switched_with_a_reason_and_its_history_says_so(stonks: Stonks) -> None:
    assert "off from the next cycle on" in stonks("layers", "off", "macro", "--reason", "noise before the vote").output
    rows = {row["layer"]: row for row in told(stonks("layers", "list", "--json"))}
    assert (rows["macro"]["enabled"], rows["macro"]["reason"]) == (False, "noise before the vote")
    assert "Signal layers" in stonks("layers", "list").output
    assert {
        row["layer"]: row["enabled"] for row in told(stonks("layers", "on", "macro", "--reason", "over", "--json"))
    }["macro"]
    history = told(stonks("layers", "history", "macro", "--json"))
    assert [row["action"] for row in history] == ["layer_enabled", "layer_disabled"]
    refused = stonks("layers", "off", "company", "--reason", "a try")
    assert refused.exit_code == 1
    assert "the company layer is the base" in refused.stderr
    assert stonks("layers", "off", "macro", "--reason", " ").exit_code == 1
