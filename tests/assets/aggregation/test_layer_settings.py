"""Every setting of the layers is read and has its effect: the same world, one variable changed, another answer."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.extraction.macro_step import materialise_macro_impacts
from stonks_assets.pipeline import Pipeline
from stonks_core.alerts import open_alerts
from stonks_core.clock import ManualClock
from stonks_core.errors import SettingsError
from stonks_core.layers import SWITCHED, switch_layer
from stonks_core.settings import SLICES, load_settings
from stonks_core.stores.lake.gold_tables import TREND_HISTORY, TREND_PROJECTIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
    MARKET_SNAPSHOTS,
)
from stonks_core.stores.postgres import Database
from tests.assets.aggregation.conftest import Maker

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
DAY = NOW.date()
FIRST = datetime(2025, 2, 1, 21, 0, tzinfo=UTC)
SESSIONS = (NOW - FIRST).days + 1
RECENT, OLD, OLDEST = 120, 150, 170  # days before NOW on which such news was told before
MAJOR = (130, 230, 260)


@pytest.fixture
def world(lake: Lake, database: Database, impacts: Maker, daily_bars: Maker) -> Lake:
    """News of today about AAA, one product launch and one guidance raise, with earlier ones of each; an old short event."""
    with database.connection() as connection:
        for ticker in ("AAA", "BBB", "CCC"):
            connection.execute(
                "INSERT INTO companies (ticker, legal_name, sector) VALUES (%s, %s, 'Energy')",
                (ticker, f"{ticker} Inc"),
            )
        connection.execute(
            """
            INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength)
            SELECT a.company_id, b.company_id, 'sector_peer', 0.9 FROM companies a, companies b
            WHERE a.ticker = 'AAA' AND b.ticker = 'BBB'
            """
        )
    rows: list[dict[str, Any]] = [
        {"published_at": NOW - timedelta(hours=3), "impact": 0.9, "impact_id": "launch"},
        {"published_at": NOW - timedelta(hours=2), "impact": 0.9, "impact_id": "raise", "catalyst": "guidance_raise"},
    ]
    rows += [{"published_at": NOW - timedelta(days=days), "impact_id": f"l{days}"} for days in (RECENT, OLD, OLDEST)]
    rows += [
        {"published_at": NOW - timedelta(days=days), "impact_id": f"r{days}", "catalyst": "guidance_raise"}
        for days in MAJOR
    ]
    lake.merge(IMPACT_RECORDS, impacts(*rows))
    told = [SESSIONS - 1 - days for days in (RECENT, OLD, OLDEST, *MAJOR)]
    closes: dict[str, list[float]] = {}
    for ticker, gain in (("AAA", 0.0), ("BBB", 0.05), ("CCC", 0.0)):
        prices = [100.0]
        for session in range(1, SESSIONS):
            prices.append(prices[-1] * (1 + (gain if session - 1 in told else 0.0)))
        closes[ticker] = prices
    lake.merge(MARKET_SNAPSHOTS, daily_bars(closes, FIRST))
    for name, hours, confidence in (("fresh", 5, 0.5), ("stale", 60, 0.9)):
        at = NOW - timedelta(hours=hours)
        event: dict[str, Any] = {field.name: "" for field in GLOBAL_EVENTS.schema}
        event |= {
            "day": at.date().isoformat(), "event_id": name, "document_id": f"{at:%Y%m%d}-{name}", "type": "supply",
            "cluster_id": f"{at:%Y%m%d}-{name}", "severity": "high", "direction": -0.8, "regions": "[]",
            "sectors": '[{"name": "Energy", "weight": 1.0}]', "commodities": "[]", "duration": "short",
            "confidence": confidence, "credibility": 0.6, "quote_start": 0, "quote_end": 1, "published_at": at,
            "available_at": at,
        }  # fmt: skip
        lake.merge(GLOBAL_EVENTS, pa.Table.from_pylist([event], schema=GLOBAL_EVENTS.schema))
    return lake


def running(lake: Lake, database: Database, **variables: str) -> Pipeline:
    return Pipeline(load_settings({"MARKET_CALENDAR": "24/7", **variables}), lake, database, ManualClock(NOW))


def events(made: Pipeline) -> Any:
    """The events that reach companies."""
    for day in EVENT_DAYS:
        materialise_macro_impacts(made, day, NOW)
    return sorted({row["event_id"] for row in made.lake.read(MACRO_IMPACTS).to_pylist()})


def signals(made: Pipeline) -> Any:
    """What is propagated to BBB: by which pattern of how many samples, and how far it is trusted."""
    materialise_competitive_signals(made, DAY, NOW)
    rows = made.lake.read(COMPETITIVE_SIGNALS).to_pylist()
    return {row["impact_id"]: (row["pattern"], row["samples"], round(row["pattern_confidence"], 3)) for row in rows}


def trend(made: Pipeline) -> Any:
    """The weights of the trend of BBB, which has no news of its own."""
    events(made)
    signals(made)
    for day in EVENT_DAYS:
        materialise_signals(made, day, NOW)
    materialise_trends(made, DAY, NOW)
    (row,) = made.lake.read(
        TREND_HISTORY, where=(ds.field("ticker") == "BBB") & (ds.field("window") == "7d")
    ).to_pylist()
    return [round(row[name], 3) for name in ("total_weight", "macro_share", "competitive_share")]


def projections(made: Pipeline) -> Any:
    """How many projections are kept of a score that rises unsteadily."""
    rows = []
    for hours, score in ((0, 0.5), (1, 0.3), (2, 0.4), (3, 0.1), (4, 0.2)):
        row: dict[str, Any] = {field.name: 0.0 if str(field.type) == "double" else "" for field in TREND_HISTORY.schema}
        at = NOW - timedelta(hours=hours)
        row |= {"day": DAY.isoformat(), "trend_id": str(hours), "ticker": "AAA", "window": "7d", "signals_counted": 1}
        rows.append({**row, "score": score, "as_of": at})
    made.lake.merge(TREND_HISTORY, pa.Table.from_pylist(rows, schema=TREND_HISTORY.schema))
    materialise_projections(made, DAY, NOW)
    return made.lake.read(TREND_PROJECTIONS).num_rows


EVENT_DAYS: tuple[date, ...] = (DAY - timedelta(days=3), DAY - timedelta(days=2), DAY)
Looked = Callable[[Pipeline], Any]
DEFAULTS: dict[Looked, Any] = {
    events: ["fresh", "stale"],
    signals: {"launch": ("cross", 3, 0.376), "raise": ("cross", 3, 0.456)},
    trend: [0.131, 0.579, 0.421],
    projections: 1,
}
CHANGES: list[tuple[dict[str, str], Looked]] = [
    ({"MACRO_SIGNAL_WEIGHT": "0.9"}, trend),
    ({"MACRO_ENABLED": "false"}, trend),
    ({"MACRO_CONFIDENCE_THRESHOLD": "0.6"}, events),
    ({"MACRO_SHORT_TERM_STALENESS_HOURS": "72"}, trend),
    ({"PROJECTION_CONFIDENCE_THRESHOLD": "0.9"}, projections),
    ({"COMPETITIVE_SIGNAL_WEIGHT": "0.9"}, trend),
    ({"COMPETITIVE_ENABLED": "false"}, signals),
    ({"COMPETITIVE_PATTERN_CONFIDENCE_THRESHOLD": "0.4"}, signals),
    ({"COMPETITIVE_PROPAGATION_STRENGTH_THRESHOLD": "0.32"}, signals),
    ({"COMPETITIVE_ROUTINE_LOOKBACK_DAYS": "160"}, signals),
    ({"COMPETITIVE_MAJOR_DECISION_LOOKBACK_DAYS": "240"}, signals),
    ({"COMPETITIVE_MAJOR_DECISION_WEIGHT_MULTIPLIER": "1.6"}, signals),
    ({"COMPETITIVE_STALENESS_WINDOW_DAYS": "130"}, signals),
    ({"COMPETITIVE_STALENESS_RECENT_DAYS": "110"}, signals),
    ({"COMPETITIVE_STALENESS_DECAY_PENALTY": "0.9"}, signals),
    ({"COMPETITIVE_MIN_PATTERN_SAMPLES": "4"}, signals),
]
"""Each variable, and where its change is seen; how often propagation may fail is tried with the alerts."""


@pytest.mark.parametrize("look", list(DEFAULTS), ids=lambda look: look.__name__)
def test_the_defaults(look: Looked, world: Lake, database: Database) -> None:
    assert look(running(world, database)) == DEFAULTS[look]


@pytest.mark.parametrize(("changed", "look"), CHANGES, ids=[next(iter(changed)) for changed, _ in CHANGES])
def test_each_variable_changes_the_answer(
    changed: dict[str, str], look: Looked, world: Lake, database: Database
) -> None:
    assert look(running(world, database, **changed)) != DEFAULTS[look]


def test_every_variable_of_the_layers_is_tried_and_documented() -> None:
    named = {str(info.alias): info.description for info in SLICES["signals"].model_fields.values()}
    assert set(named) == {name for changed, _ in CHANGES for name in changed} | {
        "COMPETITIVE_PROPAGATION_FAILURE_THRESHOLD"
    }
    assert all(named.values())


@pytest.mark.parametrize("name", [name for changed, _ in CHANGES for name in changed])
def test_a_variable_outside_its_bounds_is_a_sentence(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({name: "-5"})


def test_how_often_propagation_may_fail_is_a_setting(lake: Lake, database: Database) -> None:
    made = running(lake, database, COMPETITIVE_PROPAGATION_FAILURE_THRESHOLD="2")
    (Path(lake.location.table_uri(IMPACT_RECORDS.name))).parent.mkdir(parents=True, exist_ok=True)
    Path(lake.location.table_uri(IMPACT_RECORDS.name)).write_text("no table")
    for expected in (0, 1):
        assert materialise_competitive_signals(made, DAY, NOW).failed == 1
        assert len(open_alerts(database)) == expected


def test_a_switch_takes_effect_in_the_next_cycle_and_nothing_is_lost(world: Lake, database: Database) -> None:
    """Off: what comes in goes on being interpolated and kept. On again: all of it counts, what came meanwhile too."""
    made = running(world, database)
    with database.connection() as connection:
        for layer in SWITCHED:
            switch_layer(connection, layer, enabled=False, actor="operator", reason="a try")
    assert events(made) == ["fresh", "stale"], "macro data is preserved"
    assert signals(made) == {}, "propagation is skipped"
    for day in EVENT_DAYS:
        materialise_signals(made, day, NOW)
    materialise_trends(made, DAY, NOW)
    of_rival = ds.field("ticker") == "BBB"
    assert world.read(TREND_HISTORY, where=of_rival).num_rows == 0
    with database.connection() as connection:
        for layer in SWITCHED:
            switch_layer(connection, layer, enabled=True, actor="operator", reason="a try")
    assert trend(made) == DEFAULTS[trend], "resumed, with the most recent events and the relationships there are"
