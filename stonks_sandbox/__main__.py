"""`python -m stonks_sandbox`: read the arguments, build the world, serve it on a loopback port until told to stop."""

import argparse
import fcntl
import logging
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import uvicorn

from stonks_sandbox.app import Stage, build_app
from stonks_sandbox.world.actions import ActedWorld, read_actions
from stonks_sandbox.world.clock import Clock, DrivenClock, WallClock
from stonks_sandbox.world.instants import parse_instant
from stonks_sandbox.world.protocol import World
from stonks_sandbox.world.synthetic.world import SyntheticWorld

HOST = "127.0.0.1"
GRACE_SECONDS = 3
DEFAULT_SEED = 7


class StartRefusedError(Exception):
    """The sandbox cannot start; the message is the sentence for the user."""


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m stonks_sandbox", description="Local stand-ins for the outside.")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one (default)")
    parser.add_argument("--state", type=Path, required=True, help="folder for orders, clock and truth")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--synthetic", action="store_true", help="a seeded market of invented companies (default)")
    source.add_argument("--recorded", type=Path, metavar="DIR", help="a folder of real filings and prices")
    parser.add_argument("--actions", type=Path, metavar="FILE", help="splits and symbol changes to play, a JSON list")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="seed of the synthetic market (default 7)")
    parser.add_argument("--clock", choices=("wall", "driven"), default="wall", help="who moves time")
    parser.add_argument("--start", help="first instant of a driven clock, such as 2024-05-01T12:00:00Z")
    return parser


def _instant(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise StartRefusedError(f"{option}: {error}") from error


def _clock(options: argparse.Namespace) -> Clock:
    start = _instant(options.start, "--start")
    if options.clock == "wall":
        if start is not None:
            raise StartRefusedError("--start sets a driven clock: add --clock driven")
        return WallClock(lambda: datetime.now(UTC))
    file = options.state / "clock.json"
    if start is None and not file.exists():
        raise StartRefusedError("--clock driven needs --start at first, such as --start 2024-05-01T12:00:00Z")
    try:
        return DrivenClock(file, start or datetime.now(UTC))
    except ValueError as error:
        raise StartRefusedError(str(error)) from error


def build_stage(options: argparse.Namespace) -> Stage:
    """The world that the arguments ask for; raises `StartRefusedError` with a sentence where they cannot be met."""
    clock = _clock(options)
    state: Path = options.state
    try:
        if options.recorded is not None:
            from stonks_sandbox.world.recorded.world import RecordedWorld  # noqa: PLC0415 - needs exchange calendars

            recorded = RecordedWorld.open(options.recorded, clock, mapped=options.clock == "wall", state=state)
            about = {"world": "recorded", "folder": options.recorded.resolve().name, **recorded.about()}
            return Stage(_acted(recorded, options.actions), clock, state, about)
        synthetic = SyntheticWorld(options.seed, clock)
        world = _acted(synthetic, options.actions)
    except ValueError as error:
        raise StartRefusedError(str(error)) from error
    about = {"world": "synthetic", "seed": options.seed}
    return Stage(world, clock, state, about, synthetic.truth_file(state).extend)


def _acted(world: World, file: Path | None) -> World:
    """The world with the actions of a file played over it, or itself."""
    return world if file is None else ActedWorld(world, read_actions(file))


def _hold(state: Path) -> IO[str]:
    """Take the state folder for this process alone; the lock goes with the process, however it ends."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        handle = (state / "sandbox.lock").open("w", encoding="utf-8")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StartRefusedError(f"another sandbox uses {state}: stop it, or give --state another folder") from error
    except OSError as error:
        raise StartRefusedError(f"the state folder {state} cannot be used: {error}") from error
    return handle


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise StartRefusedError(f"port {port} cannot be had ({error}): choose another, or 0 for a free one") from error
    return listener


class _Server(uvicorn.Server):
    """Says so on standard output when it answers."""

    ready_line = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then tell whoever waits for this process."""
        await super().startup(sockets)
        if not self.should_exit:
            sys.stdout.write(self.ready_line + "\n")
            sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean stop, 2 with a sentence when it cannot start."""
    options = arguments().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        lock = _hold(options.state)
        stage = build_stage(options)
        listener = _listen(options.port)
    except StartRefusedError as refusal:
        sys.stderr.write(f"stonks_sandbox: {refusal}\n")
        return 2
    with lock, listener:
        config = uvicorn.Config(
            build_app(stage),
            host=HOST,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = _Server(config)
        kind = stage.about["world"]
        server.ready_line = f"stonks_sandbox ready on http://{HOST}:{listener.getsockname()[1]} ({kind}, simulated)"
        server.run(sockets=[listener])
        return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
