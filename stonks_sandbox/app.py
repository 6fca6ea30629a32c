"""The one application that carries every stand-in, and the sandbox's own addresses: health and clock."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from stonks_sandbox.alpaca import Alpaca, build_alpaca
from stonks_sandbox.edgar import build_edgar
from stonks_sandbox.ollama import build_ollama
from stonks_sandbox.polygon import build_polygon
from stonks_sandbox.web import build_web
from stonks_sandbox.world.clock import Clock
from stonks_sandbox.world.instants import iso_utc, parse_instant
from stonks_sandbox.world.protocol import World

LOG = logging.getLogger(__name__)
TRUTH_SECONDS = 60.0


@dataclass(frozen=True)
class Stage:
    """What the composition root has made: a world on its clock, a folder for state, and how to describe them.

    `write_truth` brings the truth file up to an instant; a recorded world has none.
    """

    world: World
    clock: Clock
    state: Path
    about: dict[str, Any]
    write_truth: Callable[[datetime], int] | None = None


class Moment(BaseModel):
    """The body that moves a driven clock."""

    now: str


class _TruthKeeper:
    """Brings the truth file up to the present: at the start, every minute, and when the clock was moved."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Ask for a rewrite soon."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; a failed write is reported and tried again at the next turn."""
        write = self._stage.write_truth
        if write is None:
            return
        while True:
            self._wake.clear()
            try:
                await asyncio.to_thread(write, self._stage.clock.now())
            except OSError:
                LOG.exception("the truth file below %s could not be written", self._stage.state)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), TRUTH_SECONDS)


def _add_sandbox(app: FastAPI, stage: Stage, alpaca: Alpaca, keeper: _TruthKeeper) -> None:
    def present() -> dict[str, Any]:
        return {
            "now": iso_utc(stage.clock.now()),
            "clock": stage.clock.kind,
            "market_open": stage.world.is_open(stage.clock.now()),
        }

    @app.get("/sandbox/health")
    def health() -> dict[str, Any]:
        return {"status": "ok", "simulated": True, **stage.about, "calendar": stage.world.calendar_name, **present()}

    @app.get("/sandbox/clock")
    def read_clock() -> dict[str, Any]:
        return present()

    @app.post("/sandbox/clock")
    async def move_clock(moment: Moment) -> JSONResponse:
        try:
            to = parse_instant(moment.now)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        refusal = stage.clock.advance(to)
        if refusal is not None:
            return JSONResponse({"error": refusal.reason, **present()}, 409)
        await alpaca.settle()
        keeper.wake()
        return JSONResponse(present())


def build_app(stage: Stage) -> FastAPI:
    """Mount /polygon, /edgar, /web, /alpaca, /alpaca-data, /ollama and /sandbox over one world."""
    alpaca = build_alpaca(stage.world, stage.state)
    keeper = _TruthKeeper(stage)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await alpaca.start()
        truth = asyncio.create_task(keeper.run(), name="truth")
        try:
            yield
        finally:
            truth.cancel()
            with suppress(asyncio.CancelledError):
                await truth
            await alpaca.stop()

    app = FastAPI(title="Stonks sandbox", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(build_polygon(stage.world), prefix="/polygon")
    app.include_router(build_edgar(stage.world), prefix="/edgar")
    app.include_router(build_web(stage.world), prefix="/web")
    app.include_router(alpaca.trading, prefix="/alpaca")
    app.include_router(alpaca.data, prefix="/alpaca-data")
    app.include_router(build_ollama(stage.clock.now), prefix="/ollama")
    _add_sandbox(app, stage, alpaca, keeper)
    return app
