"""The size formula, worked by hand, and the properties of its limits."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.vocabulary import RiskTier
from stonks_trading.decide import exposure
from stonks_trading.decide.rules import TradingRules
from stonks_trading.decide.sizing import confidence_scale, correlation_scale, size_entry
from stonks_trading.decide.tiers import TIERS
from stonks_trading.records import MarketView, Portfolio
from tests.trading.decide.desk import (
    RULES,
    TICKERS,
    market,
    markets,
    portfolio,
    portfolios,
    position,
    rule_sets,
    view,
)

MODERATE = TIERS[RiskTier.MODERATE]


def sized(account: Portfolio, *, confidence: float = 1.0, rules: TradingRules = RULES, **views: MarketView):  # type: ignore[no-untyped-def]
    seen = market(**views)
    ask = seen["ACME"].quote.ask if seen["ACME"].quote else None
    assert ask is not None
    return size_entry(confidence, seen["ACME"], ask, account, seen, MODERATE, rules)


@pytest.mark.parametrize(
    ("confidence", "minimum", "scale"),
    [
        (0.775, 0.55, "0.5"),  # 0.225 / 0.45
        (0.55, 0.55, "0.25"),  # 0, held up to a quarter
        (0.60, 0.55, "0.25"),  # 0.111
        (1.0, 0.55, "1"),
        (0.9, 1.0, "1"),
    ],
)
def test_confidence_scales_between_a_quarter_and_one(confidence: float, minimum: float, scale: str) -> None:
    assert confidence_scale(confidence, minimum) == Decimal(scale)


@pytest.mark.parametrize(("mean", "scale"), [(0.25, "0.75"), (-0.5, "1"), (0.0, "1"), (1.0, "0")])
def test_correlation_only_ever_shrinks(mean: float, scale: str) -> None:
    assert correlation_scale(mean) == Decimal(scale)


def test_the_formula_by_hand() -> None:
    # pool 10000 - 2000 = 8000; 10 % = 800; confidence 0.775 -> 400; correlation 0.25 -> 300
    account = portfolio(10_000, reserve=2_000)
    result = sized(account, confidence=0.775, ACME=view("ACME", correlation=0.25))
    assert result.dollars == Decimal("300.00")
    assert [(c.rule, c.after) for c in result.clamps[:3]] == [
        ("tier_position", Decimal("800.00")),
        ("confidence", Decimal("400.00")),
        ("correlation", Decimal("300.00")),
    ]


def test_what_is_held_or_coming_counts_against_target_and_cap() -> None:
    account = portfolio(9_000, position("ACME", 10, 30), pending_buys={"ACME": Decimal(100)})
    # pool 9300, target 930, 300 held and 100 coming: 530; cap 450 - 400 = 50
    assert sized(account).dollars == Decimal("530.00")
    capped = sized(account, rules=replace(RULES, absolute_position_cap=Decimal(450)))
    assert capped.dollars == Decimal("50.00")
    clamp = next(c for c in capped.clamps if c.rule == "absolute_cap")
    assert (clamp.limit, clamp.after) == (Decimal("50.00"), Decimal("50.00"))


def test_sector_room_counts_the_sector_of_what_is_coming() -> None:
    # pool 10000, sector limit 3000; BOLT (Energy too) holds 1500 and 1200 are coming: room 300
    account = portfolio(8_500, position("BOLT", 15, 100, stop=95), pending_buys={"BOLT": Decimal(1200)})
    result = sized(account)
    assert result.dollars == Decimal("300.00")


def test_heat_room_by_hand() -> None:
    # equity 10000, limit 2000 of risk. CRUX: (100 - 60) * 45 = 1800, so 200 are left.
    # ACME risks 2 * 10 / 100 = 20 % of each dollar: 200 / 0.2 = 1000; ATR 40 risks 80 %: 250
    account = portfolio(5_500, position("CRUX", 45, 100, stop=60))
    assert sized(account, ACME=view("ACME", atr=10)).dollars == Decimal("1000.00")
    assert sized(account, ACME=view("ACME", atr=40)).dollars == Decimal("250.00")


def test_a_position_without_a_stop_is_hot_with_all_of_its_value() -> None:
    account = portfolio(8_000, position("CRUX", 20, 100))
    assert exposure.heat(account, market(), MODERATE) == Decimal("0.2")
    assert sized(account).reason == "below_minimum"


def test_what_is_being_bought_is_hot_down_to_the_stop_it_will_get() -> None:
    # ATR 5 of 100, twice: 10 % of 300 coming; without a view all of the 40 coming counts
    coming = portfolio(pending_buys={"CRUX": Decimal(300), "GONE": Decimal(40)})
    assert exposure.heat_dollars(coming, market(CRUX=view("CRUX", atr=5)), MODERATE) == 70


def test_cash_keeps_reserve_promises_and_minimum() -> None:
    # 1000 cash - 300 reserve - 250 promised = 450 free, 100 of it stay: 350 of a target of 1060
    account = portfolio(1_000, position("CRUX", 99, 100, stop=99), reserve=300, pending_buys={"DUNE": Decimal(250)})
    assert sized(account).dollars == Decimal("350.00")


def test_refusals_say_which_rule_and_the_numbers() -> None:
    poor = sized(portfolio(99))
    assert (poor.dollars, poor.reason) == (0, "active_pool_minimum")
    assert "$99.00" in poor.sentence
    assert "$100.00" in poor.sentence
    full = sized(portfolio(9_000, position("BOLT", 1, 100)), rules=replace(RULES, max_open_positions=1))
    assert full.reason == "max_open_positions"
    tiny = sized(portfolio(100))
    assert tiny.reason == "below_minimum"
    assert "cash" in tiny.sentence


def test_adding_to_an_open_position_needs_no_new_place() -> None:
    account = portfolio(9_900, position("ACME", 1, 100, stop=95))
    assert sized(account, rules=replace(RULES, max_open_positions=1)).dollars == Decimal("900.00")


def test_just_below_a_dollar_is_skipped_and_a_dollar_is_bought() -> None:
    rules = replace(RULES, absolute_position_cap=Decimal("0.99"))
    assert sized(portfolio(), rules=rules).reason == "below_minimum"
    assert sized(portfolio(), rules=replace(RULES, absolute_position_cap=Decimal(1))).dollars == 1


ticker_names = st.sampled_from(TICKERS)


@given(portfolios(), markets(), rule_sets(), ticker_names, st.floats(0.3, 1), st.sampled_from(list(RiskTier)))
def test_no_limit_is_ever_exceeded(account, seen, rules, ticker, confidence, tier) -> None:  # type: ignore[no-untyped-def]
    limits, price = TIERS[tier], seen[ticker].quote.ask
    size = size_entry(confidence, seen[ticker], price, account, seen, limits, rules).dollars
    assert size == 0 or size >= rules.least_order
    if size == 0:
        return
    pool, held = account.active_pool, exposure.committed_to(account, ticker)
    assert pool >= rules.active_pool_minimum
    assert held + size <= pool * limits.max_position
    assert held + size <= rules.absolute_position_cap
    sector = exposure.sector_of(ticker, account, seen)
    assert exposure.committed_to_sector(account, sector, seen) + size <= pool * limits.max_sector
    risk = exposure.risk_share(seen[ticker].atr, price, limits)
    at_risk = exposure.heat_dollars(account, seen, limits) + size * risk
    assert at_risk <= account.equity * limits.max_heat + Decimal("1e-12")
    assert exposure.free_cash(account) - size >= rules.active_pool_minimum
    assert len(exposure.open_tickers(account) | {ticker}) <= rules.max_open_positions or (
        ticker in exposure.open_tickers(account)
    )


TIGHTER = {
    "cap": lambda r, lim, v: (replace(r, absolute_position_cap=r.absolute_position_cap / 2), lim, v),
    "pool": lambda r, lim, v: (replace(r, active_pool_minimum=r.active_pool_minimum + 50), lim, v),
    "places": lambda r, lim, v: (replace(r, max_open_positions=r.max_open_positions - 1), lim, v),
    "position": lambda r, lim, v: (r, replace(lim, max_position=lim.max_position / 2), v),
    "sector": lambda r, lim, v: (r, replace(lim, max_sector=lim.max_sector / 2), v),
    "heat": lambda r, lim, v: (r, replace(lim, max_heat=lim.max_heat / 2), v),
    "confidence": lambda r, lim, v: (r, replace(lim, min_confidence=min(1 - 1e-9, lim.min_confidence + 0.1)), v),
    "correlation": lambda r, lim, v: (r, lim, replace(v, mean_correlation=min(1.0, v.mean_correlation + 0.2))),
    "range": lambda r, lim, v: (r, lim, replace(v, atr=None)),
}


@given(portfolios(), markets(), rule_sets(), ticker_names, st.floats(0.3, 1), st.sampled_from(sorted(TIGHTER)))
def test_a_tighter_limit_never_buys_more(account, seen, rules, ticker, confidence, name) -> None:  # type: ignore[no-untyped-def]
    price = seen[ticker].quote.ask
    loose = size_entry(confidence, seen[ticker], price, account, seen, MODERATE, rules)
    tight_rules, tight_limits, tight_view = TIGHTER[name](rules, MODERATE, seen[ticker])
    tight = size_entry(confidence, tight_view, price, account, seen | {ticker: tight_view}, tight_limits, tight_rules)
    assert tight.dollars <= loose.dollars
    assert (
        size_entry(confidence, seen[ticker], price, account, seen, MODERATE, rules, allocation=Decimal("0.03")).dollars
        <= loose.dollars
    )


@given(portfolios(), markets(), rule_sets(), ticker_names, st.floats(0.3, 1))
def test_the_clamps_only_fall_and_end_at_the_size(account, seen, rules, ticker, confidence) -> None:  # type: ignore[no-untyped-def]
    result = size_entry(confidence, seen[ticker], seen[ticker].quote.ask, account, seen, MODERATE, rules)
    after = [c.after for c in result.clamps]
    assert after == sorted(after, reverse=True)
    if result.dollars:
        assert result.clamps[-1].after == result.dollars
        assert result.dollars == min([after[0], *(c.limit for c in result.clamps if c.limit is not None), after[2]])
