"""Tables from arrays, and the groupings that the formulas sum over. No formula lives here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stonks_core.columns import Ints, codes
from stonks_core.stores.lake.tables import LakeTable


def picked(table: pa.Table, name: str, values: Iterable[str]) -> pa.Table:
    """The rows whose text is one of those given."""
    code, listed = codes(table, name)
    wanted = frozenset(values)
    mask = np.array([value in wanted for value in listed], dtype=np.bool_)
    return table if mask.all() else table.filter(pa.array(mask[code]))


def taken(table: pa.Table, rows: Ints) -> pa.Table:
    """The rows at these positions, in this order: of a table in many pieces, with no copy of what is not wanted."""
    wanted = np.zeros(table.num_rows, dtype=np.bool_)
    wanted[rows] = True
    place = np.cumsum(wanted, dtype=np.int64)[rows] - 1
    return table.filter(pa.array(wanted)).take(pa.array(place))


def fields(table: LakeTable, *names: str) -> pa.Schema:
    """A schema of some of a lake table's columns, in the order given."""
    return pa.schema([table.schema.field(name) for name in names])


def to_table(columns: Mapping[str, Sequence[Any] | npt.NDArray[Any] | pa.Array], schema: pa.Schema) -> pa.Table:
    """Arrays or lists as a table of that schema."""
    given = (columns[f.name] for f in schema)
    held = [c if isinstance(c, pa.Array) else pa.array(c, f.type) for f, c in zip(schema, given, strict=True)]
    return pa.Table.from_arrays(held, schema=schema)


def starts_of(sorted_codes: Ints) -> Ints:
    """Where each run of equal codes begins; empty for an empty array."""
    if sorted_codes.size == 0:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], sorted_codes[1:] != sorted_codes[:-1]))).astype(np.int64)


def combine(*columns: tuple[Ints, int]) -> Ints:
    """One code per row for the combination of several (codes, number of distinct values)."""
    first, _ = columns[0]
    combined = first.astype(np.int64)
    for code, size in columns[1:]:
        combined = combined * max(size, 1) + code
    return combined
