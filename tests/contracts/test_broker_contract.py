"""What `Broker` promises, asked of the fake that other tests trust and of the Alpaca adapter over the sandbox."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from stonks_trading.broker.alpaca import AlpacaBroker
from stonks_trading.broker.protocol import Broker, BrokerOrder, InDoubt, OrderRequest, OrderState, Refused, TradeUpdate
from stonks_trading.broker.stream import trade_updates
from tests.sandbox.test_alpaca_http import serve
from tests.sandbox.test_alpaca_scripted_world import NOON, ScriptedWorld, flat
from tests.trading.broker.fake_broker import FakeBroker

A_BAR_LATER = 11  # seconds past noon at which the bar after noon's is over


@dataclass
class Case:
    """A broker, and how its time is made to pass until open orders have filled."""

    broker: Broker
    pass_time: Callable[[], None]


def adapter(url: str, data: str) -> AlpacaBroker:
    return AlpacaBroker(url, data, "k", "s", feed="iex", feed_name="sandbox")


@pytest.fixture(params=["fake", "sandbox"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param == "fake":
        fake = FakeBroker(NOON, cash="100000", prices={"AAA": "100", "BBB": "50"})
        yield Case(fake, fake.fill_all)
        return
    world = ScriptedWorld({"AAA": flat(100.0, bars=60), "BBB": flat(50.0, bars=60)})
    with contextmanager(serve)(world, tmp_path, requests_per_minute=1000) as running:
        broker = adapter(running.url, running.data)
        yield Case(broker, lambda: running.at(A_BAR_LATER))
        broker.close()


def request(name: str = "so-1", **changes: object) -> OrderRequest:
    given: dict[str, object] = {"notional": Decimal(50), **changes}
    return OrderRequest(name, ticker="AAA", side="buy", type="market", **given)  # type: ignore[arg-type]


def test_the_account_and_its_clock(case: Case) -> None:
    account = case.broker.account()
    assert account.cash == account.equity == 100_000
    assert (account.blocked, account.account_id != "") == (False, True)
    assert case.broker.clock().now.tzinfo is UTC


def test_assets_and_quotes_of_what_is_known(case: Case) -> None:
    asset = case.broker.asset("AAA")
    assert asset is not None
    assert asset.tradable
    assert case.broker.asset("NOPE") is None
    quotes = case.broker.quotes(["AAA", "BBB"])
    assert set(quotes) == {"AAA", "BBB"}
    quote = quotes["AAA"]
    assert quote.bid is not None
    assert quote.ask is not None
    assert quote.bid < 100 < quote.ask
    assert quote.last == 100


def test_an_order_from_its_placing_to_its_fill(case: Case) -> None:
    broker = case.broker
    placed = broker.submit(request())
    assert isinstance(placed, BrokerOrder)
    assert (placed.state, placed.filled_quantity, placed.quantity) == (OrderState.ACCEPTED, 0, None)
    assert [o.client_order_id for o in broker.open_orders()] == ["so-1"]
    assert broker.order(placed.broker_order_id) == broker.find("so-1")
    case.pass_time()
    filled = broker.find("so-1")
    assert filled is not None
    assert (filled.state, broker.open_orders()) == (OrderState.FILLED, [])
    (execution,) = broker.executions(NOON - timedelta(hours=1))
    assert execution.cumulative_quantity == execution.quantity == filled.filled_quantity
    assert (execution.broker_order_id, execution.side, execution.ticker) == (placed.broker_order_id, "buy", "AAA")
    (position,) = broker.positions()
    assert (position.ticker, position.quantity, position.available) == ("AAA", execution.quantity, execution.quantity)
    assert broker.account().cash == pytest.approx(100_000 - execution.quantity * execution.price, abs=Decimal("0.01"))
    assert broker.executions(execution.at + timedelta(seconds=1)) == []


def test_the_same_id_is_placed_once(case: Case) -> None:
    assert isinstance(case.broker.submit(request()), BrokerOrder)
    assert isinstance(case.broker.submit(request()), InDoubt)
    assert len(case.broker.open_orders()) == 1


def test_what_is_refused_is_refused_for_good(case: Case) -> None:
    refused = case.broker.submit(OrderRequest("so-2", "NOPE", "buy", "market", notional=Decimal(5)))
    assert isinstance(refused, Refused)
    assert refused.message
    assert case.broker.find("so-2") is None


def test_a_cancelled_order_is_final(case: Case) -> None:
    placed = case.broker.submit(request())
    assert isinstance(placed, BrokerOrder)
    assert case.broker.cancel(placed.broker_order_id) is True
    told = case.broker.find("so-1")
    assert told is not None
    assert told.state is OrderState.CANCELED
    assert case.broker.cancel(placed.broker_order_id) is False


def test_what_it_never_heard_of_is_none(case: Case) -> None:
    assert case.broker.find("so-unknown") is None
    assert list(case.broker.executions(datetime(2020, 1, 1, tzinfo=UTC))) == []


@pytest.mark.parametrize("quantity", [Decimal("0.123456789"), Decimal(2)])
def test_shares_arrive_digit_for_digit(case: Case, quantity: Decimal) -> None:
    placed = case.broker.submit(request(notional=None, quantity=quantity))
    assert isinstance(placed, BrokerOrder)
    case.pass_time()
    (execution,) = case.broker.executions(NOON - timedelta(hours=1))
    assert execution.quantity == quantity


def holding_two(case: Case) -> Broker:
    assert isinstance(case.broker.submit(request(notional=None, quantity=Decimal(2))), BrokerOrder)
    case.pass_time()
    return case.broker


def stop(name: str, quantity: str, price: str) -> OrderRequest:
    return OrderRequest(name, "AAA", "sell", "stop", quantity=Decimal(quantity), stop_price=Decimal(price))


@pytest.mark.parametrize("quantity", ["2", "0.5"])
def test_a_stop_rests_and_binds_its_shares_until_it_is_cancelled(case: Case, quantity: str) -> None:
    broker = holding_two(case)
    resting = broker.submit(stop("so-stop", quantity, "90.00"))
    assert isinstance(resting, BrokerOrder)
    assert (resting.state, resting.quantity) == (OrderState.ACCEPTED, Decimal(quantity))
    (held,) = broker.positions()
    assert (held.quantity, held.available) == (2, 2 - Decimal(quantity))
    too_many = broker.submit(OrderRequest("so-sell", "AAA", "sell", "market", quantity=Decimal(2)))
    assert isinstance(too_many, Refused)
    assert too_many.code == "40310000"
    assert broker.cancel(resting.broker_order_id)
    (held,) = broker.positions()
    assert held.available == 2
    assert isinstance(
        broker.submit(OrderRequest("so-sell2", "AAA", "sell", "market", quantity=Decimal(2))), BrokerOrder
    )


def test_nothing_is_bought_beside_a_resting_stop(case: Case) -> None:
    broker = holding_two(case)
    assert isinstance(broker.submit(stop("so-stop", "2", "90.00")), BrokerOrder)
    washed = broker.submit(request("so-more"))
    assert isinstance(washed, Refused)
    assert washed.code == "42210000"
    assert "wash" in washed.message


def test_a_stop_above_the_price_is_refused(case: Case) -> None:
    refused = holding_two(case).submit(stop("so-stop", "2", "101.00"))
    assert isinstance(refused, Refused)
    assert "stop price" in refused.message


async def first_fill(url: str, act: Callable[[], None]) -> TradeUpdate | None:
    async with trade_updates(url, "k", "s") as updates:
        await asyncio.to_thread(act)
        async for update in updates:
            if update.execution is not None:
                return update
    return None


def test_the_stream_and_rest_name_the_same_execution(tmp_path: Path) -> None:
    world = ScriptedWorld({"AAA": flat(100.0, bars=60)})
    with contextmanager(serve)(world, tmp_path, requests_per_minute=1000) as running:
        broker = adapter(running.url, running.data)

        def act() -> None:
            broker.submit(request())
            running.at(A_BAR_LATER)

        update = asyncio.run(asyncio.wait_for(first_fill(running.ws, act), 20))
        (execution,) = broker.executions(NOON - timedelta(hours=1))
        assert update is not None
        assert update.execution == execution
        assert update.order.client_order_id == "so-1"
        broker.close()
