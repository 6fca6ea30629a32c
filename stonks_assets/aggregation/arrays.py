"""Tables from arrays, and the groupings that the formulas sum over. No formula lives here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stonks_core.columns import Ints, codes
from stonks_core.stores.lake.tables import LakeTable

T = TypeVar("T", np.float64, np.uint64)


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


def ordered(group: Ints, key: npt.NDArray[T], coarse: npt.NDArray[np.uint16]) -> tuple[Ints, npt.NDArray[T]]:
    """Positions by group (codes from 0), then by key, and the keys in that order.

    `coarse` is the key in sixteen bits, never less for a greater key. Numbers of sixteen bits are sorted without comparing
    any: two such sorts leave few keys out of order, and only the runs that these stand in are sorted by the whole key.
    """
    order = np.argsort(coarse, kind="stable")
    few = group.max(initial=0) <= np.iinfo(np.uint16).max
    order = order.take(np.argsort((group.astype(np.uint16) if few else group).take(order), kind="stable"))
    exact, run = key.take(order), (((group.astype(np.uint32) if few else group) << 16) | coarse).take(order)
    alike = run[1:] == run[:-1]
    wrong = np.flatnonzero(alike & (exact[1:] < exact[:-1]))
    if wrong.size:
        starts = np.flatnonzero(np.concatenate(([True], ~alike)))
        mixed = np.unique(np.searchsorted(starts, wrong, side="right") - 1)
        lengths = np.diff(np.append(starts, order.size))[mixed]
        rows = np.repeat(starts[mixed] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        by_key = rows.take(np.lexsort((exact.take(rows), np.repeat(mixed, lengths))))
        order[rows], exact[rows] = order.take(by_key), exact.take(by_key)
    return order, exact


def combine(*columns: tuple[Ints, int]) -> Ints:
    """One code per row for the combination of several (codes, number of distinct values)."""
    first, _ = columns[0]
    combined = first.astype(np.int64)
    for code, size in columns[1:]:
        combined = combined * max(size, 1) + code
    return combined
