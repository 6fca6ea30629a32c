"""The environment in which the system's processes run: where the database is, where the sandbox is, Dagster's folders."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx

from stonks_cli.children import HOST
from stonks_cli.root import PROJECT
from stonks_core.errors import StonksError
from stonks_core.settings import Settings
from stonks_core.stores.postgres import dsn


def process_environment(settings: Settings) -> dict[str, str]:
    """The variables that say where things are; secrets among them, so never printed."""
    home, postgres = settings.general.home, settings.postgres
    variables = {
        "STONKS_HOME": str(home),
        "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
        "DAGSTER_HOME": str(PROJECT),
        "STONKS_DAGSTER_DATABASE_URL": dsn(postgres, settings.dagster_database_name, "postgresql+psycopg2"),
        "STONKS_DAGSTER_STORAGE": str(home / "dagster" / "storage"),
        "STONKS_DAGSTER_LOGS": str(home / "dagster" / "logs"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONUNBUFFERED": "1",
    }
    if settings.sandbox.url:
        variables["SANDBOX_URL"] = settings.sandbox.url
    if settings.sandbox.recorded:
        variables["SANDBOX_RECORDED"] = settings.sandbox.recorded
    return variables


def kept_ports(settings: Settings) -> dict[str, int]:
    """The ports that `stonks up` kept for its next start, by process; none before its first."""
    path = settings.general.home / "ports"
    return (
        {name: int(port) for name, port in (line.split("=") for line in path.read_text().split())}
        if path.exists()
        else {}
    )


def with_running_sandbox(settings: Settings) -> Settings:
    """The settings with the address of this home's running sandbox, where something outside is simulated.

    Raises StonksError where it is needed and does not run.
    """
    if settings.sandbox.url or not any(settings.sandboxed.values()):
        return settings
    port = kept_ports(settings).get("sandbox")
    url = f"http://{HOST}:{port}"
    try:
        alive = port is not None and httpx.get(f"{url}/sandbox/health", timeout=5).is_success
    except httpx.HTTPError:
        alive = False
    if not alive:
        played = ", ".join(name for name, sandboxed in settings.sandboxed.items() if sandboxed)
        raise StonksError(f"the sandbox plays {played} and does not run: start it with `stonks up`, then try again")
    return replace(settings, sandbox=settings.sandbox.model_copy(update={"url": url}))


def write_environment(settings: Settings) -> Path:
    """Keep the variables as shell exports in a file that only its owner reads; for `stonks env`."""
    path = settings.general.home / "secrets" / "env.sh"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    lines = [f"export {name}={_quoted(value)}\n" for name, value in process_environment(settings).items()]
    fresh.write_text("".join(lines))
    fresh.replace(path)
    return path


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def dagster_folders(environment: Mapping[str, str]) -> None:
    """Make the folders that Dagster writes to."""
    for name in ("STONKS_DAGSTER_STORAGE", "STONKS_DAGSTER_LOGS"):
        Path(environment[name]).mkdir(parents=True, exist_ok=True)
