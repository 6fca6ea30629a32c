"""Returns, correlations, volatility, and what they trim."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.vocabulary import RiskTier
from stonks_trading.decide import correlation as moves
from stonks_trading.decide import rebalance
from stonks_trading.decide.tiers import TIERS
from tests.trading.decide.desk import RULES, TICKERS, portfolio, portfolios, position

MODERATE = TIERS[RiskTier.MODERATE]
DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(80)]


def returns(*values: float) -> dict[date, float]:
    return dict(zip(DAYS, values, strict=False))


def test_returns_by_hand() -> None:
    closes = {DAYS[2]: Decimal(99), DAYS[0]: Decimal(100), DAYS[1]: Decimal(110)}
    assert moves.daily_returns(closes) == {DAYS[1]: pytest.approx(0.1), DAYS[2]: pytest.approx(-0.1)}


def test_correlation_of_what_moves_together_and_against() -> None:
    one = returns(*(math.sin(n) for n in range(60)))
    assert moves.correlation(one, {d: 3 * r + 1 for d, r in one.items()}) == pytest.approx(1)
    assert moves.correlation(one, {d: -r for d, r in one.items()}) == pytest.approx(-1)


def test_correlation_looks_at_the_last_sixty_common_days_and_needs_twenty() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.normal(size=80), rng.normal(size=80)
    expected = float(np.corrcoef(one[-60:], other[-60:])[0, 1])
    assert moves.correlation(returns(*one), returns(*other)) == pytest.approx(expected)
    assert moves.correlation(returns(*one[:19]), returns(*other)) is None
    assert moves.correlation(returns(*one), returns(*[0.0] * 80)) is None


def test_mean_correlation_leaves_out_itself_and_the_unknown() -> None:
    one = returns(*(math.sin(n) for n in range(60)))
    series = {"ACME": one, "BOLT": one, "CRUX": {d: -r for d, r in one.items()}}

    def known(first: str, second: str) -> float | None:
        return moves.correlation(series.get(first, {}), series.get(second, {}))

    assert moves.mean_correlation("ACME", ["ACME", "BOLT", "DUNE"], known) == pytest.approx(1)
    assert moves.mean_correlation("ACME", ["BOLT", "CRUX"], known) == pytest.approx(0)
    assert moves.mean_correlation("ACME", ["DUNE"], known) == 0
    assert moves.correlation_matrix(["BOLT", "ACME", "DUNE"], known) == {("ACME", "BOLT"): pytest.approx(1)}


def test_realised_volatility_against_numpy() -> None:
    closes = [Decimal(100 + (n * 7) % 11) for n in range(30)]
    logs = np.diff(np.log([float(c) for c in closes[-21:]]))
    assert moves.realised_volatility(closes) == pytest.approx(float(np.std(logs, ddof=1)) * math.sqrt(252))
    assert moves.realised_volatility(closes[:20]) is None
    assert moves.universe_volatility([0.3, None, 0.1, 0.9]) == 0.3
    assert moves.universe_volatility([None]) is None


def test_a_week_is_a_calendar_week() -> None:
    sunday, monday = datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert rebalance.weekly_due(None, monday)
    assert rebalance.weekly_due(sunday, monday)
    assert not rebalance.weekly_due(monday, monday + timedelta(days=6))
    assert rebalance.weekly_due(datetime(2025, 12, 30, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC))


def test_overweight_is_trimmed_at_once_and_the_rest_weekly() -> None:
    # pool 10000, limit 1000, at once beyond 1250
    account = portfolio(6_450, position("ACME", 13, 100), position("BOLT", 11, 100), position("CRUX", "11.5", 100))
    made = rebalance.trims(account, {}, MODERATE, RULES, weekly=False)
    assert [(t.order.ticker, t.order.quantity, t.reason) for t in made] == [("ACME", 3, "overweight")]
    weekly = rebalance.trims(account, {}, MODERATE, RULES, weekly=True)
    assert [(t.order.ticker, t.order.quantity) for t in weekly] == [("ACME", 3), ("BOLT", 1), ("CRUX", Decimal("1.5"))]
    assert {t.order.purpose for t in weekly} == {"trim"}


def test_what_is_being_sold_already_is_not_trimmed_again() -> None:
    account = portfolio(8_700, position("ACME", 13, 100), pending_sells={"ACME": Decimal(2)})
    (trim,) = rebalance.trims(account, {}, MODERATE, RULES, weekly=False)
    assert trim.order.quantity == 1


def test_a_close_pair_shares_one_limit() -> None:
    account = portfolio(8_500, position("ACME", 9, 100), position("BOLT", 6, 100))
    made = rebalance.trims(account, {("ACME", "BOLT"): 0.9}, MODERATE, RULES, weekly=False)
    # 1500 together, 1000 allowed: 600 and 400 stay
    assert [(t.order.ticker, t.order.quantity, t.reason) for t in made] == [
        ("ACME", 3, "correlated_pair"),
        ("BOLT", 2, "correlated_pair"),
    ]
    assert rebalance.trims(account, {("ACME", "BOLT"): 0.85}, MODERATE, RULES, weekly=True) == ()


pairs = st.dictionaries(
    st.sampled_from([(a, b) for a in TICKERS for b in TICKERS if a < b]), st.floats(-1, 1), max_size=4
)


@given(portfolios(), pairs, st.booleans())
def test_trims_sell_no_more_than_is_free_and_leave_nothing_overweight(account, close, weekly) -> None:  # type: ignore[no-untyped-def]
    made = rebalance.trims(account, close, MODERATE, RULES, weekly=weekly)
    limit = account.active_pool * MODERATE.max_position
    for trim in made:
        held = account.positions[trim.order.ticker]
        selling = account.pending_sells.get(held.ticker, Decimal(0))
        assert trim.order.side == "sell"
        assert trim.order.quantity is not None
        assert 0 < trim.order.quantity <= held.quantity - selling
        assert not held.micro
    sold = {t.order.ticker: t.order.quantity or Decimal(0) for t in made}
    for ticker, held in account.positions.items():
        going = sold.get(ticker, Decimal(0)) + account.pending_sells.get(ticker, Decimal(0))
        if held.value > rebalance.OVERWEIGHT * limit and not held.micro:
            assert (held.quantity - going) * held.price <= limit + RULES.least_order + held.price / 10**9
