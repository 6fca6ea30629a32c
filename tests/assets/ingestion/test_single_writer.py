"""Two processes never ingest one source type at once, and the one that may not is told who does."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from stonks_assets.ingestion.single_writer import single_writer
from stonks_core.errors import TransientError
from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType

PROJECT = Path(__file__).resolve().parents[3]
HOLDING = """
import sys
from pydantic import SecretStr
from stonks_assets.ingestion.single_writer import single_writer
from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType
host, port, user, name, secret = sys.stdin.readline().split()
server = Postgres(host=host, port=int(port), user=user, password=SecretStr(secret))
with Database(server, name) as database, single_writer(database, SourceType.NEWS_API, "stonks demo") as turn:
    print(turn.had, flush=True)
    sys.stdin.readline()
"""


def test_one_at_a_time_and_the_other_is_told_who(database: Database, postgres: Postgres) -> None:
    with Database(postgres, database.name) as other, single_writer(database, SourceType.NEWS_API, "cycle") as first:
        assert (first.had, first.reason) == (True, "")
        with single_writer(other, SourceType.NEWS_API) as second:
            assert not second.had
            assert second.reason.startswith("news_api is being ingested by another process since ")
            assert "cycle: ingests news_api" in second.reason
        with single_writer(other, SourceType.MACRO_NEWS) as apart:
            assert apart.had, "types are apart"
    with single_writer(database, SourceType.NEWS_API) as again:
        assert again.had


def test_a_turn_ends_with_an_error_too(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), single_writer(database, SourceType.BROKER):
        raise ZeroDivisionError
    with single_writer(database, SourceType.BROKER) as turn:
        assert turn.had


def test_the_turn_of_a_killed_process_comes_free(database: Database, postgres: Postgres) -> None:
    password = postgres.password.get_secret_value()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{postgres.host} {postgres.port} {postgres.user} {database.name} {password}\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "True"
        with single_writer(database, SourceType.NEWS_API) as refused:
            assert "stonks demo: ingests news_api" in refused.reason
        process.kill()
        process.wait()
        # The server lets go when it reads the end of the connection: wait for the lock itself instead of for time.
        with database.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('ingest:news_api', 0))")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_a_turn_keeps_no_connection_of_the_pool(postgres: Postgres, database: Database) -> None:
    with (
        Database(postgres, database.name, size=1, patience=2) as narrow,
        single_writer(narrow, SourceType.MARKET_API) as turn,
    ):
        assert turn.had
        assert narrow.fetch_one("SELECT 1 AS one") == {"one": 1}


def test_a_server_that_is_not_there_is_said(postgres: Postgres) -> None:
    nowhere = postgres.model_copy(update={"port": 9, "password": SecretStr("hidden-secret")})
    with (
        pytest.raises(TransientError, match="gave no turn to ingest news_api") as caught,
        single_writer(Database(nowhere, "stonks"), SourceType.NEWS_API),
    ):
        pass
    assert "hidden-secret" not in str(caught.value)
