"""What holds of every trend, whatever the signals."""

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.aggregation.due import due_tickers, last_trends
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
CLOSE = NOW - timedelta(hours=19)
WEIGHTS = LayerWeights()
unit = st.floats(0, 1, allow_subnormal=False)
signal = st.fixed_dictionaries(
    {
        "ticker": st.sampled_from(["AAA", "BBB"]),
        "layer": st.sampled_from(["company", "macro", "competitive"]),
        "hours": st.floats(0, 24 * 100),
        "sentiment": st.floats(-1, 1, allow_subnormal=False),
        "impact": unit,
        "confidence": unit,
        "novelty": unit,
        "credibility": unit,
        "duration": st.sampled_from(["", "short"]),
        "cluster_id": st.sampled_from(["x", "y", "z", "u", "v", "w"]),
    }
)
many = st.lists(signal, min_size=1, max_size=14)


def run(table, as_of=NOW):
    trends, evidence = aggregate(table, as_of, WEIGHTS, CLOSE)
    key = sorted(trends.to_pylist(), key=lambda row: row["trend_id"])
    return key, sorted(evidence.to_pylist(), key=lambda row: (row["trend_id"], row["rank"]))


@settings(max_examples=60, deadline=None)
@given(many)
def test_figures_stay_in_their_ranges(signals, rows):
    trends, evidence = run(signals(*rows))
    for row in trends:
        assert -1 <= row["score"] <= 1
        for name in ("strength", "confidence", "contradiction", "company_share", "macro_share", "competitive_share"):
            assert 0 <= row[name] <= 1, name
        assert 1 - 1e-9 <= row["n_effective"] <= row["signals_counted"] * (1 + 1e-9)
        assert row["total_weight"] > 0
        shares = row["company_share"] + row["macro_share"] + row["competitive_share"]
        assert math.isclose(shares, 1.0, abs_tol=1e-9) or row["positive"] + row["negative"] == 0
    for row in evidence:
        assert 0 < row["weight"] <= 1
        assert 0 <= row["evidence_score"] <= 1 + 1e-12
    assert all(row["rank"] <= 10 for row in evidence)


@settings(max_examples=40, deadline=None)
@given(many, st.randoms(use_true_random=False))
def test_the_order_of_signals_changes_nothing_at_all(signals, rows, random):
    table = signals(*rows)
    order = list(range(table.num_rows))
    random.shuffle(order)
    assert run(table) == run(table.take(order))


@settings(max_examples=40, deadline=None)
@given(many, st.data())
def test_copies_change_nothing_at_all(signals, rows, data):
    table = signals(*rows)
    copies = [
        {**data.draw(signal), "id": f"9{n}", "cluster_id": row["cluster_id"], "ticker": row["ticker"]}
        | {"layer": row["layer"], "hours": row["hours"] * data.draw(st.floats(0, 0.99))}
        for n, row in enumerate(rows)
        for _ in range(1)
    ]
    # A copy is published after the first teller of its story, so only copies of the earliest are copies.
    firsts = {}
    for row in rows:
        key = (row["ticker"], row["layer"], row["cluster_id"])
        firsts[key] = max(firsts.get(key, 0), row["hours"])
    later = [c for c in copies if c["hours"] < firsts[c["ticker"], c["layer"], c["cluster_id"]]]
    both = signals(*[{**row, "id": f"{n:04d}"} for n, row in enumerate(rows)], *later)
    assert run(table) == run(both)


@settings(max_examples=40, deadline=None)
@given(many, st.lists(signal, min_size=1, max_size=6), st.integers(1, 10**9))
def test_rows_that_become_known_later_change_nothing_at_all(signals, rows, late, micros):
    known = [{**row, "id": f"{n:04d}"} for n, row in enumerate(rows)]
    at = NOW + timedelta(microseconds=micros)
    unknown = [{**row, "id": f"9{n:03d}", "available_at": at} for n, row in enumerate(late)]
    assert run(signals(*known)) == run(signals(*known, *unknown))


@settings(max_examples=40, deadline=None)
@given(many)
def test_an_independent_report_adds(signals, rows):
    extra = {"ticker": "AAA", "cluster_id": "independent", "hours": 1.0, "sentiment": 1.0, "id": "9999"}
    before = {row["window"]: row for row in run(signals(*rows))[0] if row["ticker"] == "AAA"}
    for row in run(signals(*rows, extra))[0]:
        if row["ticker"] == "AAA" and row["window"] in before:
            old = before[row["window"]]
            assert row["total_weight"] > old["total_weight"]
            assert row["positive"] > old["positive"]
            assert row["score"] >= old["score"]
            assert row["signals_counted"] == old["signals_counted"] + 1


@settings(max_examples=40, deadline=None)
@given(many)
def test_turning_every_sentiment_turns_the_score(signals, rows):
    turned = [{**row, "sentiment": -row["sentiment"]} for row in rows]
    for one, other in zip(run(signals(*rows))[0], run(signals(*turned))[0], strict=True):
        assert one["score"] == -other["score"]
        assert one["strength"] == other["strength"]
        assert one["contradiction"] == other["contradiction"]


@settings(max_examples=30, deadline=None)
@given(many)
def test_nothing_is_due_right_after_its_trend_was_computed(signals, rows):
    table = signals(*rows)
    last = last_trends(aggregate(table, NOW, WEIGHTS, CLOSE)[0])
    hour = timedelta(hours=1)
    assert due_tickers(table, NOW, WEIGHTS, last, hour) & set(last) == set()
    assert due_tickers(table, NOW + hour, WEIGHTS, last, hour) >= set(last)


def test_news_a_late_record_and_a_switched_layer_make_a_trend_due(signals):
    rows = [{"id": "a", "hours": 5}, {"id": "b", "ticker": "BBB", "layer": "macro", "hours": 5}]
    table = signals(*rows)
    last = last_trends(aggregate(table, NOW, WEIGHTS, CLOSE)[0])
    hour, soon = timedelta(hours=1), NOW + timedelta(minutes=5)
    assert due_tickers(table, soon, WEIGHTS, last, hour) == set()
    news = signals(*rows, {"id": "c", "published_at": NOW + timedelta(minutes=1)})
    assert due_tickers(news, soon, WEIGHTS, last, hour) == {"AAA"}
    late = signals(*rows, {"id": "c", "ticker": "BBB", "hours": 6})
    assert due_tickers(late, soon, WEIGHTS, last, hour) == {"BBB"}
    assert due_tickers(table, soon, LayerWeights(macro=0), last, hour) == {"BBB"}
    assert due_tickers(signals(*rows, {"id": "d", "ticker": "CCC"}), soon, WEIGHTS, last, hour) == {"CCC"}
