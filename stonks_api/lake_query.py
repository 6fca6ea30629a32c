"""Ordered, bounded queries over lake tables, put together from declared names; values are always parameters.

A list that is ordered by day first is read newest days first, a few at a time and more when they are not enough, so
that the first page of a long history touches only the newest files.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable

DAYS = "{days}"
FIRST_DAYS, GROWTH = 2, 4


@dataclass
class LakeQuery:
    """Conditions and their values, in order. `source` is a view or a subquery over the views in `tables`."""

    columns: str
    source: str
    tables: Sequence[str]
    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def where(self, condition: str, *values: Any) -> "LakeQuery":
        """Add a condition with its values. `{days}` in it becomes the days that `newest` is reading."""
        self.conditions.append(condition)
        self.values += values
        return self

    def equal(self, **wanted: Any) -> "LakeQuery":
        """Add an equality for each column that is given a value."""
        for column, value in wanted.items():
            if value is not None:
                self.where(f'"{column}" = ?', value)
        return self

    def among(self, column: str, wanted: Collection[Any]) -> "LakeQuery":
        """Keep the rows whose column has one of these values; of the `day` column only those partitions are read."""
        marks = ", ".join("?" for _ in wanted)
        return self.where(f'"{column}" IN ({marks})' if wanted else "false", *sorted(wanted))

    def before(self, instant: str, identity: str, place: tuple[Any, Any]) -> "LakeQuery":
        """Go on after a place in the order of (instant, identity), both falling; an empty place is the beginning."""
        at, after = place
        return (
            self if at is None else self.where(f"({instant} < ? OR ({instant} = ? AND {identity} < ?))", at, at, after)
        )

    def rows(self, sql: LakeSql, order: str, limit: int, days: str = "true") -> list[dict[str, Any]]:
        """At most `limit` rows in that order."""
        condition = (" AND ".join(self.conditions) or "true").replace(DAYS, days)
        statement = f"SELECT {self.columns} FROM {self.source} WHERE {condition} ORDER BY {order} LIMIT {int(limit)}"
        return sql.rows(statement, self.values, tables=self.tables)

    def newest(
        self, sql: LakeSql, days: Sequence[date], order: str, limit: int, through: date | None = None
    ) -> list[dict[str, Any]]:
        """The same for an order that falls by day first: from `days`, newest first and none after `through`."""
        if DAYS not in "".join(self.conditions):
            self.where(DAYS)
        found: list[dict[str, Any]] = []
        for last, first in _spans([day for day in days if through is None or day <= through]):
            span = f"(day >= '{first.isoformat()}' AND day <= '{last.isoformat()}')"
            found += self.rows(sql, order, limit - len(found), span)
            if len(found) >= limit:
                break
        return found


def days_held(lake: Lake, table: LakeTable) -> list[date]:
    """The days that a table has files of, newest first."""
    return sorted({date.fromisoformat(one["day"]) for one in lake.ensure(table).partitions()}, reverse=True)


def _spans(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Falling days in runs that grow: the newest and the oldest day of each run."""
    begin, size = 0, FIRST_DAYS
    while begin < len(days):
        run = days[begin : begin + size]
        yield run[0], run[-1]
        begin, size = begin + size, size * GROWTH
