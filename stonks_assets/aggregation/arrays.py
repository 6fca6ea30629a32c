"""Arrow columns as numpy arrays, and the groupings that the formulas sum over. No formula lives here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stonks_core.stores.lake.tables import LakeTable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[Any]

NEVER = np.iinfo(np.int64).max
"""An instant, in microseconds, that is later than every other."""


def micros(instant: datetime) -> int:
    """Microseconds since the epoch of an aware instant, exactly."""
    return round_micros(instant - datetime.fromtimestamp(0, tz=instant.tzinfo))


def round_micros(duration: timedelta) -> int:
    """A duration in whole microseconds, exactly (no float in between)."""
    return duration // timedelta(microseconds=1)


def floats(table: pa.Table, name: str) -> Floats:
    """A float64 column; null becomes NaN."""
    return np.asarray(table[name].to_numpy(), dtype=np.float64)


def picked(table: pa.Table, name: str, values: Iterable[str]) -> pa.Table:
    """The rows whose text is one of those given."""
    code, listed = codes(table, name)
    wanted = frozenset(values)
    mask = np.array([value in wanted for value in listed], dtype=np.bool_)
    return table if mask.all() else table.filter(pa.array(mask[code]))


def instants(table: pa.Table, name: str) -> Ints:
    """A timestamp column as microseconds since the epoch; it must hold no null."""
    column = table[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    return np.asarray(column.to_numpy(), dtype=np.int64)


def texts(table: pa.Table, name: str) -> Texts:
    """A text column as an array of Python strings."""
    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=object)


def strings(table: pa.Table, name: str) -> list[str]:
    """A text column that holds no null as a list."""
    return [str(value) for value in table[name].to_pylist()]


def codes(table: pa.Table, name: str) -> tuple[Ints, list[str]]:
    """A text column, dictionary encoded or not, as (code per row, distinct values); codes follow alphabetical order."""
    encoded = table[name]
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    encoded = encoded.unify_dictionaries().combine_chunks()
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    listed = encoded.dictionary.to_pylist()
    present = np.flatnonzero(np.bincount(indices, minlength=len(listed))).tolist() if indices.size else []
    order = sorted(present, key=listed.__getitem__)
    rank = np.zeros(len(listed), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[indices], [str(listed[i]) for i in order]


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
