"""The Alpaca stand-in behind a real server, over a scripted world, for tests that ask it by HTTP."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from alpaca.trading.client import TradingClient
from alpaca.trading.models import TradeUpdate
from fastapi import FastAPI

from stonks_sandbox.alpaca import Alpaca, build_alpaca
from stonks_sandbox.world.protocol import Article
from tests.sandbox.test_alpaca_scripted_world import NOON, ScriptedWorld, flat

KEYS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
ARTICLES = [  # oldest first, as a world gives them
    Article(
        f"a{i}",
        "news",
        "Wire",
        f"Title {i}",
        "Ann",
        "Short.",
        NOON - timedelta(hours=i),
        f"n/{i}",
        "<p>x</p>",
        ("AAA",),
    )
    for i in (4, 3, 2, 1)
]


@dataclass
class Server:
    """A running stand-in and its world; the settling loop is off, so that nothing moves but by `at`."""

    world: ScriptedWorld
    alpaca: Alpaca
    port: int
    loop: asyncio.AbstractEventLoop | None = None
    seen: list[TradeUpdate] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alpaca"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/alpaca/stream"

    @property
    def data(self) -> str:
        return f"http://127.0.0.1:{self.port}/alpaca-data"

    def at(self, seconds: float) -> None:
        assert self.loop is not None

        async def step() -> None:
            self.world.at(seconds)
            await self.alpaca.settle()

        asyncio.run_coroutine_threadsafe(step(), self.loop).result(5)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited ten seconds in vain"
        time.sleep(0.005)


def serve(world: ScriptedWorld, folder: Path, **options: Any) -> Iterator[Server]:
    alpaca = build_alpaca(world, folder, **options)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    running = Server(world, alpaca, listener.getsockname()[1])

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        running.loop = asyncio.get_running_loop()
        yield
        await alpaca.stop()

    app = FastAPI(lifespan=lifespan)
    app.include_router(alpaca.trading, prefix="/alpaca")
    app.include_router(alpaca.data, prefix="/alpaca-data")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    yield running
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Server]:
    world = ScriptedWorld({"AAA": flat(100.0, bars=60), "BBB": flat(50.0, bars=60)}, news=ARTICLES)
    yield from serve(world, tmp_path, requests_per_minute=1000, whole_shares_only=frozenset({"BBB"}))


@pytest.fixture
def client(running: Server) -> TradingClient:
    return TradingClient("k", "s", paper=True, url_override=running.url)
