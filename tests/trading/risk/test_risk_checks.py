"""Each risk check by example; the whole verdict by property: what the decision orders, the risk engine lets pass."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.vocabulary import RiskTier
from stonks_trading.decide.decide import decide
from stonks_trading.records import Breaker, OrderPlan, Portfolio
from stonks_trading.risk.checks import CheckResult, OpenOrder, Proposal
from stonks_trading.risk.config import RiskConfig
from stonks_trading.risk.evaluate import CHECKS, RiskEvaluation, evaluate
from tests.trading.decide.desk import (
    NOON,
    RULES,
    dec,
    market,
    markets,
    portfolio,
    portfolios,
    position,
    quote,
    recommendations,
    rule_sets,
    state,
    view,
)

CONFIG = RiskConfig.from_rules(RULES, RiskTier.MODERATE)


def buy(dollars: object = 100, ticker: str = "ACME") -> OrderPlan:
    return OrderPlan(ticker, "buy", "market", notional=dec(dollars))


def sell(quantity: object = 1, purpose: str = "exit") -> OrderPlan:
    return OrderPlan("ACME", "sell", "market", quantity=dec(quantity), purpose=purpose)  # type: ignore[arg-type]


def proposal(order: OrderPlan, account: Portfolio | None = None, **changes: object) -> Proposal:
    plain = Proposal(order, "mine", account or portfolio(), market(), NOON)
    return replace(plain, **changes)  # type: ignore[arg-type]


def verdict(p: Proposal, config: RiskConfig = CONFIG) -> RiskEvaluation:
    return evaluate(p, config, "paper")


def failed(p: Proposal, config: RiskConfig = CONFIG) -> list[str]:
    return [r.name for r in verdict(p, config).results if not r.passed]


def result(p: Proposal, name: str, config: RiskConfig = CONFIG) -> CheckResult:
    return next(r for r in verdict(p, config).results if r.name == name)


def test_a_plain_buy_and_a_plain_sell_pass_every_check() -> None:
    for p in (proposal(buy()), proposal(sell(), portfolio(500, position("ACME", 1, 100, stop=95)))):
        whole = verdict(p)
        assert (whole.eligible, whole.requires_approval, whole.reasons) == (True, False, ())
        assert len(whole.results) == len(CHECKS)


@pytest.mark.parametrize(("dollars", "fine"), [("0.99", False), ("1", True), ("200", True), ("200.01", False)])
def test_order_size(dollars: str, fine: bool) -> None:
    config = replace(CONFIG, max_order_dollars=Decimal(200))
    assert result(proposal(buy(dollars)), "order_size", config).passed is fine


def test_a_buy_by_quantity_is_worth_what_it_meets() -> None:
    order = OrderPlan("ACME", "buy", "market", quantity=Decimal(3), purpose="override")
    assert result(proposal(order), "order_size").value == 300
    limited = replace(order, type="limit", limit_price=Decimal(90))
    assert result(proposal(limited), "order_size").value == 270
    assert failed(proposal(order, market={})) == ["order_size", "quote"]


@pytest.mark.parametrize(("dollars", "fine"), [("600", True), ("600.01", False)])
def test_position_limit_counts_what_is_held_and_coming(dollars: str, fine: bool) -> None:
    account = portfolio(9_700, position("ACME", 3, 100, stop=95), pending_buys={"ACME": Decimal(100)})
    found = result(proposal(buy(dollars), account), "position_limit")
    assert (found.passed, found.limit, found.value) == (fine, 1000, 400 + dec(dollars))
    capped = replace(CONFIG, max_position_dollars=Decimal(450))
    assert result(proposal(buy(51), account), "position_limit", capped).limit == 450


@pytest.mark.parametrize(("dollars", "fine"), [("500", True), ("500.01", False)])
def test_sector_concentration(dollars: str, fine: bool) -> None:
    account = portfolio(7_500, position("BOLT", 25, 100, stop=99))
    found = result(proposal(buy(dollars), account), "sector_concentration")
    assert (found.passed, found.limit, found.value) == (fine, 3000, 2500 + dec(dollars))


@pytest.mark.parametrize(("dollars", "fine"), [("1000", True), ("1000.01", False)])
def test_portfolio_heat(dollars: str, fine: bool) -> None:
    # 1800 at risk of 2000 allowed; 20 % of each dollar is at risk
    account = portfolio(5_500, position("CRUX", 45, 100, stop=60))
    p = proposal(buy(dollars), account, market=market(ACME=view("ACME", atr=10)))
    assert result(p, "portfolio_heat").passed is fine


def test_daily_loss_limit() -> None:
    assert result(proposal(buy(), portfolio(600, opening=1000)), "daily_loss_limit").passed
    lost = proposal(buy(), portfolio(599, opening=1000))
    assert not result(lost, "daily_loss_limit").passed
    assert result(replace(lost, order=sell()), "daily_loss_limit").passed


def test_max_open_positions() -> None:
    account, config = portfolio(9_000, position("BOLT", 1, 100, stop=95)), replace(CONFIG, max_open_positions=1)
    assert not result(proposal(buy(), account), "max_open_positions", config).passed
    assert result(proposal(buy(ticker="BOLT"), account), "max_open_positions", config).passed


@pytest.mark.parametrize(("dollars", "fine"), [("350", True), ("350.01", False)])
def test_cash_keeps_reserve_promises_and_minimum(dollars: str, fine: bool) -> None:
    account = portfolio(1_000, position("CRUX", 99, 100, stop=99), reserve=300, pending_buys={"DUNE": Decimal(250)})
    assert result(proposal(buy(dollars), account), "cash_and_pool").passed is fine


@pytest.mark.parametrize(("quantity", "fine"), [("1.5", True), ("1.500000001", False)])
def test_no_short(quantity: str, fine: bool) -> None:
    account = portfolio(500, position("ACME", "2.5", 100, stop=95), pending_sells={"ACME": Decimal(1)})
    assert result(proposal(sell(quantity), account), "no_short").passed is fine
    blind = OrderPlan("ACME", "sell", "market", notional=Decimal(10))
    assert failed(proposal(blind, account)) == ["no_short"]


def test_the_same_order_twice() -> None:
    same_id = OpenOrder("mine", "BOLT", "sell", "exit")
    twin = OpenOrder("other", "ACME", "buy", "entry")
    next_part = replace(twin, tranche=2)
    assert failed(proposal(buy(), open_orders=[same_id])) == ["duplicate"]
    assert failed(proposal(buy(), open_orders=[twin])) == ["duplicate"]
    assert failed(proposal(buy(), open_orders=[next_part])) == []


def test_wash_trades_but_never_a_protective_order() -> None:
    entry, armed = OpenOrder("e", "ACME", "buy", "entry"), OpenOrder("s", "ACME", "sell", "stop")
    account = portfolio(500, position("ACME", 1, 100, stop=95))
    assert failed(proposal(sell(), account, open_orders=[entry])) == ["wash_trade"]
    assert failed(proposal(sell(purpose="stop"), account, open_orders=[entry])) == []
    assert failed(proposal(buy(50), portfolio(), open_orders=[armed])) == []
    leaving = replace(armed, purpose="exit")
    assert failed(proposal(buy(50), portfolio(), open_orders=[leaving])) == ["wash_trade"]


def test_a_stale_quote_stops_buys_only() -> None:
    stale = market(ACME=replace(view(), quote=quote(age=121)))
    found = result(proposal(buy(), market=stale), "quote")
    assert (found.passed, found.value, found.limit) == (False, 121, 120)
    assert failed(proposal(sell(), portfolio(500, position(stop=95)), market=stale)) == []


def test_breakers_stop_buys_and_the_manual_one_what_protects_nothing() -> None:
    account = portfolio(500, position("ACME", 1, 100, stop=95))
    loss, manual = frozenset({Breaker.DAILY_LOSS}), frozenset({Breaker.MANUAL})
    assert failed(proposal(buy(), tripped=loss)) == ["breakers"]
    assert failed(proposal(sell(), account, tripped=loss)) == []
    assert failed(proposal(sell(), account, tripped=manual)) == ["breakers"]
    assert failed(proposal(sell(purpose="stop"), account, tripped=manual)) == []


def test_who_must_be_asked() -> None:
    account = portfolio(9_900, position("BOLT", 1, 100, stop=95))
    above = replace(CONFIG, approval_above_dollars=Decimal(100))
    assert not verdict(proposal(buy(100), account), above).requires_approval
    asked = verdict(proposal(buy("100.01"), account), above)
    assert (asked.eligible, asked.requires_approval) == (True, True)
    assert "$100.01" in asked.approval_reason
    live = evaluate(proposal(buy(1), account), CONFIG, "live")
    assert (live.eligible, live.requires_approval) == (True, True)
    assert not evaluate(proposal(buy(1)), replace(CONFIG, approval_in_live=False), "live").requires_approval
    exit_ = proposal(sell(), portfolio(900, position(stop=95)))
    assert not evaluate(exit_, above, "live").requires_approval


def test_nobody_is_asked_about_what_is_refused_anyway() -> None:
    refused = evaluate(proposal(buy(5000)), CONFIG, "live")
    assert (refused.eligible, refused.requires_approval) == (False, False)
    assert any(r.startswith("position_limit: ACME would stand at $5000.00") for r in refused.reasons)


cases = st.tuples(recommendations(), portfolios(), markets(), rule_sets(), st.sampled_from(list(RiskTier)))


@given(cases)
def test_what_the_decision_orders_the_risk_engine_lets_pass(case) -> None:  # type: ignore[no-untyped-def]
    given_, account, seen, rules, tier = case
    config = RiskConfig.from_rules(rules, tier)
    for decision in decide(given_, account, seen, state(tier=tier), rules, NOON, market_open=True, decided={}):
        order = decision.order
        if order is None:
            continue
        whole = evaluate(Proposal(order, decision.decision_id, account, seen, NOON), config, "paper")
        assert whole.eligible, whole.reasons
        if order.notional:
            coming = account.pending_buys.get(order.ticker, Decimal(0)) + order.notional
            account = replace(
                account,
                pending_buys={**account.pending_buys, order.ticker: coming},
                committed=account.committed + order.notional,
            )


SHRUNK = [
    "max_position_pct",
    "max_position_dollars",
    "max_sector_pct",
    "max_daily_loss_pct",
    "max_heat_pct",
    "max_order_dollars",
]


@given(portfolios(), markets(), st.decimals(1, 2000, places=2), st.sampled_from(SHRUNK), st.integers(0, 300))
def test_a_tighter_limit_never_makes_an_order_eligible(account, seen, dollars, name, age) -> None:  # type: ignore[no-untyped-def]
    p = Proposal(buy(dollars), "mine", account, seen, NOON + timedelta(seconds=age))
    tight = replace(CONFIG, **{name: getattr(CONFIG, name) / 3})
    assert verdict(p, CONFIG).eligible or not verdict(p, tight).eligible
