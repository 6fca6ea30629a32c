"""Alpaca's recorded answers as they come and will come: with the fields removed in July 2026, without, null, and with more.

Each is served over HTTP to the daemon's broker, which must read the same account, positions, orders and asset from all of
them, and to ingestion, which must keep every byte.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from stonks_assets.ingestion.alpaca import AlpacaBrokerAdapter
from stonks_core.vocabulary import SourceType
from stonks_trading.broker import wire
from tests.assets.ingestion.asking import NOON, TODAY, WrittenWeb, ask_for
from tests.trading.broker.test_alpaca_errors import Scripted, broker, serving

REMOVED = ("pattern_day_trader", "daytrade_count", "daytrading_buying_power", "dtbp_check", "pdt_check")
Change = Callable[[dict[str, Any]], dict[str, Any]]

CHANGES: dict[str, Change] = {
    "as recorded": lambda body: body,
    "without the removed": lambda body: {name: value for name, value in body.items() if name not in REMOVED},
    "the removed null": lambda body: body | dict.fromkeys(REMOVED),
    "the removed as other types": lambda body: body | {name: [{"was": 0}] for name in REMOVED},
    "unknown fields": lambda body: body | {"margin_regime": "intraday", "tax_lots": [{"id": 1, "open": None}], "": {}},
}


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> Path:
    return shared_data / "alpaca" / "alpaca_py_recorded"


@pytest.fixture(params=CHANGES)
def change(request: pytest.FixtureRequest) -> Change:
    return CHANGES[request.param]


def changed(value: Any, change: Change) -> Any:
    """An answer with every object in it changed, those within objects too."""
    if isinstance(value, list):
        return [changed(item, change) for item in value]
    if isinstance(value, dict):
        return change({name: changed(item, change) for name, item in value.items()})
    return value


def answer(recorded: Path, name: str) -> Any:
    return json.loads((recorded / f"{name}.json").read_text())


@contextmanager
def saying(body: Any) -> Iterator[Scripted]:
    with contextmanager(serving)() as server:
        server.body = json.dumps(body)
        yield server


def test_the_recorded_account_has_what_was_removed(recorded: Path) -> None:
    assert {"pattern_day_trader", "daytrade_count", "daytrading_buying_power"} <= answer(
        recorded, "account_routes__test_get_account"
    ).keys()


def test_the_daemon_reads_the_same_account_whatever_comes_and_goes(recorded: Path, change: Change) -> None:
    body = answer(recorded, "account_routes__test_get_account")
    with saying(changed(body, change)) as server:
        read = broker(server).account()
    assert read == wire.account(body)
    assert (str(read.cash), str(read.equity), str(read.buying_power)) == ("-23140.2", "103820.56", "262113.632")
    assert (read.account_id, read.blocked) == (body["id"], False)


def test_the_daemon_reads_the_same_positions(recorded: Path, change: Change) -> None:
    body = answer(recorded, "position_routes__test_get_all_positions")
    with saying(changed(body, change)) as server:
        (read,) = broker(server).positions()
    assert (read.ticker, str(read.quantity), str(read.cost), str(read.available)) == ("AAPL", "5", "100.0", "5")


def test_the_daemon_reads_the_same_asset(recorded: Path, change: Change) -> None:
    with saying(changed(answer(recorded, "asset_routes__test_get_asset"), change)) as server:
        read = broker(server).asset("AAPL")
    assert read is not None
    assert (read.ticker, read.tradable, read.fractionable) == ("AAPL", True, True)


ORDERS = ("market_order", "limit_order", "get_order_by_id", "get_order_by_client_id", "replace_order", "get_orders")


@pytest.mark.parametrize("name", ORDERS)
def test_the_daemon_reads_the_same_orders(recorded: Path, change: Change, name: str) -> None:
    body = answer(recorded, f"order_routes__test_{name}")
    bodies = body if isinstance(body, list) else [body]
    with saying(changed(bodies, change)) as server:
        read = broker(server).open_orders()
    assert list(read) == [wire.order(one) for one in bodies]
    assert [order.client_order_id for order in read] == [one["client_order_id"] for one in bodies]


def test_a_stream_event_is_read_the_same(recorded: Path, change: Change) -> None:
    order = answer(recorded, "order_routes__test_market_order")
    event = {"event": "fill", "execution_id": "e1", "timestamp": "2026-07-07T14:30:00Z", "price": "10.5", "qty": "1"}
    read = wire.trade_update(changed(event | {"order": order}, change))
    assert read == wire.trade_update(event | {"order": order})
    assert read.execution is not None
    assert (str(read.execution.price), read.execution.execution_id) == ("10.5", "e1")


def test_ingestion_keeps_every_byte(recorded: Path, change: Change) -> None:
    bodies = {
        name: json.dumps(changed(answer(recorded, file), change)).encode()
        for name, file in (
            ("account", "account_routes__test_get_account"),
            ("positions", "position_routes__test_get_all_positions"),
        )
    }
    base = "https://broker.example"
    web = WrittenWeb({f"{base}/v2/{name}": httpx.Response(200, content=body) for name, body in bodies.items()})
    asked, reports = ask_for(SourceType.BROKER, day=TODAY, as_of=NOON)
    assert {item.kind: item.payload for item in AlpacaBrokerAdapter(web.fetcher(), base).fetch(asked)} == bodies
    assert reports.told == {}
