"""Quotes, breakers and micro-trades that are due."""

from datetime import timedelta
from decimal import Decimal

import pytest

from stonks_trading.decide import breakers, micro
from stonks_trading.decide.quotes import UnusableQuote, UsableQuote, judge_quote
from stonks_trading.decide.rules import BreakerRules, MicroRules, QuoteRules
from stonks_trading.records import Breaker, Quote
from tests.trading.decide.desk import NOON, portfolio, position, quote

LIMITS = BreakerRules()


def test_a_good_quote_has_its_far_sides() -> None:
    good = judge_quote("ACME", quote(bid="99", ask="101"), NOON, QuoteRules())
    assert isinstance(good, UsableQuote)
    assert (good.mid, good.spread) == (100, Decimal("0.02"))
    assert (good.far_side("buy"), good.far_side("sell")) == (101, 99)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (None, "no_quote"),
        (quote(bid=None), "one_sided_quote"),
        (quote(ask=None), "one_sided_quote"),
        (quote(bid="0"), "one_sided_quote"),
        (quote(bid="100.01"), "crossed_quote"),
        (quote(age=121), "stale_quote"),
        (quote(age=-6), "future_quote"),
        (quote(bid="90"), "wide_quote"),
    ],
)
def test_what_is_wrong_with_a_quote(given: Quote | None, fault: str) -> None:
    bad = judge_quote("ACME", given, NOON, QuoteRules())
    assert isinstance(bad, UnusableQuote)
    assert bad.fault == fault
    assert "ACME" in bad.sentence


@pytest.mark.parametrize("good", [quote(bid="100"), quote(age=120), quote(age=-5)])
def test_the_edges_are_still_good(good: Quote) -> None:
    assert isinstance(judge_quote("ACME", good, NOON, QuoteRules()), UsableQuote)


def names(trips: tuple[breakers.Trip, ...]) -> list[tuple[Breaker, str]]:
    return [(t.breaker, t.ticker) for t in trips]


def test_daily_loss_trips_beyond_its_share_of_the_opening_equity() -> None:
    assert breakers.trips(portfolio(600, opening=1000), None, LIMITS) == ()
    (trip,) = breakers.trips(portfolio("599", opening=1000), None, LIMITS)
    assert (trip.breaker, trip.value, trip.limit) == (Breaker.DAILY_LOSS, Decimal("0.401"), Decimal("0.40"))
    assert "$1000.00 to $599.00" in trip.sentence


def test_one_position_trips_beyond_a_quarter_of_its_cost() -> None:
    account = portfolio(
        10_000,
        position("BOLT", 1, 75, cost=100),
        position("ACME", 1, "74.99", cost=100),
        position("CRUX", 1, 10, cost=100),
    )
    assert names(breakers.trips(account, None, LIMITS)) == [
        (Breaker.SINGLE_POSITION, "ACME"),
        (Breaker.SINGLE_POSITION, "CRUX"),
    ]
    assert names(breakers.trips(account, None, LIMITS, pardoned={"CRUX"})) == [(Breaker.SINGLE_POSITION, "ACME")]


def test_volatility_trips_above_its_limit() -> None:
    assert breakers.trips(portfolio(), 0.8, LIMITS) == ()
    assert names(breakers.trips(portfolio(), 0.81, LIMITS)) == [(Breaker.VOLATILITY, "")]


def test_what_a_trip_stops() -> None:
    assert breakers.effect([]) == breakers.Effect(False, False, False)
    assert breakers.effect([Breaker.VOLATILITY]) == breakers.Effect(True, True, False)
    assert breakers.effect([Breaker.MANUAL]) == breakers.Effect(True, True, True)


def test_only_two_breakers_reset_themselves_and_only_in_a_later_session() -> None:
    yesterday, today = NOON - timedelta(days=1), NOON
    tripped = dict.fromkeys(Breaker, yesterday)
    assert breakers.due_resets(tripped, today) == {Breaker.DAILY_LOSS, Breaker.VOLATILITY}
    assert breakers.due_resets(dict.fromkeys(Breaker, today), today) == frozenset()


def test_micro_trades_are_flat_after_the_longest_hold() -> None:
    rules = MicroRules(max_hold=timedelta(minutes=120))
    opened = NOON - timedelta(minutes=120)
    held = [
        position("BOLT", 2, micro=True, opened_at=opened),
        position("ACME", 3, micro=True, opened_at=opened + timedelta(seconds=1)),
        position("CRUX", 1, opened_at=opened),
        position("DUNE", 4, micro=True),
    ]
    plans = micro.overdue(held, NOON, rules, {"DUNE": Decimal(1)})
    assert [(p.ticker, p.quantity, p.purpose, p.side) for p in plans] == [
        ("BOLT", 2, "flatten", "sell"),
        ("DUNE", 3, "flatten", "sell"),
    ]
