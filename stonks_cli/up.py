"""`stonks up`: everything, supervised, until Ctrl-C."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg

from stonks_assets.automation.control import initialise_toggle
from stonks_assets.automation.runs import bury_dead_runs
from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.pipeline import Pipeline
from stonks_cli import children
from stonks_cli.environment import dagster_folders, kept_ports, process_environment, write_environment
from stonks_cli.root import OUT
from stonks_cli.supervise.changes import Change, Ready, Starting, Stopped, Stopping
from stonks_cli.supervise.specs import ChildSpec
from stonks_cli.supervise.supervisor import Supervisor
from stonks_core.clock import SystemClock
from stonks_core.settings import Settings
from stonks_core.stores.embedded.ports import free_port
from stonks_core.stores.embedded.server import EmbeddedPostgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import lake_location, prepare
from stonks_core.stores.lake.registry import TABLES
from stonks_core.stores.migrations import ensure_database, migrate
from stonks_core.stores.opening import at_address, embedded_password, kept_secret
from stonks_core.stores.postgres import Database

POOL_LIMIT = 1


@dataclass(frozen=True)
class Addresses:
    """The ports that were settled on, kept so that a restart has the same ones where they are free."""

    sandbox: int
    code: int
    dagster: int
    api: int


def up(settings: Settings) -> None:
    """Start everything, say where it is, and keep it running until a signal."""
    home = settings.general.home
    home.mkdir(parents=True, exist_ok=True)
    with Supervisor(home, say) as supervisor:
        located = _start_database(supervisor, settings)
        if located is None:
            return
        ports = _ports(located)
        located = replace(
            located, sandbox=located.sandbox.model_copy(update={"url": f"http://{children.HOST}:{ports.sandbox}"})
        )
        environment = {**os.environ, **process_environment(located)}
        os.environ.update(environment)  # Dagster's own library reads it in this process too
        dagster_folders(environment)
        _migrate(located)
        workspace = _workspace(home, ports.code)
        if not supervisor.start(_first(located, environment, ports)):
            return
        _first_boot(located)
        _prepare_dagster()
        if not supervisor.start(_second(environment, ports, workspace)):
            return
        write_environment(located)
        announce(located, ports)
        supervisor.run()


def _start_database(supervisor: Supervisor, settings: Settings) -> Settings | None:
    if not settings.postgres.embedded:
        return settings
    home = settings.general.home
    password = embedded_password(home, settings.postgres)
    server = EmbeddedPostgres(home, settings.postgres.user, password)
    address = server.prepare()
    spec = ChildSpec(
        name="postgres",
        argv=server.serve_argv(),
        env=dict(os.environ),
        cwd=Path.cwd(),
        ready=server.answers,
        stop_signal=signal.SIGINT,
    )
    if not supervisor.start([spec]):
        return None
    return at_address(settings, address.host, address.port, password)


def _ports(settings: Settings) -> Addresses:
    before = kept_ports(settings)

    def choose(name: str, wanted: int | None) -> int:
        preferred = wanted or before.get(name)
        port = free_port(preferred)
        if wanted and port != wanted:
            OUT.print(f"port {wanted} is taken, {name} listens on {port} instead", style="yellow")
        return port

    chosen = Addresses(
        sandbox=choose("sandbox", None),
        code=choose("code", None),
        dagster=choose("dagster", settings.ports.dagster),
        api=choose("api", settings.ports.api),
    )
    (settings.general.home / "ports").write_text(f"sandbox={chosen.sandbox}\ncode={chosen.code}\n")
    return chosen


def _migrate(settings: Settings) -> None:
    migrate(settings.postgres, settings.database_name)
    ensure_database(settings.postgres, settings.dagster_database_name)
    location = lake_location(settings)
    prepare(location, os.environ)


def _workspace(home: Path, port: int) -> Path:
    path = home / "dagster" / "workspace.yaml"
    path.write_text(
        f"load_from:\n  - grpc_server:\n      host: {children.HOST}\n      port: {port}\n      location_name: stonks\n"
    )
    return path


def _first(settings: Settings, environment: Mapping[str, str], ports: Addresses) -> list[ChildSpec]:
    first = [children.code_server(environment, ports.code)]
    if any(settings.sandboxed.values()):
        first.append(children.sandbox(settings, environment, ports.sandbox))
    return first


def _second(environment: Mapping[str, str], ports: Addresses, workspace: Path) -> list[ChildSpec]:
    return [
        replace(children.dagster_daemon(environment, workspace), after=()),
        replace(children.dagster_web(environment, workspace, ports.dagster), after=()),
        children.api(environment, ports.api, ports.dagster),
        children.trading(environment),
    ]


def _first_boot(settings: Settings) -> None:
    kept_secret(settings.general.home / "secrets" / "operator_token")
    with Database(settings.postgres, settings.database_name, application="stonks-up") as database:
        initialise_toggle(database, default_off=settings.general.pipeline_default_off)
        if settings.sandboxed["market_data"] and settings.sandboxed["edgar"]:
            seeded = seed_registry(Pipeline(settings, Lake(lake_location(settings)), database, SystemClock()))
            if seeded:
                OUT.print(f"the registry was empty: {seeded} companies of the sandbox's market came in")
        elif not database.fetch_one("SELECT 1 FROM companies LIMIT 1"):
            OUT.print(
                "no company is tracked yet, so nothing will be fetched: `stonks setup` fills the registry; or unset the keys "
                "and EDGAR_CONTACT to begin with the sandbox's market",
                style="yellow",
            )


def _prepare_dagster() -> None:
    """Settle what a killed predecessor left, and let one run at a time write a table.

    The pools' limits are set here because a default limit in dagster.yaml breaks pooled runs.
    """
    with dg.DagsterInstance.get() as instance:
        if dead := bury_dead_runs(instance):
            OUT.print(f"{dead} runs were under way when the system was stopped: they are on record as failed")
        for table in TABLES:
            instance.event_log_storage.set_concurrency_slots(f"lake_{table.name}", POOL_LIMIT)


def announce(settings: Settings, ports: Addresses) -> None:
    """Say where everything is, and what of it is simulated."""
    host = children.HOST
    played = [name for name, sandboxed in settings.sandboxed.items() if sandboxed]
    real = [name for name, sandboxed in settings.sandboxed.items() if not sandboxed]
    OUT.print()
    OUT.print(f"Dashboard  http://{host}:{ports.api}/", style="bold")
    OUT.print(f"Dagster    http://{host}:{ports.dagster}/", style="bold")
    OUT.print(f"API        http://{host}:{ports.api}/docs", style="bold")
    OUT.print(f"State      {settings.general.home}")
    OUT.print(f"Sandbox    {', '.join(played) or 'nothing'}", style="yellow" if played else "")
    OUT.print(f"Real       {', '.join(real) or 'nothing'}")
    mode = "live: REAL MONEY" if settings.broker.mode == "live" else "paper"
    OUT.print(
        f"Trading    {'on' if settings.trading_enabled else 'off'}, {mode}", style="red" if mode != "paper" else ""
    )
    OUT.print("Ctrl-C stops everything.")
    sys.stdout.flush()


def say(change: Change) -> None:
    """Print a change of a child: what went well in a word, what did not with its sentence."""
    if isinstance(change, Starting | Stopping | Stopped) and not getattr(change, "killed", False):
        return
    OUT.print(change.sentence, style="green" if isinstance(change, Ready) else "yellow", markup=False, highlight=False)
    sys.stdout.flush()
