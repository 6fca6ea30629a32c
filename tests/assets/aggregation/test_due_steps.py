"""Which companies a cycle looks at: those that something happened to, told by the stored trends and the lake's own log."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE, TREND_HISTORY, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import SIGNALS

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
SOON = timedelta(seconds=15)


@pytest.fixture
def pipeline(lake, database, signals) -> Pipeline:
    lake.merge(
        SIGNALS,
        signals(
            {"id": "a1", "hours": 30.0}, {"id": "a2", "hours": 5.0}, {"id": "b1", "ticker": "BBB", "hours": 5.0},
            {"id": "c1", "ticker": "CCC", "hours": 5.0, "layer": "macro"}, {"id": "d1", "ticker": "DDD", "hours": 700.0},
        ),
    )  # fmt: skip
    return Pipeline(load_settings({"MARKET_CALENDAR": "24/7"}), lake, database, ManualClock(NOW))


def cycle(pipeline, at):
    """How many companies were due, and how many signals were looked at."""
    pipeline.clock.advance_to(max(pipeline.clock.now(), at))
    figures = materialise_trends(pipeline, at.date(), at).figures
    return figures["tickers_due"], figures["signals"]


def computed_at(pipeline):
    return {
        row["ticker"]: row["as_of"] for row in pipeline.lake.read(TREND_WINDOWS).to_pylist() if row["window"] == "90d"
    }


def test_a_cycle_in_which_nothing_happened_reads_no_signal(pipeline):
    assert cycle(pipeline, NOW) == (4, 5)
    assert cycle(pipeline, NOW) == (0, 0)
    assert cycle(pipeline, NOW + SOON) == (0, 0)


def test_news_has_its_company_computed_and_no_other_read(pipeline, signals):
    cycle(pipeline, NOW)
    at = NOW + SOON
    pipeline.lake.merge(SIGNALS, signals({"id": "b2", "ticker": "BBB", "published_at": NOW + timedelta(seconds=5)}))
    assert cycle(pipeline, at) == (1, 2)
    assert cycle(pipeline, at + SOON) == (0, 0)
    assert computed_at(pipeline) == {"AAA": NOW, "BBB": at, "CCC": NOW, "DDD": NOW}


def test_a_signal_that_was_stored_before_its_time_counts_when_it_comes(pipeline, signals):
    at = NOW + timedelta(minutes=5)
    pipeline.lake.merge(SIGNALS, signals({"id": "b2", "ticker": "BBB", "hours": 1.0, "available_at": at}))
    assert cycle(pipeline, NOW) == (4, 5)
    assert cycle(pipeline, at - SOON) == (0, 0)
    assert cycle(pipeline, at) == (1, 2)
    assert cycle(pipeline, at + SOON) == (0, 0)


def test_a_late_a_changed_and_a_deleted_signal_are_found(pipeline, signals):
    cycle(pipeline, NOW)
    pipeline.lake.merge(SIGNALS, signals({"id": "late", "ticker": "DDD", "hours": 600.0}))
    assert cycle(pipeline, NOW + SOON)[0] == 1
    pipeline.lake.merge(SIGNALS, signals({"id": "b1", "ticker": "BBB", "hours": 5.0, "impact": 0.4}), update=True)
    assert cycle(pipeline, NOW + 2 * SOON)[0] == 1
    pipeline.lake.delete(SIGNALS, "signal_id = 'sa2'")
    assert cycle(pipeline, NOW + 3 * SOON)[0] == 1
    times = {"AAA": NOW + 3 * SOON, "BBB": NOW + 2 * SOON, "CCC": NOW, "DDD": NOW + SOON}
    assert computed_at(pipeline) == times
    assert cycle(pipeline, NOW + 4 * SOON) == (0, 0)


def test_a_company_never_seen_before_is_found(pipeline, signals):
    cycle(pipeline, NOW)
    pipeline.lake.merge(SIGNALS, signals({"id": "e1", "ticker": "EEE", "hours": 800.0}))
    assert cycle(pipeline, NOW + SOON) == (1, 1)


def test_rows_that_compaction_moved_make_nobody_due(pipeline, signals):
    pipeline.lake.merge(SIGNALS, signals({"id": "a3", "hours": 4.0}))
    cycle(pipeline, NOW)
    assert pipeline.lake.compact(SIGNALS, NOW.date()) > 1
    assert cycle(pipeline, NOW + SOON) == (0, 0)


def test_a_switched_layer_and_another_weight_are_found_at_once(pipeline):
    cycle(pipeline, NOW)
    pipeline.database.execute("INSERT INTO risk_configs (key, value) VALUES ('macro_enabled', 'false')")
    assert cycle(pipeline, NOW + SOON) == (1, 5), "the macro layer's company, which nothing speaks for any more"
    pipeline.database.execute("UPDATE risk_configs SET value = 'true'")
    assert cycle(pipeline, NOW + 2 * SOON)[0] <= 1
    settings = load_settings({"MARKET_CALENDAR": "24/7", "MACRO_SIGNAL_WEIGHT": "0.6"})
    assert cycle(replace(pipeline, settings=settings), NOW + 3 * SOON) == (1, 5)
    stored = next(
        r for r in pipeline.lake.read(TREND_WINDOWS).to_pylist() if (r["ticker"], r["window"]) == ("CCC", "90d")
    )
    assert stored["total_weight"] == pytest.approx(0.6 * 2 ** (-(5 + 45 / 3600) / 720))


def test_old_trends_are_refreshed_and_only_they_are_read(pipeline, signals):
    cycle(pipeline, NOW)
    later = NOW + timedelta(minutes=10)
    pipeline.lake.merge(SIGNALS, signals({"id": "b2", "ticker": "BBB", "published_at": later}))
    assert cycle(pipeline, later) == (1, 2)
    assert cycle(pipeline, NOW + timedelta(minutes=16)) == (3, 4)
    assert cycle(pipeline, NOW + timedelta(minutes=16) + SOON) == (0, 0)


def test_trends_of_a_release_that_did_not_say_what_they_rest_on_are_judged_by_their_sums(pipeline):
    cycle(pipeline, NOW)
    for table in (TREND_HISTORY, TREND_WINDOWS):
        rows = pipeline.lake.read(table)
        old = pa.array([json.dumps({"signals": 1})] * rows.num_rows, pa.string())
        at = rows.column_names.index("input_versions")
        pipeline.lake.delete(table, "true")
        pipeline.lake.merge(table, rows.set_column(at, table.schema.field("input_versions"), old))
    assert cycle(pipeline, NOW + SOON) == (0, 5)


def test_an_instant_in_the_past_is_made_good_from_what_was_known_then(pipeline, signals):
    cycle(pipeline, NOW)
    cycle(pipeline, NOW + timedelta(minutes=5))
    pipeline.lake.merge(SIGNALS, signals({"id": "late", "ticker": "BBB", "hours": 2.0}))
    assert cycle(pipeline, NOW) == (1, 2)
    history = pipeline.lake.read(TREND_HISTORY, as_of=NOW).to_pylist()
    assert {(r["ticker"], r["signals_counted"]) for r in history if r["window"] == "90d"} == {
        ("AAA", 2), ("BBB", 2), ("CCC", 1), ("DDD", 1),
    }  # fmt: skip
    evidence = pipeline.lake.read(TREND_EVIDENCE).to_pylist()
    assert len({(e["trend_id"], e["rank"]) for e in evidence}) == len(evidence)


def test_what_is_found_step_by_step_is_what_is_found_at_once(pipeline, signals):
    """Cycles over news, late records and copies leave what one cycle over all of it at the end would."""
    arriving = [
        {"id": "n1", "ticker": "BBB", "hours": 0.0, "sentiment": -0.5},
        {"id": "n2", "ticker": "AAA", "hours": 400.0, "sentiment": -1.0},
        {"id": "n3", "ticker": "BBB", "hours": 2.0, "cluster_id": "20260310-b1"},
        {"id": "n4", "ticker": "DDD", "hours": 20.0, "layer": "competitive"},
    ]
    cycle(pipeline, NOW)
    for number, row in enumerate(arriving, start=1):
        pipeline.lake.merge(SIGNALS, signals(row))
        cycle(pipeline, NOW + number * SOON)
    end = NOW + timedelta(minutes=30)
    cycle(pipeline, end)

    def stored():
        return {
            table.name: sorted(pipeline.lake.read(table).drop_columns(extra).to_pylist(), key=str)
            for table, extra in ((TREND_WINDOWS, ["input_versions"]), (TREND_EVIDENCE, []))
        }

    step_by_step = stored()
    for table in (TREND_HISTORY, TREND_WINDOWS, TREND_EVIDENCE):
        pipeline.lake.delete(table, "true")
    cycle(pipeline, end)
    at_once = stored()
    assert step_by_step["trend_windows"] == at_once["trend_windows"]
    ids = {row["trend_id"] for row in at_once["trend_windows"]}
    assert [row for row in step_by_step["trend_evidence"] if row["trend_id"] in ids] == at_once["trend_evidence"]
