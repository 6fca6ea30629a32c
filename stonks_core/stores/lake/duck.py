"""SQL over the lake: a DuckDB connection with one view per table, kept at the tables' newest versions.

A local table is a view over its own list of Parquet files, rebuilt when the table's version changes; a table on S3,
or one that columns were added to, is its arrow dataset. A table without files is a typed empty view.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from stonks_core.errors import BadInputError
from stonks_core.stores.lake.lake import EVOLVED, Lake
from stonks_core.stores.lake.tables import LakeTable

_TYPES = {"string": "VARCHAR", "double": "DOUBLE", "int64": "BIGINT", "bool": "BOOLEAN", "binary": "BLOB"}


class LakeSql:
    """Read-only SQL over some of the lake's tables. One instance may be shared by threads; each query has a cursor."""

    def __init__(self, lake: Lake, tables: Iterable[LakeTable]) -> None:
        self._lake = lake
        self._tables = {table.name: table for table in tables}
        self._versions: dict[str, int] = {}
        self._datasets: dict[str, Any] = {}  # of tables on S3, and of those that columns were added to
        self._lock = threading.Lock()
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '2GB'; SET threads = 2")

    def query(self, sql: str, parameters: Sequence[Any] = (), *, tables: Iterable[str] | None = None) -> pa.Table:
        """The answer to one statement; `tables` (all, when not given) are brought to their newest versions first."""
        with self._lock:
            for name in tables if tables is not None else self._tables:
                self._refresh(self._tables[name])
            cursor = self._connection.cursor()
            for name, dataset in self._datasets.items():
                cursor.register(name, dataset)  # a cursor sees its own registrations only
        try:
            return cursor.sql(sql, params=list(parameters)).to_arrow_table()
        except duckdb.Error as error:
            raise BadInputError(f"the query was refused: {error}") from error
        finally:
            cursor.close()

    def rows(
        self, sql: str, parameters: Sequence[Any] = (), *, tables: Iterable[str] | None = None
    ) -> list[dict[str, Any]]:
        """The same, as dictionaries."""
        rows: list[dict[str, Any]] = self.query(sql, parameters, tables=tables).to_pylist()
        return rows

    def versions(self) -> dict[str, int]:
        """The versions that the views stand at."""
        return dict(self._versions)

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def _refresh(self, table: LakeTable) -> None:
        handle = self._lake.ensure(table)
        version = handle.version()
        if self._versions.get(table.name) == version:
            return
        files = handle.file_uris()
        if not files:
            self._datasets.pop(table.name, None)
            columns = ", ".join(f'CAST(NULL AS {_sql_type(f.type)}) AS "{f.name}"' for f in table.schema)
            self._connection.execute(f'CREATE OR REPLACE VIEW "{table.name}" AS SELECT {columns} WHERE false')
        elif self._lake.location.local and EVOLVED not in handle.metadata().configuration:
            listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
            names = ", ".join(f'"{f.name}"' for f in table.schema)
            self._connection.execute(
                f'CREATE OR REPLACE VIEW "{table.name}" AS SELECT {names} FROM '
                f"read_parquet([{listed}], hive_partitioning = true, hive_types = {{'day': VARCHAR}})"
            )
        else:
            self._datasets[table.name] = handle.to_pyarrow_dataset()
        self._versions[table.name] = version


def _sql_type(kind: pa.DataType) -> str:
    return "TIMESTAMPTZ" if pa.types.is_timestamp(kind) else _TYPES[str(kind)]


def literal(instant: datetime) -> str:
    """An instant as a SQL literal."""
    return f"TIMESTAMPTZ '{instant.isoformat()}'"
