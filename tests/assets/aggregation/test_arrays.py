"""Sorting by groups and keys, without comparing where sixteen bits tell them apart."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.aggregation.arrays import ordered, taken

keys = st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**48 - 1, 2**48, 2**48 + 1, 2**64 - 1])


@given(st.lists(st.tuples(st.integers(0, 3) | st.sampled_from([65_535, 65_536, 10**6]), keys)))
def test_groups_then_keys_as_comparing_them_all_would_have_it(rows):
    group = np.array([g for g, _ in rows], dtype=np.int64)
    key = np.array([k for _, k in rows], dtype=np.uint64)
    order, exact = ordered(group, key, (key >> np.uint64(48)).astype(np.uint16))
    assert sorted(order.tolist()) == list(range(len(rows)))
    assert [rows[n] for n in order] == sorted(rows)
    assert exact.tolist() == key[order].tolist()


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(-1, 0) | st.sampled_from([-0.5, -0.500001, -0.50000101]))))
def test_falling_scores_too_of_which_the_sixteen_bits_say_nothing(rows):
    group, key = np.array([g for g, _ in rows], dtype=np.int64), np.array([k for _, k in rows], dtype=np.float64)
    order, _ = ordered(group, key, np.zeros(len(rows), dtype=np.uint16))
    assert [rows[n] for n in order] == sorted(rows)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=20), st.data())
def test_rows_are_taken_in_the_order_asked_for(texts, data):
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), unique=True))
    table = pa.concat_tables(pa.table({"text": pa.array([text], pa.string())}) for text in texts)
    assert taken(table, np.array(rows, dtype=np.int64))["text"].to_pylist() == [texts[n] for n in rows]
