"""What became known later changes nothing that is computed for an earlier instant, from signals to recommendations.

The day's lake is copied, rows that came to be known one microsecond too late are planted into it, as loud and as early
published as they can be, and everything below them is computed again for the instant of the first cycle.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stonks_assets.cycle import GOLD, SILVER, run_stages
from stonks_assets.pipeline import Pipeline
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.gold_tables import (
    RECOMMENDATION_EVIDENCE,
    RECOMMENDATIONS,
    TREND_EVIDENCE,
    TREND_HISTORY,
    TREND_PROJECTIONS,
    TREND_WINDOWS,
)
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
    MARKET_SNAPSHOTS,
    SIGNALS,
)
from stonks_core.stores.lake.tables import LakeTable
from tests.acceptance.day import NOW, TODAY, YESTERDAY, Day, register
from tests.acceptance.stage import fresh_database, pipeline_over

GIVEN = (CORPORATE_ACTIONS, DOCUMENTS, GLOBAL_EVENTS, IMPACT_RECORDS, MACRO_IMPACTS, MARKET_SNAPSHOTS)
COMPUTED = (
    *(COMPETITIVE_SIGNALS, SIGNALS, TREND_WINDOWS, TREND_HISTORY, TREND_EVIDENCE, TREND_PROJECTIONS),
    *(RECOMMENDATIONS, RECOMMENDATION_EVIDENCE),
)
TOO_LATE = NOW + timedelta(microseconds=1)
WHEN_COMPUTED = frozenset({"input_versions"})
Row = dict[str, Any]


@dataclass(frozen=True)
class Recomputed:
    """What came out again for the first cycle's instant, by table."""

    rows: Mapping[str, Mapping[tuple[Any, ...], Row]]
    planted: Mapping[str, int]


def _impacts(row: Row) -> Row:
    early = row["published_at"] - timedelta(minutes=30)
    turned = {"sentiment": -1.0 if row["sentiment"] > 0 else 1.0, "impact": 1.0, "confidence": 1.0, "credibility": 1.0}
    return row | turned | {"impact_id": row["impact_id"] + "-late", "published_at": early, "available_at": TOO_LATE}


def _macro(row: Row) -> Row:
    return row | {"macro_impact_id": row["macro_impact_id"] + "-late", "sentiment": -1.0, "available_at": TOO_LATE}


def _bars(row: Row) -> Row:
    # The fullest feed speaks where two report a bar, so that this one would be preferred.
    wild = {"close": row["close"] * 3, "high": row["high"] * 3, "volume": row["volume"] * 50}
    return row | wild | {"feed": "sip", "available_at": TOO_LATE}


PLANTS: Mapping[LakeTable, Callable[[Row], Row]] = {
    IMPACT_RECORDS: _impacts,
    MACRO_IMPACTS: _macro,
    MARKET_SNAPSHOTS: _bars,
}


@pytest.fixture(scope="module")
def recomputed(
    day: Day, postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recomputed]:
    folder = tmp_path_factory.mktemp("knowledge")
    for table in GIVEN:
        shutil.copytree(day.pipeline.lake.location.table_uri(table.name), folder / "lake" / table.name)
    with (
        fresh_database(postgres, template) as database,
        pipeline_over(folder, database, day.sandbox.url, NOW) as (pipeline, _),
    ):
        register(pipeline)
        planted = {table.name: _plant(pipeline.lake, table, make) for table, make in PLANTS.items()}
        assert _plant_splits(pipeline.lake, TOO_LATE) > 10
        _compute(pipeline)
        yield Recomputed({table.name: _rows(pipeline.lake, table) for table in COMPUTED}, planted)


def _plant_splits(lake: Lake, known_at: datetime) -> int:
    """A 3:1 split of every ticker on the day before, known since an instant."""
    tickers = sorted(set(lake.read(MARKET_SNAPSHOTS, columns=["ticker"])["ticker"].to_pylist()))
    blank = dict.fromkeys((f.name for f in CORPORATE_ACTIONS.schema if f.nullable), None)
    plain = {"kind": "split", "provider": "polygon", "action_id": "late", "terms": "1:3", "raw_sha256": "0"}
    figures = {"split_from": 1.0, "split_to": 3.0, "ex_date": YESTERDAY.isoformat(), "day": YESTERDAY.isoformat()}
    clocks = {"published_at": known_at, "available_at": known_at}
    rows = [{**blank, **plain, **figures, **clocks, "ticker": ticker} for ticker in tickers]
    return lake.merge(CORPORATE_ACTIONS, rows).inserted


def _plant(lake: Lake, table: LakeTable, make: Callable[[Row], Row]) -> int:
    known = [row for row in lake.read(table, as_of=NOW).to_pylist() if row["day"] >= "2026-02-20"]
    return lake.merge(table, [make(row) for row in known]).inserted


def _compute(pipeline: Pipeline) -> None:
    silver = {name: SILVER[name] for name in ("competitive_signals", "signals")}
    for day in (TODAY - timedelta(days=4), YESTERDAY, TODAY):
        run_stages(silver, pipeline, day, NOW)
    run_stages(GOLD, pipeline, TODAY, NOW)


def _rows(lake: Lake, table: LakeTable) -> Mapping[tuple[Any, ...], Row]:
    return {tuple(row[n] for n in ("day", *table.key)): row for row in lake.read(table).to_pylist()}


def _comparable(rows: Mapping[tuple[Any, ...], Mapping[str, Any]]) -> dict[tuple[Any, ...], Row]:
    return {key: {k: v for k, v in row.items() if k not in WHEN_COMPUTED} for key, row in rows.items()}


def test_enough_was_planted(day: Day, recomputed: Recomputed) -> None:
    assert all(count > 100 for count in recomputed.planted.values()), recomputed.planted
    later = day.later.keys("signals") - day.first.keys("signals")
    assert later, "the later cycle's own rows are part of what must not be seen"


@pytest.mark.parametrize("table", [table.name for table in COMPUTED])
def test_nothing_known_later_is_in_what_was_computed(day: Day, recomputed: Recomputed, table: str) -> None:
    assert _comparable(recomputed.rows[table]) == _comparable(day.first.rows[table])


def test_the_same_plants_known_in_time_would_have_changed_everything(
    day: Day, recomputed: Recomputed, postgres: Postgres, template: str, tmp_path: Path
) -> None:
    for table in GIVEN:
        shutil.copytree(day.pipeline.lake.location.table_uri(table.name), tmp_path / "lake" / table.name)
    with (
        fresh_database(postgres, template) as database,
        pipeline_over(tmp_path, database, day.sandbox.url, NOW) as (pipeline, _),
    ):
        register(pipeline)
        for table, make in PLANTS.items():
            in_time = [
                row | {"available_at": NOW, "published_at": min(row["published_at"], NOW)}
                for row in map(make, pipeline.lake.read(table, as_of=NOW, days=(YESTERDAY, TODAY)).to_pylist())
            ]
            pipeline.lake.merge(table, in_time)
        _compute(pipeline)
        changed = _comparable(_rows(pipeline.lake, TREND_HISTORY))
    before = _comparable(recomputed.rows[TREND_HISTORY.name])
    same = [key for key in before if changed.get(key) == before[key]]
    assert len(same) < len(before) / 10


def test_a_split_known_in_time_would_have_changed_the_market_around_trends(
    day: Day, recomputed: Recomputed, postgres: Postgres, template: str, tmp_path: Path
) -> None:
    for table in GIVEN:
        shutil.copytree(day.pipeline.lake.location.table_uri(table.name), tmp_path / "lake" / table.name)
    with (
        fresh_database(postgres, template) as database,
        pipeline_over(tmp_path, database, day.sandbox.url, NOW) as (pipeline, _),
    ):
        register(pipeline)
        _plant_splits(pipeline.lake, NOW)
        _compute(pipeline)
        changed = _rows(pipeline.lake, TREND_HISTORY)
    before = recomputed.rows[TREND_HISTORY.name]
    weeks = [key for key, row in before.items() if row["window"] == "7d" and row["window_return"] is not None]
    assert weeks
    for key in weeks:
        # Prices of before are a third of what was traded, so that as good as a 200 % gain comes on top.
        grown = (1 + changed[key]["window_return"]) / (1 + before[key]["window_return"])
        assert grown == pytest.approx(3, rel=1e-9)
        assert changed[key]["reference_price"] == before[key]["reference_price"]
