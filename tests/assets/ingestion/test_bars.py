"""Daily bars: what a grouped result must have, and what becomes of one that has it not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from stonks_assets.ingestion.bars import RAW, daily_bar, materialise_market_snapshots
from stonks_assets.pipeline import Pipeline
from stonks_core.calendar import MarketCalendar
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.stores.postgres import Database
from tests.assets.ingestion.asking import NOON, TODAY

SESSION = MarketCalendar("XNYS").session(TODAY)
EVENING = datetime(2026, 3, 10, 21, tzinfo=UTC)
WHOLE: dict[str, Any] = {"T": "AAA", "o": 10, "h": 12.5, "l": 9, "c": 11, "v": 1e6, "vw": 10.9}


def bar(**more: Any) -> dict[str, object] | str:
    assert SESSION is not None
    return daily_bar({**WHOLE, **more}, {"sha256": "0" * 64, "available_at": EVENING}, SESSION, "polygon")


def test_a_whole_bar_stands_under_its_session() -> None:
    row = bar()
    assert isinstance(row, dict)
    assert SESSION is not None
    assert (row["ticker"], row["open"], row["high"], row["low"], row["close"]) == ("AAA", 10.0, 12.5, 9.0, 11.0)
    assert (row["start_at"], row["end_at"], row["published_at"]) == (SESSION.open, SESSION.close, SESSION.close)
    assert (row["volume"], row["vwap"], row["available_at"], row["feed"]) == (1e6, 10.9, EVENING, "polygon")


def test_a_bar_may_lack_its_average() -> None:
    row = bar(vw=None)
    assert isinstance(row, dict)
    assert row["vwap"] is None


@pytest.mark.parametrize(
    "broken",
    [
        {"o": None}, {"c": "many"}, {"h": 0}, {"l": -1}, {"c": float("nan")}, {"o": float("inf")}, {"v": -1},
        {"v": float("nan")}, {"v": float("inf")}, {"v": None}, {"vw": "much"},
    ],
)  # fmt: skip
def test_a_broken_bar_is_a_sentence(broken: dict[str, Any]) -> None:
    said = bar(**broken)
    assert isinstance(said, str)
    assert "2026-03-10" in said


def test_broken_bars_are_failures_and_the_rest_goes_on(lake: Lake, database: Database) -> None:
    pipeline = Pipeline(
        load_settings({"MARKET_DATA_API_KEY": "key", "MARKET_CALENDAR": "XNYS"}), lake, database, ManualClock(EVENING)
    )
    payload = {"status": "DELAYED", "results": [WHOLE, {**WHOLE, "T": "BBB", "c": 0}, {"T": "CCC"}]}
    lake.merge(RAW, [raw(json.dumps(payload).encode())])
    for expected in ({"market_snapshots": 1}, {"market_snapshots": 0}):
        assert materialise_market_snapshots(pipeline, TODAY, EVENING).written == expected
    (row,) = lake.read(MARKET_SNAPSHOTS).to_pylist()
    assert (row["ticker"], row["feed"]) == ("AAA", "polygon_delayed")
    failures = database.fetch("SELECT stage, error, attempts FROM failures ORDER BY error")
    assert len(failures) == 2
    assert all(failure["stage"] == "market_snapshots" for failure in failures)


def test_a_day_without_a_session_has_no_bars(lake: Lake, database: Database) -> None:
    pipeline = Pipeline(load_settings({"MARKET_CALENDAR": "XNYS"}), lake, database, ManualClock(EVENING))
    sunday = TODAY.replace(day=8)
    lake.merge(RAW, [raw(json.dumps({"results": [WHOLE]}).encode(), sunday.isoformat())])
    assert materialise_market_snapshots(pipeline, sunday, EVENING).written == {"market_snapshots": 0}


def test_payloads_known_later_are_not_read(lake: Lake, database: Database) -> None:
    pipeline = Pipeline(load_settings({"MARKET_CALENDAR": "XNYS"}), lake, database, ManualClock(EVENING))
    lake.merge(RAW, [raw(json.dumps({"results": [WHOLE]}).encode())])
    assert materialise_market_snapshots(pipeline, TODAY, NOON).written == {"market_snapshots": 0}


def raw(payload: bytes, day: str = "2026-03-10") -> dict[str, object]:
    blank = {"string": "", "double": 0.5, "int64": 200, "bool": False}
    fields: dict[str, object] = {f.name: blank.get(str(f.type), EVENING) for f in RAW.schema if not f.nullable}
    return {**fields, "day": day, "kind": "grouped_daily", "item_id": "grouped", "sha256": "f" * 64, "payload": payload}
