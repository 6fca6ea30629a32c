"""The risk engine's limits: what the trading rules and the tier say, overridden by rows of `risk_configs`, within bounds.

Rows are `key` and JSON `value`; this module's keys begin with `risk.`, all others belong to somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Self

from stonks_core.errors import BadInputError
from stonks_core.vocabulary import RiskTier
from stonks_trading.decide.rules import QuoteRules, TradingRules
from stonks_trading.decide.tiers import TierLimits

PREFIX = "risk."


@dataclass(frozen=True)
class Bound:
    """What one key may be set to: from `least` to `most`; `whole` numbers only; `none` (JSON null) where it may be off."""

    least: Decimal
    most: Decimal
    unit: str
    whole: bool = False
    none: bool = False


_DOLLARS = Decimal(1_000_000_000)
BOUNDS: Mapping[str, Bound] = {
    "max_position_pct": Bound(Decimal("0.001"), Decimal(1), "share of the active pool"),
    "max_position_dollars": Bound(Decimal(0), _DOLLARS, "dollars"),
    "max_sector_pct": Bound(Decimal("0.001"), Decimal(1), "share of the active pool"),
    "max_daily_loss_pct": Bound(Decimal("0.001"), Decimal(1), "share of the day's opening equity"),
    "max_heat_pct": Bound(Decimal("0.001"), Decimal(1), "share of equity"),
    "max_open_positions": Bound(Decimal(0), Decimal(10_000), "positions", whole=True),
    "max_order_dollars": Bound(Decimal(0), _DOLLARS, "dollars"),
    "active_pool_minimum": Bound(Decimal(0), _DOLLARS, "dollars"),
    "quote_max_age_seconds": Bound(Decimal(1), Decimal(86_400), "seconds"),
    "approval_above_dollars": Bound(Decimal(0), _DOLLARS, "dollars", none=True),
}
SWITCHES = ("approval_in_live",)


@dataclass(frozen=True)
class RiskConfig:
    """The limits an order is checked against. Shares are of 1, money is in dollars; `version` names the rows it is from."""

    max_position_pct: Decimal
    max_position_dollars: Decimal
    max_sector_pct: Decimal
    max_daily_loss_pct: Decimal
    max_heat_pct: Decimal
    max_open_positions: int
    max_order_dollars: Decimal
    active_pool_minimum: Decimal
    quotes: QuoteRules
    stop_atr: Decimal
    least_order: Decimal = Decimal(1)
    approval_above_dollars: Decimal | None = None  # None: the size of an order never asks for approval
    approval_in_live: bool = True

    @classmethod
    def from_rules(cls, rules: TradingRules, tier: RiskTier) -> Self:
        """The limits where no row says otherwise: those of the tier and of the trading rules."""
        limits = rules.tiers[tier]
        return cls(
            max_position_pct=limits.max_position,
            max_position_dollars=rules.absolute_position_cap,
            max_sector_pct=limits.max_sector,
            max_daily_loss_pct=rules.breakers.daily_loss,
            max_heat_pct=limits.max_heat,
            max_open_positions=rules.max_open_positions,
            max_order_dollars=rules.absolute_position_cap,
            active_pool_minimum=rules.active_pool_minimum,
            quotes=rules.quotes,
            stop_atr=limits.stop_atr,
            least_order=rules.least_order,
        )

    def with_rows(self, rows: Mapping[str, object]) -> Self:
        """The same limits with the rows' values (key -> parsed JSON) in place; keys of others are passed over.

        Raises BadInputError naming every row that is out of bounds or unknown: with limits that cannot be read,
        nothing may be ordered.
        """
        mine = {key.removeprefix(PREFIX): value for key, value in rows.items() if key.startswith(PREFIX)}
        problems = [s for name, value in sorted(mine.items()) if (s := refusal(PREFIX + name, value))]
        if problems:
            raise BadInputError(" ".join(problems))
        changed = self
        for name, value in sorted(mine.items()):
            changed = changed.with_value(name, value)
        return changed

    def with_value(self, name: str, value: object) -> Self:
        """The same limits with one value in place; `value` has passed `refusal`."""
        if name in SWITCHES:
            return replace(self, approval_in_live=bool(value))
        number = _number(value)
        if name == "approval_above_dollars":
            return replace(self, approval_above_dollars=number)
        if number is None:
            raise BadInputError(_allowed(PREFIX + name, BOUNDS[name], value))
        if name == "quote_max_age_seconds":
            return replace(self, quotes=replace(self.quotes, max_age=timedelta(seconds=float(number))))
        if name == "max_open_positions":
            return replace(self, max_open_positions=int(number))
        return replace(self, **{name: number})  # type: ignore[arg-type]

    def tier_limits(self) -> TierLimits:
        """The limits as a tier's, for the functions of exposure that ask for one."""
        return TierLimits(
            min_confidence=0.0,
            max_position=self.max_position_pct,
            stop_atr=self.stop_atr,
            reward_risk=Decimal(1),
            max_sector=self.max_sector_pct,
            max_heat=self.max_heat_pct,
        )


def refusal(key: str, value: object) -> str:
    """Why a row may not be set so, in a sentence; empty where it may. Keys without the `risk.` prefix are not judged."""
    if not key.startswith(PREFIX):
        return ""
    name = key.removeprefix(PREFIX)
    if name in SWITCHES:
        return "" if isinstance(value, bool) else f"{key} is {value!r}; allowed are true and false."
    bound = BOUNDS.get(name)
    if bound is None:
        known = ", ".join(PREFIX + n for n in sorted([*BOUNDS, *SWITCHES]))
        return f"{key} is not a limit of the risk engine; there are {known}."
    if value is None and bound.none:
        return ""
    number = _number(value)
    if number is None or not bound.least <= number <= bound.most or (bound.whole and number != int(number)):
        return _allowed(key, bound, value)
    return ""


def _allowed(key: str, bound: Bound, value: object) -> str:
    kind = "whole numbers" if bound.whole else "numbers"
    off = ", or null for none" if bound.none else ""
    return f"{key} is {value!r}; allowed are {kind} from {bound.least} to {bound.most} ({bound.unit}){off}."


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
