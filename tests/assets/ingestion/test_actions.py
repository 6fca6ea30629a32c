"""Splits and dividends: both vendors' shapes, when each was known, corrections, and entries that are none."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stonks_assets.ingestion.action_shapes import BadAction, corporate_actions
from stonks_assets.ingestion.actions import RAW, materialise_corporate_actions
from stonks_assets.pipeline import Pipeline
from stonks_core.calendar import MarketCalendar
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from tests.assets.ingestion.asking import NOON, TODAY

HEADERS = {"sha256": "0" * 64, "response_headers": ""}


def read(body: dict[str, Any], kind: str, **raw: Any) -> list[Any]:
    return list(corporate_actions(body, {**HEADERS, **raw}, kind))


def polygon_split(**more: Any) -> dict[str, Any]:
    return {"id": "E1", "ticker": "AAA", "execution_date": "2026-03-12", "split_from": 1, "split_to": 10, **more}


def polygon_dividend(**more: Any) -> dict[str, Any]:
    return {
        "id": "D1", "ticker": "AAA", "ex_dividend_date": "2026-03-12", "cash_amount": 0.25, "dividend_type": "CD",
        "declaration_date": "2026-02-01", "record_date": "2026-03-13", "pay_date": "2026-04-01", "frequency": 4, **more,
    }  # fmt: skip


def test_both_vendors_splits_are_one_shape() -> None:
    (own,) = read({"results": [polygon_split()]}, "splits")
    entry = {"id": "u-1", "symbol": "AAA", "ex_date": "2026-03-12", "old_rate": 1, "new_rate": 10}
    (other,) = read({"corporate_actions": {"forward_splits": [entry]}}, "splits")
    assert (own["provider"], own["action_id"], own["terms"]) == ("polygon", "E1", "1:10")
    assert (other["provider"], other["action_id"], other["terms"]) == ("alpaca", "u-1", "1:10")
    assert {k: v for k, v in own.items() if k not in ("provider", "action_id")} == {
        k: v for k, v in other.items() if k not in ("provider", "action_id")
    }
    assert (own["day"], own["ex_date"], own["split_from"], own["split_to"]) == ("2026-03-12", "2026-03-12", 1, 10)


def test_a_stock_dividend_is_a_split_and_a_reverse_split_shrinks() -> None:
    stock = {"id": "s", "symbol": "AAA", "ex_date": "2026-03-12", "rate": 0.05}
    reverse = {"id": "r", "symbol": "BBB", "ex_date": "2026-03-12", "old_rate": 50, "new_rate": 1}
    listed = {"corporate_actions": {"stock_dividends": [stock], "reverse_splits": [reverse], "spin_offs": [{}]}}
    assert [(row["ticker"], row["terms"]) for row in read(listed, "splits")] == [("BBB", "50:1"), ("AAA", "1:1.05")]
    assert read(listed, "dividends") == []


def test_dividends_tell_their_dates_and_money() -> None:
    (row,) = read({"results": [polygon_dividend()]}, "dividends")
    assert (row["kind"], row["cash_amount"], row["currency"], row["dividend_type"]) == ("dividend", 0.25, "USD", "CD")
    assert (row["declared_on"], row["record_on"], row["pay_on"]) == ("2026-02-01", "2026-03-13", "2026-04-01")
    entry = {"symbol": "AAA", "ex_date": "2026-03-12", "rate": 0.25, "special": True, "payable_date": "2026-04-01"}
    (other,) = read({"corporate_actions": {"cash_dividends": [entry]}}, "dividends")
    assert (other["dividend_type"], other["pay_on"], other["action_id"]) == ("special", "2026-04-01", "dividend")
    (odd,) = read({"results": [polygon_dividend(pay_date="soon", currency="cad")]}, "dividends")
    assert (odd["pay_on"], odd["terms"]) == (None, "0.25 CAD")


def test_the_sandbox_s_actions_are_its_own() -> None:
    (row,) = read({"results": [polygon_split()]}, "splits", response_headers='{"x-sandbox": "polygon"}')
    assert row["provider"] == "sandbox"


@pytest.mark.parametrize(
    "broken",
    [
        {"ticker": None}, {"ticker": ""}, {"ticker": 7}, {"execution_date": None}, {"execution_date": "soon"},
        {"split_from": 0}, {"split_to": -1}, {"split_to": "many"}, {"split_to": float("nan")}, {"split_from": 10**400},
    ],
)  # fmt: skip
def test_an_entry_that_is_none_is_a_sentence_and_the_rest_goes_on(broken: dict[str, Any]) -> None:
    bad, good = read({"results": [polygon_split(**broken), polygon_split(ticker="BBB")]}, "splits")
    assert isinstance(bad, BadAction)
    assert "corporate action" in bad.sentence
    assert good["ticker"] == "BBB"


@pytest.mark.parametrize(
    "body",
    [
        {"results": 3},
        {"results": ["x"]},
        {"corporate_actions": {"forward_splits": 3}},
        {"results": [None]},
        {"results": [[]]},
    ],
)
def test_what_is_no_entry_at_all_is_a_sentence(body: dict[str, Any]) -> None:
    assert all(isinstance(found, BadAction) for found in read(body, "splits"))
    assert read(body, "splits")


def test_nothing_listed_is_nothing() -> None:
    for body in ({}, {"results": None}, {"results": []}, {"corporate_actions": {}}, {"corporate_actions": None}):
        assert read(body, "splits") == []


def test_recorded_answers_of_both_vendors_read_whole(shared_data: Any) -> None:
    polygon, alpaca = shared_data / "polygon", shared_data / "alpaca" / "alpaca_py_recorded"
    for path, kind in (
        (polygon / "mocks" / "v3" / "reference" / "splits.json", "splits"),
        (polygon / "spec_examples" / "v3__reference__splits.json", "splits"),
        (polygon / "mocks" / "v3" / "reference" / "dividends.json", "dividends"),
    ):
        body = json.loads(path.read_text())
        rows = read(body, kind)
        assert len(rows) == len(body["results"]) > 0
        assert not [row for row in rows if isinstance(row, BadAction)]
    body = json.loads((alpaca / "corporate_actions__test_get_corporate_actions.json").read_text())
    splits = {row["ticker"]: row["split_to"] / row["split_from"] for row in read(body, "splits")}
    assert splits == {"MNTS": 1 / 50, "SRE": 2, "MSBC": pytest.approx(1.05)}
    assert [(row["ticker"], row["cash_amount"]) for row in read(body, "dividends")] == [("FCF", 0.125)]


# The stage.


@pytest.fixture
def pipeline(lake: Lake, database: Database) -> Pipeline:
    settings = load_settings({"MARKET_DATA_API_KEY": "key", "MARKET_CALENDAR": "XNYS"})
    return Pipeline(settings, lake, database, ManualClock(NOON))


def listed(lake: Lake, *results: Any, kind: str = "splits", day: date = TODAY, **more: Any) -> None:
    blank = {"string": "", "double": 0.5, "int64": 200, "bool": False}
    fields: dict[str, Any] = {f.name: blank.get(str(f.type), NOON) for f in RAW.schema if not f.nullable}
    payload = json.dumps({"status": "OK", "results": list(results)}).encode()
    name = f"{kind}:{day}:{len(payload)}"
    row = {**fields, "day": day.isoformat(), "kind": kind, "item_id": name, "sha256": name, "payload": payload, **more}
    lake.merge(RAW, [row])


def held(lake: Lake) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = lake.read(CORPORATE_ACTIONS).to_pylist()
    return sorted(rows, key=lambda row: (row["ex_date"], row["kind"], row["available_at"]))


def test_actions_stand_under_their_ex_date_and_are_known_when_fetched(pipeline: Pipeline) -> None:
    listed(pipeline.lake, polygon_split())
    listed(pipeline.lake, polygon_dividend(), kind="dividends")
    assert materialise_corporate_actions(pipeline, TODAY, NOON).written == {"corporate_actions": 2}
    dividend, split = held(pipeline.lake)
    assert {split["day"], dividend["day"]} == {"2026-03-12"}
    assert split["available_at"] == dividend["available_at"] == NOON
    assert dividend["published_at"] == datetime(2026, 2, 1, tzinfo=UTC)
    version = pipeline.lake.version(CORPORATE_ACTIONS)
    assert materialise_corporate_actions(pipeline, TODAY, NOON).written == {"corporate_actions": 0}
    assert pipeline.lake.version(CORPORATE_ACTIONS) == version


def test_a_backfill_is_known_as_the_ex_dates_session_opens(pipeline: Pipeline) -> None:
    sunday = polygon_split(ticker="BBB", execution_date="2026-03-15")
    listed(pipeline.lake, polygon_split(), sunday, backfilled=True, available_at=NOON - timedelta(hours=11))
    materialise_corporate_actions(pipeline, TODAY, NOON)
    calendar = MarketCalendar("XNYS")
    opens = [calendar.session(day) for day in (date(2026, 3, 12), date(2026, 3, 16))]
    assert [row["available_at"] for row in held(pipeline.lake)] == [session.open for session in opens if session]


def test_what_was_known_first_stays_and_a_correction_is_a_row_of_its_own(pipeline: Pipeline) -> None:
    listed(pipeline.lake, polygon_split())
    materialise_corporate_actions(pipeline, TODAY, NOON)
    tomorrow, later = TODAY + timedelta(days=1), NOON + timedelta(days=1)
    clocks = {"day": tomorrow, "fetched_at": later, "available_at": later}
    listed(pipeline.lake, polygon_split(), polygon_split(split_to=20), **clocks)
    assert materialise_corporate_actions(pipeline, tomorrow, later).written == {"corporate_actions": 1}
    assert [(row["terms"], row["available_at"]) for row in held(pipeline.lake)] == [("1:10", NOON), ("1:20", later)]


def test_entries_that_are_none_are_failures_of_their_own(pipeline: Pipeline) -> None:
    listed(pipeline.lake, polygon_split(split_to=0), polygon_split(ticker="BBB"), polygon_split(ticker=None))
    listed(pipeline.lake, kind="dividends", payload=b"{cut", sha256="cut")
    far = polygon_split(ticker="CCC", execution_date="2126-03-12")
    listed(pipeline.lake, far, backfilled=True)
    report = materialise_corporate_actions(pipeline, TODAY, NOON)
    assert (report.written, report.failed) == ({"corporate_actions": 1}, 4)
    failures = pipeline.database.fetch("SELECT item FROM failures WHERE stage = 'corporate_actions' ORDER BY item")
    assert [row["item"] for row in failures] == [
        "dividends:2026-03-10:?", "splits:2026-03-10:?", "splits:2026-03-10:AAA", "splits:2026-03-10:CCC",
    ]  # fmt: skip


def test_payloads_known_later_are_not_read(pipeline: Pipeline) -> None:
    listed(pipeline.lake, polygon_split(), available_at=NOON + timedelta(microseconds=1))
    assert materialise_corporate_actions(pipeline, TODAY, NOON).written == {"corporate_actions": 0}
