"""`stonks why`, `recompute`, `lookahead-audit` and the same over HTTP, over a home with a book in it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from click.testing import Result
from psycopg import sql
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.registry import TABLES
from stonks_core.stores.opening import open_stores
from stonks_core.stores.postgres import dsn
from tests.api.conftest import app_over, serving
from tests.audit.conftest import NOW, World, registered

STAGE = f"audit{os.getpid()}"
DOCUMENT, COPY = f"{NOW:%Y%m%d}-a2", f"{NOW:%Y%m%d}-copy"
Stonks = Callable[..., Result]


@pytest.fixture(scope="module")
def environment(story: World, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A home whose live book holds the story."""
    variables = {
        "STONKS_HOME": str(tmp_path_factory.mktemp("audit")), "DEPLOY_STAGE": STAGE, "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port), "POSTGRES_USER": postgres.user, "MARKET_CALENDAR": "24/7",
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
    }  # fmt: skip
    settings = load_settings(variables)
    with open_stores(settings, {}) as stores:
        registered(stores.database)
        shutil.copytree(story.lake.location.root, stores.lake.location.root, dirs_exist_ok=True)
    yield variables
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        for name in (settings.database_name, settings.dagster_database_name):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def stonks(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stonks:
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(words), env={**environment, "COLUMNS": "200"})


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_recompute_says_equal_and_ends_well(stonks: Stonks, story: World) -> None:
    name = story.said()["recommendation_id"]
    done = _json(stonks("recompute", name[:10], "--json"))
    assert done["equal"]
    assert done["by_knowledge"]["sha256"] == done["stored_sha256"]
    shown = stonks("recompute", name)
    assert shown.exit_code == 0
    assert "equal, byte for byte" in shown.stdout


def test_recompute_shows_the_difference_and_fails(stonks: Stonks, environment: dict[str, str], story: World) -> None:
    row = story.said("BETA")
    with open_stores(load_settings(environment), {}) as stores:
        stores.lake.delete(RECOMMENDATIONS, f"recommendation_id = '{row['recommendation_id']}'")
        stores.lake.merge(RECOMMENDATIONS, [row | {"score": 0.123}])
    result = stonks("recompute", row["recommendation_id"])
    assert result.exit_code == 1
    assert "DIFFERS" in result.stdout
    assert "0.123" in result.stdout


def test_why_takes_a_recommendation(stonks: Stonks, story: World) -> None:
    name = story.said()["recommendation_id"]
    chain = _json(stonks("why", name, "--json"))
    assert chain["order"] is None
    assert chain["decisions"] == []
    assert chain["recommendation"]["recommendation_id"] == name
    assert chain["evidence"][0]["verified"]
    assert chain["gaps"] == []
    assert "What a3 says of ACME." in stonks("why", name).stdout


def test_why_without_a_document(stonks: Stonks, story: World) -> None:
    name = story.said()["recommendation_id"]
    done = _json(stonks("why", name, "--without", DOCUMENT, "--json"))
    assert done["without"] == [DOCUMENT]
    assert done["before"]["score"] != done["after"]["score"]
    assert done["successors"][0]["document_id"] == COPY
    shown = stonks("why", name, "--without", DOCUMENT, "--without", COPY)
    assert shown.exit_code == 0
    assert "changed" in shown.stdout
    assert _json(stonks("why", name, "--without", DOCUMENT, "--whole-story", "--json"))["successors"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("recompute", "nothing"), "no book has an order or a recommendation nothing"),
        (("why", "nothing", "--without", DOCUMENT), "no book has an order or a recommendation nothing"),
    ],
)
def test_unknown_names_end_in_a_sentence(stonks: Stonks, words: tuple[str, ...], said: str) -> None:
    result = stonks(*words)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())


def test_honest_stages_pass_the_look_ahead_audit_and_nothing_is_touched(
    stonks: Stonks, environment: dict[str, str]
) -> None:
    before = _stores(environment)
    done = _json(stonks("lookahead-audit", "--from", "2026-03-09", "--to", "2026-03-10", "--json"))
    assert (done["clean"], done["instants"], done["leaks"], done["notes"]) == (True, 2, [], [])
    for asset in ("macro_impacts", "competitive_signals", "signals", "trend_history", "recommendations"):
        assert done["compared"][asset] > 0, asset
    assert {kind for kind, count in done["planted"].items() if count} == {
        "future-dated", "undated", "revised", "shifted", "in time",
    }  # fmt: skip
    assert _stores(environment) == before


def _stores(environment: dict[str, str]) -> Any:
    with open_stores(load_settings(environment), {}) as stores:
        root = Path(stores.lake.location.root)
        versions = {t.name: stores.lake.version(t) for t in TABLES if (root / t.name).exists()}
        rows = [stores.database.fetch(f"SELECT * FROM {name} ORDER BY 1") for name in ("failures", "pipeline_control")]
    return sorted(path.name for path in root.iterdir()), versions, rows


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-03-10", "--to", "2026-03-09"), "--to 2026-03-09 lies before --from 2026-03-10"),
        (("--from", "2026-03-10", "--to", "2026-03-10", "--every", "often"), "--every is 'often': give day, close, or"),
        (("--from", "2027-03-10", "--to", "2027-03-11"), "there is no past instant by --every day"),
        (
            ("--from", "2025-03-10", "--to", "2025-03-11"),
            "nothing was known by any of the 2 instants up to 2025-03-11 23:59",
        ),
        (("--from", "2026-03-10", "--to", "2026-03-10", "--book", "replay-x"), "there is no book 'replay-x'"),
    ],
)
def test_an_audit_of_nothing_is_refused(stonks: Stonks, words: tuple[str, ...], said: str) -> None:
    result = stonks("lookahead-audit", *words)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())


def test_the_same_over_http(story: World) -> None:
    name = story.said()["recommendation_id"]
    settings = load_settings({"MARKET_CALENDAR": "24/7"})

    def ask(client: httpx.Client, address: str) -> Any:
        answer = client.get(f"/api/recommendations/{name}/{address}")
        return answer.status_code, answer.json()

    with serving(lambda port: app_over(story.pipeline.database, story.lake, port, settings)) as client:
        status, done = ask(client, "recomputed")
        assert (status, done["equal"], done["notes"]) == (200, True, [])
        status, done = ask(client, f"counterfactual?without={DOCUMENT}&whole_story=true")
        assert status == 200
        assert done["after"]["score"] != done["before"]["score"]
        status, problem = ask(client, "counterfactual?without=20260310-nothing")
        assert (status, problem["status"]) == (404, 404)
        assert ask(client, "counterfactual")[0] == 422
