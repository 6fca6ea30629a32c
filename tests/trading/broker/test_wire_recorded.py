"""Alpaca's recorded orders read into our records: nothing is guessed, and what can still fill is not final."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
