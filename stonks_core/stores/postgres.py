"""PostgreSQL as the application sees it: a pool, rows as dictionaries, transactions, locks and wake-ups.

The schema is the migrations' business, SQL that belongs to a subject stands in that subject's package.
"""

import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from stonks_core.errors import TransientError
from stonks_core.settings.slices import Postgres

Row = dict[str, Any]
Connection = psycopg.Connection[Row]


def dsn(postgres: Postgres, database: str, driver: str = "postgresql") -> str:
    """A connection URL; `driver` is `postgresql+psycopg` for SQLAlchemy, `postgresql+psycopg2` for Dagster."""
    password = quote(postgres.password.get_secret_value(), safe="")
    host = f"[{postgres.host}]" if ":" in postgres.host else postgres.host
    return f"{driver}://{quote(postgres.user, safe='')}:{password}@{host}:{postgres.port}/{quote(database, safe='')}"


def _check(connection: psycopg.Connection[Any]) -> None:
    """Refuse a connection that the server has left: it is asked only where something came unasked, mostly a goodbye.

    A question at each checkout would cost a fifth of a millisecond, thirteen times between a recommendation and its order.
    """
    unasked = select.poll()
    unasked.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if unasked.poll(0):
        ConnectionPool.check_connection(connection)


class Database:
    """A pool of connections to one database. Close it, or use it as a context manager.

    `patience` is how many seconds a connection is waited for before the server counts as down; `prepare` is done to each
    new connection before anybody gets it.
    """

    def __init__(
        self,
        postgres: Postgres,
        database: str,
        *,
        size: int = 4,
        application: str = "stonks",
        patience: float = 15,
        prepare: Callable[[Connection], None] | None = None,
    ) -> None:
        self.name = database
        self.url = dsn(postgres, database)
        self._where = f"PostgreSQL database {database} on {postgres.host}:{postgres.port}"
        self._pool = ConnectionPool(
            self.url,
            min_size=1,
            max_size=size,
            open=False,
            timeout=patience,
            check=_check,
            configure=prepare,
            connection_class=psycopg.Connection[Row],
            kwargs={"row_factory": dict_row, "application_name": application, "options": "-c timezone=UTC"},
        )

    def __enter__(self) -> "Database":
        self._pool.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def close(self) -> None:
        """Give all connections back."""
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in a transaction: committed on a clean exit, rolled back on an exception."""
        if self._pool.closed:
            self._pool.open()
        try:
            context = self._pool.connection()
            connection = context.__enter__()
        except PoolTimeout as error:
            raise TransientError(f"{self._where} does not answer: is it running? `stonks doctor` tells") from error
        try:
            yield connection
        except BaseException as error:
            context.__exit__(type(error), error, error.__traceback__)
            raise
        context.__exit__(None, None, None)

    def fetch(self, query: LiteralString, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> list[Row]:
        """All rows of one query."""
        with self.connection() as connection:
            return connection.execute(query, parameters).fetchall()

    def fetch_one(self, query: LiteralString, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> Row | None:
        """The first row of one query, or None."""
        with self.connection() as connection:
            return connection.execute(query, parameters).fetchone()

    def execute(self, query: LiteralString, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> int:
        """Run one statement in its own transaction; the number of rows it touched."""
        with self.connection() as connection:
            return connection.execute(query, parameters).rowcount

    def notify(self, channel: str, payload: str = "") -> None:
        """Wake whoever listens on a channel; polling guarantees what a lost wake-up would miss."""
        self.execute("SELECT pg_notify(%s, %s)", (channel, payload))

    @contextmanager
    def advisory_lock(self, name: str) -> Iterator[bool]:
        """A lock shared by all processes, held while the block runs; yields whether it was had, without waiting."""
        with self.connection() as connection:
            row = connection.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS had", (name,)
            ).fetchone()
            yield bool(row and row["had"])
