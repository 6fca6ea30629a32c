"""Daily bars: what a grouped result must have, and what becomes of one that has it not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from stonks_assets.ingestion.bar_shapes import BadBar, daily_bars, feed_of, snapshots
from stonks_assets.ingestion.bars import RAW, materialise_market_snapshots
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


RAW_ROW: dict[str, Any] = {
    "sha256": "0" * 64,
    "available_at": EVENING,
    "fetched_at": EVENING,
    "response_headers": "",
    "url": "https://api.vendor.example/v2/aggs?adjusted=false",
}


def bar(**more: Any) -> dict[str, object] | BadBar:
    assert SESSION is not None
    (found,) = daily_bars({"results": [{**WHOLE, **more}]}, RAW_ROW, SESSION)
    return found


def test_a_whole_bar_stands_under_its_session() -> None:
    row = bar()
    assert isinstance(row, dict)
    assert SESSION is not None
    assert (row["ticker"], row["open"], row["high"], row["low"], row["close"]) == ("AAA", 10.0, 12.5, 9.0, 11.0)
    assert (row["start_at"], row["end_at"], row["published_at"]) == (SESSION.open, SESSION.close, SESSION.close)
    assert (row["volume"], row["vwap"], row["available_at"], row["feed"]) == (1e6, 10.9, EVENING, "polygon")


def test_a_bar_may_lack_its_average_and_have_what_is_new() -> None:
    row = bar(vw=None, otc=True, invented=[1])
    assert isinstance(row, dict)
    assert row["vwap"] is None


@pytest.mark.parametrize(
    "broken",
    [
        {"o": None}, {"c": "many"}, {"h": 0}, {"l": -1}, {"c": float("nan")}, {"o": float("inf")}, {"v": -1},
        {"v": float("nan")}, {"v": float("inf")}, {"v": None}, {"vw": "much"}, {"o": 10**400}, {"T": ""}, {"T": None},
    ],
)  # fmt: skip
def test_a_broken_bar_is_a_sentence(broken: dict[str, Any]) -> None:
    said = bar(**broken)
    assert isinstance(said, BadBar)
    assert "2026-03-10" in said.sentence


@pytest.mark.parametrize("results", [["x"], [None], [3], 7, {"T": "AAA"}, [[]]])
def test_what_is_no_bar_at_all_is_a_sentence_too(results: Any) -> None:
    assert SESSION is not None
    for body in ({"results": results}, {"bars": {"AAA": results}}, {"status": "OK", "tickers": results}):
        reader = snapshots if "tickers" in body else daily_bars
        found = list(reader(body, RAW_ROW, SESSION))
        assert found
        assert all(isinstance(bad, BadBar) for bad in found), body


FEEDS = [
    ({}, {}, "polygon"),
    ({}, {"status": "DELAYED"}, "polygon_delayed"),
    ({"url": "https://data.alpaca.markets/v2/stocks/bars?adjustment=raw&feed=iex"}, {}, "iex"),
    ({"url": "https://data.alpaca.markets/v2/stocks/bars?feed=sip&limit=1"}, {}, "sip"),
    ({"response_headers": '{"x-sandbox": "polygon"}'}, {"status": "DELAYED"}, "sandbox"),
    ({"response_headers": '{"x-sandbox": "alpaca"}', "url": "http://127.0.0.1:1/x?feed=iex"}, {}, "sandbox"),
]


@pytest.mark.parametrize(("raw", "body", "feed"), FEEDS)
def test_the_answer_itself_tells_its_feed(raw: dict[str, Any], body: dict[str, Any], feed: str) -> None:
    assert feed_of({**RAW_ROW, **raw}, body) == feed


MIDDAY = datetime(2026, 3, 10, 16, tzinfo=UTC)
DAY_SO_FAR = {"o": 10, "h": 12.5, "l": 9, "c": 11, "v": 1e6, "vw": 10.9}


def shot(body: dict[str, Any]) -> list[dict[str, object] | BadBar]:
    assert SESSION is not None
    return list(snapshots(body, {**RAW_ROW, "fetched_at": MIDDAY, "available_at": MIDDAY}, SESSION))


def test_a_snapshot_is_the_session_so_far() -> None:
    seen = datetime(2026, 3, 10, 15, 59, tzinfo=UTC)
    polygon = {
        "status": "OK",
        "tickers": [{"ticker": "AAA", "day": DAY_SO_FAR, "updated": int(seen.timestamp()) * 10**9}],
    }
    alpaca = {"AAA": {"dailyBar": {"t": "2026-03-10T04:00:00Z", **DAY_SO_FAR}, "latestTrade": {"t": seen.isoformat()}}}
    for body in (polygon, alpaca):
        (row,) = shot(body)
        assert isinstance(row, dict)
        assert SESSION is not None
        assert (row["span"], row["start_at"], row["end_at"], row["close"]) == ("snapshot", SESSION.open, seen, 11.0)
        assert row["published_at"] == seen < MIDDAY == row["available_at"]


@pytest.mark.parametrize(
    "found",
    [
        {"day": {"o": 0, "h": 0, "l": 0, "c": 0, "v": 0}},
        {"day": None},
        {"day": DAY_SO_FAR, "updated": int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()) * 10**9},
        {"dailyBar": {**DAY_SO_FAR, "t": "2026-03-09T04:00:00Z"}},
    ],
)
def test_who_has_not_traded_in_the_session_has_no_snapshot(found: dict[str, Any]) -> None:
    assert shot({"status": "OK", "tickers": [{"ticker": "AAA", **found}]}) == []


def test_a_snapshot_without_a_time_is_of_when_it_was_fetched() -> None:
    for updated in (0, None, "soon", 10**40, -(10**40)):
        (row,) = shot({"status": "OK", "tickers": [{"ticker": "AAA", "day": DAY_SO_FAR, "updated": updated}]})
        assert isinstance(row, dict)
        assert row["end_at"] == MIDDAY


def test_a_bar_of_another_day_is_refused() -> None:
    assert SESSION is not None
    body = {"bars": {"AAA": [{**DAY_SO_FAR, "t": "2026-03-09T04:00:00Z"}, {**DAY_SO_FAR, "t": "2026-03-10T04:00:00Z"}]}}
    bad, row = daily_bars(body, RAW_ROW, SESSION)
    assert isinstance(bad, BadBar)
    assert isinstance(row, dict)
    assert "is of 2026-03-09" in bad.sentence


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
