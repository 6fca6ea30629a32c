"""Each formula of a trend by an example worked by hand."""

from datetime import UTC, datetime, timedelta
from math import exp

import numpy as np
import pytest

from stonks_assets.aggregation.trends import aggregate, directions, trend_id
from stonks_assets.aggregation.weights import LayerWeights, weight
from stonks_assets.aggregation.windows import SHAPES
from stonks_core.vocabulary import Window

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
CLOSE = NOW - timedelta(hours=19)


def trend(table, window, ticker="AAA", weights=None):
    trends, evidence = aggregate(table, NOW, weights or LayerWeights(), CLOSE)
    rows = [row for row in trends.to_pylist() if (row["ticker"], row["window"]) == (ticker, window)]
    if not rows:
        return None, []
    proof = [row for row in evidence.to_pylist() if row["trend_id"] == rows[0]["trend_id"]]
    return rows[0], sorted(proof, key=lambda row: row["rank"])


def test_two_signals_in_a_day_by_hand(signals):
    # recency over 8 h half-lives: 2**-1 and 2**-2; W = 0.5*0.5*1*0.8*0.5 = 0.1 and 0.3*0.25*1*0.5*1*0.8 = 0.03
    table = signals(
        {"hours": 8, "sentiment": 0.5, "impact": 0.5, "confidence": 0.8, "credibility": 0.5},
        {"hours": 16, "sentiment": -1.0, "impact": 0.8, "confidence": 1.0, "novelty": 0.0, "layer": "macro"},
    )
    row, proof = trend(table, "1d")
    positive, negative, total = 0.1 * 0.5, 0.03 * 1.0, 0.13
    assert row["positive"] == pytest.approx(positive, rel=1e-12)
    assert row["negative"] == pytest.approx(negative, rel=1e-12)
    assert row["total_weight"] == pytest.approx(total, rel=1e-12)
    assert row["score"] == pytest.approx(0.02 / 0.13, rel=1e-12)
    assert row["contradiction"] == pytest.approx(2 * 0.03 / 0.08, rel=1e-12)
    effective = 0.13**2 / (0.1**2 + 0.03**2)
    assert row["n_effective"] == pytest.approx(effective, rel=1e-12)
    assert row["strength"] == pytest.approx(0.02 / 0.13 * (1 - exp(-0.13)), rel=1e-12)
    mean = (0.1 * 0.8 + 0.03 * 1.0) / 0.13
    assert row["confidence"] == pytest.approx(mean * (1 - exp(-effective)) * (1 - 0.375), rel=1e-12)
    assert row["direction"] == "bullish"
    assert row["company_share"] == pytest.approx(0.05 / 0.08, rel=1e-12)
    assert row["macro_share"] == pytest.approx(0.03 / 0.08, rel=1e-12)
    assert row["competitive_share"] == 0
    assert row["signals_counted"] == 2
    assert row["trend_id"] == trend_id("AAA", "1d", NOW)
    assert [(p["signal_id"], p["stance"]) for p in proof] == [("s0000", "supporting"), ("s0001", "contradicting")]
    assert proof[0]["evidence_score"] == pytest.approx(0.4 + 0.3 * 0.5 + 0.2 * 0.5 + 0.1 * 0.8, rel=1e-12)
    assert proof[1]["evidence_score"] == pytest.approx(0.4 * 0.3 + 0.3 * 0.8 + 0.2 * 0.25 + 0.1, rel=1e-12)
    assert proof[1]["weight"] == pytest.approx(0.03, rel=1e-12)


def test_the_weight_of_one_signal_is_that_of_the_columns(signals):
    _, proof = trend(signals({"hours": 48, "impact": 0.7, "confidence": 0.6, "novelty": 0.5, "credibility": 0.4}), "7d")
    alone = weight(layer_weight=1, recency=0.5, credibility=0.4, novelty=0.5, confidence=0.6, impact=0.7)
    assert proof[0]["weight"] == pytest.approx(alone, rel=1e-12)
    assert weight(layer_weight=1, recency=1, credibility=1, novelty=1, confidence=1, impact=1, copy=True) == 0


@pytest.mark.parametrize("window", list(Window))
def test_a_window_is_open_where_it_begins_and_closed_where_it_ends(signals, window):
    since = SHAPES[window].since(NOW, CLOSE)
    instant = timedelta(microseconds=1)
    for published, counts in ((since, False), (since + instant, True), (NOW, True), (NOW + instant, False)):
        row, _ = trend(signals({"published_at": published, "available_at": published}), window)
        assert (row is not None) is counts


def test_what_is_not_known_yet_does_not_count(signals):
    row, _ = trend(signals({"hours": 2, "available_at": NOW + timedelta(seconds=1)}), "1d")
    assert row is None


def test_no_signal_of_any_weight_no_row(signals):
    off = LayerWeights(macro=0.0)
    table = signals({"layer": "macro"}, {"ticker": "BBB", "impact": 0.0})
    assert aggregate(table, NOW, off, CLOSE)[0].num_rows == 0
    assert aggregate(table.slice(0, 0), NOW, off, CLOSE)[1].num_rows == 0


def test_a_short_event_older_than_two_days_weighs_a_quarter(signals):
    limit = NOW - timedelta(hours=48)
    rows = [
        {"layer": "macro", "duration": "short", "published_at": limit},
        {"layer": "macro", "duration": "short", "published_at": limit - timedelta(microseconds=1), "ticker": "BBB"},
        {"layer": "macro", "duration": "medium", "published_at": limit - timedelta(hours=1), "ticker": "CCC"},
    ]
    weights = [trend(signals(*rows), "30d", ticker)[0]["total_weight"] for ticker in ("AAA", "BBB", "CCC")]
    assert weights[1] == pytest.approx(weights[0] / 4, rel=1e-9)
    assert weights[2] == pytest.approx(weights[0] * 2 ** (-1 / 240), rel=1e-9)


def test_only_the_origin_of_a_story_counts_and_the_rest_are_no_evidence(signals):
    rows = [{"hours": 5 - n / 10, "cluster_id": "story", "id": f"{n}", "impact": 0.5 + n / 10} for n in range(4)]
    row, proof = trend(signals(*rows), "1d")
    assert row["signals_counted"] == 1
    assert [p["signal_id"] for p in proof] == ["s0"]


def test_the_same_cluster_counts_once_per_company_and_layer(signals):
    rows = [
        {"cluster_id": "story"},
        {"cluster_id": "story", "layer": "macro"},
        {"cluster_id": "story", "ticker": "BBB"},
    ]
    assert trend(signals(*rows), "1d")[0]["signals_counted"] == 2
    assert trend(signals(*rows), "1d", "BBB")[0]["signals_counted"] == 1


def test_an_origin_found_late_takes_over_only_once_it_is_known(signals):
    rows = [
        {"id": "copy", "hours": 4, "cluster_id": "story", "sentiment": 1.0},
        {"id": "first", "hours": 5, "cluster_id": "story", "sentiment": -1.0, "available_at": NOW},
    ]
    _, proof = trend(signals(*rows), "1d")
    assert [p["signal_id"] for p in proof] == ["sfirst"]
    earlier = aggregate(signals(*rows), NOW - timedelta(seconds=1), LayerWeights(), CLOSE)[1]
    assert set(earlier["signal_id"].to_pylist()) == {"scopy"}


def test_directions():
    found = directions(np.array([0.15, -0.15, 0.149, -0.149]), np.array([1.0, 1.0, 0.4, 0.39]))
    assert found == ["bullish", "bearish", "mixed", "neutral"]


def test_sentiment_without_sign_dilutes_and_has_no_share(signals):
    row, _ = trend(signals({"sentiment": 0.0}), "1d")
    assert (row["score"], row["contradiction"], row["strength"]) == (0, 0, 0)
    assert row["company_share"] == row["macro_share"] == row["competitive_share"] == 0
    assert row["direction"] == "neutral"


def test_the_ten_best_with_ties_by_document(signals):
    rows = [{"id": f"{n:02d}", "document_id": f"20260310-{99 - n:02d}"} for n in range(14)]
    _, proof = trend(signals(*rows), "1d")
    assert [p["rank"] for p in proof] == list(range(1, 11))
    assert [p["document_id"] for p in proof] == [f"20260310-{n}" for n in range(86, 96)]
