"""Signals in parts that hold whole companies: what a trend is made of stands together, and memory holds one part.

While few enough, the rows stay in memory as one part. More of them go to a file per part in a temporary folder, which
is gone afterwards; a part's file is read when its turn comes.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stonks_core.columns import Ints

PART_ROWS = 400_000
"""How many rows a part has where companies are of one size; some 150 bytes each, and as many while it is worked on."""
WHOLE_ROWS = 1_500_000
"""Up to how many rows are one part, without files."""
JOINED_ROWS = 50_000
COMPANY, ENCODED = "ticker", ("ticker", "layer", "duration")


def company_parts(
    batches: Iterable[pa.RecordBatch], expected: int, *, part_rows: int = PART_ROWS, whole_rows: int = WHOLE_ROWS
) -> Iterator[pa.Table]:
    """All rows of `batches` in tables none of which shares a company with another; nothing for no rows.

    The columns `ENCODED` are dictionaries. `expected` rows are about as many as will come: it decides how many parts
    there are, should they be more than `whole_rows`.
    """
    coming = iter(batches)
    first = next(coming, None)
    if first is None:
        return
    coming = chain([first], coming)
    whole = _Whole(first.schema, expected if expected <= whole_rows else 0)
    if expected <= whole_rows:
        for batch in coming:
            whole.add(batch)
            if whole.rows > whole_rows:
                break
        else:
            if whole.rows:
                yield whole.table()
            return
    yield from _from_files(whole.table(), coming, -(-max(expected, whole.rows) // part_rows))


class _Whole:
    """Rows in memory: columns of numbers in one piece from the start, texts joined where batches are small.

    Columns in many pieces are copied by whoever computes, and buffers of a few thousand rows take up twice their size.
    """

    def __init__(self, schema: pa.Schema, expected: int) -> None:
        self._schema, self.rows = schema, 0
        self._numbers = {f.name: np.empty(expected, f"i{f.type.bit_width // 8}") for f in schema if _is_number(f)}
        self._codes: dict[str, list[pa.Array]] = {f.name: [] for f in schema if pa.types.is_dictionary(f.type)}
        self._texts: dict[str, list[pa.Array]] = {n: [] for n in schema.names if n not in self._numbers | self._codes}
        self._small: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Lay a batch's rows down."""
        end = self.rows + batch.num_rows
        for name, held in self._numbers.items():
            room = held if end <= held.size else np.resize(held, 2 * end)
            room[self.rows : end] = batch.column(name).view(pa.from_numpy_dtype(held.dtype)).to_numpy()
            self._numbers[name] = room
        for name, some in self._codes.items():
            some.append(batch.column(name))
        self.rows = end
        self._small.append(batch.select(list(self._texts)))
        if sum(small.num_rows for small in self._small) >= JOINED_ROWS:
            self._join()

    def table(self) -> pa.Table:
        """All rows, in the order they came."""
        self._join()
        return pa.table([self._column(field) for field in self._schema], schema=self._schema)

    def _join(self) -> None:
        if self._small:
            joined = pa.concat_batches(self._small)
            for name, texts in self._texts.items():
                texts.append(joined.column(name))
            self._small = []

    def _column(self, field: pa.Field) -> pa.Array | pa.ChunkedArray:
        if field.name in self._numbers:
            return pa.Array.from_buffers(field.type, self.rows, [None, pa.py_buffer(self._numbers[field.name])])
        return pa.chunked_array((self._codes | self._texts)[field.name], field.type)


def _is_number(field: pa.Field) -> bool:
    return not field.nullable and pa.types.is_primitive(field.type) and field.type.bit_width >= 8


def _from_files(whole: pa.Table, coming: Iterator[pa.RecordBatch], count: int) -> Iterator[pa.Table]:
    schema = whole.schema
    words = {name: _Words() for name in ENCODED if name in schema.names}
    plain = pa.schema([f.with_type(pa.int32()) if f.name in words else f for f in schema])
    with tempfile.TemporaryDirectory(prefix="stonks-signals-") as folder:
        paths = [Path(folder) / f"{number}.arrow" for number in range(count)]
        with ExitStack() as stack:
            files = [stack.enter_context(pa.OSFile(str(path), "wb")) for path in paths]
            writers = [stack.enter_context(pa.ipc.new_stream(file, plain)) for file in files]
            rows = whole.to_batches(max_chunksize=JOINED_ROWS)
            del whole
            for batch in chain(rows, coming):
                _write(batch, plain, words, writers)
        for path in paths:
            with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as reader:
                part = reader.read_all()
            path.unlink()
            if part.num_rows:
                yield pa.table([_decoded(part[n], words.get(n)) for n in schema.names], names=schema.names)


def _write(batch: pa.RecordBatch, plain: pa.Schema, words: dict[str, "_Words"], writers: Sequence[Any]) -> None:
    """A batch's rows, sorted by part, to the parts' files."""
    columns = [words[f.name].codes(batch.column(f.name)) if f.name in words else batch.column(f.name) for f in plain]
    part = words[COMPANY].parts(len(writers))[columns[plain.get_field_index(COMPANY)].to_numpy()]
    ordered = pa.record_batch(columns, schema=plain).take(pa.array(np.argsort(part, kind="stable")))
    begin = 0
    for writer, size in zip(writers, np.bincount(part, minlength=len(writers)).tolist(), strict=True):
        if size:
            writer.write_batch(ordered.slice(begin, size))
        begin += size


class _Words:
    """The distinct texts of a column, numbered as they come."""

    def __init__(self) -> None:
        self.texts = pa.array([], pa.string())
        self._parts: Ints = np.empty(0, dtype=np.int16)

    def codes(self, column: pa.DictionaryArray) -> pa.Array:
        """The column with each text's number in its place."""
        own = column.dictionary
        number = pc.index_in(own, value_set=self.texts)
        if number.null_count:
            self.texts = pa.concat_arrays([self.texts, own.filter(number.is_null())])
            number = pc.index_in(own, value_set=self.texts)
        return number.take(column.indices)

    def parts(self, count: int) -> Ints:
        """The part of each text, of so many: the same for a text wherever it stands."""
        new = self.texts.slice(self._parts.size).to_pylist()
        more = np.array([crc32(text.encode()) % count for text in new], dtype=np.int16)
        self._parts = np.concatenate((self._parts, more))
        return self._parts


def _decoded(column: pa.ChunkedArray, words: _Words | None) -> pa.ChunkedArray:
    if words is None:
        return column
    return pa.chunked_array([pa.DictionaryArray.from_arrays(chunk, words.texts) for chunk in column.chunks])
