"""Orders of the Alpaca stand-in from acceptance to their end: fills, expiry, reservations, restarts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stonks_sandbox.alpaca.model import Order, Refusal
from stonks_sandbox.alpaca.settlement import Change
from stonks_sandbox.alpaca.store import OrderQuery, Store
from stonks_sandbox.alpaca.venue import Venue
from tests.sandbox.test_alpaca_scripted_world import NOON, Hands, ScriptedWorld, bar, flat, order

CASH = Decimal(100_000)


class Desk:
    """A venue over a scripted world, with all that it published."""

    def __init__(self, world: ScriptedWorld, folder: Path, cash: Decimal = CASH) -> None:
        self.world = world
        self.folder = folder
        self.cash = cash
        self.events: list[Change] = []
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder / "alpaca.sqlite")
        self.venue = Venue(self.world, self.store, self.cash, self.events.append)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def take(self, **body: Any) -> Order:
        result = self.venue.submit(order(**body))
        assert isinstance(result, Order), result
        return result

    def refusal(self, **body: Any) -> Refusal:
        result = self.venue.submit(order(**body))
        assert isinstance(result, Refusal), result
        return result

    def state(self, placed: Order) -> Order:
        found = self.venue.order(placed.id)
        assert isinstance(found, Order)
        return found

    def own(self, qty: str = "10", symbol: str = "AAA") -> None:
        """Buy shares and wait for them."""
        self.take(symbol=symbol, qty=qty)
        self.world.clock.at += timedelta(seconds=10)
        self.venue.settle()
        assert self.venue.book.qty(symbol) == Decimal(qty)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(ScriptedWorld({"AAA": flat(100.0, bars=200), "BBB": flat(50.0, bars=200)}), tmp_path)


def scripted(tmp_path: Path, prices: list[tuple[float, float, float, float]], **world: Any) -> Desk:
    """A desk whose bars before noon trade at 100, and from 12:00:05 on as given."""
    start = NOON + timedelta(seconds=5)
    later = [bar(start + timedelta(seconds=5 * i), four) for i, four in enumerate(prices)]
    return Desk(ScriptedWorld({"AAA": [*flat(100.0, bars=13), *later]}, **world), tmp_path)


def test_a_market_order_fills_at_the_next_bars_open_with_slippage(tmp_path: Path) -> None:
    desk = scripted(tmp_path, [(101, 103, 99, 102), (105, 105, 105, 105)])
    desk.world.at(2)
    placed = desk.take(qty="3")
    assert placed.status == "new"
    desk.world.at(10)
    done = desk.state(placed)
    assert (done.status, done.filled_qty) == ("filled", Decimal(3))
    assert done.filled_avg_price == Decimal("101.0505")  # 101 and 5 basis points
    assert done.filled_at == NOON + timedelta(seconds=5)
    assert desk.venue.book.cash == CASH - 3 * Decimal("101.0505")
    assert [change.event for change in desk.events] == ["new", "fill"]
    assert desk.events[-1].position_qty == 3


def test_the_bar_in_which_an_order_was_accepted_never_fills_it(tmp_path: Path) -> None:
    desk = scripted(tmp_path, [(101, 101, 101, 101), (102, 102, 102, 102)])
    desk.world.at(5)  # the very start of a bar
    placed = desk.take()
    desk.world.at(9.9)
    assert desk.state(placed).status == "new"
    desk.world.at(15)
    assert desk.state(placed).filled_avg_price == Decimal("102.051")


def test_half_the_quoted_spread_is_paid_where_it_is_known(tmp_path: Path) -> None:
    desk = scripted(tmp_path, [(100, 100, 100, 100)], kind="synthetic")
    placed = desk.take()
    desk.world.at(10)
    assert desk.state(placed).filled_avg_price == Decimal("100.06")  # 5 cents slippage, 1 cent half spread


def test_a_bar_that_has_begun_fills_what_its_volume_so_far_allows(tmp_path: Path) -> None:
    desk = scripted(tmp_path, [(101, 103, 99, 102)], volume_so_far=True)
    placed = desk.take(qty="3")
    desk.world.at(5)
    assert desk.state(placed).status == "filled"


def test_two_percent_of_a_bar_is_all_that_fills_and_the_rest_waits(tmp_path: Path) -> None:
    bars = [*flat(100.0, bars=13), *[bar(NOON + timedelta(seconds=5 * i), (100,) * 4, 1_000) for i in (1, 2, 3)]]
    desk = Desk(ScriptedWorld({"AAA": bars}), tmp_path)
    first, second = desk.take(qty="35"), desk.take(qty="10")
    desk.world.at(10)
    assert (desk.state(first).status, desk.state(first).filled_qty) == ("partially_filled", Decimal(20))
    assert desk.state(second).filled_qty == 0
    desk.world.at(20)
    assert (desk.state(first).status, desk.state(second).filled_qty) == ("filled", Decimal(10))
    fills = [(c.event, c.execution.qty) for c in desk.events if c.execution]
    assert fills == [("partial_fill", 20), ("fill", 15), ("partial_fill", 5), ("fill", 5)]


def test_a_notional_order_learns_its_quantity_when_it_fills(desk: Desk) -> None:
    placed = desk.take(notional="250.50")
    assert placed.qty is None
    desk.world.at(10)
    done = desk.state(placed)
    assert done.status == "filled"
    assert done.qty == done.filled_qty == Decimal("2.503748125")
    assert Decimal("250.4999") < done.filled_cost <= Decimal("250.50")


@pytest.mark.parametrize(
    ("body", "prices", "paid"),
    [
        ({"type": "limit", "limit_price": "99"}, (98, 98, 98, 98), "98.049"),  # the open is better
        ({"type": "limit", "limit_price": "99"}, (99, 99, 99, 99), "99"),  # slippage stops at the limit
        ({"type": "limit", "limit_price": "99"}, (100, 101, 98.5, 100), "99"),  # touched during the bar
        ({"type": "limit", "limit_price": "99"}, (100, 101, 99.01, 100), None),
        ({"type": "stop", "stop_price": "103"}, (102, 104, 101, 102), "103.0515"),  # reached: the stop is worse
        ({"type": "stop", "stop_price": "103"}, (105, 106, 104, 105), "105.0525"),  # gapped: the open is worse
        ({"type": "stop", "stop_price": "103"}, (102, 102.9, 101, 102), None),
        ({"type": "stop_limit", "stop_price": "103", "limit_price": "104"}, (102, 106, 101, 102), "103.0515"),
        ({"type": "stop_limit", "stop_price": "103", "limit_price": "104"}, (105, 106, 104.5, 105), None),
    ],
)
def test_buy_limits_and_stops(tmp_path: Path, body: dict[str, str], prices: Any, paid: str | None) -> None:
    desk = scripted(tmp_path, [prices])
    placed = desk.take(**body)
    desk.world.at(10)
    assert desk.state(placed).filled_avg_price == (Decimal(paid) if paid else None)


@pytest.mark.parametrize(
    ("body", "prices", "got"),
    [
        ({"type": "stop", "stop_price": "95"}, (97, 98, 94, 97), "94.9525"),
        ({"type": "stop", "stop_price": "95"}, (90, 98, 89, 97), "89.955"),
        ({"type": "stop", "stop_price": "95"}, (97, 98, 95.01, 97), None),
        ({"type": "limit", "limit_price": "110"}, (105, 111, 104, 105), "110"),
        ({"type": "stop_limit", "stop_price": "95", "limit_price": "94.96"}, (97, 98, 94, 97), "94.96"),
    ],
)
def test_sell_limits_and_stops(tmp_path: Path, body: dict[str, str], prices: Any, got: str | None) -> None:
    desk = scripted(tmp_path, [(100, 100, 100, 100), (100, 100, 100, 100), prices])
    desk.own("5")
    placed = desk.take(side="sell", qty="5", **body)
    desk.world.at(20)
    assert desk.state(placed).filled_avg_price == (Decimal(got) if got else None)


def test_a_triggered_stop_limit_waits_as_a_limit_order(tmp_path: Path) -> None:
    desk = scripted(tmp_path, [(105, 106, 104.5, 105), (104, 104, 103.5, 104)])
    placed = desk.take(type="stop_limit", stop_price="103", limit_price="103.8")
    desk.world.at(10)
    assert desk.state(placed).triggered_at is not None
    desk.world.at(15)
    assert desk.state(placed).filled_avg_price == Decimal("103.8")


def test_a_day_order_dies_at_the_close_and_gtc_lives_on(tmp_path: Path) -> None:
    world = ScriptedWorld({"AAA": flat(100.0, bars=13)})
    desk = Desk(world, tmp_path)
    day = desk.take(type="limit", limit_price="90")
    gtc = desk.take(type="limit", limit_price="91", time_in_force="gtc")
    world.clock.at = datetime(2026, 3, 5, tzinfo=UTC)
    assert (desk.state(day).status, desk.state(gtc).status) == ("expired", "new")
    assert desk.state(day).expired_at == datetime(2026, 3, 5, tzinfo=UTC)
    assert [change.event for change in desk.events] == ["new", "new", "expired"]
    assert desk.venue.book.cash == CASH


def daily_world() -> ScriptedWorld:
    days = (4, 5, 6, 9)  # Wednesday to Monday; New York opens at 14:30 UTC
    opens = [datetime(2026, 3, day, 13 if day == 9 else 14, 30, tzinfo=UTC) for day in days]
    bars = [bar(at, (100 + i, 110, 90, 105), 1e6, 86_400) for i, at in enumerate(opens)]
    clock = Hands(datetime(2026, 3, 4, 22, tzinfo=UTC))
    return ScriptedWorld({"AAA": bars}, clock, calendar_name="XNYS", bar_seconds=86_400)


@pytest.mark.parametrize("hour", [15, 21, 22])
def test_with_daily_bars_a_day_order_is_for_the_next_session(tmp_path: Path, hour: int) -> None:
    world = daily_world()
    world.clock.at = datetime(2026, 3, 4, hour, tzinfo=UTC)
    desk = Desk(world, tmp_path)
    placed = desk.take(qty="2")
    assert placed.expires_at == datetime(2026, 3, 5, 21, tzinfo=UTC)
    world.clock.at = datetime(2026, 3, 5, 21, 30, tzinfo=UTC)
    done = desk.state(placed)
    assert (done.status, done.filled_avg_price) == ("filled", Decimal("101.0505"))
    assert done.filled_at == datetime(2026, 3, 5, 14, 30, tzinfo=UTC)


def test_a_daily_stop_before_the_session_covers_that_session_only(tmp_path: Path) -> None:
    world = daily_world()
    desk = Desk(world, tmp_path)
    desk.take(qty="2.5")
    world.clock.at = datetime(2026, 3, 6, 14, tzinfo=UTC)
    desk.venue.settle()
    low = desk.take(side="sell", type="stop", qty="1.5", stop_price="95")
    lower = desk.take(side="sell", type="stop", qty="1", stop_price="80")
    world.clock.at = datetime(2026, 3, 6, 21, tzinfo=UTC)
    assert (desk.state(low).status, desk.state(lower).status) == ("filled", "expired")
    assert desk.state(low).filled_at == datetime(2026, 3, 6, 21, tzinfo=UTC)


def test_cancelling_frees_what_an_order_bound(desk: Desk) -> None:
    placed = desk.take(type="limit", limit_price="90", qty="1000")
    assert desk.refusal(type="limit", limit_price="90", qty="200").body == {
        "buying_power": "10000",
        "cost_basis": "18000",
        "code": 40310000,
        "message": "insufficient buying power",
    }
    ended = desk.venue.cancel(placed.id)
    assert isinstance(ended, Order)
    assert ended.status == "canceled"
    again = desk.venue.cancel(placed.id)
    assert isinstance(again, Refusal)
    assert (again.status, again.body["message"]) == (422, 'order is already in "canceled" state')
    desk.take(type="limit", limit_price="90", qty="200")


def test_open_sells_bind_shares(desk: Desk) -> None:
    desk.own("10")
    desk.take(side="sell", type="limit", limit_price="120", qty="7")
    refused = desk.refusal(side="sell", qty="4")
    assert refused.status == 403
    assert refused.body == {
        "available": "3",
        "existing_qty": "10",
        "held_for_orders": "7",
        "symbol": "AAA",
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 4, available: 3)",
    }


def test_a_replaced_order_hands_over_to_a_new_one(desk: Desk) -> None:
    old = desk.take(type="limit", limit_price="90", qty="10", client_order_id="one")
    new = desk.venue.replace_order(old.id, {"limit_price": "91", "qty": "12", "client_order_id": "two"})
    assert isinstance(new, Order)
    assert (new.replaces, new.qty, new.limit_price, new.status) == (old.id, Decimal(12), Decimal(91), "new")
    was = desk.state(old)
    assert (was.status, was.replaced_by) == ("replaced", new.id)
    assert [change.event for change in desk.events] == ["new", "replaced", "new"]
    taken = desk.venue.replace_order(new.id, {"limit_price": "92", "client_order_id": "one"})
    assert isinstance(taken, Refusal)
    assert taken.body["message"] == "client_order_id must be unique"
    over = desk.venue.replace_order(old.id, {"limit_price": "92"})
    assert isinstance(over, Refusal)
    assert over.status == 422


def test_cash_never_runs_out_below_zero(tmp_path: Path) -> None:
    desk = scripted(tmp_path, [(150, 150, 150, 150), (150, 150, 150, 150)])
    placed = desk.take(qty="900")
    desk.world.at(10)
    done = desk.state(placed)
    assert (done.status, done.filled_qty) == ("canceled", Decimal(666))
    assert desk.venue.book.cash >= 0


def test_a_client_order_id_is_unique_for_all_time(desk: Desk) -> None:
    placed = desk.take(client_order_id="mine")
    desk.venue.cancel(placed.id)
    desk.restart()
    refused = desk.refusal(client_order_id="mine")
    assert (refused.status, refused.body) == (
        422,
        {"code": 40010001, "message": "client_order_id must be unique"},
    )
    found = desk.venue.order_by_client_id("mine")
    assert isinstance(found, Order)
    assert found.id == placed.id


def test_a_restart_continues_where_the_store_stands(desk: Desk) -> None:
    desk.own("10")
    stop = desk.take(side="sell", type="stop", qty="10", stop_price="90", time_in_force="gtc")
    before = (desk.venue.book, desk.venue.executions, desk.venue.orders(OrderQuery("all")))
    desk.restart()
    assert (desk.venue.book, desk.venue.executions, desk.venue.orders(OrderQuery("all"))) == before
    assert desk.state(stop).status == "new"


def test_a_crash_between_fill_and_commit_leaves_no_trace(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = desk.take(qty="3")
    desk.world.at(10)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, "set_mark", dies)
        with pytest.raises(KeyboardInterrupt):
            desk.venue.settle()
    desk.restart()
    assert desk.venue.executions == []
    assert desk.state(placed).status == "filled"
    assert len(desk.venue.executions) == 1


def test_close_position_by_percentage_and_whole(desk: Desk) -> None:
    desk.own("10")
    part = desk.venue.close_position("AAA", None, "25")
    assert isinstance(part, Order)
    assert (part.side, part.qty, part.type) == ("sell", Decimal(2), "market")
    rest = desk.venue.close_position("AAA", None, None)
    assert isinstance(rest, Refusal)
    assert rest.body["held_for_orders"] == "2"
    gone = desk.venue.close_position("BBB", None, None)
    assert isinstance(gone, Refusal)
    assert (gone.status, gone.body) == (404, {"code": 40410000, "message": "position does not exist"})
