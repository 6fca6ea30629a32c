"""Texts as 64-bit numbers: for sorting and for telling apart, a column at a time, with no Python string in between.

Texts with different numbers are different. Texts with the same number are nearly always the same: whoever must be sure
compares those few.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Prints = npt.NDArray[np.uint64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_WORD = 8


def fingerprints(column: pa.ChunkedArray) -> Prints:
    """The hash of each text of a column that holds no null, the same wherever and beside whatever it stands."""
    hashed = [_of_texts(chunk) for chunk in column.cast(pa.string()).chunks]
    return np.concatenate(hashed) if hashed else np.empty(0, dtype=np.uint64)


def joined(prints: Prints, more: Prints) -> Prints:
    """One hash of two, which depends on their order."""
    return _stirred(prints, _stirred(more, _GOLDEN))


def _of_texts(chunk: pa.StringArray) -> Prints:
    """Texts of one length are a matrix of bytes; the lengths in a column of ids are few."""
    count = len(chunk)
    result = np.empty(count, dtype=np.uint64)
    if count == 0:
        return result
    _, bounds, data = chunk.buffers()
    offsets = np.frombuffer(bounds, dtype=np.int32)[chunk.offset : chunk.offset + count + 1].astype(np.int64)
    letters = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    lengths = np.diff(offsets)
    if lengths.min() == lengths.max():
        return _of_matrix(letters[offsets[0] : offsets[-1]].reshape(count, int(lengths[0])))
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        result[rows] = _of_matrix(letters[offsets[rows][:, np.newaxis] + np.arange(length)])
    return result


def _of_matrix(letters: npt.NDArray[np.uint8]) -> Prints:
    count, length = letters.shape
    padded = np.zeros((count, -(-length // _WORD) * _WORD), dtype=np.uint8)
    padded[:, :length] = letters
    result = np.full(count, length, dtype=np.uint64)
    for word in padded.view(np.uint64).T:
        result = _stirred(result, word)
    return result


def _stirred(prints: Prints, more: Prints | np.uint64) -> Prints:
    """Multiplied, so that each bit moves those above it, and folded, so that these move those below."""
    product = (prints ^ more) * _GOLDEN
    return np.asarray(product ^ (product >> _HALF), dtype=np.uint64)
