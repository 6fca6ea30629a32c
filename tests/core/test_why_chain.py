"""The chain behind an order over real stores, from the order to the sentence, and what it says where a link is gone."""

import json

import pytest

from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.identifiers import sha256_text
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from stonks_core.why import orders_of_document, why_order
from tests.api import story


@pytest.fixture
def stores(database: Database, lake: Lake) -> tuple[Database, Lake]:
    story.tell_lake(lake)
    story.tell_database(database)
    return database, lake


def test_an_entry_leads_to_the_sentences_that_stand_in_their_documents(stores: tuple[Database, Lake]) -> None:
    chain = why_order(*stores, story.ENTRY)
    assert chain["order"]["order_id"] == story.ENTRY
    assert [fill["quantity"] for fill in chain["order"]["fills"]] == [5.0]
    assert chain["decision"]["sentence"] == "Buy $50.00 of ACME."
    assert chain["recommendation"]["recommendation_id"] == story.RECOMMENDATION
    assert chain["trend"]["trend_id"] == chain["recommendation"]["trend_id"] == story.TREND
    assert chain["trend"]["score"] == 0.72  # of history: the window's row has moved on since
    assert chain["gaps"] == []
    assert [e["rank"] for e in chain["evidence"]] == [1, 2, 3]
    for evidence in chain["evidence"]:
        text = story.TEXTS[evidence["document_id"]]
        assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
        assert evidence["sha256"] == sha256_text(text)
        assert evidence["verified"]


def test_each_layer_shows_the_records_down_to_the_one_with_the_quote(stores: tuple[Database, Lake]) -> None:
    chain = why_order(*stores, story.ENTRY)
    tables = [[record["table"] for record in e["records"]] for e in chain["evidence"]]
    assert tables == [["impact_records"], ["macro_impacts", "global_events"], ["competitive_signals", "impact_records"]]
    assert chain["evidence"][2]["records"][1]["ticker"] == "BOLT"


def test_a_stop_carries_its_levels_and_the_chain_of_the_buy_it_left(stores: tuple[Database, Lake]) -> None:
    chain = why_order(*stores, story.STOP)
    assert chain["recommendation"] is None
    assert chain["trend"] is None
    assert chain["exit"]["kind"] == "stop"
    assert chain["exit"]["stop"] == "9.5"
    assert chain["exit"]["entry_orders"] == [story.ENTRY]
    assert chain["entry"]["order"]["order_id"] == story.ENTRY
    assert chain["entry"]["recommendation"]["recommendation_id"] == story.RECOMMENDATION
    assert chain["evidence"] == chain["entry"]["evidence"] != []


def test_a_document_changed_since_is_told(stores: tuple[Database, Lake]) -> None:
    story.tamper(stores[1])
    chain = why_order(*stores, story.ENTRY)
    assert [e["verified"] for e in chain["evidence"]] == [False, True, True]
    assert chain["gaps"] == [f"document {story.NEWS} no longer holds what was quoted"]


def test_an_order_is_found_by_the_brokers_id_and_by_an_unambiguous_beginning(stores: tuple[Database, Lake]) -> None:
    for name in ("alp-aaaa", "alp-", "so-s", f" {story.STOP} "):
        assert why_order(*stores, name)["order"]["order_id"] in (story.ENTRY, story.STOP)
    with pytest.raises(BadInputError, match=r"begins the ids of several orders \(so-"):
        why_order(*stores, "so-entry")
    for unknown in ("nothing", "so%", "so_"):
        with pytest.raises(NotFoundError, match="there is no order"):
            why_order(*stores, unknown)
    with pytest.raises(BadInputError, match="id is needed"):
        why_order(*stores, " ")


def test_a_reference_that_leads_nowhere_is_a_gap_and_not_a_failure(stores: tuple[Database, Lake]) -> None:
    chain = why_order(*stores, story.OPEN)
    assert chain["recommendation"] is None
    assert chain["evidence"] == []
    assert chain["gaps"] == ["recommendation rec-gone is not in the lake's 46 days up to 2026-03-04"]


def test_an_order_of_a_person_has_no_recommendation_and_no_entry(stores: tuple[Database, Lake]) -> None:
    database, lake = stores
    story.decide(database, "dec-by-hand", "override", None, "Somebody wanted it.", story.AS_OF)
    story.order(database, "by-hand", "dec-by-hand", None, purpose="override", notional=5)
    story.fill(database, "by-hand", "buy", 1, 5, story.AS_OF)
    chain = why_order(database, lake, "by-hand")
    assert chain["gaps"] == ["a person asked for this order (override): no recommendation stands behind it"]
    assert "entry" not in chain


def test_the_chain_is_the_same_from_a_lake_opened_anew_and_is_json(stores: tuple[Database, Lake]) -> None:
    database, lake = stores
    again = why_order(database, Lake(lake.location), story.STOP)
    assert again == why_order(database, lake, story.STOP)
    assert json.loads(json.dumps(again, default=str))["evidence"][0]["quote"] == story.QUOTE


def test_forward_from_a_document_to_the_orders_it_moved(stores: tuple[Database, Lake]) -> None:
    moved = orders_of_document(*stores, story.MACRO)
    assert {order["order_id"] for order in moved} == {story.ENTRY, story.STOP}
    assert {(order["rank"], order["stance"]) for order in moved} == {(2, "contradicting")}
    assert moved[0]["quote"] == story.QUOTES[story.MACRO]
    for unknown in ("20260304-nothing", "nothing", "20269999-x"):
        with pytest.raises(NotFoundError, match="there is no document"):
            orders_of_document(*stores, unknown)
