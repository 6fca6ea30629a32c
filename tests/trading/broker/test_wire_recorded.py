"""Alpaca's recorded orders read into our records: nothing is guessed, and what can still fill is not final."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stonks_trading.broker import wire


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from objects(item)
    elif isinstance(value, dict):
        if "client_order_id" in value and "status" in value and "symbol" in value:
            yield value
        for item in value.values():
            yield from objects(item)


def test_recorded_orders_are_read(shared_data: Path) -> None:
    found = [
        body
        for path in sorted((shared_data / "alpaca" / "alpaca_py_recorded").glob("order_routes__*.json"))
        for body in objects(json.loads(path.read_text()))
        if body.get("asset_class", "us_equity") == "us_equity"
    ]
    assert len(found) >= 5
    for body in found:
        read = wire.order(body)
        assert read.client_order_id == body["client_order_id"]
        assert read.state.final == (body["status"] in {"filled", "canceled", "expired", "rejected", "replaced"})
    assert {body["status"] for body in found} >= {"accepted"}


def test_a_stop_that_is_being_cancelled_still_binds_its_shares() -> None:
    body = {"id": "b", "client_order_id": "c", "symbol": "ACME", "side": "sell", "type": "stop", "qty": "2"}
    states = {word: wire.order({**body, "status": word}).state.final for word in ("new", "held", "pending_cancel")}
    assert states == {"new": False, "held": False, "pending_cancel": False}
    assert wire.order({**body, "status": "canceled"}).state.final
    assert wire.order({**body, "status": "replaced"}).state.final


REMOVED = ("pattern_day_trader", "daytrade_count", "daytrading_buying_power", "dtbp_check", "pdt_check")
CHANGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "as recorded": lambda body: body,
    "without the removed fields": lambda body: {name: value for name, value in body.items() if name not in REMOVED},
    "with nulls in their place": lambda body: {**body, **dict.fromkeys(REMOVED)},
    "with fields nobody knows yet": lambda body: {**body, "intraday_margin": {"used": "0"}, "tags": ["a"]},
}


def recorded(shared_data: Path, pattern: str, *keys: str) -> list[dict[str, Any]]:
    """The recorded objects that have all these keys."""
    found: list[dict[str, Any]] = []

    def look(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                look(item)
        elif isinstance(value, dict):
            if all(key in value for key in keys):
                found.append(value)
            for item in value.values():
                look(item)

    for path in sorted((shared_data / "alpaca" / "alpaca_py_recorded").glob(pattern)):
        look(json.loads(path.read_text()))
    assert found
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_recorded_statements_are_read_whatever_came_and_went(shared_data: Path, change: str) -> None:
    altered = CHANGES[change]
    for body in recorded(shared_data, "account_routes__test_get_account.json", "cash", "equity"):
        account = wire.account(altered(body))
        assert (account.cash, account.equity) == (Decimal(body["cash"]), Decimal(body["equity"]))
        assert account.number == body["account_number"]
    for body in recorded(shared_data, "position_routes__test_get_all*.json", "symbol", "avg_entry_price"):
        held = wire.position(altered(body))
        assert (held.ticker, held.quantity) == (body["symbol"], Decimal(body["qty"]))
    for body in recorded(shared_data, "asset_routes__test_get_asset.json", "symbol", "tradable"):
        asset = wire.asset(altered(body))
        assert (asset.ticker, asset.tradable) == (body["symbol"], body["tradable"])
    for body in recorded(shared_data, "order_routes__*.json", "client_order_id", "status", "symbol"):
        assert wire.order(altered(body)) == wire.order(body)
