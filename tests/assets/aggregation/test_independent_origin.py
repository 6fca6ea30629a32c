"""Evidence counts by independent origin: copies of a document change no score, however they come; another report does.

Through the whole of it: signals are placed among each other (origin and novelty), then aggregated.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stonks_assets.aggregation.signals import placed
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
CLOSE = NOW - timedelta(hours=19)
score = st.floats(0.05, 1, allow_subnormal=False)
report = st.fixed_dictionaries(
    {
        "ticker": st.sampled_from(["AAA", "BBB"]),
        "layer": st.sampled_from(["company", "macro", "competitive"]),
        "hours": st.floats(0.5, 24 * 80),
        "sentiment": st.floats(-1, 1, allow_subnormal=False),
        "impact": score,
        "confidence": score,
        "credibility": score,
        "catalyst": st.sampled_from(["other", "litigation"]),
    }
)
reports = st.lists(report, min_size=1, max_size=10)
copy = st.fixed_dictionaries(
    {
        "of": st.integers(0, 9),
        "later": st.floats(0, 1),
        "sentiment": st.floats(-1, 1),
        "impact": score,
        "credibility": score,
    }
)


def told(rows):
    """Reports of different stories, each known when it is published."""
    return [
        {**row, "id": f"{n:04d}", "cluster_id": f"story{n}", "published_at": NOW - timedelta(hours=row["hours"])}
        for n, row in enumerate(rows)
    ]


def found(signals, rows, *, reverse=False):
    table = placed(signals(*({k: v for k, v in row.items() if k != "hours"} for row in rows)))
    if reverse:
        table = table.take(list(reversed(range(table.num_rows))))
    trends, evidence = aggregate(table, NOW, LayerWeights(), CLOSE)
    ranked = sorted(evidence.to_pylist(), key=lambda row: (row["trend_id"], row["rank"]))
    return sorted(trends.to_pylist(), key=lambda row: row["trend_id"]), ranked


def copies_of(rows, copies):
    """Copies published between their story's first report and now, and known from then on."""
    made = []
    for n, given_copy in enumerate(copies):
        first = rows[given_copy["of"] % len(rows)]
        published = first["published_at"] + given_copy["later"] * (NOW - first["published_at"])
        values = {name: given_copy[name] for name in ("sentiment", "impact", "credibility")}
        assume(published > first["published_at"])
        made.append(
            {**first, **values, "id": f"9{n:03d}", "document_id": f"20260310-copy{n}", "published_at": published}
        )
    return made


@settings(max_examples=60, deadline=None)
@given(reports, st.lists(copy, min_size=1, max_size=12))
def test_copies_change_no_score_and_no_evidence(signals, rows, copies):
    first = told(rows)
    assert found(signals, first) == found(signals, first + copies_of(first, copies), reverse=True)


@settings(max_examples=60, deadline=None)
@given(reports, st.lists(copy, min_size=1, max_size=12))
def test_what_was_told_earlier_and_is_found_later_takes_its_story_s_place(signals, rows, copies):
    """A copy with an earlier date is the origin once it is known; its story still counts once, and no other changes."""
    late = told(rows)
    earlier = {}
    for n, given_copy in enumerate(copies):
        of = late[given_copy["of"] % len(late)]
        published = of["published_at"] - timedelta(hours=1, seconds=n)
        new = {**of, "id": f"9{n:03d}", "published_at": published, "available_at": NOW}
        earlier[of["cluster_id"]] = min(earlier.get(of["cluster_id"], new), new, key=lambda row: row["published_at"])
    both = placed(signals(*({k: v for k, v in r.items() if k != "hours"} for r in late + list(earlier.values()))))
    before = placed(signals(*({k: v for k, v in row.items() if k != "hours"} for row in late)))
    novelty = {row["signal_id"]: row["novelty"] for row in both.to_pylist()}
    assert {row["signal_id"]: row["novelty"] for row in before.to_pylist()}.items() <= novelty.items()
    told_first = [row["signal_id"] for row in both.to_pylist() if row["origin_signal_id"] == row["signal_id"]]
    assert len(told_first) == len(late)
    alone = both.filter([name in told_first for name in both["signal_id"].to_pylist()])
    whole, picked = (aggregate(table, NOW, LayerWeights(), CLOSE) for table in (both, alone))
    assert [table.to_pylist() for table in whole] == [table.to_pylist() for table in picked]


@settings(max_examples=40, deadline=None)
@given(reports, st.integers(0, 9))
def test_the_same_story_in_another_layer_counts_for_that_layer_once(signals, rows, number):
    first = told(rows)
    of = first[number % len(first)]
    layer = {"company": "macro", "macro": "competitive", "competitive": "company"}[of["layer"]]
    echo = {**of, "layer": layer, "id": "8000", "published_at": of["published_at"] + timedelta(minutes=1)}
    copies = [
        {**echo, "id": f"9{n:03d}", "published_at": echo["published_at"] + timedelta(minutes=n + 1)} for n in range(4)
    ]
    assert found(signals, [*first, echo]) == found(signals, [*first, echo, *copies])


@settings(max_examples=40, deadline=None)
@given(reports, report)
def test_an_independent_report_changes_its_company_and_no_other(signals, rows, another):
    first = told(rows)
    # The newest of all: an earlier one would make those that repeat it less new, and weigh less.
    told_at = NOW - timedelta(seconds=1)
    new = {**another, "id": "7000", "cluster_id": "independent", "hours": 1 / 3600, "published_at": told_at}
    before = {(row["ticker"], row["window"]): row for row in found(signals, first)[0]}
    after = {(row["ticker"], row["window"]): row for row in found(signals, [*first, new])[0]}
    assert before.keys() <= after.keys()
    for (ticker, window), row in after.items():
        old = before.get((ticker, window))
        if ticker != new["ticker"]:
            assert row == old
        elif old is not None:
            assert row["signals_counted"] == old["signals_counted"] + 1
            assert row["total_weight"] > old["total_weight"]


def test_a_hundred_copies_weigh_as_one_and_two_reports_as_two(signals):
    one = {"id": "0", "cluster_id": "a", "hours": 3.0, "sentiment": 0.8}
    copies = [{**one, "id": f"c{n}", "document_id": f"20260310-c{n}", "hours": 2.9 - n / 100} for n in range(100)]
    other = {"id": "1", "cluster_id": "b", "hours": 2.5, "sentiment": 0.8}

    def week(*rows):
        trends, _ = aggregate(placed(signals(*rows)), NOW, LayerWeights(), CLOSE)
        return next(row for row in trends.to_pylist() if row["window"] == "7d")

    assert week(one, *copies) == week(one)
    assert week(one, other)["n_effective"] > 1.8
    assert week(one, other)["strength"] > week(one)["strength"]
