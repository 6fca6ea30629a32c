"""The application over real stores, behind a real server on a free loopback port."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from psycopg import sql

from stonks_api.app import create_app
from stonks_core.clock import ManualClock
from stonks_core.settings import Settings, load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.postgres import Database, dsn
from tests.api import story

TOKEN = "an-operators-token-of-the-tests"
KEPT, BARE = f"api_kept_{os.getpid()}", f"api_bare_{os.getpid()}"


class _Server(uvicorn.Server):
    """A server in a thread: signals stay the test's, and starting is announced."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextmanager
def serving(make: Callable[[int], FastAPI]) -> Iterator[httpx.Client]:
    """A client of the application that `make` builds for a port, served until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        server = _Server(uvicorn.Config(make(port), log_config=None, access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        assert server.up.wait(20)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(20)


def app_over(database: Database, lake: Lake, port: int, settings: Settings | None = None) -> FastAPI:
    clock = ManualClock(story.AS_OF + timedelta(hours=5))
    url = "http://127.0.0.1:3000/"
    return create_app(
        settings or load_settings({}), database, lake, token=TOKEN, port=port, clock=clock, dagster_url=url
    )


@pytest.fixture(scope="session")
def kept_database(postgres: Postgres, template: str) -> Iterator[Database]:
    """A migrated database for the tests of this folder that only read."""
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        for name in (KEPT, BARE):
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
    with Database(postgres, KEPT) as opened:
        story.tell_database(opened)
        yield opened


@pytest.fixture(scope="session")
def kept_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The story's lake, for the tests of this folder that only read."""
    lake = Lake(LakeLocation(str(tmp_path_factory.mktemp("api") / "lake")))
    story.tell_lake(lake)
    return lake


@pytest.fixture(scope="session")
def client(kept_database: Database, kept_lake: Lake) -> Iterator[httpx.Client]:
    """A client of an application whose stores hold the story; shared, so that nothing may be changed."""
    with serving(lambda port: app_over(kept_database, kept_lake, port)) as opened:
        yield opened


@pytest.fixture(scope="session")
def empty_client(
    kept_database: Database, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of an application whose stores hold nothing."""
    lake = Lake(LakeLocation(str(tmp_path_factory.mktemp("bare") / "lake")))
    with Database(postgres, BARE) as bare, serving(lambda port: app_over(bare, lake, port)) as opened:
        yield opened


@pytest.fixture
def own_client(database: Database, lake: Lake) -> Iterator[httpx.Client]:
    """A client of an application over the test's own `database` and `lake`, which hold the story."""
    story.tell_lake(lake)
    story.tell_database(database)
    with serving(lambda port: app_over(database, lake, port)) as opened:
        yield opened


@pytest.fixture
def operator() -> dict[str, str]:
    return {"authorization": f"Bearer {TOKEN}"}
