"""The four steps over a real lake and database: what they write, that they may be repeated, and what they survive."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE, TREND_HISTORY, TREND_PROJECTIONS, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import (
    IMPACT_RECORDS,
    MACRO_IMPACTS,
    SIGNALS,
)
from tests.assets.aggregation.steps import ALL, DAY, NOW, contents, run_all


def test_records_become_signals_and_trends_with_market_and_versions(filled):
    reports = run_all(filled)
    assert all(report.failed == 0 for report in reports)
    signals = filled.lake.read(SIGNALS).to_pylist()
    assert {(s["ticker"], s["layer"]) for s in signals} == {
        ("AAA", "company"),
        ("AAA", "macro"),
        ("BBB", "competitive"),
        ("CCC", "company"),
    }
    rival = next(s for s in signals if s["ticker"] == "BBB")
    assert rival["sentiment"] == -0.5
    assert rival["impact"] == pytest.approx(0.9 * 0.9 * 0.3)
    trend = next(t for t in filled.lake.read(TREND_WINDOWS).to_pylist() if (t["ticker"], t["window"]) == ("AAA", "7d"))
    assert trend["reference_price"] == 167.0
    assert trend["window_return"] == pytest.approx(167 / 160 - 1)
    assert trend["volume_ratio"] == pytest.approx(1.0)
    assert trend["volatility"] > 0
    assert trend["degraded"] == ""
    assert json.loads(trend["input_versions"])["tables"]["signals"] == filled.lake.version(SIGNALS)
    assert filled.lake.read(TREND_HISTORY).num_rows == filled.lake.read(TREND_WINDOWS).num_rows == 15


def test_running_again_changes_nothing_and_commits_nothing(filled):
    run_all(filled)
    before, versions = contents(filled.lake, *ALL), [filled.lake.version(t) for t in ALL]
    run_all(filled)
    assert contents(filled.lake, *ALL) == before
    assert [filled.lake.version(t) for t in ALL] == versions


def test_any_order_of_arrival_ends_in_the_same_signals(pipeline, impacts, lake):
    rows = impacts(
        {"published_at": NOW - timedelta(hours=30), "cluster_id": "x", "ticker": "CCC"},
        {"published_at": NOW - timedelta(hours=20), "cluster_id": "x", "ticker": "CCC"},
        {"published_at": NOW - timedelta(hours=10), "ticker": "CCC"},
    )
    for number in (2, 1, 0):
        pipeline.lake.merge(IMPACT_RECORDS, rows.slice(number, 1))
        day = date.fromisoformat(rows["day"][number].as_py())
        materialise_signals(pipeline, day, NOW)
    found = {s["source_record_id"]: s for s in pipeline.lake.read(SIGNALS).to_pylist()}
    assert found["i0001"]["origin_signal_id"] == found["i0000"]["signal_id"]
    assert found["i0000"]["novelty"] == 1.0
    assert found["i0002"]["novelty"] == 0.5


def test_a_corrected_record_corrects_its_signal(filled):
    run_all(filled)
    corrected = filled.lake.read(IMPACT_RECORDS).to_pylist()
    corrected[0]["sentiment"] = 0.1
    filled.lake.merge(IMPACT_RECORDS, corrected, update=True)
    assert materialise_signals(filled, DAY, NOW).written["signals"] == 1


def test_a_record_that_was_taken_back_takes_its_signal_with_it(filled):
    run_all(filled)
    filled.lake.delete(MACRO_IMPACTS, "true")
    filled.lake.delete(IMPACT_RECORDS, "impact_id = 'i0001'")
    report = materialise_signals(filled, DAY, NOW)
    assert (report.written["signals"], report.figures["withdrawn"]) == (2, 2)
    assert {(s["ticker"], s["layer"]) for s in filled.lake.read(SIGNALS).to_pylist()} == {
        ("AAA", "company"),
        ("BBB", "competitive"),
    }
    assert materialise_signals(filled, DAY, NOW).written["signals"] == 0
    run_all(filled, NOW + timedelta(minutes=1))
    newest = filled.lake.read(TREND_WINDOWS).to_pylist()
    assert {t["macro_share"] for t in newest if t["as_of"] > NOW} == {0.0}


def test_the_copy_of_a_story_that_was_taken_back_is_its_origin_now(pipeline, impacts):
    rows = impacts(
        {"published_at": NOW - timedelta(hours=3), "cluster_id": "x", "ticker": "CCC"},
        {"published_at": NOW - timedelta(hours=2), "cluster_id": "x", "ticker": "CCC"},
        {"published_at": NOW - timedelta(hours=1), "ticker": "CCC"},
    )
    pipeline.lake.merge(IMPACT_RECORDS, rows)
    materialise_signals(pipeline, DAY, NOW)
    pipeline.lake.delete(IMPACT_RECORDS, "impact_id = 'i0000'")
    materialise_signals(pipeline, DAY, NOW)
    found = {s["source_record_id"]: s for s in pipeline.lake.read(SIGNALS).to_pylist()}
    assert set(found) == {"i0001", "i0002"}
    assert found["i0001"]["origin_signal_id"] == found["i0001"]["signal_id"]


def test_what_retention_forgot_takes_no_signal_with_it(pipeline, impacts):
    old = NOW - timedelta(days=95)
    pipeline.lake.merge(IMPACT_RECORDS, impacts({"published_at": old}))
    materialise_signals(pipeline, old.date(), NOW)
    pipeline.lake.delete(IMPACT_RECORDS, "true")
    assert materialise_signals(pipeline, old.date(), NOW).written["signals"] == 0
    assert pipeline.lake.read(SIGNALS).num_rows == 1


def test_an_earlier_as_of_takes_nothing_back_that_was_known_later(filled):
    run_all(filled)
    before = filled.lake.read(SIGNALS).num_rows
    assert materialise_signals(filled, DAY, NOW - timedelta(hours=2, minutes=30)).written["signals"] == 0
    assert filled.lake.read(SIGNALS).num_rows == before


def test_nothing_later_than_as_of_enters(filled, impacts):
    early = NOW - timedelta(hours=2, minutes=30)
    run_all(filled, early)
    trends = filled.lake.read(TREND_WINDOWS).to_pylist()
    assert {t["ticker"] for t in trends} == {"AAA", "BBB"}
    assert all(t["macro_share"] == 0 for t in trends)


def test_only_what_is_due_is_computed(filled, impacts):
    run_all(filled)
    soon = NOW + timedelta(minutes=5)
    filled.lake.merge(
        IMPACT_RECORDS,
        impacts({"published_at": NOW, "ticker": "CCC", "impact_id": "i9", "document_id": "20260310-z"}),
    )
    run_all(filled, soon)
    newest = {(t["ticker"], t["as_of"]) for t in filled.lake.read(TREND_WINDOWS).to_pylist()}
    assert newest == {("AAA", NOW), ("BBB", NOW), ("CCC", soon)}
    run_all(filled, NOW + timedelta(minutes=16))
    refreshed = {t["ticker"] for t in filled.lake.read(TREND_WINDOWS).to_pylist() if t["as_of"] > soon}
    assert refreshed == {"AAA", "BBB"}


def test_a_record_extracted_late_is_made_good_for_the_same_instant(filled, impacts):
    run_all(filled)
    before = filled.lake.read(TREND_HISTORY).num_rows
    late = {"published_at": NOW - timedelta(hours=4), "ticker": "CCC", "impact_id": "i9", "sentiment": -0.9}
    filled.lake.merge(IMPACT_RECORDS, impacts({**late, "document_id": "20260310-z"}))
    run_all(filled)
    rows = filled.lake.read(TREND_HISTORY).to_pylist()
    assert len(rows) == before
    counted = {(t["ticker"], t["signals_counted"]) for t in rows if t["window"] == "90d"}
    assert counted == {("AAA", 2), ("BBB", 1), ("CCC", 2)}
    evidence = filled.lake.read(TREND_EVIDENCE).to_pylist()
    assert len({(e["trend_id"], e["rank"]) for e in evidence}) == len(evidence)


def test_a_window_that_nothing_counts_in_any_more_has_no_newest_trend(pipeline, impacts):
    at = datetime(2026, 3, 9, 14, 0, tzinfo=UTC)
    pipeline.lake.merge(IMPACT_RECORDS, impacts({"published_at": at, "ticker": "CCC", "available_at": at}))
    materialise_signals(pipeline, at.date(), NOW)
    within, beyond = datetime(2026, 3, 10, 13, 0, tzinfo=UTC), datetime(2026, 3, 10, 14, 0, tzinfo=UTC)

    def windows():
        return {t["window"]: t["as_of"] for t in pipeline.lake.read(TREND_WINDOWS).to_pylist()}

    materialise_trends(pipeline, DAY, within)
    assert windows() == dict.fromkeys(("1d", "7d", "30d", "90d"), within)
    assert materialise_trends(pipeline, DAY, beyond).figures["ended"] == 1
    assert windows() == dict.fromkeys(("7d", "30d", "90d"), beyond)
    assert pipeline.lake.read(TREND_HISTORY).num_rows == 7


@pytest.mark.parametrize("killed_after", [1, 2])
def test_killed_between_its_writes_a_trend_is_written_again(filled, killed_after, monkeypatch):
    for step in (materialise_competitive_signals, materialise_signals):
        step(filled, DAY, NOW)
    real, writes = filled.lake.merge, []

    def dying(table, rows, *, update=False):
        if len(writes) == killed_after:
            raise KeyboardInterrupt
        writes.append(table.name)
        return real(table, rows, update=update)

    monkeypatch.setattr(filled.lake, "merge", dying)
    with pytest.raises(KeyboardInterrupt):
        materialise_trends(filled, DAY, NOW)
    monkeypatch.undo()
    run_all(filled)
    made_good = contents(filled.lake, TREND_WINDOWS, TREND_HISTORY, TREND_EVIDENCE)
    for table in (TREND_HISTORY, TREND_WINDOWS, TREND_EVIDENCE):
        filled.lake.delete(table, "true")
    run_all(filled)
    whole = contents(filled.lake, TREND_WINDOWS, TREND_HISTORY, TREND_EVIDENCE)
    strip = lambda rows: [{k: v for k, v in row.items() if k != "input_versions"} for row in rows]  # noqa: E731
    assert {k: strip(v) for k, v in made_good.items()} == {k: strip(v) for k, v in whole.items()}


def test_projections_start_from_the_newest_score_and_are_kept_when_confident(filled, impacts):
    for step in range(6):
        at = NOW + timedelta(minutes=20 * step)
        rows = impacts(
            {
                "published_at": at - timedelta(minutes=2),
                "ticker": "CCC",
                "impact_id": f"p{step}",
                "document_id": f"20260310-p{step}",
                "sentiment": -0.3,
                "available_at": at,
            }
        )
        filled.lake.merge(IMPACT_RECORDS, rows)
        run_all(filled, at)
    projections = filled.lake.read(TREND_PROJECTIONS).to_pylist()
    falling = next(p for p in projections if (p["ticker"], p["window"]) == ("CCC", "7d"))
    assert falling["slope"] < 0
    assert falling["as_of"] == NOW + timedelta(minutes=100)
    assert falling["points"] == 6
    assert all(p["confidence"] >= 0.3 for p in projections)
    assert materialise_projections(filled, DAY, NOW + timedelta(minutes=100)).written["trend_projections"] == 0
