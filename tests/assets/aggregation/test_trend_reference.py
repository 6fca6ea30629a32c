"""Columns against a plain loop: every trend and its evidence, a company after the other, to 1e-12."""

import math
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.aggregation.origins import stories, tellers
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights, weight
from stonks_core.columns import codes, instants

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
CLOSE = NOW - timedelta(hours=19)
HOURS = {"intraday": (19, 4), "1d": (24, 8), "7d": (168, 48), "30d": (720, 240), "90d": (2160, 720)}
unit = st.sampled_from([0.0, 1e-3, 0.2, 0.5, 0.77, 1.0])
signal = st.fixed_dictionaries(
    {
        "ticker": st.sampled_from(["AAA", "BBB", "C"]),
        "layer": st.sampled_from(["company", "macro", "competitive"]),
        "hours": st.sampled_from([0.0, 1.0, 5.5, 18.99, 19.0, 23.0, 24.0, 47.0, 49.0, 170.0, 719.0, 721.0, 2159.0, 2161.0]),
        "lag": st.sampled_from([0.0, 0.5, 3.0, 5000.0]),
        "sentiment": st.sampled_from([-1.0, -0.4, 0.0, 0.3, 0.9]),
        "impact": unit,
        "confidence": unit,
        "novelty": st.sampled_from([1.0, 0.5, 1 / 3]),
        "credibility": unit,
        "duration": st.sampled_from(["", "short", "long"]),
        "cluster_id": st.sampled_from(["x", "yy", "z", "another"]),
        "document_id": st.sampled_from(["20260301-a", "20260301-b", "20260302-a"]),
    }
)  # fmt: skip
weights = st.sampled_from(
    [LayerWeights(), LayerWeights(macro=0.0), LayerWeights(0.5, 0.7, 0.0, timedelta(hours=20)), LayerWeights(0, 0, 0)]
)


def reference(rows, layer_weights):
    """Trends by (ticker, window), and the ids of their evidence in order with its scores."""
    known = [row for row in rows if row["available_at"] <= NOW and row["published_at"] <= NOW]
    known.sort(key=lambda r: (r["ticker"], r["layer"], r["cluster_id"], r["published_at"], r["document_id"]))
    firsts = []
    for _, told in groupby(known, key=lambda r: (r["ticker"], r["layer"], r["cluster_id"])):
        firsts.append(min(told, key=lambda r: (r["published_at"], r["document_id"], -r["impact"], r["signal_id"])))
    trends, evidence = {}, {}
    for ticker in {row["ticker"] for row in firsts}:
        for window, (span, half_life) in HOURS.items():
            weighed = []
            for row in firsts:
                age = (NOW - row["published_at"]) / timedelta(hours=1)
                if row["ticker"] == ticker and age < span:
                    fade = 2 ** (-age / half_life)
                    stale = row["duration"] == "short" and age * timedelta(hours=1) > layer_weights.short_staleness
                    whole = weight(
                        layer_weight=layer_weights.by_layer[row["layer"]], recency=fade, credibility=row["credibility"],
                        novelty=row["novelty"], confidence=row["confidence"], impact=row["impact"],
                    ) * (0.25 if stale else 1)  # fmt: skip
                    if whole > 0:
                        weighed.append((whole, fade, row))
            if weighed:
                trends[ticker, window] = figures(weighed)
                evidence[ticker, window] = best(weighed, trends[ticker, window]["score"])
    return trends, evidence


def figures(weighed):
    total = math.fsum(w for w, _, _ in weighed)
    leans = [(w * row["sentiment"], row["layer"]) for w, _, row in weighed]
    positive, negative = (math.fsum(max(sign * lean, 0) for lean, _ in leans) for sign in (1, -1))
    both = positive + negative
    score, kish = (positive - negative) / total, total**2 / math.fsum(w * w for w, _, _ in weighed)
    contradiction = 2 * min(positive, negative) / both if both else 0
    trust = math.fsum(w * row["confidence"] for w, _, row in weighed) / total
    share = {
        f"{layer}_share": math.fsum(abs(lean) for lean, of in leans if of == layer) / both if both else 0
        for layer in ("company", "macro", "competitive")
    }
    return {
        "score": score, "contradiction": contradiction, "n_effective": kish, "total_weight": total,
        "positive": positive, "negative": negative, "signals_counted": len(weighed), **share,
        "strength": abs(score) * (1 - math.exp(-total)),
        "confidence": trust * (1 - math.exp(-kish)) * (1 - 0.5 * contradiction),
    }  # fmt: skip


def best(weighed, score):
    heaviest = max(w for w, _, _ in weighed)
    ranked = []
    for w, fade, row in weighed:
        points = 0.4 * w / heaviest + 0.3 * row["impact"] + 0.2 * fade + 0.1 * row["confidence"]
        stance = "contradicting" if row["sentiment"] * score < 0 else "supporting"
        ranked.append((-round(points, 12), row["document_id"], row["signal_id"], stance))
    return sorted(ranked)[:10]


def made(signals, rows):
    filled = []
    for number, given_row in enumerate(rows):
        row = dict(given_row)
        published = NOW - timedelta(hours=row.pop("hours"))
        lag = timedelta(hours=row.pop("lag"))
        filled.append({**row, "id": f"{number:04d}", "published_at": published, "available_at": published + lag})
    return signals(*filled)


def compare(table, layer_weights):
    trends, evidence = aggregate(table, NOW, layer_weights, CLOSE)
    expected, ranked = reference(table.to_pylist(), layer_weights)
    found = {(row["ticker"], row["window"]): row for row in trends.to_pylist()}
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        for name, value in row.items():
            assert found[key][name] == pytest.approx(value, rel=1e-12, abs=1e-12), (key, name)
    of = {row["trend_id"]: (row["ticker"], row["window"]) for row in trends.to_pylist()}
    ours = {key: [] for key in expected}
    for row in sorted(evidence.to_pylist(), key=lambda row: row["rank"]):
        rank = (-round(row["evidence_score"], 12), row["document_id"], row["signal_id"], row["stance"])
        ours[of[row["trend_id"]]].append(rank)
    assert {key: sorted(rows) for key, rows in ours.items()} == ranked


@settings(max_examples=60, deadline=None)
@given(st.lists(signal, min_size=1, max_size=40), weights)
def test_columns_find_what_a_loop_finds(signals, rows, layer_weights):
    compare(made(signals, rows), layer_weights)


def test_many_signals_of_a_company_too(signals):
    chance = np.random.default_rng(5)
    rows = [
        {
            "ticker": chance.choice(["AAA", "BBB"]), "layer": chance.choice(["company", "macro", "competitive"]),
            "hours": float(chance.exponential(300)), "lag": 0.01, "sentiment": float(chance.uniform(-1, 1)),
            "impact": float(chance.random()), "confidence": float(chance.random()), "novelty": 1.0,
            "credibility": 0.6, "duration": "", "cluster_id": f"c{chance.integers(0, 900)}",
        }
        for _ in range(1200)
    ]  # fmt: skip
    compare(made(signals, rows), LayerWeights())


@settings(max_examples=40, deadline=None)
@given(st.lists(signal, min_size=1, max_size=30))
def test_stories_whose_hashes_are_alike_are_told_apart(signals, rows):
    """Hashes that differ in their last bits alone: the same origins, in an order that the rows' own does not touch."""

    def found(table, alike):
        (ticker, _), (layer, layers) = codes(table, "ticker"), codes(table, "layer")
        hashes = stories(table, layer, layers)
        if alike:
            hashes = np.unique(hashes, return_inverse=True)[1].astype(np.uint64)
        rows = tellers(table, hashes, ticker, instants(table, "published_at"))
        return table["signal_id"].take(rows).to_pylist()

    table = made(signals, rows)
    turned = table.take(list(reversed(range(table.num_rows))))
    assert found(table, alike=True) == found(table, alike=False)
    assert found(turned, alike=True) == found(table, alike=True)
