"""Limits from the tier and from rows, and what a row may say."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.errors import BadInputError
from stonks_core.vocabulary import RiskTier
from stonks_trading.decide.rules import TradingRules
from stonks_trading.risk.config import BOUNDS, PREFIX, SWITCHES, RiskConfig, refusal

CONFIG = RiskConfig.from_rules(TradingRules(), RiskTier.CONSERVATIVE)


def test_without_rows_the_tier_and_the_rules_speak() -> None:
    assert (CONFIG.max_position_pct, CONFIG.max_sector_pct, CONFIG.max_heat_pct) == (
        Decimal("0.05"),
        Decimal("0.20"),
        Decimal("0.10"),
    )
    assert (CONFIG.max_position_dollars, CONFIG.active_pool_minimum, CONFIG.max_open_positions) == (50, 100, 10)
    assert (CONFIG.approval_above_dollars, CONFIG.max_daily_loss_pct) == (None, Decimal("0.40"))


def test_rows_override_and_those_of_others_are_passed_over() -> None:
    changed = CONFIG.with_rows(
        {
            "macro_enabled": "whatever",
            "risk.max_heat_pct": 0.05,
            "risk.max_open_positions": 3,
            "risk.quote_max_age_seconds": 30,
            "risk.approval_above_dollars": "25.50",
            "risk.approval_in_live": False,
        }
    )
    assert (changed.max_heat_pct, changed.max_open_positions) == (Decimal("0.05"), 3)
    assert changed.quotes.max_age == timedelta(seconds=30)
    assert (changed.approval_above_dollars, changed.approval_in_live) == (Decimal("25.50"), False)
    assert changed.max_position_pct == CONFIG.max_position_pct
    assert changed.with_rows({"risk.approval_above_dollars": None}).approval_above_dollars is None
    assert CONFIG.with_rows({}) == CONFIG


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("risk.max_heat_pct", 1.5, "allowed are numbers from 0.001 to 1"),
        ("risk.max_heat_pct", None, "allowed are numbers"),
        ("risk.max_heat_pct", True, "allowed are numbers"),
        ("risk.max_heat_pct", "NaN", "allowed are numbers"),
        ("risk.max_heat_pct", "lots", "allowed are numbers"),
        ("risk.max_open_positions", 2.5, "allowed are whole numbers"),
        ("risk.approval_above_dollars", -1, "or null for none"),
        ("risk.approval_in_live", "yes", "allowed are true and false"),
        ("risk.max_heet_pct", 0.1, "is not a limit of the risk engine"),
    ],
)
def test_a_bad_row_is_named_with_what_is_allowed(key: str, value: object, said: str) -> None:
    sentence = refusal(key, value)
    assert key in sentence
    assert said in sentence
    with pytest.raises(BadInputError, match=key):
        CONFIG.with_rows({key: value})


def test_all_bad_rows_are_named_at_once() -> None:
    with pytest.raises(BadInputError, match=r"risk\.max_heat_pct.*risk\.max_sector_pct"):
        CONFIG.with_rows({"risk.max_sector_pct": 0, "risk.max_heat_pct": 2})


@given(
    st.sampled_from([*BOUNDS, *SWITCHES]), st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text())
)
def test_a_value_is_refused_or_taken(name: str, value: object) -> None:
    if refusal(PREFIX + name, value):
        with pytest.raises(BadInputError):
            CONFIG.with_rows({PREFIX + name: value})
    else:
        assert isinstance(CONFIG.with_rows({PREFIX + name: value}), RiskConfig)
