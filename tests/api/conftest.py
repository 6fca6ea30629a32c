"""The application over real stores, behind a real server on a free loopback port."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from stonks_api.app import create_app
from stonks_core.clock import ManualClock
from stonks_core.settings import Settings, load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from tests.api import story

TOKEN = "an-operators-token-of-the-tests"


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


@pytest.fixture
def empty_client(database: Database, lake: Lake) -> Iterator[httpx.Client]:
    with serving(lambda port: app_over(database, lake, port)) as client:
        yield client


@pytest.fixture
def client(database: Database, lake: Lake, empty_client: httpx.Client) -> httpx.Client:
    story.tell_lake(lake)
    story.tell_database(database)
    return empty_client


@pytest.fixture
def operator() -> dict[str, str]:
    return {"authorization": f"Bearer {TOKEN}"}
