"""The Alpaca stand-in over real HTTP and websockets, asked by the vendor's own client."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import websockets
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.models import TradeUpdate
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopOrderRequest,
)
from alpaca.trading.stream import TradingStream

from stonks_sandbox.alpaca import Alpaca, build_alpaca
from tests.sandbox.alpaca_served import KEYS, Server, serve, wait_for
from tests.sandbox.test_alpaca_scripted_world import NOON, ScriptedWorld, flat


def buy(qty: float = 2, symbol: str = "AAA", **more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol=symbol, qty=qty, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, **more)


def refused(call: Callable[[], Any]) -> tuple[int, int, str]:
    with pytest.raises(APIError) as caught:
        call()
    return caught.value.status_code, caught.value.code, caught.value.message


def test_account_clock_calendar_and_assets(client: TradingClient, running: Server) -> None:
    account: Any = client.get_account()
    assert (account.cash, account.equity, account.buying_power) == ("100000", "100000", "100000")
    assert account.shorting_enabled is False
    raw = httpx.get(f"{running.url}/v2/account", headers=KEYS).json()
    gone = {"pattern_day_trader", "daytrade_count", "daytrading_buying_power", "dtbp_check", "pdt_check"}
    assert not gone & raw.keys()
    clock: Any = client.get_clock()
    assert (clock.timestamp, clock.is_open) == (NOON, True)
    assert clock.next_close == datetime(2026, 3, 5, tzinfo=UTC)
    days: Any = client.get_calendar(GetCalendarRequest(start=NOON.date(), end=NOON.date() + timedelta(days=1)))
    assert [day.date.day for day in days] == [4, 5]
    assets: Any = client.get_all_assets()
    assert [(asset.symbol, asset.fractionable) for asset in assets] == [("AAA", True), ("BBB", False)]
    one: Any = client.get_asset("AAA")
    assert client.get_asset(one.id) == one
    assert refused(lambda: client.get_asset("ZZZ"))[:2] == (404, 40410000)


def test_the_life_of_an_order(client: TradingClient, running: Server) -> None:
    placed: Any = client.submit_order(buy(2.5, client_order_id="mine"))
    assert (placed.status, placed.qty, placed.filled_qty) == (OrderStatus.ACCEPTED, "2.5", "0")
    assert [o.id for o in client.get_orders()] == [placed.id]  # type: ignore[union-attr]
    running.at(10)
    done: Any = client.get_order_by_id(placed.id)
    assert (done.status, done.filled_qty, done.filled_avg_price) == (OrderStatus.FILLED, "2.5", "100.05")
    assert client.get_order_by_client_id("mine") == done
    closed: Any = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.CLOSED, symbols=["AAA"]))
    assert closed == [done]
    position: Any = client.get_open_position("AAA")
    assert (position.qty, position.qty_available, position.avg_entry_price) == ("2.5", "2.5", "100.05")
    assert client.get_open_position(position.asset_id) == position
    account: Any = client.get_account()
    assert (account.cash, account.long_market_value) == ("99749.87", "250")
    activities: Any = client.get("/account/activities", {"activity_types": "FILL"})
    assert activities[0]["id"].startswith("20260304120005000::")
    expected = {"order_id": str(placed.id), "qty": "2.5", "leaves_qty": "0", "cum_qty": "2.5", "type": "fill"}
    assert {name: activities[0][name] for name in expected} == expected
    sold: Any = client.close_position("AAA", ClosePositionRequest(percentage="40"))
    assert (sold.qty, sold.side) == ("1", OrderSide.SELL)
    running.at(20)
    rest: Any = client.close_all_positions(cancel_orders=True)
    assert (rest[0].symbol, rest[0].status, rest[0].body.qty) == ("AAA", 200, "1.5")
    running.at(30)
    assert client.get_all_positions() == []
    assert refused(lambda: client.get_open_position("AAA")) == (404, 40410000, "position does not exist")
    history: Any = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1D", timeframe="1Min"))
    assert history.base_value == 100000
    assert len(history.timestamp) == len(history.equity) == 1
    assert history.equity[-1] == float(client.get_account().equity)  # type: ignore[union-attr]


def test_activities_page_by_token(client: TradingClient, running: Server) -> None:
    for _ in range(3):
        client.submit_order(buy(1))
    running.at(10)
    pages = []
    token: dict[str, str] = {}
    while True:
        page: Any = client.get("/account/activities/FILL", {"page_size": 2, "direction": "asc", **token})
        if not page:
            break
        pages.append([row["id"] for row in page])
        token = {"page_token": page[-1]["id"]}
    assert [len(page) for page in pages] == [2, 1]
    assert client.get("/account/activities", {"after": "2026-03-04T12:00:05Z"}) == []
    assert len(client.get("/account/activities", {"date": "2026-03-04"})) == 3  # type: ignore[arg-type]


def test_cancel_and_replace(client: TradingClient, running: Server) -> None:
    request = LimitOrderRequest(symbol="AAA", qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=90)
    first: Any = client.submit_order(request)
    second: Any = client.replace_order_by_id(first.id, ReplaceOrderRequest(qty=4, limit_price=91))
    assert (second.replaces, second.qty, second.limit_price) == (first.id, "4", "91")
    assert client.get_order_by_id(first.id).status is OrderStatus.REPLACED  # type: ignore[union-attr]
    client.cancel_order_by_id(second.id)
    assert refused(lambda: client.cancel_order_by_id(second.id)) == (
        422,
        42210000,
        'order is already in "canceled" state',
    )
    third: Any = client.submit_order(request)
    cancelled: Any = client.cancel_orders()
    assert [(row.id, row.status) for row in cancelled] == [(third.id, 200)]
    raw = httpx.delete(f"{running.url}/v2/orders", headers=KEYS)
    assert (raw.status_code, raw.json()) == (207, [])
    unknown = "00000000-0000-4000-8000-000000000000"
    assert refused(lambda: client.get_order_by_id(unknown))[:2] == (404, 40410000)
    assert refused(lambda: client.cancel_order_by_id(unknown))[:2] == (404, 40410000)


def test_refusals_reach_the_client_in_the_vendors_words(client: TradingClient) -> None:
    client.submit_order(buy(client_order_id="once"))
    assert refused(lambda: client.submit_order(buy(client_order_id="once"))) == (
        422,
        40010001,
        "client_order_id must be unique",
    )
    assert refused(lambda: client.submit_order(buy(10_000))) == (403, 40310000, "insufficient buying power")
    stop = StopOrderRequest(symbol="AAA", qty=1, side=OrderSide.SELL, time_in_force=TimeInForce.DAY, stop_price=90)
    assert refused(lambda: client.submit_order(stop))[1:] == (
        42210000,
        "potential wash trade detected. use complex orders",
    )
    assert refused(lambda: client.submit_order(buy(1.5, symbol="BBB")))[0] == 403
    assert refused(lambda: client.submit_order(buy(1, symbol="ZZZ")))[2] == 'asset "ZZZ" not found'


def test_without_credentials_there_is_no_code(running: Server) -> None:
    answer = httpx.get(f"{running.url}/v2/account", headers={"APCA-API-KEY-ID": "k"})
    assert (answer.status_code, answer.json()) == (401, {"message": "unauthorized."})
    assert httpx.get(f"{running.data}/v2/stocks/bars").status_code == 401


def test_malformed_requests_are_answered(running: Server) -> None:
    def post(content: bytes) -> int:
        return httpx.post(f"{running.url}/v2/orders", headers=KEYS, content=content).status_code

    assert post(b"{") == 400
    assert post(b"[]") == 400
    assert post(b"{}") == 422
    for query in ("orders?status=nope", "orders?limit=501", "orders?after=nope", "account/portfolio/history?period=9X"):
        assert httpx.get(f"{running.url}/v2/{query}", headers=KEYS).status_code == 422, query


def test_the_rate_limit_answers_429_with_its_headers(tmp_path: Path) -> None:
    world, ticks = ScriptedWorld({"AAA": flat()}), [0.0]
    for running in serve(world, tmp_path, requests_per_minute=2, ticks=lambda: ticks[0]):

        def get(key: str = "k") -> httpx.Response:
            return httpx.get(f"{running.url}/v2/clock", headers={**KEYS, "APCA-API-KEY-ID": key})  # noqa: B023

        assert [get().headers["X-RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
        over = get()
        assert (over.status_code, over.headers["X-RateLimit-Limit"]) == (429, "2")
        assert over.json() == {"code": 42910000, "message": "too many requests."}
        assert get("other").status_code == 200
        ticks[0] = 60.0
        assert get().status_code == 200
        assert get().status_code == 200
        assert get().status_code == 429
        running.at(60)
        assert get().status_code == 200


def test_the_vendors_stream_client_hears_every_event(client: TradingClient, running: Server) -> None:
    stream = TradingStream("k", "s", url_override=running.ws)

    async def handler(update: TradeUpdate) -> None:
        running.seen.append(update)

    stream.subscribe_trade_updates(handler)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    wait_for(lambda: _listening(running.alpaca))
    filled: Any = client.submit_order(buy(2))
    limit = LimitOrderRequest(symbol="BBB", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=40)
    resting: Any = client.submit_order(limit)
    running.at(10)
    client.cancel_order_by_id(resting.id)
    wait_for(lambda: len(running.seen) == 4)
    stream.stop()
    client.submit_order(buy(1))  # the client looks whether to stop only when a frame wakes it
    thread.join(10)
    assert [update.event for update in running.seen[:4]] == ["new", "new", "fill", "canceled"]
    fill = running.seen[2]
    assert (fill.order.id, fill.price, fill.qty, fill.position_qty) == (filled.id, 100.05, 2, 2)
    assert fill.timestamp == NOON + timedelta(seconds=5)
    assert fill.order.status is OrderStatus.FILLED


def _listening(alpaca: Alpaca) -> bool:
    return any(listener.listening for listener in alpaca._hub._listeners.values())


def test_a_second_consumer_pushes_the_first_one_out(client: TradingClient, running: Server) -> None:
    async def session(out: list[Any]) -> None:
        async with websockets.connect(running.ws) as first:
            await first.send(orjson.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
            out.append(orjson.loads(await first.recv()))
            await first.send('{"action": "authenticate", "data": {"key_id": "k", "secret_key": ""}}')
            out.append(orjson.loads(await first.recv()))
            await first.send('{"action": "authenticate", "data": {"key_id": "k", "secret_key": "s"}}')
            frame = await first.recv()
            out.extend([isinstance(frame, bytes), orjson.loads(frame)])
            async with websockets.connect(running.ws) as second:
                await second.send('{"action": "auth", "key": "k", "secret": "s"}')
                await second.recv()
                await second.send('{"action": "listen", "data": {"streams": ["trade_updates", "other"]}}')
                out.append(orjson.loads(await second.recv()))
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await first.recv()
                out.append(closed.value.rcvd.code if closed.value.rcvd else None)
                await asyncio.to_thread(client.submit_order, buy())
                out.append(orjson.loads(await second.recv())["data"]["event"])

    out: list[Any] = []
    asyncio.run(session(out))

    def word(status: str, action: str) -> dict[str, Any]:
        return {"stream": "authorization", "data": {"status": status, "action": action}}

    assert out == [
        word("unauthorized", "listen"),
        word("unauthorized", "authenticate"),
        True,
        word("authorized", "authenticate"),
        {"stream": "listening", "data": {"streams": ["trade_updates"]}},
        1008,
        "new",
    ]


def test_the_loop_fills_by_itself_and_stops(tmp_path: Path) -> None:
    world = ScriptedWorld({"AAA": flat()})
    alpaca = build_alpaca(world, tmp_path, Decimal(1_000))

    async def live() -> str:
        await alpaca.start()
        placed: Any = alpaca._venue.submit(
            {"symbol": "AAA", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1"}
        )
        world.at(10)
        for _ in range(200):
            await asyncio.sleep(0.01)
            if alpaca._venue.executions:
                break
        status = alpaca._store.order(placed.id)
        await alpaca.stop()
        return status.status if status else "lost"

    assert asyncio.run(live()) == "filled"
