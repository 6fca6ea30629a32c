"""The environment in which the system's processes run: where the database is, where the sandbox is, Dagster's folders."""

from collections.abc import Mapping
from pathlib import Path

from stonks_cli.root import PROJECT
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
