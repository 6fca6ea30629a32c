"""What holds for the Alpaca stand-in whatever is done to it: conservation, no overdraft, nothing booked twice."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_sandbox.alpaca.book import Book, apply, fold
from stonks_sandbox.alpaca.fills import Phase, capacity, match
from stonks_sandbox.alpaca.model import Execution, Order
from stonks_sandbox.alpaca.rules import buying_power
from stonks_sandbox.alpaca.store import OrderQuery, Store
from stonks_sandbox.alpaca.venue import Venue
from stonks_sandbox.world.protocol import Bar
from tests.sandbox.test_alpaca_scripted_world import NOON, ScriptedWorld, bar, flat, order

CASH = Decimal(5_000)
BARS = 16
PRICES = st.integers(8_000, 12_000).map(lambda cents: cents / 100)


@st.composite
def tapes(draw: st.DrawFn) -> list[Bar]:
    bars = flat(100.0, bars=13)
    ticks = draw(st.lists(st.tuples(PRICES, PRICES, PRICES), min_size=BARS, max_size=BARS))
    volumes = draw(st.lists(st.sampled_from([0.0, 40.0, 500.0, 1e6]), min_size=BARS, max_size=BARS))
    for i, (three, volume) in enumerate(zip(ticks, volumes, strict=True)):
        prices = (three[0], max(three), min(three), three[2])
        bars.append(bar(NOON + timedelta(seconds=5 * (i + 1)), prices, volume))
    return bars


SIZES = st.one_of(
    st.integers(1, 30).map(lambda n: {"qty": str(n)}),
    st.decimals("0.1", 20, places=3).map(lambda n: {"qty": str(n)}),
    st.decimals(1, 3_000, places=2).map(lambda n: {"notional": str(n)}),
)
PENNIES = st.integers(8_500, 11_500).map(lambda cents: f"{cents / 100:.2f}")
KINDS = st.one_of(
    st.just({"type": "market"}),
    st.builds(lambda p: {"type": "limit", "limit_price": p}, PENNIES),
    st.builds(lambda p: {"type": "stop", "stop_price": p}, PENNIES),
    st.builds(lambda p, q: {"type": "stop_limit", "stop_price": p, "limit_price": q}, PENNIES, PENNIES),
)
SUBMITS = st.builds(
    lambda symbol, side, size, kind, tif: (
        "submit",
        {"symbol": symbol, "side": side, "time_in_force": tif, **size, **kind},
    ),
    st.sampled_from(["AAA", "BBB"]),
    st.sampled_from(["buy", "buy", "sell"]),
    SIZES,
    KINDS,
    st.sampled_from(["day", "day", "gtc"]),
)
ACTIONS = st.one_of(
    SUBMITS,
    SUBMITS,
    st.tuples(st.just("wait"), st.floats(0.5, 12)),
    st.tuples(st.just("wait"), st.floats(0.5, 12)),
    st.tuples(st.just("cancel"), st.integers(0, 5)),
    st.tuples(st.just("replace"), st.tuples(st.integers(0, 5), PENNIES)),
    st.tuples(st.just("close"), st.sampled_from(["AAA", "BBB"])),
    st.tuples(st.just("settle"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


class Machine:
    """Plays actions on a fresh venue; with `settling` off nothing but the actions themselves settles."""

    def __init__(self, tapes_by_symbol: dict[str, Sequence[Bar]], folder: str, cash: Decimal) -> None:
        self.world = ScriptedWorld(tapes_by_symbol, volume_so_far=False)
        self.path = Path(folder) / "alpaca.sqlite"
        self.cash = cash
        self.open()

    def open(self) -> None:
        self.store = Store(self.path)
        self.venue = Venue(self.world, self.store, self.cash, lambda change: None)

    def do(self, action: str, detail: Any) -> None:
        if action == "submit":
            self.venue.submit(order(**detail) if "notional" in detail else {**order(), **detail})
        elif action == "wait":
            self.world.clock.at += timedelta(seconds=detail)
        elif action == "settle":
            self.venue.settle()
        elif action == "restart":
            self.store.close()
            self.open()
        elif action == "close":
            self.venue.close_position(detail, None, None)
        else:
            number, price = (detail, None) if action == "cancel" else detail
            found = self.venue.orders(OrderQuery("all", newest_first=False))
            if number < len(found) and price is None:
                self.venue.cancel(found[number].id)
            elif number < len(found):
                self.venue.replace_order(found[number].id, {"limit_price": price})

    def check(self) -> None:
        venue = self.venue
        orders = {o.id: o for o in venue.orders(OrderQuery("all", limit=500))}
        assert venue.executions == self.store.executions()
        assert len({e.id for e in venue.executions}) == len(venue.executions)
        for one in orders.values():
            mine = [e for e in venue.executions if e.order_id == one.id]
            assert sum((e.qty for e in mine), Decimal(0)) == one.filled_qty
            assert sum((e.cost for e in mine), Decimal(0)) == one.filled_cost
            assert one.qty is None or one.filled_qty <= one.qty
            assert one.notional is None or not one.is_buy or one.filled_cost <= one.notional
            assert (one.status == "filled") == (one.filled_at is not None)
            if one.limit_price is not None:
                assert all(e.price <= one.limit_price if one.is_buy else e.price >= one.limit_price for e in mine)
            assert all(e.executed_at > one.submitted_at for e in mine)
        bought = sum((e.cost for e in venue.executions if e.side == "buy"), Decimal(0))
        sold = sum((e.cost for e in venue.executions if e.side == "sell"), Decimal(0))
        assert venue.book.cash == self.cash - bought + sold
        assert venue.book.cash >= 0
        assert all(h.qty > 0 and h.cost >= 0 for h in venue.book.holdings.values())
        waiting = venue.open_orders()
        assert buying_power(venue.book, waiting) >= 0
        for symbol in ("AAA", "BBB"):
            assert sum((o.held_qty for o in waiting if o.symbol == symbol), Decimal(0)) <= venue.book.qty(symbol)
            for item in self.world.script[symbol]:
                taken = sum(
                    (e.qty for e in venue.executions if (e.symbol, e.bar_start) == (symbol, item.start)), Decimal(0)
                )
                assert taken <= capacity(item, Decimal(0))


@settings(max_examples=80, deadline=None)
@given(tapes(), tapes(), st.lists(ACTIONS, max_size=25))
def test_nothing_is_lost_overdrawn_or_booked_twice(a: list[Bar], b: list[Bar], actions: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine({"AAA": a, "BBB": b}, folder, CASH)
        for action, detail in actions:
            machine.do(action, detail)
            machine.check()
        machine.store.close()


def story(machine: Machine, actions: Sequence[tuple[str, Any]]) -> tuple[Any, ...]:
    for action, detail in actions:
        machine.do(action, detail)
    machine.venue.settle()
    result = (machine.venue.book, machine.venue.executions, machine.venue.orders(OrderQuery("all", limit=500)))
    machine.store.close()
    return result


@settings(max_examples=50, deadline=None)
@given(tapes(), tapes(), st.lists(ACTIONS, max_size=20), st.data())
def test_restarts_and_extra_settling_change_nothing(
    a: list[Bar], b: list[Bar], actions: list[tuple[str, Any]], data: st.DataObject
) -> None:
    # A rich account: where cash runs short, who gets it depends on when volumes become known.
    plain = [action for action in actions if action[0] not in {"settle", "restart"}]
    disturbed = list[tuple[str, Any]]()
    for action in plain:
        extra = data.draw(st.lists(st.sampled_from(["settle", "restart"]), max_size=2))
        disturbed += [*((name, None) for name in extra), action]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        tapes_by_symbol = {"AAA": a, "BBB": b}
        quiet = story(Machine(tapes_by_symbol, one, Decimal(1_000_000)), plain)
        noisy = story(Machine(tapes_by_symbol, two, Decimal(1_000_000)), disturbed)
    assert sorted(quiet[1], key=lambda e: e.id) == sorted(noisy[1], key=lambda e: e.id)
    assert quiet[2] == noisy[2]
    assert quiet[0].cash == noisy[0].cash
    assert {s: h.qty for s, h in quiet[0].holdings.items()} == {s: h.qty for s, h in noisy[0].holdings.items()}


@given(st.tuples(PRICES, PRICES, PRICES, PRICES), KINDS, st.sampled_from(["buy", "sell"]), st.booleans())
def test_no_price_is_better_than_the_market_gave(
    four: tuple[float, float, float, float], kind: dict[str, str], side: str, spread_known: bool
) -> None:
    prices = {name: Decimal(kind[name]) for name in ("limit_price", "stop_price") if name in kind}
    one = Order("o", 1, "c", "AAA", side, kind["type"], "day", NOON, NOON, None, "new", Decimal(1), **prices)
    item = bar(NOON, (four[0], max(four), min(four), four[3]))
    phases: tuple[Phase, ...] = ("open", "during")  # a bar's second phase is asked only where the first gave nothing
    found = next((m for phase in phases if (m := match(one, item, phase, spread_known=spread_known))), None)
    if found is None or found.price is None:
        return
    low, high, opened = (Decimal(str(price)) for price in (item.low, item.high, item.open))
    assert found.price >= low if one.is_buy else found.price <= high
    if one.limit_price is not None:
        assert found.price <= one.limit_price if one.is_buy else found.price >= one.limit_price
    else:
        stop = one.stop_price or opened
        worse = max(stop, opened) if one.is_buy else min(stop, opened)
        slip = abs(found.price - worse)
        assert found.price > worse if one.is_buy else found.price < worse
        assert abs(slip - worse * Decimal("0.0005") - (Decimal("0.01") if spread_known else 0)) <= Decimal("0.006")


def execution(side: str, qty: Decimal, price: Decimal) -> Execution:
    return Execution("x", "o", "AAA", side, qty, price, NOON, NOON, qty, Decimal(0), "filled")


TRADES = st.tuples(
    st.sampled_from(["buy", "sell"]), st.decimals("0.001", 50, places=3), st.decimals("0.01", 500, places=2)
)


@given(st.lists(TRADES, max_size=30))
def test_cash_and_cost_are_conserved(trades: list[tuple[str, Decimal, Decimal]]) -> None:
    book, realised, booked = Book(Decimal(10_000)), Decimal(0), list[Execution]()
    for side, qty, price in trades:
        one = execution(side, qty, price)
        held = book.holdings.get("AAA")
        if one.cost > book.cash and side == "buy":
            continue
        if side == "sell" and (held is None or held.qty < qty):
            continue
        if side == "sell" and held is not None:
            realised += qty * (price - held.average)
        book = apply(book, one)
        booked.append(replace(one))
        cost = sum((h.cost for h in book.holdings.values()), Decimal(0))
        assert abs(book.cash + cost - realised - Decimal(10_000)) < Decimal("1e-12")
    assert fold(Decimal(10_000), booked) == book
