"""The broker's refusals, rule by rule, without a server or a store."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from stonks_sandbox.alpaca.book import Book, Holding
from stonks_sandbox.alpaca.model import Order, Refusal, text
from stonks_sandbox.alpaca.rules import Admission, Quote, Ticket, admit, read_ticket
from stonks_sandbox.alpaca.wire import activity_json, order_json
from tests.sandbox.test_alpaca_scripted_world import order

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
QUOTE = Quote(Decimal(100), Decimal("99.99"), Decimal("100.01"), fractionable=True)
BOOK = Book(Decimal(10_000), {"AAA": Holding("AAA", Decimal("10.5"), Decimal(1_000))})


def ticket(**body: Any) -> Ticket:
    result = read_ticket(order(**body))
    assert isinstance(result, Ticket), result
    return result


def waiting(side: str, kind: str = "limit", price: str | None = "100", qty: str = "1") -> Order:
    limit = Decimal(price) if price else None
    return Order(
        "o1", 1, "c1", "AAA", side, kind, "day", NOW, NOW, None, "new", Decimal(qty), None, limit, reserve_price=limit
    )


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"qty": None}, 40010001, "qty or notional is required"),
        ({"qty": "1", "notional": "5"}, 40010001, "only one of qty or notional"),
        ({"qty": "0"}, 40010001, "qty must be > 0"),
        ({"qty": "NaN"}, 40010001, "qty must be > 0"),
        ({"qty": "many"}, 40010001, "qty is not a number"),
        ({"qty": "1.0000000001"}, 42210000, "9 decimal places"),
        ({"notional": "1.0000000001"}, 42210000, "9 decimal places"),
        ({"side": "hold"}, 40010001, "invalid side"),
        ({"type": "trailing_stop"}, 42210000, "trailing_stop"),
        ({"type": "iceberg"}, 40010001, "invalid order type"),
        ({"time_in_force": "never"}, 40010001, "invalid time_in_force"),
        ({"time_in_force": "ioc"}, 42210000, "ioc orders are not traded"),
        ({"symbol": ""}, 40010001, "symbol is required"),
        ({"client_order_id": "x" * 129}, 40010001, "at most 128"),
        ({"type": "limit"}, 40010001, "limit orders require limit_price"),
        ({"limit_price": "5"}, 40010001, "market orders require no limit_price"),
        ({"type": "stop_limit", "limit_price": "5"}, 40010001, "require stop_price"),
        (
            {"type": "limit", "limit_price": "290.123"},
            42210000,
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        ({"type": "stop", "stop_price": "1.005"}, 42210000, "invalid stop_price 1.005. sub-penny"),
        ({"qty": "1.5", "time_in_force": "gtc"}, 42210000, "fractional orders must be DAY orders"),
        ({"notional": "5", "time_in_force": "gtc"}, 42210000, "fractional orders must be DAY orders"),
        ({"qty": "1.5", "order_class": "bracket"}, 42210000, "fractional orders must be simple orders"),
        ({"order_class": "oco"}, 42210000, "oco orders are not traded"),
        (
            {"qty": "0.5", "type": "limit", "limit_price": "5", "extended_hours": True},
            42210000,
            "fractional orders must not be extended hours",
        ),
        ({"extended_hours": True}, 42210000, "extended hours order must be DAY limit orders"),
    ],
)
def test_malformed_tickets_are_refused(body: dict[str, Any], code: int, words: str) -> None:
    result = read_ticket({name: value for name, value in order(**body).items() if value is not None})
    assert isinstance(result, Refusal)
    assert (result.status, result.body["code"]) == (422, code)
    assert words in result.body["message"]


@pytest.mark.parametrize("kind", ["market", "limit", "stop", "stop_limit"])
def test_fractions_are_traded_by_four_types(kind: str) -> None:
    prices = {"limit_price": "99.5"} if "limit" in kind else {}
    prices |= {"stop_price": "101"} if "stop" in kind else {}
    assert isinstance(admit(ticket(qty="0.123456789", type=kind, **prices), QUOTE, BOOK, []), Admission)
    assert isinstance(admit(ticket(notional="25", type=kind, **prices), QUOTE, BOOK, []), Admission)


def test_below_a_dollar_prices_have_four_decimals() -> None:
    assert ticket(type="limit", limit_price="0.1234").limit_price == Decimal("0.1234")
    assert isinstance(read_ticket(order(type="limit", limit_price="0.12345")), Refusal)


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"notional": "0.99"}, 403, 40310000, "cost basis must be >= minimal amount of order 1"),
        ({"qty": "0.0099"}, 403, 40310000, "cost basis must be >= minimal amount of order 1"),
        ({"notional": "10000.01"}, 403, 40310000, "insufficient buying power"),
        ({"qty": "98"}, 403, 40310000, "insufficient buying power"),
        ({"side": "sell", "qty": "11"}, 403, 40310000, "insufficient qty available for order (requested: 11,"),
        ({"side": "sell", "notional": "2000"}, 403, 40310000, "insufficient qty available"),
        ({"symbol": "BBB", "side": "sell", "qty": "1"}, 403, 40310000, "account is not allowed to short"),
        ({"symbol": "BBB", "side": "sell", "qty": "0.5"}, 422, 42210000, "fractional orders cannot be sold short"),
        (
            {"side": "sell", "type": "stop", "stop_price": "100"},
            422,
            42210000,
            "stop price must be less than current price",
        ),
        ({"type": "stop", "stop_price": "100"}, 422, 42210000, "stop price must be greater than current price"),
    ],
)
def test_market_and_account_refuse(body: dict[str, Any], status: int, code: int, words: str) -> None:
    result = admit(ticket(**body), QUOTE, BOOK, [])
    assert isinstance(result, Refusal)
    assert (result.status, result.body["code"]) == (status, code)
    assert words in result.body["message"]


def test_an_asset_that_cannot_be_split_takes_whole_shares_only() -> None:
    whole = Quote(QUOTE.last, QUOTE.bid, QUOTE.ask, fractionable=False)
    assert isinstance(admit(ticket(qty="2"), whole, BOOK, []), Admission)
    for body in ({"qty": "2.5"}, {"notional": "50"}):
        result = admit(ticket(**body), whole, BOOK, [])
        assert isinstance(result, Refusal)
        assert "not fractionable" in result.body["message"]


@pytest.mark.parametrize(
    ("open_order", "body", "washes"),
    [
        (waiting("sell"), {}, True),
        (waiting("sell", "stop", None), {"type": "limit", "limit_price": "90"}, True),
        (waiting("sell"), {"type": "limit", "limit_price": "99.99"}, False),
        (waiting("sell"), {"type": "limit", "limit_price": "100"}, True),
        (waiting("buy"), {"side": "sell", "type": "limit", "limit_price": "100.01"}, False),
        (waiting("buy"), {"side": "sell", "type": "stop", "stop_price": "90"}, True),
        (waiting("buy"), {}, False),
        (waiting("buy"), {"symbol": "BBB", "type": "limit", "limit_price": "90"}, False),
    ],
)
def test_opposite_orders_that_could_meet_are_wash_trades(open_order: Order, body: dict[str, Any], washes: bool) -> None:
    result = admit(ticket(**body), QUOTE, BOOK, [open_order])
    assert isinstance(result, Refusal) is washes
    if isinstance(result, Refusal):
        assert (result.status, result.body["code"]) == (422, 42210000)
        assert result.body["message"] == "potential wash trade detected. use complex orders"
        assert result.body["existing_order_id"] == "o1"


def test_amounts_are_plain_digits() -> None:
    assert [text(Decimal(raw)) for raw in ("1E+3", "0.10", "-0", "100", "1.50", "1E-9")] == [
        "1000",
        "0.1",
        "0",
        "100",
        "1.5",
        "0.000000001",
    ]


RECORDED = Path(__file__).parents[3] / "shared" / "data" / "alpaca"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the vendor's recorded responses are not on this machine")
def test_orders_and_activities_have_the_vendors_fields() -> None:
    spec = yaml.safe_load((RECORDED / "openapi_trading.yaml").read_text())["components"]["schemas"]
    ours = order_json(waiting("buy"))
    assert spec["Order"]["properties"].keys() <= ours.keys()
    strings = [name for name, kind in spec["Order"]["properties"].items() if kind.get("type") == "string"]
    assert all(ours[name] is None or isinstance(ours[name], str) for name in strings)
    assert spec["TradingActivities"]["properties"].keys() <= activity_json.__annotations__.keys() | {
        "activity_type",
        "id",
        "cum_qty",
        "leaves_qty",
        "price",
        "qty",
        "side",
        "symbol",
        "transaction_time",
        "order_id",
        "type",
        "order_status",
    }
