"""`stonks backfill`: what is asked for, what is refused, and a real run over the sandbox that a second one does not repeat."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.pipeline import Pipeline
from stonks_cli.backfill import ASKABLE, CHUNK, backfill, chunks, selected
from stonks_cli.environment import with_running_sandbox
from stonks_core.clock import ManualClock
from stonks_core.errors import BadInputError, StonksError
from stonks_core.settings import Settings, load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.opening import open_stores
from stonks_core.stores.postgres import dsn
from stonks_core.vocabulary import SourceType
from tests.acceptance.stage import sandbox

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[2]


@given(st.dates(date(2020, 1, 1), date(2026, 1, 1)), st.integers(0, 400))
def test_a_span_is_cut_into_months_without_gap_or_overlap(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    found = list(chunks(first, last))
    assert [day for a, b in found for day in (a + timedelta(days=n) for n in range((b - a).days + 1))] == [
        first + timedelta(days=n) for n in range(days + 1)
    ]
    assert all(b - a < CHUNK for a, b in found)


def test_how_far_a_backfill_goes() -> None:
    assert selected([SourceType.FILINGS_API], "raw") == ["raw_filings_api"]
    assert selected([SourceType.MARKET_API], "raw") == ["raw_market_api", "corporate_actions", "market_snapshots"]
    documents = selected(ASKABLE, "documents")
    assert documents[-2:] == ["documents", "document_company_mentions"]
    assert selected(ASKABLE, "signals")[-1] == "signals"
    assert selected(ASKABLE, "recommendations")[-1] == "recommendation_evidence"
    assert len(set(selected(ASKABLE, "recommendations"))) == len(selected(ASKABLE, "recommendations"))


@pytest.mark.parametrize(
    ("first", "last", "kind", "sentence"),
    [
        (date(2026, 3, 2), date(2026, 3, 1), SourceType.NEWS_API, "--to 2026-03-01 lies before --from 2026-03-02"),
        (date(2026, 3, 2), date(2026, 3, 5), SourceType.NEWS_API, "--to 2026-03-05 lies ahead"),
        (date(2026, 3, 2), date(2026, 3, 2), SourceType.BROKER, "broker sources tell of the present only"),
        (date(2026, 3, 2), date(2026, 3, 2), SourceType.WEB_SCRAPE, "web_scrape sources tell of the present only"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(first: date, last: date, kind: SourceType, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        backfill(Settings(), first, last, [kind], "raw", NOW)


def test_a_sandbox_that_does_not_run_is_named(tmp_path: Path) -> None:
    settings = load_settings({"STONKS_HOME": str(tmp_path)})
    with pytest.raises(StonksError, match="the sandbox plays market_data, edgar, broker, llm and does not run"):
        with_running_sandbox(settings)
    (tmp_path / "ports").write_text("sandbox=1\ncode=2\n")
    with pytest.raises(StonksError, match="does not run: start it with `stonks up`"):
        with_running_sandbox(settings)


@pytest.fixture
def environment(postgres: Postgres, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A home whose registry knows the sandbox's market, and the sandbox on the port that `stonks up` kept."""
    stage = f"backfill{os.getpid()}"
    variables = {
        "STONKS_HOME": str(tmp_path / "home"), "DEPLOY_STAGE": stage, "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port), "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
    }  # fmt: skip
    with sandbox(tmp_path / "state", NOW) as played:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "ports").write_text(f"sandbox={played.url.rsplit(':', 1)[1]}\ncode=1\n")
        settings = with_running_sandbox(load_settings(variables))
        assert settings.sandbox.url == played.url
        with open_stores(settings, {}) as stores:
            seed_registry(Pipeline(stores.settings, stores.lake, stores.database, ManualClock(NOW)))
        yield variables
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        for name in (settings.database_name, settings.dagster_database_name):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_backfill_brings_what_is_missing_and_no_more(environment: dict[str, str], tmp_path: Path) -> None:
    words = ["--from", "2026-03-02", "--to", "2026-03-03", "--only", "filings_api", "--only", "market_api"]
    command = [sys.executable, "-m", "stonks_cli", "backfill", *words, "--through", "documents", "--json"]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}

    def run() -> dict[str, dict[str, object]]:
        done = subprocess.run(
            command,
            check=False,
            env={**inherited, "PYTHONPATH": str(PROJECT), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return {row["source_type"]: row for row in json.loads(done.stdout)}

    first = run()
    assert first["filings_api"]["days"] == first["market_api"]["days"] == 2
    assert first["filings_api"]["items_new"] == first["filings_api"]["items_seen"] > 0  # type: ignore[operator]
    assert first["market_api"]["items_new"] == 4  # two days' bars, and the splits and dividends around them
    again = run()
    assert [row["items_new"] for row in again.values()] == [0, 0]
    with open_stores(load_settings(environment), {}, made=True) as stores:
        rows = stores.database.fetch("SELECT count(*) AS n FROM raw_items WHERE source_type = 'filings_api'")
        assert rows == [{"n": first["filings_api"]["items_new"]}]
