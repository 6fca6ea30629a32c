"""The decision as a whole: what it does, what it refuses for now and for good, and what always holds."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_core.errors import BadInputError
from stonks_core.identifiers import digest
from stonks_core.vocabulary import Action, RiskTier, Window
from stonks_trading.decide import exposure
from stonks_trading.decide.decide import decide
from stonks_trading.decide.rules import MicroRules
from stonks_trading.decide.tiers import TIERS
from stonks_trading.decide.tranches import ALL_SENT, progress
from stonks_trading.records import Breaker, Decision, EngineState, Portfolio, Position
from tests.trading.decide.desk import (
    NOON,
    RULES,
    TICKERS,
    market,
    markets,
    portfolio,
    portfolios,
    position,
    quote,
    recommendation,
    recommendations,
    rule_sets,
    state,
    view,
)

SELL = recommendation("sell", action=Action.SELL)
BUY = recommendation("buy")
HELD = portfolio(1_000, position("ACME", "2.5", 100, stop=95))


def one(given_recommendation=BUY, account=None, engine=None, seen=None, rules=RULES, open_=True, **kwargs) -> Decision:  # type: ignore[no-untyped-def]
    (decision,) = decide(
        [given_recommendation],
        account or portfolio(),
        market() if seen is None else seen,
        engine or state(),
        rules,
        NOON,
        market_open=open_,
        decided=kwargs.pop("decided", {}),
        **kwargs,
    )
    return decision


def test_a_buy_by_hand() -> None:
    # pool 10000, 10 % = 1000, confidence 0.8 over 0.55 -> 0.25 / 0.45 = 0.5555...
    decision = one()
    order = decision.order
    assert order is not None
    assert (decision.outcome, decision.reason, decision.final) == ("act", "sized", True)
    assert (order.side, order.type, order.notional, order.quantity) == ("buy", "market", Decimal("555.55"), None)
    assert (order.tranche, order.tranches, order.purpose) == (1, 1, "entry")
    assert decision.decision_id == digest("buy", 1)
    assert decision.inputs["stop"] == "96.00"  # 100 - 2 * 2.0
    assert decision.inputs["take_profit"] == "106.00"  # 100 + 4 * 1.5
    assert "$555.55 of ACME" in decision.sentence


def test_a_sell_sells_what_is_held_and_free() -> None:
    order = one(SELL, HELD).order
    assert order is not None
    assert (order.side, order.quantity, order.notional, order.purpose) == ("sell", Decimal("2.5"), None, "exit")
    selling = replace(HELD, pending_sells={"ACME": Decimal(1)})
    rest = one(SELL, selling).order
    assert rest is not None
    assert rest.quantity == Decimal("1.5")


def test_a_sell_goes_once_whatever_the_number_of_tranches() -> None:
    again = decide([SELL], HELD, market(), state(), RULES, NOON, market_open=True, decided={"sell": 1})
    assert again == ()


def test_nothing_is_sold_short() -> None:
    decision = one(SELL)
    assert (decision.outcome, decision.reason, decision.final, decision.order) == ("skip", "nothing_held", True, None)
    short = portfolio(1_000, position("ACME", -3, 100))
    assert one(SELL, short).reason == "nothing_held"


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        (state(paused=True), "paused"),
        (state(Breaker.DAILY_LOSS), "breaker"),
        (state(Breaker.VOLATILITY, Breaker.SINGLE_POSITION), "breaker"),
        (state(closed="prices are older than 15 minutes"), "data_health"),
    ],
)
def test_what_closes_the_door_to_entries_lets_exits_through(engine: EngineState, reason: str) -> None:
    buy = one(BUY, engine=engine)
    assert (buy.outcome, buy.reason, buy.final) == ("skip", reason, False)
    assert one(SELL, HELD, engine).outcome == "act"


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        (state(Breaker.MANUAL), "breaker"),
        (state(enabled=False), "trading_disabled"),
        (state(locked={"ACME": "the broker holds 3, our books 2"}), "locked"),
    ],
)
def test_what_stops_both_sides_is_decided_again_later(engine: EngineState, reason: str) -> None:
    for decision in (one(BUY, engine=engine), one(SELL, HELD, engine)):
        assert (decision.outcome, decision.reason, decision.final) == ("skip", reason, False)


def test_a_closed_market_is_decided_again_later() -> None:
    for decision in (one(BUY, open_=False), one(SELL, HELD, open_=False)):
        assert (decision.reason, decision.final) == ("market_closed", False)


@pytest.mark.parametrize(
    ("seen", "reason", "final"),
    [
        ({}, "no_quote", False),
        (market(ACME=replace(view(), quote=None)), "no_quote", False),
        (market(ACME=replace(view(), quote=quote(age=121))), "stale_quote", False),
        (market(ACME=replace(view(), quote=quote(bid="101"))), "crossed_quote", False),
        (market(ACME=replace(view(), quote=quote(ask=None))), "one_sided_quote", False),
        (market(ACME=view(atr=None)), "no_atr", False),
        (market(ACME=view(atr=60)), "no_stop_possible", True),
    ],
)
def test_what_a_buy_needs_to_see_and_a_sell_does_not(seen, reason, final) -> None:  # type: ignore[no-untyped-def]
    decision = one(BUY, seen=seen)
    assert (decision.outcome, decision.reason, decision.final) == ("skip", reason, final)
    assert one(SELL, HELD, seen=seen).outcome == "act"


def test_an_opposite_open_order_is_waited_for() -> None:
    buying = portfolio(pending_buys={"ACME": Decimal(50)})
    assert (one(SELL, buying).reason, one(SELL, buying).final) == ("opposite_order_open", False)
    selling = replace(HELD, pending_sells={"ACME": Decimal(1)})
    assert (one(BUY, selling).reason, one(BUY, selling).final) == ("opposite_order_open", False)


def test_each_entry_sees_what_the_ones_before_it_took() -> None:
    loud = recommendation("loud", "BOLT", strength=0.9, confidence=1.0)
    quiet = recommendation("quiet", "ACME", strength=0.5, confidence=1.0)
    account = portfolio(1_000, position("CRUX", 100, 100, stop=99))
    # pool 11000: each wants 1100; 900 are free above the minimum, so that nothing is left for the second
    first, second = decide([quiet, loud], account, market(), state(), RULES, NOON, market_open=True, decided={})
    assert first.order is not None
    assert (first.ticker, first.order.notional) == ("BOLT", Decimal("900.00"))
    assert (second.ticker, second.reason) == ("ACME", "below_minimum")


GRADUAL = replace(RULES, gradual_entry_threshold=Decimal(30), gradual_entry_tranches=3)


def test_a_gradual_entry_from_first_to_last_part() -> None:
    account, sure = portfolio(), replace(BUY, confidence=1.0)
    decisions: list[Decision] = []
    now, ticks = NOON, []
    for _ in range(8):
        sent, last = progress(decisions)
        seen = {"ACME": replace(view(), quote=replace(quote(), at=now))}
        made = decide([sure], account, seen, state(), GRADUAL, now, market_open=True, decided=sent, last_sent=last)
        ticks.append(len(made))
        for decision in made:
            assert decision.order is not None
            account = filled(bought(account, decision))
        decisions += made
        now += timedelta(seconds=30)
    assert ticks == [1, 0, 1, 0, 1, 0, 0, 0]  # one part per interval of 60 s
    orders = [d.order for d in decisions if d.order]
    assert [o.notional for o in orders] == [Decimal("333.33"), Decimal("333.33"), Decimal("333.34")]
    assert [(o.tranche, o.tranches) for o in orders] == [(1, 3), (2, 3), (3, 3)]
    assert [d.final for d in decisions] == [False, False, True]
    assert [d.decision_id for d in decisions] == [digest("buy", n) for n in (1, 2, 3)]


def test_the_next_part_waits_until_the_last_one_is_filled() -> None:
    account = replace(portfolio(), pending_buys={"ACME": Decimal("333.33")}, committed=Decimal("333.33"))
    waiting = one(BUY, rules=GRADUAL, account=account, decided={"buy": 1})
    assert (waiting.outcome, waiting.reason, waiting.final) == ("skip", "order_open", False)
    assert "$333.33" in waiting.sentence


def test_the_rest_of_a_gradual_entry_goes_when_the_view_turns_or_ends() -> None:
    late = replace(BUY, expires_at=NOON)
    ended = one(late, rules=GRADUAL, decided={"buy": 1})
    assert (ended.reason, ended.final, ended.decision_id) == ("expired", True, digest("buy", 2))
    assert "rest of the gradual entry is cancelled" in ended.sentence
    turned = replace(recommendation("turned", action=Action.SELL), as_of=NOON)
    made = decide([BUY, turned], HELD, market(), state(), GRADUAL, NOON, market_open=True, decided={"buy": 1})
    assert {d.recommendation_id: (d.outcome, d.reason) for d in made} == {
        "turned": ("act", "exit"),
        "buy": ("skip", "superseded"),
    }


MICRO = replace(RULES, micro=MicroRules(enabled=True))
INTRADAY = recommendation("micro", window=Window.INTRADAY, confidence=1.0)


def test_a_micro_trade_keeps_to_its_own_cap() -> None:
    order = one(INTRADAY, rules=MICRO).order
    assert order is not None
    assert (order.micro, order.notional, order.tranches) == (True, Decimal("300.00"), 1)  # 3 % of 10000
    ordinary = one(INTRADAY).order
    assert ordinary is not None
    assert (ordinary.micro, ordinary.notional) == (False, Decimal("1000.00"))


def test_micro_trades_are_counted_and_not_mixed() -> None:
    full = one(INTRADAY, rules=MICRO, engine=state(micro_trades_today=10))
    assert (full.reason, full.final) == ("micro_daily_maximum", True)
    assert one(INTRADAY, HELD, rules=MICRO).reason == "micro_needs_free_ticker"
    held_small = portfolio(1_000, position("ACME", 1, 100, stop=95, micro=True))
    mixed = one(BUY, held_small, rules=MICRO)
    assert (mixed.reason, mixed.final) == ("held_as_micro", False)
    two = [INTRADAY, replace(INTRADAY, recommendation_id="micro2", ticker="BOLT")]
    last = decide(two, portfolio(), market(), state(micro_trades_today=9), MICRO, NOON, market_open=True, decided={})
    assert [d.reason for d in last] == ["sized", "micro_daily_maximum"]


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(BadInputError, match="not an aware UTC instant"):
        decide([], portfolio(), {}, state(), RULES, datetime(2026, 3, 4), market_open=True, decided={})  # noqa: DTZ001


def bought(account: Portfolio, decision: Decision) -> Portfolio:
    order = decision.order
    if order is None or order.notional is None:
        return account
    coming = account.pending_buys.get(order.ticker, Decimal(0)) + order.notional
    return replace(
        account,
        pending_buys={**account.pending_buys, order.ticker: coming},
        committed=account.committed + order.notional,
    )


def filled(account: Portfolio) -> Portfolio:
    positions = dict(account.positions)
    for ticker, dollars in account.pending_buys.items():
        held = positions[ticker].quantity if ticker in positions else Decimal(0)
        positions[ticker] = Position(ticker, held + dollars / 100, cost=Decimal(100), price=Decimal(100))
    return replace(
        account,
        cash=account.cash - account.committed,
        positions=positions,
        pending_buys={},
        committed=Decimal(0),
    )


def sold(account: Portfolio, decision: Decision) -> Portfolio:
    order = decision.order
    if order is None or order.side != "sell" or order.quantity is None:
        return account
    going = account.pending_sells.get(order.ticker, Decimal(0)) + order.quantity
    return replace(account, pending_sells={**account.pending_sells, order.ticker: going})


cases = st.tuples(recommendations(), portfolios(), markets(), rule_sets(), st.sampled_from(list(RiskTier)))


@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_does_not_matter(case, random) -> None:  # type: ignore[no-untyped-def]
    given_, account, seen, rules, tier = case
    straight = decide(given_, account, seen, state(tier=tier), rules, NOON, market_open=True, decided={})
    shuffled = random.sample(given_, len(given_))
    views = dict(random.sample(sorted(seen.items()), len(seen)))
    held = dict(random.sample(sorted(account.positions.items()), len(account.positions)))
    again = decide(
        shuffled + shuffled[:1],
        replace(account, positions=held),
        views,
        state(tier=tier),
        rules,
        NOON,
        market_open=True,
        decided={},
    )
    assert again == straight


@given(cases)
def test_the_plan_keeps_cash_limits_and_never_sells_short(case) -> None:  # type: ignore[no-untyped-def]
    given_, account, seen, rules, tier = case
    made = decide(given_, account, seen, state(tier=tier), rules, NOON, market_open=True, decided={})
    limits = TIERS[tier]
    free, pool = exposure.free_cash(account), account.active_pool
    spent = sum((d.order.notional for d in made if d.order and d.order.notional), Decimal(0))
    assert spent == 0 or free - spent >= rules.active_pool_minimum >= 0
    after = account
    for decision in made:
        assert (decision.outcome == "act") == (decision.order is not None)
        after = bought(sold(after, decision), decision)
        if decision.order and decision.order.side == "buy":
            held = exposure.committed_to(after, decision.ticker)
            assert held <= pool * limits.max_position
            assert held <= rules.absolute_position_cap
    for ticker in TICKERS:
        if any(d.order and d.order.side == "sell" and d.ticker == ticker for d in made):
            selling = after.pending_sells[ticker]
            assert 0 < selling <= exposure.held_quantity(account, ticker)
    if spent:
        assert len(exposure.open_tickers(after)) <= max(rules.max_open_positions, len(exposure.open_tickers(account)))


@given(cases)
@settings(max_examples=60)
def test_deciding_again_sends_nothing_more(case) -> None:  # type: ignore[no-untyped-def]
    given_, account, seen, rules, tier = case
    engine = state(tier=tier)
    first = decide(given_, account, seen, engine, rules, NOON, market_open=True, decided={})
    sent, last = progress(first)
    after = account
    for decision in first:
        after = bought(sold(after, decision), decision)
    second = decide(given_, after, seen, engine, rules, NOON, market_open=True, decided=sent, last_sent=last)
    assert [d for d in second if d.outcome == "act"] == []
    assert all(not d.final for d in second)
    assert {d.recommendation_id for d in first} <= {d.recommendation_id for d in second} | set(sent)


@given(cases)
def test_every_recommendation_known_is_decided_once_with_a_reason(case) -> None:  # type: ignore[no-untyped-def]
    given_, account, seen, rules, tier = case
    made = decide(given_, account, seen, state(tier=tier), rules, NOON, market_open=True, decided={})
    assert sorted(d.recommendation_id for d in made) == sorted(r.recommendation_id for r in given_ if r.as_of <= NOON)
    assert all(d.reason and d.sentence.endswith(".") and d.inputs for d in made)
    assert len({d.decision_id for d in made}) == len(made)


@given(cases)
def test_a_shut_door_opens_no_position_and_stops_no_exit(case) -> None:  # type: ignore[no-untyped-def]
    given_, account, seen, rules, tier = case
    shut = state(Breaker.DAILY_LOSS, tier=tier, paused=True, closed="the feed is late")
    open_ = decide(given_, account, seen, state(tier=tier), rules, NOON, market_open=True, decided={})
    made = decide(given_, account, seen, shut, rules, NOON, market_open=True, decided={})
    assert not [d for d in made if d.order and d.order.side == "buy"]
    assert [d for d in made if d.order] == [d for d in open_ if d.order and d.order.side == "sell"]


@given(cases)
def test_who_is_done_is_not_decided_again(case) -> None:  # type: ignore[no-untyped-def]
    given_, account, seen, rules, tier = case
    done = {r.recommendation_id: ALL_SENT for r in given_}
    assert decide(given_, account, seen, state(tier=tier), rules, NOON, market_open=True, decided=done) == ()
