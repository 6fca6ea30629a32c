"""The validator refuses what Alpaca would refuse, and nothing that the engine itself makes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.money import dollars_down, order_price, shares_down
from stonks_trading.broker.protocol import Asset, OrderRequest
from stonks_trading.broker.rules import refusals

FRACTIONAL = Asset("ORCL", tradable=True, fractionable=True)
WHOLE = Asset("ORCL", tradable=True, fractionable=False)


def order(**given: object) -> OrderRequest:
    base: dict[str, object] = {"client_order_id": "so-1", "ticker": "ORCL", "side": "buy", "type": "market"}
    return OrderRequest(**{**base, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (order(), "exactly one"),
        (order(notional=Decimal(5), quantity=Decimal(1)), "exactly one"),
        (order(notional=Decimal("0.99")), "below the least"),
        (order(notional=Decimal("5.001")), "more than 2 decimals"),
        (order(quantity=Decimal("0.1234567891")), "more than 9 decimals"),
        (order(quantity=Decimal(0)), "not above zero"),
        (order(quantity=Decimal("NaN")), "not above zero"),
        (order(quantity=Decimal("0.5"), time_in_force="gtc"), "DAY orders"),
        (order(notional=Decimal(5), time_in_force="opg"), "DAY orders"),
        (order(quantity=Decimal(1), type="limit"), "must have a limit price"),
        (order(quantity=Decimal(1), limit_price=Decimal(5)), "must not have a limit price"),
        (order(quantity=Decimal(1), type="limit", limit_price=Decimal("5.001")), "sub-penny"),
        (order(quantity=Decimal(1), type="limit", limit_price=Decimal("0.50001")), "sub-penny"),
        (order(quantity=Decimal(1), type="stop"), "must have a stop price"),
        (
            order(quantity=Decimal(1), type="stop_limit", stop_price=Decimal(5), limit_price=Decimal(4)),
            "cannot fill",
        ),
        (order(notional=Decimal(5), client_order_id="x" * 49), "49 characters"),
        (order(notional=Decimal(5), ticker="or cl"), "not a ticker"),
    ],
)
def test_what_is_refused_and_why(request_: OrderRequest, words: str) -> None:
    assert any(words in sentence for sentence in refusals(request_, FRACTIONAL))


def test_assets_have_a_word_too() -> None:
    assert "whole shares only" in refusals(order(notional=Decimal(5)), WHOLE)[0]
    assert refusals(order(quantity=Decimal(3)), WHOLE) == ()
    assert "does not know" in refusals(order(quantity=Decimal(3)), None)[0]
    assert "does not trade" in refusals(order(quantity=Decimal(3)), Asset("ORCL", tradable=False, fractionable=True))[0]


@given(st.decimals(min_value=1, max_value=10**6, places=6), st.decimals(min_value="0.01", max_value=5000, places=6))
def test_what_our_own_roundings_make_passes(size: Decimal, price: Decimal) -> None:
    assert refusals(order(notional=dollars_down(size)), FRACTIONAL) == ()
    assert refusals(order(quantity=shares_down(size), side="sell"), FRACTIONAL) == ()
    stop = order(quantity=shares_down(size), side="sell", type="stop", stop_price=order_price(price))
    assert refusals(stop, FRACTIONAL) == ()
