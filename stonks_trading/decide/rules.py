"""The constants of the trading rules, gathered from the settings once, so that no rule reads a setting by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal, Self

from stonks_core.settings.trading import Trading
from stonks_core.vocabulary import RiskTier
from stonks_trading.decide.tiers import TIERS, TierLimits

BrokerMode = Literal["paper", "live"]
LEAST_ORDER = Decimal(1)  # dollars; Alpaca refuses a smaller notional


@dataclass(frozen=True)
class QuoteRules:
    """What a quote must be for an entry to rest on it."""

    max_age: timedelta = timedelta(minutes=2)
    max_spread: Decimal = Decimal("0.05")  # of the mid price
    clock_tolerance: timedelta = timedelta(seconds=5)  # a vendor's clock may run this far ahead of ours


@dataclass(frozen=True)
class MicroRules:
    """The caps of micro-trading; `allocation` is a share of the active pool."""

    enabled: bool = False
    interval: timedelta = timedelta(minutes=5)
    allocation: Decimal = Decimal("0.03")
    max_daily: int = 10
    max_hold: timedelta = timedelta(minutes=120)


@dataclass(frozen=True)
class BreakerRules:
    """Where breakers trip: shares of opening equity and of a position's cost, and an annualised volatility."""

    daily_loss: Decimal = Decimal("0.40")
    single_position: Decimal = Decimal("0.25")
    volatility: float = 0.8


@dataclass(frozen=True)
class ReserveRules:
    """The reserve pool: shares of realised profit, of equity, and of the highest equity."""

    siphon: Decimal = Decimal("0.20")
    high_water: Decimal = Decimal("0.30")
    emergency_drawdown: Decimal = Decimal("0.40")


@dataclass(frozen=True)
class ConservativeRules:
    """How much worse than the broker's a fill is reckoned for the second profit, as shares of the price.

    `latency`: the market moves against us between decision and fill. `participation`: the share of a typical day's volume
    that trades at that price; `impact` is what every share above it costs on top. What SEC and FINRA take is in `fees`.
    """

    latency: Decimal = Decimal("0.0005")
    participation: Decimal = Decimal("0.01")
    impact: Decimal = Decimal("0.01")


@dataclass(frozen=True)
class TradingRules:
    """Everything that the decision takes from the settings. Money is in dollars."""

    broker_mode: BrokerMode = "paper"
    tiers: Mapping[RiskTier, TierLimits] = field(default_factory=lambda: TIERS)
    absolute_position_cap: Decimal = Decimal(50)
    active_pool_minimum: Decimal = Decimal(100)
    max_open_positions: int = 10
    gradual_entry_tranches: int = 3
    gradual_entry_threshold: Decimal = Decimal(30)
    decision_interval: timedelta = timedelta(seconds=60)
    least_order: Decimal = LEAST_ORDER
    quotes: QuoteRules = field(default_factory=QuoteRules)
    micro: MicroRules = field(default_factory=MicroRules)
    breakers: BreakerRules = field(default_factory=BreakerRules)
    reserve: ReserveRules = field(default_factory=ReserveRules)

    @classmethod
    def from_settings(cls, trading: Trading, broker_mode: BrokerMode) -> Self:
        """The rules that the trading settings and the broker's mode make."""
        return cls(
            broker_mode=broker_mode,
            absolute_position_cap=trading.absolute_position_cap,
            active_pool_minimum=trading.active_pool_minimum,
            max_open_positions=trading.max_open_positions,
            gradual_entry_tranches=trading.gradual_entry_tranches,
            gradual_entry_threshold=trading.gradual_entry_threshold_dollars,
            decision_interval=timedelta(seconds=trading.polling_interval_seconds),
            micro=MicroRules(
                enabled=trading.micro_trading_enabled,
                interval=timedelta(seconds=trading.micro_trading_interval_seconds),
                allocation=share(trading.micro_trading_allocation_cap_pct),
                max_daily=trading.micro_trading_max_daily,
                max_hold=timedelta(minutes=trading.micro_trading_max_hold_minutes),
            ),
            breakers=BreakerRules(
                daily_loss=share(trading.emergency_drawdown_threshold_pct),
                single_position=share(trading.single_position_loss_pct),
                volatility=trading.volatility_breaker,
            ),
            reserve=ReserveRules(
                siphon=share(trading.reserve_siphon_pct),
                high_water=share(trading.reserve_high_water_pct),
                emergency_drawdown=share(trading.emergency_drawdown_threshold_pct),
            ),
        )


def share(value: float) -> Decimal:
    """A statistic as the Decimal that it prints as: 0.1 is a tenth, not the binary fraction beside it."""
    return Decimal(str(value))
