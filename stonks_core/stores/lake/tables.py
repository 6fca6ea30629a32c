"""What a lake table is, and the contract that every one of them keeps.

The contract: reader protocol 1 and writer protocol 2, a declared schema, timestamps in UTC with microseconds, a `day`
partition column (an ISO date as text), one writer, and a business key by which rows are merged. The tables themselves
are listed in `registry`. What a table declares of its values, `stonks_assets.health` holds its rows against.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import pyarrow as pa

UTC_MICROS = pa.timestamp("us", tz="UTC")
TEXT = pa.string()
REAL = pa.float64()
WHOLE = pa.int64()
FLAG = pa.bool_()
BYTES = pa.binary()


class Grade(StrEnum):
    """How far a table is from its sources."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`, both included; with `above`, `low` itself is left out."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"above {self.low:g}" if self.above else f"{self.low:g} or more"
        return f"[{self.low:g}, {self.high:g}]"


UNIT = Interval(0, 1)
SIGNED = Interval(-1, 1)
FROM_0 = Interval(0)
FROM_1 = Interval(1)
POSITIVE = Interval(0, above=True)


@dataclass(frozen=True)
class Column:
    """One column: its type, whether it may be null, what it means, and the `table.column`s it is made from.

    A number lies `within` an interval (every real is finite besides), a word is `among` those of a vocabulary.
    """

    name: str
    type: pa.DataType
    doc: str
    nullable: bool = False
    lineage: tuple[str, ...] = ()
    within: Interval | None = None
    among: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """Every value of `column` stands in `to` of another table on the same day or the day before it.

    `blocks` says why a breach closes the door to new positions; where it is empty, a breach warns.
    """

    column: str
    table: str
    to: str
    blocks: str = ""


class FreshBy(StrEnum):
    """What a table is kept fresh by."""

    SOURCES = "sources"  # its sources answer
    SESSIONS = "sessions"  # the newest session that is over has its bars
    UPSTREAM = "upstream"  # it follows another table


@dataclass(frozen=True)
class Freshness:
    """How far a table may fall behind: `within` that long, after what `by` names. Nights and weekends are no delay.

    `blocks` says why falling behind closes the door to new positions; where it is empty, it warns.
    """

    by: FreshBy
    within: timedelta
    upstream: str = ""
    blocks: str = ""


@dataclass(frozen=True)
class LakeTable:
    """A Delta table: its name is its asset's key, `key` (with `day`) identifies a row.

    `knowledge` names the column before which nobody could have known the row, by which as-of reads cut; where it is
    `as_of`, an update by key keeps the row with the later one. `ordered` are pairs of columns of which the first is
    never more than the second. `blocks` says why bad rows close the door to new positions; where it is empty, they warn.
    """

    name: str
    grade: Grade
    owner: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    knowledge: str | None = "available_at"
    ordered: tuple[tuple[str, str], ...] = ()
    references: tuple[Reference, ...] = ()
    freshness: Freshness | None = None
    blocks: str = ""

    @property
    def schema(self) -> pa.Schema:
        """The declared arrow schema, `day` first."""
        fields = [pa.field("day", TEXT, nullable=False)]
        fields += [pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns]
        return pa.schema(fields)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"lake table {self.name} has no column {name}")


def text(name: str, doc: str, *lineage: str, null: bool = False, among: Iterable[str] = ()) -> Column:
    """A text column, of the words of a vocabulary where one is given."""
    return Column(name, TEXT, doc, null, lineage, among=tuple(str(word) for word in among))


def real(name: str, doc: str, *lineage: str, null: bool = False, within: Interval | None = None) -> Column:
    """A float64 column of finite numbers."""
    return Column(name, REAL, doc, null, lineage, within)


def whole(name: str, doc: str, *lineage: str, null: bool = False, within: Interval | None = None) -> Column:
    """An int64 column."""
    return Column(name, WHOLE, doc, null, lineage, within)


def flag(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """A boolean column."""
    return Column(name, FLAG, doc, null, lineage)


def instant(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """A UTC timestamp column with microseconds."""
    return Column(name, UTC_MICROS, doc, null, lineage)


def blob(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """A binary column."""
    return Column(name, BYTES, doc, null, lineage)
