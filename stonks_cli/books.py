"""The books that a home holds: the live one and one for each replay and demo, each a stage with stores of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from stonks_core.errors import NotFoundError
from stonks_core.settings import Settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import lake_location
from stonks_core.stores.opening import Stores, open_postgres
from stonks_core.stores.postgres import Database, dsn

LIVE = "live"


def stage_of(settings: Settings, book: str) -> Settings:
    """The settings of a book: `live` is the home's own stage, any other is named after its stage."""
    if book == LIVE:
        return settings
    prefix = settings.general.deploy_stage
    return settings.with_stage(f"{prefix}-{book}" if prefix else book)


@contextmanager
def open_books(settings: Settings, only: str = "") -> Iterator[dict[str, Stores]]:
    """Every book that exists, the live one first, each opened for reading; with `only`, that one.

    Raises NotFoundError where there is no book of that name.
    """
    with open_postgres(settings) as located:
        stores: dict[str, Stores] = {}
        existing = _existing(located)
        if only and only not in existing:
            there = ", ".join(existing) or "none yet: `stonks up`, `stonks demo` and `stonks replay` make one each"
            raise NotFoundError(f"there is no book {only!r}; there are: {there}")
        try:
            for book in [only] if only else existing:
                staged = stage_of(located, book)
                database = Database(staged.postgres, staged.database_name, size=2)
                stores[book] = Stores(staged, database, Lake(lake_location(staged)))
            yield stores
        finally:
            for opened in stores.values():
                opened.database.close()


def _existing(settings: Settings) -> list[str]:
    with psycopg.connect(dsn(settings.postgres, "postgres")) as connection:
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
    books = [LIVE] if settings.database_name in names else []
    prefix = f"{settings.general.deploy_stage}_".replace("-", "_") if settings.general.deploy_stage else ""
    for name in sorted(names):
        stage = name.removesuffix("_stonks").removeprefix(prefix)
        mine = name.startswith(prefix) and name.endswith("_stonks")
        if mine and (stage == "demo" or stage.startswith("replay_")):
            books.append(stage.replace("_", "-"))
    return books


def simulated(settings: Settings, *, recorded: str, url: str) -> Settings:
    """The settings with the sandbox in every outside role that trades or feeds: no real key is ever used in a simulation."""
    plain = Settings()
    return replace(
        settings,
        market_data=plain.market_data,
        broker=plain.broker,
        notifying=plain.notifying,
        trading=settings.trading.model_copy(update={"enabled": True}),
        sandbox=settings.sandbox.model_copy(update={"recorded": recorded, "actions": "", "url": url}),
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """This process's environment, for children."""
    return {**os.environ, "STONKS_HOME": str(settings.general.home)}
