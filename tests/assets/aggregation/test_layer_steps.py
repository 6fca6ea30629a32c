"""Layers in the steps: switched off, propagated anew, corrected, unreadable, failing again and again."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.windows import LONGEST
from stonks_assets.automation.recovery import unpropagated
from stonks_core.alerts import open_alerts
from stonks_core.errors import TransientError
from stonks_core.stores.lake.gold_tables import TREND_HISTORY, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
    SIGNALS,
)
from tests.assets.aggregation.steps import DAY, NOW, contents, run_all


def test_a_switched_off_layer_keeps_its_data_and_weighs_nothing(filled):
    filled.database.execute(
        "INSERT INTO risk_configs (key, value) VALUES ('macro_enabled', 'false'), ('competitive_enabled', 'false')"
    )
    run_all(filled)
    assert {s["layer"] for s in filled.lake.read(SIGNALS).to_pylist()} == {"company", "macro"}
    assert all(t["company_share"] == 1 for t in filled.lake.read(TREND_WINDOWS).to_pylist())
    filled.database.execute("UPDATE risk_configs SET value = 'true'")
    run_all(filled, NOW + timedelta(seconds=30))
    layers = {t["ticker"]: t["macro_share"] > 0 for t in filled.lake.read(TREND_WINDOWS).to_pylist()}
    assert layers == {"AAA": True, "BBB": False, "CCC": False}


def test_a_day_that_was_left_out_while_the_layer_was_off_is_made_good_as_if_it_had_never_been(filled):
    filled.database.execute("INSERT INTO risk_configs (key, value) VALUES ('competitive_enabled', 'false')")
    for minutes in (0, 1):
        run_all(filled, NOW + timedelta(minutes=minutes))
    (note,) = filled.database.fetch("SELECT stage, item, status, attempts FROM failures")
    assert note == {"stage": "competitive_signals", "item": f"day {DAY}", "status": "noted", "attempts": 1}
    assert materialise_competitive_signals(filled, DAY - timedelta(days=1), NOW).figures == {"layer": "off"}
    assert len(filled.database.fetch("SELECT 1 AS one FROM failures")) == 1, "a day without news owes nothing"
    said = contents(filled.lake, TREND_HISTORY)
    assert {t["degraded"] for t in said["trend_history"]} == {""}, "a layer that is off is not missed"

    tomorrow = NOW + timedelta(days=1)
    filled.clock.advance_to(tomorrow)
    assert unpropagated(filled, tomorrow) == {}, "nothing is asked for while it is off"
    filled.database.execute("UPDATE risk_configs SET value = 'true'")
    assert unpropagated(filled, NOW) == {}, "today is the cycle's business"
    assert unpropagated(filled, tomorrow) == {DAY: 1}
    assert unpropagated(filled, tomorrow + LONGEST) == {}, "no window reaches it"
    run_all(filled, tomorrow, tomorrow.date())
    trends = filled.lake.read(TREND_WINDOWS).to_pylist()
    assert {t["degraded"] for t in trends if t["as_of"] == tomorrow} == {"competitive"}

    midnight = datetime(2026, 3, 11, tzinfo=UTC)
    for step in (materialise_competitive_signals, materialise_signals):
        step(filled, DAY, midnight)
    assert unpropagated(filled, tomorrow) == {}
    late = contents(filled.lake, COMPETITIVE_SIGNALS, SIGNALS)
    versions = [filled.lake.version(table) for table in (COMPETITIVE_SIGNALS, SIGNALS)]
    for step in (materialise_competitive_signals, materialise_signals):
        step(filled, DAY, midnight)
    assert [filled.lake.version(table) for table in (COMPETITIVE_SIGNALS, SIGNALS)] == versions
    run_all(filled, tomorrow + timedelta(minutes=20), tomorrow.date())
    newest = {t["ticker"]: t for t in filled.lake.read(TREND_WINDOWS).to_pylist() if t["window"] == "7d"}
    assert newest["BBB"]["competitive_share"] == 1
    assert newest["BBB"]["degraded"] == ""

    for table in (COMPETITIVE_SIGNALS, SIGNALS):
        filled.lake.delete(table, "true")
    for step in (materialise_competitive_signals, materialise_signals):
        step(filled, DAY, NOW)
    assert contents(filled.lake, COMPETITIVE_SIGNALS, SIGNALS) == late, "as if it had never been off"


def test_news_is_propagated_again_when_its_signals_or_its_grounds_changed(filled):
    def written():
        return materialise_competitive_signals(filled, DAY, NOW).written["competitive_signals"]

    assert [written(), written()] == [1, 0]
    filled.lake.delete(COMPETITIVE_SIGNALS, "true")
    assert written() == 1
    filled.database.execute(
        """
        INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength)
        SELECT a.company_id, b.company_id, 'sector_peer', 1 FROM companies a, companies b
        WHERE a.ticker = 'AAA' AND b.ticker = 'CCC'
        """
    )
    assert written() == 1


@pytest.mark.parametrize(
    ("change", "now"),
    [({"sentiment": -0.2}, [0.2]), ({"impact": 0.2}, []), ({"catalyst": "litigation"}, [-0.5]), (None, [])],
)
def test_a_signal_whose_record_was_corrected_or_taken_back_does_not_stand(filled, change, now):
    run_all(filled)
    (record,) = [row for row in filled.lake.read(IMPACT_RECORDS).to_pylist() if row["ticker"] == "AAA"]
    if change is None:
        filled.lake.delete(IMPACT_RECORDS, "ticker = 'AAA'")
    else:
        filled.lake.merge(IMPACT_RECORDS, [{**record, **change}], update=True)
    assert materialise_competitive_signals(filled, DAY, NOW).written["competitive_signals"] == 1 + len(now)
    held = filled.lake.read(COMPETITIVE_SIGNALS).to_pylist()
    assert [row["sentiment"] for row in held] == now
    assert {row["catalyst"] for row in held} <= {(change or {}).get("catalyst", "product_launch")}
    assert materialise_competitive_signals(filled, DAY, NOW).written["competitive_signals"] == 0
    materialise_signals(filled, DAY, NOW)
    rivals = [s["sentiment"] for s in filled.lake.read(SIGNALS).to_pylist() if s["ticker"] == "BBB"]
    assert rivals == now


class BrokenTable:
    """A lake with one table that cannot be read."""

    def __init__(self, lake, broken):
        self._lake, self._broken = lake, broken

    def __getattr__(self, name):
        method = getattr(self._lake, name)
        if not callable(method):
            return method

        def guarded(table, *args, **kwargs):
            if table.name == self._broken.name:
                raise TransientError(f"{table.name} does not answer")
            return method(table, *args, **kwargs)

        return guarded


def test_a_layer_that_cannot_be_read_degrades_and_stops_nobody(filled):
    broken = replace(filled, lake=BrokenTable(filled.lake, MACRO_IMPACTS))
    reports = run_all(broken)
    assert [report.failed for report in reports] == [0, 1, 1, 0]
    trends = filled.lake.read(TREND_WINDOWS).to_pylist()
    assert {t["degraded"] for t in trends} == {"macro"}
    assert {t["ticker"] for t in trends} == {"AAA", "BBB", "CCC"}
    open_rows = filled.database.fetch("SELECT stage, item FROM failures WHERE status = 'open'")
    assert {(r["stage"], r["item"]) for r in open_rows} == {
        ("signals", "layer macro of 2026-03-10"),
        ("trend_windows", "layer macro"),
    }
    run_all(filled, NOW + timedelta(minutes=1))
    assert filled.database.fetch("SELECT 1 AS one FROM failures WHERE status = 'open'") == []
    healed = [t for t in filled.lake.read(TREND_WINDOWS).to_pylist() if t["ticker"] == "AAA"]
    assert {t["degraded"] for t in healed} == {""}


def test_propagation_that_fails_again_and_again_alerts(filled, caplog):
    broken = replace(filled, lake=BrokenTable(filled.lake, IMPACT_RECORDS))
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            assert materialise_competitive_signals(broken, DAY, NOW).failed == 1
    assert [r.levelname for r in caplog.records] == ["ERROR"] * 4 + ["CRITICAL"]
    (alert,) = filled.database.fetch("SELECT item, error, status, attempts FROM failures WHERE stage = 'alert'")
    assert (alert["item"], alert["status"], alert["attempts"]) == ("competitive propagation", "open", 1)
    assert "failed 5 times in a row, the last time with: impact_records does not answer" in alert["error"]
    materialise_competitive_signals(broken, DAY, NOW)
    told = filled.database.fetch("SELECT severity, subject, body FROM notifications")
    assert [(row["severity"], row["subject"]) for row in told] == [("critical", "competitive propagation")]
    caplog.clear()
    assert materialise_competitive_signals(filled, DAY, NOW).failed == 0
    assert open_alerts(filled.database) == {}
    with caplog.at_level(logging.ERROR):
        materialise_competitive_signals(broken, DAY, NOW)
    assert [r.levelname for r in caplog.records] == ["ERROR"]
    filled.clock.advance_to(NOW + timedelta(hours=1))
    with caplog.at_level(logging.CRITICAL):
        for _ in range(4):
            materialise_competitive_signals(broken, DAY, NOW)
    assert len(filled.database.fetch("SELECT 1 AS one FROM notifications")) == 2, "a new streak is told again"
    assert filled.database.fetch_one("SELECT attempts FROM failures WHERE stage = 'alert'") == {"attempts": 1}
