"""A stand-in for Alpaca: trading REST, the `trade_updates` stream and market data over a sandbox world.

`build_alpaca` assembles it; the rest of the sandbox needs nothing else of this package.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from fastapi import APIRouter

from stonks_sandbox.alpaca.data_routes import data_router
from stonks_sandbox.alpaca.gate import Limiter
from stonks_sandbox.alpaca.market_data import MarketData
from stonks_sandbox.alpaca.store import Store
from stonks_sandbox.alpaca.stream import Hub
from stonks_sandbox.alpaca.trading_routes import trading_router
from stonks_sandbox.alpaca.venue import Venue
from stonks_sandbox.world.protocol import World

SETTLE_SECONDS = 0.25
LOG = logging.getLogger(__name__)


class Alpaca:
    """The assembled stand-in: two routers to mount, and the loop that fills orders while time passes by itself."""

    def __init__(self, venue: Venue, store: Store, hub: Hub, trading: APIRouter, data: APIRouter) -> None:
        self.trading = trading
        self.data = data
        self._venue = venue
        self._store = store
        self._hub = hub
        self._loop: asyncio.Task[None] | None = None

    async def settle(self) -> None:
        """Process every fill and expiry that is due at the world's present."""
        self._venue.settle()

    async def start(self) -> None:
        """Settle what fell due while nobody ran, then keep settling about four times a second."""
        await self.settle()
        self._loop = asyncio.create_task(self._keep_settling(), name="alpaca-settling")

    async def _keep_settling(self) -> None:
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            try:
                await self.settle()
            except Exception:  # this is the supervisor: one bad round must not end all later ones
                LOG.exception("settling the sandbox's orders failed; the next round tries again")

    async def stop(self) -> None:
        """End the loop and every stream, and close the store."""
        self._hub.close()
        try:
            if self._loop is not None:
                self._loop.cancel()
                with suppress(asyncio.CancelledError):
                    await self._loop
        finally:
            self._store.close()


def build_alpaca(
    world: World,
    state_dir: Path,
    cash: Decimal = Decimal(100_000),
    *,
    requests_per_minute: int = 200,
    whole_shares_only: frozenset[str] = frozenset(),
    ticks: Callable[[], float] = time.monotonic,
) -> Alpaca:
    """Assemble the stand-in over a world, with its state in `state_dir`.

    `cash` opens the account when the state is new and is ignored afterwards. `requests_per_minute` holds per key and
    face; `whole_shares_only` names the assets that cannot be split; `ticks` gives real seconds to the rate limit.
    """
    store = Store(state_dir / "alpaca.sqlite")
    hub = Hub()
    venue = Venue(world, store, cash, hub.publish, whole_shares_only)
    trading = trading_router(venue, hub, Limiter(requests_per_minute, world.clock, ticks))
    market = MarketData(world, venue.sessions)
    data = data_router(market, Limiter(requests_per_minute, world.clock, ticks))
    return Alpaca(venue, store, hub, trading, data)


__all__ = ["Alpaca", "build_alpaca"]
