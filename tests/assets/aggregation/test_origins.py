"""Who told a story first, as known when; and how new a story was."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.aggregation.origins import novelty, tellers, trace
from stonks_assets.aggregation.signals import differing, placed
from stonks_core.columns import NEVER

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
row_strategy = st.tuples(
    st.integers(0, 3),  # story
    st.integers(0, 6),  # published
    st.integers(0, 6),  # available
    st.sampled_from("abc"),  # document
    st.sampled_from([0.1, 0.9]),  # impact
)


def columns(rows):
    story, published, available = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    document = np.array([row[3] for row in rows], dtype=object)
    impact = np.array([row[4] for row in rows])
    signal = np.array([f"s{i:03d}" for i in range(len(rows))], dtype=object)
    return story, published, available, document, impact, signal


def named(document, impact, signal):
    return pa.table(
        {"document_id": pa.array(document, pa.string()), "impact": impact, "signal_id": pa.array(signal, pa.string())}
    )


def first_told(story, published, table):
    """Positions of the origins, of one company's stories."""
    return tellers(table, story.astype(np.uint64) << np.uint64(8), np.zeros(story.size, dtype=np.int64), published)


def rank(rows, i):
    return rows[i][1], rows[i][3], -rows[i][4], f"s{i:03d}"


@given(st.lists(row_strategy, max_size=25))
def test_the_earliest_is_the_least_by_published_document_impact_and_id(rows):
    story, published, _, document, impact, signal = columns(rows)
    found = first_told(story, published, named(document, impact, signal))
    expected = {min((i for i in range(len(rows)) if rows[i][0] == s), key=lambda i: rank(rows, i)) for s in {*story}}
    assert found.size == len(expected)
    assert set(found) == expected


@given(st.lists(row_strategy, max_size=25), st.integers(0, 7))
def test_a_trace_tells_the_origin_at_every_instant(rows, at):
    story, published, available, document, impact, signal = columns(rows)
    origins = trace(story, published, available, document=document, impact=impact, signal=signal)
    known = np.flatnonzero(available <= at)
    table = named(document, impact, signal)
    then = first_told(story[known], published[known], table.take(known))
    assert set(np.flatnonzero((available <= at) & (at < origins.until))) == set(known[then])
    assert {*origins.pointer} == {*first_told(story, published, table)}
    assert all(story[origins.pointer] == story)


HOUR = 3_600_000_000


def novelties(*rows):
    """Novelty of (cluster, published hours, available hours) rows of one kind."""
    cluster = np.array([row[0] for row in rows], dtype=np.int64)
    published = np.array([row[1] * HOUR for row in rows], dtype=np.int64)
    available = np.array([row[2] * HOUR for row in rows], dtype=np.int64)
    names = np.array([f"{i:03d}" for i in range(len(rows))], dtype=object)
    kind = np.zeros(len(rows), dtype=np.int64)
    until = trace(cluster, published, available, document=names, impact=np.ones(len(rows)), signal=names).until
    return novelty(kind, cluster, published, available=available, until=until).tolist()


def test_each_further_independent_report_adds_less():
    assert novelties((1, 0, 0), (2, 1, 1), (3, 2, 2)) == [1, 1 / 2, 1 / 3]


def test_copies_of_a_story_make_nobody_stale():
    assert novelties((1, 0, 0), (1, 1, 1), (1, 2, 2), (2, 3, 3)) == [1, 1, 1, 1 / 2]


def test_the_look_back_is_48_hours_and_only_backwards():
    assert novelties((1, 0, 0), (2, 48, 48))[1] == 1 / 2
    assert novelties((1, 0, 0), (2, 48.5, 49))[1] == 1
    assert novelties((1, 5, 5), (2, 5, 5)) == [1, 1]


def test_what_was_learned_later_leaves_novelty_alone():
    assert novelties((1, 10, 10), (2, 5, 11)) == [1, 1]


def test_a_late_origin_does_not_undo_what_its_copy_had_told():
    # Cluster 1 was known from its copy (published 4) when cluster 2 came; its origin, published 60 hours before, is
    # found later and lies outside the look-back: at the time, the copy was the origin.
    assert novelties((1, 60, 60), (2, 64, 64), (1, 1, 70))[1] == 1 / 2


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 90), st.integers(0, 90)), min_size=1, max_size=20))
def test_novelty_against_a_plain_loop(rows):
    got = novelties(*rows)
    for i, (cluster, published, available) in enumerate(rows):
        likes = set()
        for other in {row[0] for row in rows} - {cluster}:
            known = [(p, j) for j, (c, p, a) in enumerate(rows) if c == other and a <= available]
            if known and published - 48 <= min(known)[0] < published:
                likes.add(other)
        assert got[i] == pytest.approx(1 / (1 + len(likes)))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 10)), min_size=1, max_size=12))
def test_novelty_never_rises_with_another_independent_report(reports):
    rows = [(i, published, published + lag) for i, (published, lag) in enumerate(reports)]
    before = novelties(*rows[:-1]) if rows[:-1] else []
    assert all(now <= then for now, then in zip(novelties(*rows), before, strict=False))


def test_placing_signals_points_copies_at_their_origin(signals):
    table = signals(
        {"id": "late", "hours": 1, "cluster_id": "x"},
        {"id": "first", "hours": 3, "cluster_id": "x"},
        {"id": "other", "hours": 2},
        {"id": "against", "hours": 2, "sentiment": -1.0},
        {"id": "elsewhere", "hours": 2, "catalyst": "litigation"},
    )
    rows = {row["signal_id"]: row for row in placed(table).to_pylist()}
    assert rows["slate"]["origin_signal_id"] == "sfirst"
    assert rows["sfirst"]["origin_signal_id"] == "sfirst"
    assert [rows[f"s{n}"]["novelty"] for n in ("first", "other", "against", "elsewhere")] == [1, 1 / 2, 1, 1]
    shuffled = placed(table.take([4, 2, 0, 3, 1]))
    assert {row["signal_id"]: row for row in shuffled.to_pylist()} == rows


def test_differing_names_what_is_new_or_changed(signals):
    table = signals({"id": "a"}, {"id": "b"}, {"id": "c"})
    changed = table.set_column(
        table.column_names.index("novelty"), "novelty", pa.array([1.0, 0.5, 1.0], pa.float64())
    ).cast(table.schema)
    assert differing(changed, table.slice(0, 2)).tolist() == [False, True, True]
    assert differing(changed, table.slice(0, 2), ignoring=frozenset({"novelty"})).tolist() == [False, False, True]


def test_never_is_after_everything():
    assert int((NOW + timedelta(days=365_000)).timestamp() * 1e6) < NEVER
