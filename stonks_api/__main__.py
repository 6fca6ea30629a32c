"""The API's process: settings from the environment, stores opened once, one server on loopback until a signal."""

import argparse
import logging
import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

import uvicorn

from stonks_api.app import create_app
from stonks_core.clock import SystemClock
from stonks_core.errors import StonksError
from stonks_core.logs import configure_logging
from stonks_core.settings import Settings, load_settings
from stonks_core.stores.opening import kept_secret, open_stores

HOST = "127.0.0.1"
GRACE_SECONDS = 5
log = logging.getLogger("stonks_api")


def main() -> int:
    """Serve until SIGTERM or SIGINT; 1 with one sentence when it cannot start."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        loaded = load_settings(os.environ, Path(".env"))
        home = loaded.general.home.expanduser().absolute()
        settings = replace(loaded, general=loaded.general.model_copy(update={"home": home}))
        configure_logging(settings, "api")
        asked = _arguments(settings)
        with _listening(asked.port) as listener:
            _serve(settings, listener, asked.dagster_url)
    except StonksError as error:
        sys.stderr.write(f"stonks_api: {error}\n")
        return 1
    return 0


def _leave(number: int, _: FrameType | None) -> None:
    """Leave through every open block. The server has its own handler while it runs, and hands the signal on when done."""
    log.info("stopped by %s", signal.Signals(number).name)
    raise SystemExit(0)


def _arguments(settings: Settings) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m stonks_api", description="Serve the API and the pages on loopback."
    )
    parser.add_argument("--port", type=int, default=settings.ports.api, help="port to listen on; 0: any free one")
    parser.add_argument("--dagster-url", default="", help="address of Dagster's pages, for links")
    return parser.parse_args()


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise StonksError(
            f"port {port} cannot be listened on ({error.strerror}): set STONKS_API_PORT to a free one"
        ) from error
    return listener


def _serve(settings: Settings, listener: socket.socket, dagster_url: str) -> None:
    port: int = listener.getsockname()[1]
    token = kept_secret(settings.general.home / "secrets" / "operator_token")
    with open_stores(settings, os.environ, application="stonks-api") as stores:
        app = create_app(
            stores.settings,
            stores.database,
            stores.lake,
            token=token,
            port=port,
            clock=SystemClock(),
            dagster_url=dagster_url,
        )
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        listener.listen()  # from here on a connection waits instead of being refused
        log.info("serving on http://%s:%d/", HOST, port)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
