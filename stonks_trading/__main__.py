"""The trading daemon's process: `python -m stonks_trading`. Settings from the environment; SIGTERM or Ctrl-C stops it."""

import asyncio
import logging
import os
import signal
import socket
import sys
import uuid
from pathlib import Path

from stonks_core.clock import SystemClock
from stonks_core.errors import StonksError, TransientError
from stonks_core.logs import configure_logging
from stonks_core.settings import Settings, load_settings
from stonks_core.stores.opening import open_stores
from stonks_trading.door import stored_verdict
from stonks_trading.engine.daemon import Daemon, Parts
from stonks_trading.engine.lease import Lease
from stonks_trading.engine.supervisor import FIRST_PAUSE, LONGEST_PAUSE, until_woken
from stonks_trading.session import open_session

log = logging.getLogger("stonks_trading")


def main() -> int:
    """Run until told to stop; the exit status."""
    try:
        settings = load_settings(os.environ, Path(".env"))
        configure_logging(settings, "trading")
        asyncio.run(_run(settings))
    except StonksError as error:
        print(f"the trading daemon cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    pause = FIRST_PAUSE
    while not stop.is_set():
        try:
            await _trade(settings, stop)
        except TransientError as error:
            log.error("trading cannot begin yet, tried again in %.0f s: %s", pause, error)  # noqa: TRY400
            await until_woken(stop, pause)
            pause = min(LONGEST_PAUSE, pause * 2)
    log.info("stopped")


async def _trade(settings: Settings, stop: asyncio.Event) -> None:
    clock = SystemClock()
    with open_stores(settings, os.environ, application="stonks-trading") as stores:
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        lease = Lease(stores.database, owner, ttl_seconds=settings.trading.lease_seconds)
        door = stored_verdict(stores.settings.data_health)
        with open_session(stores.settings, stores.lake, stores.database, clock, door, lease.fence) as session:
            _introduce(stores.settings)
            await Daemon(Parts(stores.settings, stores.database, session, lease, clock), stop).run(_ready)


def _introduce(settings: Settings) -> None:
    where = "the sandbox's broker" if settings.sandboxed["broker"] else f"Alpaca ({settings.broker.mode})"
    if settings.broker.mode == "live":
        log.critical("LIVE: orders are placed with real money at %s", settings.endpoints.trading)
    doing = (
        "trading is on"
        if settings.trading_enabled
        else "trading is off (TRADING_ENABLED): books are kept, nothing is decided"
    )
    log.info("broker: %s at %s; %s; calendar %s", where, settings.endpoints.trading, doing, settings.calendar_name)


def _ready(sentence: str) -> None:
    print(f"ready: {sentence}", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
