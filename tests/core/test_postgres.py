"""The database as the application sees it, over a real server: transactions, wake-ups, locks, migrations."""

import multiprocessing
import re
import socket
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from stonks_core.errors import PermanentError, TransientError
from stonks_core.settings.slices import Postgres
from stonks_core.stores import migrations
from stonks_core.stores.migrations import ensure_database, migrate
from stonks_core.stores.postgres import Database, dsn
from tests.gates.tracked import PROJECT

REFERENCE = PROJECT.parent / "shared" / "reference" / "services.md"


def drop(postgres: Postgres, name: str) -> None:
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def control(database: Database) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in database.fetch("SELECT key, value FROM pipeline_control")}


INSERT = "INSERT INTO pipeline_control (key, value) VALUES (%s, '1')"


def test_rows_are_dictionaries(database: Database) -> None:
    assert database.fetch("SELECT 1 AS one, 'x' AS word") == [{"one": 1, "word": "x"}]
    assert database.fetch_one("SELECT 1 AS one WHERE false") is None
    assert database.execute(INSERT, ("a",)) == 1
    assert database.execute("DELETE FROM pipeline_control WHERE key = ANY(%(keys)s)", {"keys": ["a", "b"]}) == 1


def fill(database: Database, *keys: str, failing: bool = False) -> None:
    with database.connection() as connection:
        for key in keys:
            connection.execute(INSERT, (key,))
        if failing:
            raise KeyError("inside")


def test_a_block_is_one_transaction(database: Database) -> None:
    fill(database, "kept")
    with pytest.raises(KeyError):
        fill(database, "lost", failing=True)
    with pytest.raises(psycopg.errors.UniqueViolation):
        fill(database, "lost", "kept")
    assert set(control(database)) == {"kept"}


def test_instants_are_utc(database: Database) -> None:
    row = database.fetch_one("SELECT TIMESTAMPTZ '2026-03-10 12:00:00+05' AS at, current_setting('TimeZone') AS zone")
    assert row is not None
    assert (row["at"].isoformat(), row["zone"]) == ("2026-03-10T07:00:00+00:00", "UTC")


def test_a_notification_wakes_a_listener(database: Database) -> None:
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("LISTEN waking")
        database.notify("waking", "now")
        (heard,) = listener.notifies(timeout=10, stop_after=1)
    assert (heard.channel, heard.payload) == ("waking", "now")


def test_a_lock_is_had_by_one_at_a_time(database: Database) -> None:
    with (
        database.advisory_lock("one") as first,
        database.advisory_lock("one") as second,
        database.advisory_lock("other") as other,
    ):
        assert (first, second, other) == (True, False, True)
    with database.advisory_lock("one") as again:
        assert again


def test_a_lock_is_given_back_after_a_failure(database: Database) -> None:
    with pytest.raises(KeyError), database.advisory_lock("one"):
        raise KeyError("inside")
    with database.advisory_lock("one") as again:
        assert again


def test_a_connection_that_was_cut_is_replaced(postgres: Postgres, database: Database) -> None:
    assert database.fetch_one("SELECT 1 AS one")
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        gone = connection.execute(  # waits until each of them has ended: one that is about to can still be asked
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", (database.name,)
        ).fetchall()
    assert set(gone) == {(True,)}
    assert database.fetch_one("SELECT 1 AS one") == {"one": 1}


def test_a_server_that_is_down_is_said(free_port: int) -> None:
    nobody = Postgres(host="127.0.0.1", port=free_port, password=SecretStr("hidden-word"))
    closed = Database(nobody, "stonks", patience=0.3)
    with pytest.raises(
        TransientError, match=f"PostgreSQL database stonks on 127.0.0.1:{free_port} does not answer"
    ) as caught:
        closed.fetch("SELECT 1")
    assert "hidden-word" not in str(caught.value)
    closed.close()


@pytest.fixture
def free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "user", "database", "expected"),
    [
        ("db.example", "me", "stonks", "postgresql://me:p%40ss%2Fw%3Ard@db.example:5432/stonks"),
        ("::1", "a@b", "my-db", "postgresql://a%40b:p%40ss%2Fw%3Ard@[::1]:5432/my-db"),
    ],
)
def test_addresses_are_quoted(host: str, user: str, database: str, expected: str) -> None:
    postgres = Postgres(host=host, user=user, password=SecretStr("p@ss/w:rd"))
    assert dsn(postgres, database) == expected
    assert dsn(postgres, database, "postgresql+psycopg2").startswith("postgresql+psycopg2://")


def test_a_database_is_made_once(postgres: Postgres) -> None:
    try:
        assert ensure_database(postgres, "made-once") is True
        assert ensure_database(postgres, "made-once") is False
    finally:
        drop(postgres, "made-once")


def _migrate(values: dict[str, Any], name: str) -> None:
    migrate(Postgres(**values), name)


def test_two_processes_migrate_at_once_and_a_third_time_changes_nothing(postgres: Postgres) -> None:
    context = multiprocessing.get_context("spawn")
    values = {"host": postgres.host, "port": postgres.port, "user": postgres.user, "password": postgres.password}
    try:
        runners = [context.Process(target=_migrate, args=(values, "raced")) for _ in range(2)]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join(120)
        assert [runner.exitcode for runner in runners] == [0, 0]
        with Database(postgres, "raced") as database:
            before = tables(database)
            migrate(postgres, "raced")
            assert tables(database) == before
            revisions = {row["version_num"] for row in database.fetch("SELECT version_num FROM alembic_version")}
        assert len(revisions) == 1
        assert {"companies", "failures", "orders"} <= before
    finally:
        drop(postgres, "raced")


def tables(database: Database) -> set[str]:
    return {row["tablename"] for row in database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_revisions_form_one_line() -> None:
    folder = PROJECT / "stonks_core" / "stores" / "migrations" / "versions"
    found = {}
    for file in folder.glob("r*.py"):
        source = file.read_text(encoding="utf-8")
        revision, down = (
            re.search(r'^revision = "(\w+)"', source, re.MULTILINE),
            re.search(r'^down_revision = (?:"(\w+)"|None)', source, re.MULTILINE),
        )
        assert revision is not None
        assert down is not None
        assert file.name.startswith(f"r{revision.group(1)}_")
        found[revision.group(1)] = down.group(1)
    assert sorted(found) == [f"{number:04d}" for number in range(1, len(found) + 1)]
    assert all(found[name] == (f"{int(name) - 1:04d}" if name != "0001" else None) for name in found)


def test_every_table_of_the_reference_is_there_or_listed_as_a_lake_table(database: Database) -> None:
    if not REFERENCE.exists():
        pytest.skip("the reference (../shared/reference/services.md) is not here")
    sections = re.findall(r"### Database Tables\n(.*?)(?=\n#)", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    named = {name for section in sections for name in re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)}
    assert len(named) > 30
    said = re.sub(r"\s+", " ", migrations.__doc__ or "")
    missing = {name for name in named if name not in tables(database) and not re.search(rf"\b{name}\b", said)}
    assert missing == set(), "neither a table of PostgreSQL nor listed as a Delta table in the migrations' door sign"


@pytest.mark.parametrize("prepare", [ensure_database, migrate])
def test_a_server_that_is_down_may_come_and_one_that_refuses_us_will_not(
    prepare: Callable[[Postgres, str], object], postgres: Postgres
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = postgres.model_copy(update={"port": taken.getsockname()[1]})
    with pytest.raises(
        TransientError,
        match=rf"PostgreSQL on 127\.0\.0\.1:{nobody.port} does not answer: start it, or correct POSTGRES_",
    ):
        prepare(nobody, "any")
    stranger = postgres.model_copy(update={"password": SecretStr("wrong")})
    with pytest.raises(
        PermanentError, match=r"refuses user 'stonks'.*check POSTGRES_USER and POSTGRES_PASSWORD"
    ) as refused:
        prepare(stranger, "any")
    assert "wrong" not in str(refused.value)
