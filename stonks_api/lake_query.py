"""One ordered, bounded query over a lake table, put together from declared names; values are always parameters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stonks_core.stores.lake.duck import LakeSql


@dataclass
class LakeQuery:
    """Conditions and their values, in order. `source` is a view or a subquery over the views in `tables`."""

    columns: str
    source: str
    tables: Sequence[str]
    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def where(self, condition: str, *values: Any) -> "LakeQuery":
        """Add a condition with its values."""
        self.conditions.append(condition)
        self.values += values
        return self

    def equal(self, **wanted: Any) -> "LakeQuery":
        """Add an equality for each column that is given a value."""
        for column, value in wanted.items():
            if value is not None:
                self.where(f'"{column}" = ?', value)
        return self

    def before(self, instant: str, identity: str, place: tuple[Any, Any]) -> "LakeQuery":
        """Go on after a place in the order of (instant, identity), both falling; an empty place is the beginning."""
        at, after = place
        return (
            self if at is None else self.where(f"({instant} < ? OR ({instant} = ? AND {identity} < ?))", at, at, after)
        )

    def rows(self, sql: LakeSql, order: str, limit: int) -> list[dict[str, Any]]:
        """At most `limit` rows in that order."""
        condition = " AND ".join(self.conditions) or "true"
        statement = f"SELECT {self.columns} FROM {self.source} WHERE {condition} ORDER BY {order} LIMIT {int(limit)}"
        return sql.rows(statement, self.values, tables=self.tables)
