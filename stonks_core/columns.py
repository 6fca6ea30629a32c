"""Arrow columns as numpy arrays, and instants as whole microseconds. No formula lives here."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

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
