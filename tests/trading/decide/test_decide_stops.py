"""True range, stops, trailing, protection."""

from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.vocabulary import RiskTier
from stonks_trading.decide import stops
from stonks_trading.decide.stops import Bar, Levels
from stonks_trading.decide.tiers import TIERS
from tests.trading.decide.desk import cents, dec, position

MODERATE = TIERS[RiskTier.MODERATE]


def bar(high: object, low: object, close: object) -> Bar:
    return Bar(dec(high), dec(low), dec(close))


@pytest.mark.parametrize(
    ("today", "before", "wide"),
    [
        (bar(12, 10, 11), 11, 2),  # the day's own range
        (bar(15, 14, 15), 11, 4),  # a gap up: high - previous close
        (bar(9, 8, 8), 11, 3),  # a gap down: previous close - low
    ],
)
def test_true_range(today: Bar, before: int, wide: int) -> None:
    assert stops.true_range(today, Decimal(before)) == wide


def test_wilders_average_by_hand() -> None:
    # true ranges 2, 4, 3 -> mean of the first two 3; then (3 * 1 + 3) / 2 = 3; then a range of 7: (3 + 7) / 2 = 5
    bars = [bar(11, 9, 10), bar(11, 9, 10), bar(13, 9, 12), bar(14, 11, 13), bar(18, 11, 12)]
    assert stops.atr(bars[:3], 2) == 3
    assert stops.atr(bars[:4], 2) == 3
    assert stops.atr(bars, 2) == 5
    assert stops.atr(bars[:2], 2) is None


def test_fourteen_periods_need_fifteen_bars() -> None:
    flat = [bar(101, 99, 100)] * 15
    assert stops.atr(flat) == 2
    assert stops.atr(flat[:14]) is None


@pytest.mark.parametrize(
    ("tier", "stop", "profit"),
    [
        (RiskTier.CONSERVATIVE, "97.00", "106.00"),  # 100 - 1.5 * 2; + 3 * 2.0
        (RiskTier.MODERATE, "96.00", "106.00"),  # 100 - 2 * 2; + 4 * 1.5
        (RiskTier.AGGRESSIVE, "95.00", "106.00"),  # 100 - 2.5 * 2; + 5 * 1.2
    ],
)
def test_initial_levels(tier: RiskTier, stop: str, profit: str) -> None:
    assert stops.initial_levels(Decimal(100), Decimal(2), TIERS[tier]) == Levels(dec(stop), dec(profit))


@pytest.mark.parametrize("wide", ["50", "60", "0"])
def test_a_range_that_leaves_no_room_for_a_stop(wide: str) -> None:
    assert stops.initial_levels(Decimal(100), dec(wide), MODERATE) is None


def test_trailing_by_hand() -> None:
    assert stops.trailed(Decimal(96), Decimal(110), Decimal(2), MODERATE) == Decimal("106.00")
    assert stops.trailed(Decimal(106), Decimal(107), Decimal(2), MODERATE) == Decimal(106)
    assert stops.trailed(None, Decimal(100), Decimal(2), MODERATE) == Decimal("96.00")
    assert stops.trailed(None, Decimal(3), Decimal(2), MODERATE) is None


@given(st.lists(st.tuples(cents("0.5", "500"), cents("0.01", "60")), min_size=1, max_size=40), cents("1", "500"))
def test_stops_never_fall(looks, first) -> None:  # type: ignore[no-untyped-def]
    path = list(accumulate(looks, lambda stop, look: stops.trailed(stop, *look, MODERATE), initial=first))
    assert path == sorted(path)


def test_which_level_a_price_is_through() -> None:
    held = position(stop=95, take_profit=110)
    assert stops.exit_due(held, Decimal(95)) == "stop"
    assert stops.exit_due(held, Decimal("95.01")) is None
    assert stops.exit_due(held, Decimal(110)) == "take_profit"
    assert stops.exit_due(position(), Decimal("0.01")) is None


def test_an_exit_sells_what_is_left_and_never_more() -> None:
    held = position(quantity="2.5", stop=95)
    order = stops.exit_order(held, Decimal(94))
    assert order is not None
    assert (order.side, order.quantity, order.purpose) == ("sell", Decimal("2.5"), "stop")
    rest = stops.exit_order(held, Decimal(94), Decimal(1))
    assert rest is not None
    assert rest.quantity == Decimal("1.5")
    assert stops.exit_order(held, Decimal(94), Decimal("2.5")) is None
    assert stops.exit_order(held, Decimal(96)) is None


def test_the_fast_watch() -> None:
    held = position(stop=95)
    assert stops.near_stop(held, Decimal(97), Decimal(2))
    assert not stops.near_stop(held, Decimal("97.01"), Decimal(2))
    assert stops.near_stop(position(), Decimal(97), Decimal(2))
    assert stops.near_stop(held, Decimal(97), None)


@pytest.mark.parametrize("ratio", ["4", "0.1"])
def test_a_split_changes_no_value(ratio: str) -> None:
    before = position(quantity=10, price=100, cost=80, stop=90, take_profit=120)
    after = stops.after_split(before, dec(ratio))
    assert after.value == before.value
    assert after.quantity * after.cost == before.quantity * before.cost
    assert after.stop == 90 / dec(ratio)
    assert stops.exit_due(after, after.price) is None
