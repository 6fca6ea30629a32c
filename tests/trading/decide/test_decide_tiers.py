"""The tier table and the daily review."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.settings.trading import Trading
from stonks_core.vocabulary import RiskTier
from stonks_trading.decide.rules import TradingRules
from stonks_trading.decide.tiers import LADDER, TIERS, TierReview, drawdown, review_tier, win_rate

CAREFUL, MIDDLE, BOLD = LADDER


def trades(wins: int, of: int = 20) -> list[Decimal]:
    return [Decimal(1)] * wins + [Decimal(-1)] * (of - wins)


def review(
    tier: RiskTier = MIDDLE, *, equity: object = 100, wins: int = 10, heat: str = "0.05", since: int | None = None
) -> TierReview:
    return review_tier(
        tier,
        equity=Decimal(str(equity)),
        high_water_equity=Decimal(100),
        closed_trades=trades(wins),
        heat=Decimal(heat),
        sessions_since_change=since,
    )


def test_the_table() -> None:
    rows = [
        (t.min_confidence, t.max_position, t.stop_atr, t.reward_risk, t.max_sector, t.max_heat)
        for t in (TIERS[tier] for tier in LADDER)
    ]
    assert [tuple(str(x) for x in row) for row in rows] == [
        ("0.75", "0.05", "1.5", "2.0", "0.20", "0.10"),
        ("0.55", "0.10", "2.0", "1.5", "0.30", "0.20"),
        ("0.4", "0.15", "2.5", "1.2", "0.40", "0.30"),
    ]


def test_drawdown_and_win_rate_by_hand() -> None:
    assert drawdown(Decimal(88), Decimal(100)) == Decimal("0.12")
    assert drawdown(Decimal(101), Decimal(100)) == 0
    assert win_rate([*trades(0, 50), *trades(13)]) == Decimal("0.65")
    assert win_rate(trades(19, 19)) is None


@pytest.mark.parametrize(
    ("figures", "after", "reason"),
    [
        ({"equity": 89}, CAREFUL, "drawdown"),
        ({"equity": 90}, MIDDLE, "within_bounds"),  # 10 % is not more than 10 %
        ({"wins": 7}, CAREFUL, "win_rate"),
        ({"wins": 8}, MIDDLE, "within_bounds"),
        ({"wins": 13, "heat": "0.0999"}, BOLD, "performance"),
        ({"wins": 13, "heat": "0.10"}, MIDDLE, "within_bounds"),  # half of 20 %
        ({"wins": 12}, MIDDLE, "within_bounds"),
        ({"wins": 13, "equity": 95}, MIDDLE, "within_bounds"),
        ({"wins": 19, "equity": 80}, CAREFUL, "drawdown"),
        ({"equity": 80, "since": 4}, MIDDLE, "too_soon"),
        ({"equity": 80, "since": 5}, CAREFUL, "drawdown"),
        ({"tier": CAREFUL, "equity": 80}, CAREFUL, "at_the_end"),
        ({"tier": BOLD, "wins": 19}, BOLD, "at_the_end"),
    ],
)
def test_when_the_tier_moves(figures, after, reason) -> None:  # type: ignore[no-untyped-def]
    result = review(**figures)
    assert (result.after, result.reason) == (after, reason)
    assert result.changed == (after is not result.before)


def test_few_trades_move_nothing_up_or_down() -> None:
    result = review_tier(
        MIDDLE,
        equity=Decimal(100),
        high_water_equity=Decimal(100),
        closed_trades=trades(0, 3),
        heat=Decimal(0),
        sessions_since_change=None,
    )
    assert not result.changed
    assert "fewer than 20 closed trades" in result.sentence


@given(
    st.sampled_from(LADDER),
    st.integers(1, 120),
    st.integers(0, 20),
    st.decimals(0, 1, places=2),
    st.one_of(st.none(), st.integers(0, 9)),
)
def test_at_most_one_step_and_never_within_five_sessions(tier, equity, wins, heat, since) -> None:  # type: ignore[no-untyped-def]
    result = review(tier, equity=equity, wins=wins, heat=str(heat), since=since)
    assert abs(LADDER.index(result.after) - LADDER.index(tier)) <= 1
    assert not (result.changed and since is not None and since < 5)


def test_rules_from_the_default_settings() -> None:
    rules = TradingRules.from_settings(Trading(), "paper")
    assert (rules.absolute_position_cap, rules.active_pool_minimum, rules.max_open_positions) == (50, 100, 10)
    assert (rules.gradual_entry_tranches, rules.gradual_entry_threshold) == (3, 30)
    assert rules.decision_interval.total_seconds() == 60
    assert (rules.reserve.siphon, rules.reserve.high_water) == (Decimal("0.2"), Decimal("0.3"))
    assert (rules.breakers.daily_loss, rules.breakers.single_position) == (Decimal("0.4"), Decimal("0.25"))
    assert rules.breakers.volatility == 0.8
    assert (rules.micro.allocation, rules.micro.max_daily) == (Decimal("0.03"), 10)
    assert rules == TradingRules()
