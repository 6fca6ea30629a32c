"""Opening the stores that the settings name: the embedded PostgreSQL or an external one, migrated, and the lake.

Composition roots use this; everything below them is handed an open `Database` and `Lake`.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from stonks_core.errors import SettingsError
from stonks_core.settings import Settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.embedded.server import EmbeddedPostgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import lake_location, prepare
from stonks_core.stores.migrations import ensure_database, migrate
from stonks_core.stores.postgres import Database


@dataclass(frozen=True)
class Stores:
    """Both stores, open, and the settings with the database's real address in them."""

    settings: Settings
    database: Database
    lake: Lake


@contextmanager
def open_postgres(settings: Settings) -> Iterator[Settings]:
    """The settings with a PostgreSQL that answers: the configured one, or the embedded one, started where it is not running.

    The embedded server runs as long as somebody uses it; leaving the block stops using it.
    """
    if not settings.postgres.embedded:
        yield settings
        return
    home = settings.general.home
    password = embedded_password(home, settings.postgres)
    with EmbeddedPostgres(home, settings.postgres.user, password) as server:
        yield at_address(settings, server.address.host, server.address.port, password)


@contextmanager
def open_stores(
    settings: Settings, environment: Mapping[str, str], *, application: str = "stonks", made: bool = False
) -> Iterator[Stores]:
    """Both stores, with both databases made and the schema at its newest revision; `made`: they are, go on at once."""
    with open_postgres(settings) as located:
        location = lake_location(located)
        if not made:
            migrate(located.postgres, located.database_name)
            ensure_database(located.postgres, located.dagster_database_name)
            prepare(location, environment)
        with Database(located.postgres, located.database_name, application=application) as database:
            yield Stores(located, database, Lake(location))


def at_address(settings: Settings, host: str, port: int, password: str) -> Settings:
    """The same settings with the database's address and password filled in."""
    given = settings.postgres
    postgres = Postgres(host=host, port=port, db=given.db, user=given.user, password=SecretStr(password))
    return replace(settings, postgres=postgres)


def embedded_password(home: Path, postgres: Postgres) -> str:
    """POSTGRES_PASSWORD where it is set; otherwise one of our own, made once and kept in a file only its owner reads."""
    if "password" in postgres.model_fields_set:
        return postgres.password.get_secret_value()
    return kept_secret(home / "secrets" / "postgres_password")


def kept_secret(path: Path) -> str:
    """A secret that is made at the first call and read from its file afterwards; mode 0600.

    Several processes may be first at once: the file appears whole, and all of them read the same secret. Raises
    SettingsError when the file is there and empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", encoding="utf-8") as made:
            made.write(secrets.token_urlsafe(24))
            made.flush()
            os.fsync(made.fileno())
            with suppress(FileExistsError):
                os.link(made.name, path)
    found = path.read_text(encoding="utf-8").strip()
    if not found:
        raise SettingsError(f"{path} is empty: put the secret back, or remove the file to have a new one made")
    return found
