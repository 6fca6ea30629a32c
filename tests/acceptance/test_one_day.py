"""One day from the feeds to filled orders: every order can be explained down to the sentence, nothing happens twice."""

import hashlib
from datetime import timedelta

import pytest

from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.why import orders_of_document, why_order
from tests.acceptance.day import LATER, NOW, Day
from tests.acceptance.stage import Snapshot

REPLACED = {"trend_windows", "trend_projections"}
"""Tables of the newest state: a later cycle puts its row in place of the earlier one."""


def test_the_day_ends_in_filled_orders(day: Day) -> None:
    states = [order["state"] for order in day.first.orders.values()]
    assert states
    assert set(states) == {"filled"}
    filled = day.database.fetch("SELECT order_id, sum(quantity) AS shares FROM fills GROUP BY order_id")
    assert {row["order_id"] for row in filled} >= set(day.first.orders)


def test_every_source_type_brought_something_and_nothing_failed(day: Day) -> None:
    for name in ("raw_market_api", "raw_news_api", "raw_filings_api", "raw_web_scrape", "raw_macro_news"):
        assert day.first.rows[name], name
    for name in ("competitive_signals", "macro_impacts", "trend_history", "recommendation_evidence"):
        assert day.first.rows[name], name
    assert day.database.fetch("SELECT stage, item, error FROM failures WHERE status <> 'resolved'") == []


def test_why_leads_from_every_order_to_sentences_that_stand_in_their_documents(day: Day) -> None:
    documents = {row["document_id"]: row["text"] for row in day.pipeline.lake.read(DOCUMENTS).to_pylist()}
    assert day.later.orders
    for name in day.later.orders:
        chain = why_order(day.database, day.pipeline.lake, name)
        assert chain["gaps"] == []
        assert chain["recommendation"]["trend_id"] == chain["trend"]["trend_id"]
        assert chain["decision"]["recommendation_id"] == chain["recommendation"]["recommendation_id"]
        assert chain["evidence"], name
        for evidence in chain["evidence"]:
            text = documents[evidence["document_id"]]
            assert evidence["verified"] is True
            assert len(evidence["quote"]) > 10
            assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
            assert hashlib.sha256(text.encode()).hexdigest() == evidence["sha256"]
            assert evidence["weight"] > 0
            assert evidence["records"], "each evidence names the record that holds the quote"


def test_exits_are_explained_by_the_buys_that_they_end(day: Day) -> None:
    exits = day.database.fetch("SELECT order_id FROM orders WHERE side = 'sell' AND state = 'filled'")
    assert exits
    for row in exits:
        chain = why_order(day.database, day.pipeline.lake, row["order_id"])
        assert chain["gaps"] == []
        assert chain["evidence"]
        assert chain["entry"]["order"]["side"] == "buy"


def test_a_document_knows_the_orders_that_it_moved(day: Day) -> None:
    name = next(iter(day.first.orders))
    best = why_order(day.database, day.pipeline.lake, name)["evidence"][0]
    moved = orders_of_document(day.database, day.pipeline.lake, best["document_id"])
    assert name in {order["order_id"] for order in moved}


def test_the_same_cycle_again_writes_nothing(day: Day) -> None:
    assert day.again.versions == day.first.versions
    assert day.again.orders == day.first.orders
    assert day.again.decisions == day.first.decisions


def test_ten_minutes_later_only_what_is_new_is_added(day: Day) -> None:
    before, after = day.again, day.later
    for table, rows in before.rows.items():
        if table in REPLACED:
            assert before.keys(table) <= after.keys(table), table
            continue
        for key, row in rows.items():
            assert after.rows[table].get(key) == _same_but_for_place(row, after, table, key), (table, key)
    assert before.orders.keys() <= after.orders.keys()
    for name, order in before.orders.items():
        assert after.orders[name] == order


def _same_but_for_place(row: object, after: Snapshot, table: str, key: tuple[object, ...]) -> object:
    """A signal may learn of an earlier teller of its story; all else about it stays."""
    found = after.rows[table].get(key)
    if table != "signals" or found is None:
        return row
    assert isinstance(row, dict)
    return {**row, "origin_signal_id": found["origin_signal_id"], "novelty": found["novelty"]}


@pytest.mark.parametrize("table", ["documents", "impact_records", "signals", "trend_history", "recommendations"])
def test_what_was_added_later_was_not_known_before(day: Day, table: str) -> None:
    clock = "as_of" if table in {"trend_history", "recommendations"} else "available_at"
    fresh = day.later.keys(table) - day.again.keys(table)
    assert fresh, f"ten minutes brought no {table}: choose another instant"
    assert all(NOW < day.later.rows[table][key][clock] <= LATER + timedelta(seconds=1) for key in fresh)
