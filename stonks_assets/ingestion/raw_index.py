"""Which items were ever fetched: an index in PostgreSQL over the raw tables, so that each item arrives once, for ever.

The lake is the truth. The index says which version of the table it stands at, and is brought up to it before it is
asked; it begins anew where the table is another one.
"""

from collections.abc import Collection, Mapping, Set
from datetime import date

from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Connection, Database
from stonks_core.vocabulary import SourceType

COLUMNS = ("day", "item_id", "part_of")


class RawIndex:
    """The items of one source type."""

    def __init__(self, database: Database, lake: Lake, source_type: SourceType) -> None:
        self._database, self._lake, self._type = database, lake, source_type
        self._table: LakeTable = raw_table(source_type)

    def catch_up(self) -> None:
        """Take in what was committed to the table without the index: a process was killed, or another lake is there."""
        newest, identity = self._lake.version(self._table), self._lake.identity(self._table)
        row = self._database.fetch_one(
            "SELECT table_id, version FROM raw_indexes WHERE source_type = %s", (self._type.value,)
        )
        anew = row is None or row["table_id"] != identity or row["version"] > newest
        if row is not None and not anew and row["version"] == newest:
            return
        since = -1 if row is None or anew else int(row["version"])
        rows, reached = self._lake.tail(self._table, since, columns=COLUMNS)
        items = {row["item_id"]: date.fromisoformat(row["day"]) for row in rows.to_pylist() if row["part_of"] is None}
        with self._database.connection() as connection:
            if anew:
                connection.execute("DELETE FROM raw_items WHERE source_type = %s", (self._type.value,))
            self._insert(connection, items)
            connection.execute(
                """
                INSERT INTO raw_indexes (source_type, table_id, version) VALUES (%s, %s, %s)
                ON CONFLICT (source_type) DO UPDATE SET table_id = excluded.table_id, version = excluded.version
                """,
                (self._type.value, identity, reached),
            )

    def known(self, item_ids: Collection[str]) -> Set[str]:
        """Those of the items that were ever fetched."""
        if not item_ids:
            return frozenset()
        rows = self._database.fetch(
            "SELECT item_id FROM raw_items WHERE source_type = %s AND item_id = ANY(%s)",
            (self._type.value, list(item_ids)),
        )
        return frozenset(row["item_id"] for row in rows)

    def add(self, items: Mapping[str, date], before: int, after: int) -> None:
        """Take in the items of a commit that moved the table from version `before` to `after`.

        Where other commits came in between, the version stays behind, and the next `catch_up` looks at them.
        """
        with self._database.connection() as connection:
            self._insert(connection, items)
            if after == before + 1:
                connection.execute(
                    "UPDATE raw_indexes SET version = %s WHERE source_type = %s AND version = %s",
                    (after, self._type.value, before),
                )

    def _insert(self, connection: Connection, items: Mapping[str, date]) -> None:
        connection.execute(
            "INSERT INTO raw_items (source_type, item_id, day) SELECT %s, i, d FROM unnest(%s::text[], %s::date[]) AS u(i, d) "
            "ON CONFLICT DO NOTHING",
            (self._type.value, list(items), list(items.values())),
        )
