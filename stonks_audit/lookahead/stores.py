"""The audit's own stores: a lake whose given tables are another's, and a database that remembers nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from stonks_core.errors import StonksError
from stonks_core.settings import Settings
from stonks_core.stores.lake.lake import Lake, T
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Connection, Database

SHADOWED: Final = ("failures", "pipeline_control", "ai_agents", "agent_performance_log")
"""Tables of PostgreSQL that stages write or remember in; empty agents mean that no model is asked for other words."""


class OverLake(Lake):
    """Some tables of a folder of our own; all others those of another lake, as they stood when first asked for.

    The other lake is never written: no table is made in it, and a write to one of its tables is refused.
    """

    def __init__(self, given: LakeLocation, folder: Path, own: frozenset[str]) -> None:
        super().__init__(LakeLocation(str(folder)))
        self._given, self._own = given, own
        self._held: dict[str, DeltaTable | None] = {}

    def beside(self, folder: Path, own: frozenset[str]) -> "OverLake":
        """Another one over the same tables at the same versions."""
        other = OverLake(self._given, folder, own)
        other._held = self._held
        return other

    def ensure(self, table: LakeTable) -> DeltaTable:
        """The Delta table: our own, or the other lake's at the version it had at first; empty where it has none."""
        if table.name in self._own:
            return super().ensure(table)
        with self._lock:
            if table.name not in self._held:
                self._held[table.name] = self._opened(table)
            held = self._held[table.name]
        return super().ensure(table) if held is None else held

    def _opened(self, table: LakeTable) -> DeltaTable | None:
        try:
            return DeltaTable(self._given.table_uri(table.name), storage_options=dict(self._given.options))
        except TableNotFoundError:
            return None

    def _dataset(self, table: LakeTable, days: tuple[date, date] | None, version: int | None) -> ds.Dataset:
        """A version is the one that is held: nothing else is ever read."""
        return super()._dataset(table, days, None if table.name not in self._own else version)

    def _committed(self, table: LakeTable, operation: Callable[[DeltaTable], T]) -> T:
        if table.name not in self._own:
            raise StonksError(f"lake table {table.name} is only read by an audit, and a stage tried to write it")
        return super()._committed(table, operation)


@contextmanager
def scratch_database(settings: Settings, name: str) -> Iterator[Database]:
    """The database as stages see it, in one session that can write nothing but temporary tables of its own.

    What stages remember and note goes into empty tables that stand before the real ones; PostgreSQL refuses every other
    write, as the session is read-only.
    """
    with Database(settings.postgres, name, size=1, application="stonks-audit", prepare=_shadow) as database:
        yield database


def _shadow(connection: Connection) -> None:
    for table in SHADOWED:
        connection.execute(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING ALL)")
    connection.execute("SET default_transaction_read_only = on")
    connection.commit()
