"""Every refusal that Alpaca is known for: ours comes first and in a sentence, and the sandbox's broker refuses the same.

Three ways are closed: the form of an order by the validator, what account and open orders forbid by the risk checks, and
what our orders cannot even say (extended hours, order classes) by their having no such field.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from stonks_api.trading.entries import OrderWish
from stonks_core.vocabulary import RiskTier
from stonks_trading.broker.alpaca import AlpacaBroker
from stonks_trading.broker.protocol import BrokerOrder, OrderRequest, Refused
from stonks_trading.broker.rules import refusals
from stonks_trading.broker.wire import to_payload
from stonks_trading.records import OrderPlan
from stonks_trading.risk.checks import OpenOrder, Proposal
from stonks_trading.risk.config import RiskConfig
from stonks_trading.risk.evaluate import evaluate
from tests.sandbox.alpaca_served import KEYS, Server, serve
from tests.sandbox.test_alpaca_scripted_world import ScriptedWorld, flat
from tests.trading.decide.desk import NOON, RULES, market, portfolio, position

PRICES = {"AAA": 100.0, "WHOLE": 50.0, "PENNY": 0.4}
A_BAR_LATER = 11


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    world = ScriptedWorld({ticker: flat(price, bars=60) for ticker, price in PRICES.items()})
    folder = tmp_path_factory.mktemp("venue")
    with contextmanager(serve)(
        world, folder, requests_per_minute=10_000, whole_shares_only=frozenset({"WHOLE"})
    ) as running:
        yield running


@pytest.fixture(scope="module")
def venue(served: Server) -> Iterator[AlpacaBroker]:
    broker = AlpacaBroker(served.url, served.data, "k", "s", feed="iex", feed_name="sandbox")
    yield broker
    broker.close()


def order(name: str = "so-refused", **changes: Any) -> OrderRequest:
    given = {"ticker": "AAA", "side": "buy", "type": "market", **changes}
    amounts = {
        key: Decimal(value) if isinstance(value, str) and key in AMOUNTS else value for key, value in given.items()
    }
    return OrderRequest(name, **amounts)


AMOUNTS = {"notional", "quantity", "limit_price", "stop_price"}
FORM = {
    "no size": ({}, "exactly one of"),
    "quantity and notional": ({"quantity": "1", "notional": "5"}, "exactly one of"),
    "nothing": ({"quantity": "0"}, "not above zero"),
    "below zero": ({"notional": "-5"}, "not above zero"),
    "ten decimals": ({"quantity": "1.0000000001"}, "more than 9 decimals"),
    "under a dollar": ({"notional": "0.99"}, "one dollar"),
    "a fraction worth under a dollar": ({"quantity": "0.009", "type": "limit", "limit_price": "99"}, "one dollar"),
    "a fraction until cancelled": ({"quantity": "1.5", "time_in_force": "gtc"}, "DAY orders"),
    "dollars until cancelled": ({"notional": "5", "time_in_force": "gtc"}, "DAY orders"),
    "a fraction at the open": ({"quantity": "1.5", "time_in_force": "opg"}, "DAY orders"),
    "a fraction at the close": ({"quantity": "1.5", "time_in_force": "cls"}, "DAY orders"),
    "a fraction at once": ({"quantity": "1.5", "time_in_force": "ioc"}, "DAY orders"),
    "dollars, all or none": ({"notional": "5", "time_in_force": "fok"}, "DAY orders"),
    "a fraction of a whole share": ({"ticker": "WHOLE", "quantity": "1.5"}, "whole shares only"),
    "dollars of whole shares": ({"ticker": "WHOLE", "notional": "75"}, "whole shares only"),
    "a limit of mills": ({"quantity": "1", "type": "limit", "limit_price": "99.001"}, "sub-penny"),
    "a stop of mills": ({"quantity": "1", "type": "stop", "stop_price": "101.005"}, "sub-penny"),
    "five decimals": ({"ticker": "PENNY", "quantity": "5", "type": "limit", "limit_price": "0.41234"}, "sub-penny"),
    "a limit without its price": ({"quantity": "1", "type": "limit"}, "must have a limit price"),
    "a stop without its price": ({"quantity": "1", "type": "stop"}, "must have a stop price"),
    "half a stop-limit": ({"quantity": "1", "type": "stop_limit", "limit_price": "99"}, "must have a stop price"),
    "a market order with a price": ({"quantity": "1", "limit_price": "99"}, "must not have a limit price"),
    "a stranger": ({"ticker": "NOPE", "notional": "5"}, "does not know NOPE"),
    "a long name": ({"name": "x" * 129, "notional": "5"}, "129 characters"),
}


@pytest.mark.parametrize("case", FORM)
def test_a_malformed_order_is_refused_before_it_is_sent_and_by_the_venue(venue: AlpacaBroker, case: str) -> None:
    changes, words = FORM[case]
    wanted = order(**changes)
    sentences = refusals(wanted, venue.asset(wanted.ticker))
    assert any(words in sentence for sentence in sentences), sentences
    answer = venue.submit(wanted)
    assert isinstance(answer, Refused), answer
    assert answer.message


def test_the_same_orders_without_their_fault_are_taken(venue: AlpacaBroker) -> None:
    fine = (
        order("so-dollars", notional="5"),
        order("so-part", quantity="1.5"),
        order("so-whole", ticker="WHOLE", quantity="2", time_in_force="gtc"),
        order("so-cents", quantity="1", type="limit", limit_price="99.01", time_in_force="gtc"),
        order("so-mills", ticker="PENNY", quantity="5", type="limit", limit_price="0.3123"),
        order("so-stop", quantity="1", type="stop_limit", stop_price="101", limit_price="102"),
    )
    for wanted in fine:
        assert refusals(wanted, venue.asset(wanted.ticker)) == ()
        taken = venue.submit(wanted)
        assert isinstance(taken, BrokerOrder), taken
        assert venue.cancel(taken.broker_order_id)


def failing(proposal: Proposal) -> dict[str, str]:
    verdict = evaluate(proposal, RiskConfig.from_rules(RULES, RiskTier.MODERATE), "paper")
    return {check.name: check.sentence for check in verdict.results if not check.passed}


def test_shares_that_are_not_held_are_not_sold(venue: AlpacaBroker) -> None:
    for quantity in ("1", "0.5"):
        plan = OrderPlan("AAA", "sell", "market", quantity=Decimal(quantity), purpose="exit")
        refused = failing(Proposal(plan, "mine", portfolio(), market(), NOON))
        assert "0 of AAA are held and free" in refused["no_short"]
        answer = venue.submit(order(side="sell", quantity=quantity))
        assert isinstance(answer, Refused)
        assert "short" in answer.message


def test_more_than_the_cash_is_not_spent(venue: AlpacaBroker) -> None:
    cash = venue.account().buying_power
    plan = OrderPlan("ACME", "buy", "market", notional=cash + 1)
    assert (
        "free cash would be left" in failing(Proposal(plan, "mine", portfolio(cash), market(), NOON))["cash_and_pool"]
    )
    answer = venue.submit(order(notional=f"{cash + 1:.2f}"))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.message) == ("40310000", "insufficient buying power")


def test_no_order_is_placed_against_an_open_one(served: Server, venue: AlpacaBroker) -> None:
    bought = venue.submit(order("so-held", quantity="2"))
    assert isinstance(bought, BrokerOrder)
    served.at(A_BAR_LATER)
    leaving = venue.submit(order("so-leaving", side="sell", quantity="2", type="limit", limit_price="120"))
    assert isinstance(leaving, BrokerOrder)
    plan = OrderPlan("ACME", "buy", "market", notional=Decimal(50))
    beside = [OpenOrder("so-leaving", "ACME", "sell", "exit")]
    held = portfolio(500, position("ACME", 2, 100, stop=95))
    refused = failing(Proposal(plan, "mine", held, market(), NOON, open_orders=beside))
    assert "opposite order so-leaving of ACME is open" in refused["wash_trade"]
    answer = venue.submit(order(notional="50"))
    assert isinstance(answer, Refused)
    assert (answer.code, "wash trade" in answer.message) == ("42210000", True)
    assert venue.cancel(leaving.broker_order_id)


UNSAID = {
    "a fraction in extended hours": {"qty": "0.5", "type": "limit", "limit_price": "99", "extended_hours": True},
    "dollars in extended hours": {"notional": "5", "type": "limit", "limit_price": "99", "extended_hours": True},
    "a market order in extended hours": {"qty": "1", "extended_hours": True},
    "a bracket around a fraction": {
        "qty": "0.5",
        "order_class": "bracket",
        "take_profit": {"limit_price": "120"},
        "stop_loss": {"stop_price": "90"},
    },
    "one cancels other of dollars": {"notional": "5", "order_class": "oco"},
    "a trailing stop": {"qty": "1.5", "type": "trailing_stop", "trail_percent": "5"},
}


@pytest.mark.parametrize("case", UNSAID)
def test_what_our_orders_cannot_say_the_venue_refuses_too(served: Server, case: str) -> None:
    body = {"symbol": "AAA", "side": "buy", "type": "market", "time_in_force": "day", **UNSAID[case]}
    answer = httpx.post(f"{served.url}/v2/orders", json=body, headers=KEYS)
    assert (answer.status_code, answer.json()["code"]) == (422, 42210000)
    everything = dict.fromkeys((field.name for field in fields(OrderRequest)), Decimal(1))
    assert not {"extended_hours", "order_class", "trail_percent"} & to_payload(OrderRequest(**everything)).keys()  # type: ignore[arg-type]


@pytest.mark.parametrize("unsaid", [{"extended_hours": True}, {"order_class": "bracket"}, {"type": "trailing_stop"}])
def test_an_order_by_hand_that_says_it_is_refused_with_its_field(unsaid: dict[str, Any]) -> None:
    wish = {"reason": "because", "idempotency_key": "a-key-of-mine", "ticker": "AAA", "side": "buy", "quantity": "0.5"}
    with pytest.raises(ValidationError) as refused:
        OrderWish.model_validate(wish | unsaid)
    assert [error["loc"] for error in refused.value.errors()] == [(*unsaid,)]
