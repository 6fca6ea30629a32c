"""The lake at fixed versions of its tables: what was read can be named, and read again for as long as it is kept."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake.exceptions import DeltaError

from stonks_core.errors import NotFoundError
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable

LOG = logging.getLogger(__name__)


class VersionGoneError(NotFoundError):
    """A version of a table is no longer kept."""


class PinnedLake:
    """Reads like `Lake`, each table at the version given; tables without one are read as they stand."""

    def __init__(self, lake: Lake, versions: Mapping[str, int]) -> None:
        self._lake = lake
        self.versions = dict(versions)

    @classmethod
    def now(cls, lake: Lake, tables: Iterable[LakeTable], tolerated: tuple[type[Exception], ...] = ()) -> "PinnedLake":
        """The tables as they stand at this moment, whatever is committed meanwhile.

        One that cannot be opened for a tolerated reason has no version: whoever reads it meets the reason again.
        """
        versions: dict[str, int] = {}
        for table in tables:
            try:
                versions[table.name] = lake.version(table)
            except tolerated as error:
                LOG.warning("lake table %s cannot be opened: %s", table.name, error)
        return cls(lake, versions)

    def version(self, table: LakeTable) -> int:
        """The version that a table is read at."""
        held = self.versions.get(table.name)
        return self._lake.version(table) if held is None else held

    def read(
        self,
        table: LakeTable,
        *,
        days: tuple[date, date] | None = None,
        as_of: datetime | None = None,
        columns: Sequence[str] | None = None,
        where: ds.Expression | None = None,
    ) -> pa.Table:
        """See `Lake.read`. Raises VersionGoneError where the version's log or one of its files was deleted."""
        version = self.versions.get(table.name)
        if version is None or version == self._lake.version(table):
            return self._lake.read(table, days=days, as_of=as_of, columns=columns, where=where, version=version)
        try:
            return self._lake.read(table, days=days, as_of=as_of, columns=columns, where=where, version=version)
        except (DeltaError, OSError) as error:
            raise VersionGoneError(
                f"version {version} of lake table {table.name} is no longer kept: replaced files stay for "
                "LAKE_VACUUM_DAYS only"
            ) from error
