"""Signals in parts: every row once, companies whole, and the same trends whether or not there were files between."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.aggregation.parts import ENCODED, company_parts
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


def encoded(table):
    for name in ENCODED:
        table = table.set_column(table.column_names.index(name), name, table[name].dictionary_encode())
    return table


def batches(table, size):
    """Each batch with a dictionary of its own, as files have."""
    return [encoded(table.slice(at, size)).to_batches()[0] for at in range(0, table.num_rows, size)]


def rows(tables):
    found = [row for table in tables for row in table.to_pylist()]
    return sorted(found, key=lambda row: str(sorted(row.items(), key=str)))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ABCDEFG"), st.sampled_from(["company", "macro"])), min_size=1, max_size=40),
    st.integers(1, 9),
    st.integers(1, 20),
)
def test_every_row_is_in_one_part_and_no_company_in_two(signals, given_rows, size, part_rows):
    table = signals(*({"ticker": ticker, "layer": layer} for ticker, layer in given_rows))
    parts = list(company_parts(batches(table, size), table.num_rows, part_rows=part_rows, whole_rows=5))
    assert rows(parts) == rows([table])
    companies = [set(part["ticker"].to_pylist()) for part in parts]
    assert sum(map(len, companies)) == len(set.union(*companies))
    assert len(parts) == 1 or table.num_rows > 5


def test_files_between_change_no_bit_of_a_trend(signals):
    given_rows = [
        {"ticker": f"T{n % 7}", "hours": 1 + n % 50, "sentiment": (n % 13 - 6) / 6, "cluster_id": f"c{n % 90}"}
        | {"impact": (n % 11) / 10, "duration": "short" if n % 5 == 0 else "", "layer": ("company", "macro")[n % 2]}
        for n in range(300)
    ]
    table = signals(*given_rows)

    def found(whole_rows):
        parts = company_parts(batches(table, 40), table.num_rows, part_rows=50, whole_rows=whole_rows)
        answers = [aggregate(part, NOW, LayerWeights(), NOW - timedelta(hours=19)) for part in parts]
        assert len(answers) == 1 or whole_rows < 300
        return [rows(tables) for tables in zip(*answers, strict=True)]

    assert found(100) == found(1000)
    assert found(1000) == [rows([table]) for table in aggregate(table, NOW, LayerWeights(), NOW - timedelta(hours=19))]


def test_the_files_go_when_they_are_read_and_when_reading_stops(signals, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    table = signals(*({"ticker": f"T{n}"} for n in range(20)))
    parts = company_parts(batches(table, 5), 20, part_rows=5, whole_rows=1)
    assert isinstance(next(parts), pa.Table)
    assert list(tmp_path.iterdir())
    parts.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("expected", [0, 1, 7, 1000])
def test_what_was_expected_changes_no_row(signals, expected):
    table = signals(*({"ticker": f"T{n % 4}", "impact": n / 20} for n in range(20)))
    (part,) = company_parts(batches(table, 3), expected)
    assert part.to_pylist() == table.to_pylist()
    assert part["impact"].num_chunks == 1


def test_of_no_rows_there_is_no_part():
    assert list(company_parts([], 0)) == []


def test_a_batch_that_cannot_be_read_leaves_nothing_behind(signals, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    table = signals(*({"ticker": f"T{n}"} for n in range(20)))

    def failing():
        yield from batches(table, 5)[:3]
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="gone"):
        list(company_parts(failing(), 20, part_rows=5, whole_rows=1))
    assert list(Path(tmp_path).iterdir()) == []
