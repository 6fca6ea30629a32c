"""Texts as numbers: the same wherever they stand, and different for different texts."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.aggregation.fingerprints import fingerprints, joined


@given(st.lists(st.text(max_size=40), max_size=30), st.integers(0, 30))
def test_equal_texts_have_equal_numbers_however_the_column_is_cut(values, cut):
    array = pa.array(values, pa.string())
    whole = fingerprints(pa.chunked_array([array]))
    assert fingerprints(pa.chunked_array([array[:cut], array[cut:]])).tolist() == whole.tolist()
    assert [int(fingerprints(pa.chunked_array([pa.array([value])]))[0]) for value in values] == whole.tolist()
    assert len(set(whole.tolist())) == len(set(values))


def test_a_hundred_thousand_ids_have_as_many_numbers():
    ids = [f"20260310-{number:020x}" for number in range(100_000)]
    found = fingerprints(pa.chunked_array([ids]))
    assert len(set(found.tolist())) == len(ids)
    high = found >> 51
    assert len(set(high.tolist())) == 2**13, "the high bits tell apart too: the sort rests on them"


def test_a_pair_is_not_the_pair_turned_round():
    one, other = fingerprints(pa.chunked_array([["a"]])), fingerprints(pa.chunked_array([["b"]]))
    assert joined(one, other) != joined(other, one)
