"""The processes of a running system, each described for the supervisor."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from stonks_cli.supervise.probes import http_answers, tcp_answers
from stonks_cli.supervise.specs import ChildSpec
from stonks_core.settings import Settings

HOST = "127.0.0.1"
SLOW_START = 180.0


def sandbox(
    settings: Settings, environment: Mapping[str, str], port: int, *, clock: str = "wall", start: str = ""
) -> ChildSpec:
    """The stand-ins for whatever has no key: the synthetic market, or a recording."""
    world = (
        ("--recorded", settings.sandbox.recorded)
        if settings.sandbox.recorded
        else ("--synthetic", "--seed", str(settings.sandbox.seed))
    )
    actions = ("--actions", settings.sandbox.actions) if settings.sandbox.actions else ()
    state = settings.general.home / f"{settings.stage_prefix}sandbox"
    argv = (
        sys.executable,
        "-m",
        "stonks_sandbox",
        "--port",
        str(port),
        "--state",
        str(state),
        *world,
        *actions,
        "--clock",
        clock,
    )
    return ChildSpec(
        name="sandbox",
        argv=(*argv, "--start", start) if start else argv,
        env=_without_secrets(environment),
        cwd=Path.cwd(),
        ready=http_answers(f"http://{HOST}:{port}/sandbox/health"),
        ready_seconds=60,
    )


def code_server(environment: Mapping[str, str], port: int) -> ChildSpec:
    """Dagster's code server: the asset graph behind gRPC."""
    return ChildSpec(
        name="code",
        argv=(sys.executable, "-m", "stonks_assets.code_server", "--host", HOST, "--port", str(port)),
        env=environment,
        cwd=Path.cwd(),
        ready=tcp_answers(HOST, port),
        ready_seconds=SLOW_START,
    )


def dagster_daemon(environment: Mapping[str, str], workspace: Path) -> ChildSpec:
    """Dagster's daemon: sensors, schedules, the run queue."""
    return ChildSpec(
        name="dagster-daemon",
        argv=(sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace)),
        env=environment,
        cwd=Path.cwd(),
        after=("code",),
        stop_signal=signal.SIGINT,
        grace_seconds=5,
    )


def dagster_web(environment: Mapping[str, str], workspace: Path, port: int) -> ChildSpec:
    """Dagster's pages."""
    return ChildSpec(
        name="dagster-web",
        argv=(sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", str(port), "-w", str(workspace)),
        env=environment,
        cwd=Path.cwd(),
        after=("code",),
        ready=http_answers(f"http://{HOST}:{port}/server_info"),
        ready_seconds=SLOW_START,
    )


def api(environment: Mapping[str, str], port: int, dagster_port: int) -> ChildSpec:
    """The API and the dashboard."""
    return ChildSpec(
        name="api",
        argv=(
            sys.executable,
            "-m",
            "stonks_api",
            "--port",
            str(port),
            "--dagster-url",
            f"http://{HOST}:{dagster_port}",
        ),
        env=environment,
        cwd=Path.cwd(),
        ready=http_answers(f"http://{HOST}:{port}/api/health"),
        ready_seconds=SLOW_START,
    )


def trading(environment: Mapping[str, str]) -> ChildSpec:
    """The trading daemon."""
    return ChildSpec(
        name="trading", argv=(sys.executable, "-m", "stonks_trading"), env=environment, cwd=Path.cwd(), grace_seconds=20
    )


def _without_secrets(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The sandbox stands outside: it gets no database and no keys."""
    return {
        k: v
        for k, v in environment.items()
        if not k.startswith(("POSTGRES_", "BROKER_", "MARKET_DATA_", "STONKS_DAGSTER_"))
    }
