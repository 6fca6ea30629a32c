"""Fixtures that every test may use: a real PostgreSQL, started once, a fresh migrated database, a fresh lake."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from stonks_core.settings.slices import Postgres
from stonks_core.stores.embedded.temporary import temporary_postgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.migrations import migrate
from stonks_core.stores.postgres import Database, dsn

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server for the whole session, without fsync."""
    with temporary_postgres() as server:
        address = server.address
        password = SecretStr(server.password)
        yield Postgres(host=address.host, port=address.port, db="stonks", user=server.user, password=password)


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """A migrated database that fresh ones are copied from."""
    migrate(postgres, "template_stonks")
    return "template_stonks"


@pytest.fixture
def database(postgres: Postgres, template: str) -> Iterator[Database]:
    """A fresh migrated database, dropped afterwards."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    with Database(postgres, name) as opened:
        yield opened
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty local lake."""
    return Lake(LakeLocation(str(tmp_path / "lake")))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded real data; the test is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the recorded real data (../shared/data) is not here")
    return DATA
