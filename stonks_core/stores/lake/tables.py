"""What a lake table is, and the contract that every one of them keeps.

The contract: reader protocol 1 and writer protocol 2, a declared schema, timestamps in UTC with microseconds, a `day`
partition column (an ISO date as text), one writer, and a business key by which rows are merged. The tables themselves
are listed in `registry`.
"""

from dataclasses import dataclass
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
class Column:
    """One column: its type, whether it may be null, what it means, and the `table.column`s it is made from."""

    name: str
    type: pa.DataType
    doc: str
    nullable: bool = False
    lineage: tuple[str, ...] = ()


@dataclass(frozen=True)
class LakeTable:
    """A Delta table: its name is its asset's key, `key` (with `day`) identifies a row.

    `knowledge` names the column before which nobody could have known the row, by which as-of reads cut; where it is
    `as_of`, an update by key keeps the row with the later one.
    """

    name: str
    grade: Grade
    owner: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    knowledge: str | None = "available_at"

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


def text(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """A text column."""
    return Column(name, TEXT, doc, null, lineage)


def real(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """A float64 column."""
    return Column(name, REAL, doc, null, lineage)


def whole(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """An int64 column."""
    return Column(name, WHOLE, doc, null, lineage)


def flag(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """A boolean column."""
    return Column(name, FLAG, doc, null, lineage)


def instant(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """A UTC timestamp column with microseconds."""
    return Column(name, UTC_MICROS, doc, null, lineage)


def blob(name: str, doc: str, *lineage: str, null: bool = False) -> Column:
    """A binary column."""
    return Column(name, BYTES, doc, null, lineage)
