"""The slice of the trading engine."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from stonks_core.settings.slices import Count, Dollars, Seconds, Share, Slice
from stonks_core.vocabulary import RiskTier


class Trading(Slice):
    """The trading engine."""

    enabled: bool | None = Field(
        None,
        alias="TRADING_ENABLED",
        description="trade by itself; default false with a real broker, true with the sandbox's",
    )
    risk_tier: RiskTier = Field(
        RiskTier.MODERATE, alias="TRADING_RISK_TIER", description="conservative, moderate or aggressive"
    )
    reserve_siphon_pct: Share = Field(
        0.20, alias="TRADING_RESERVE_SIPHON_PCT", description="share of realised profit that moves to the reserve"
    )
    polling_interval_seconds: Seconds = Field(
        60,
        alias="TRADING_POLLING_INTERVAL_SECONDS",
        description="seconds between polls for recommendations; NOTIFY wakes sooner",
    )
    stop_loss_check_interval_seconds: Seconds = Field(
        300, alias="TRADING_STOP_LOSS_CHECK_INTERVAL_SECONDS", description="seconds between checks of all stops"
    )
    fast_stop_loss_interval_seconds: Seconds = Field(
        60,
        alias="TRADING_FAST_STOP_LOSS_INTERVAL_SECONDS",
        description="seconds between checks of positions near their stop",
    )
    broker_stops: bool = Field(
        True,
        alias="TRADING_BROKER_STOPS",
        description="rest a stop order at the broker for every position; false: the daemon alone watches the stops",
    )
    unprotected_alarm_seconds: Seconds = Field(
        180,
        alias="TRADING_UNPROTECTED_ALARM_SECONDS",
        description="seconds of session time after which a position that nobody protects raises an alarm",
    )
    clock_skew_limit_seconds: Seconds = Field(
        5,
        alias="TRADING_CLOCK_SKEW_LIMIT_SECONDS",
        description="seconds by which this machine's clock may differ from the broker's; above, no position is opened",
    )
    lease_seconds: Annotated[float, Field(ge=1, le=300)] = Field(
        15,
        alias="TRADING_LEASE_SECONDS",
        description="seconds after which a second daemon takes over from one that is not heard of any more",
    )
    gradual_entry_tranches: Annotated[int, Field(ge=1, le=20)] = Field(
        3, alias="TRADING_GRADUAL_ENTRY_TRANCHES", description="tranches of a gradual entry"
    )
    gradual_entry_threshold_dollars: Dollars = Field(
        Decimal("30.0"),
        alias="TRADING_GRADUAL_ENTRY_THRESHOLD_DOLLARS",
        description="order value above which entry is gradual, dollars",
    )
    absolute_position_cap: Dollars = Field(
        Decimal("50.0"), alias="TRADING_ABSOLUTE_POSITION_CAP", description="largest position, dollars"
    )
    active_pool_minimum: Dollars = Field(
        Decimal("100.0"), alias="TRADING_ACTIVE_POOL_MINIMUM", description="least active pool, dollars"
    )
    emergency_drawdown_threshold_pct: Share = Field(
        0.40,
        alias="TRADING_EMERGENCY_DRAWDOWN_THRESHOLD_PCT",
        description="loss since the day's opening equity that trips daily_loss; drawdown that lets the reserve be used",
    )
    single_position_loss_pct: Share = Field(
        0.25,
        alias="TRADING_SINGLE_POSITION_LOSS_PCT",
        description="loss of one position against its cost that trips single_position",
    )
    volatility_breaker: Annotated[float, Field(gt=0, le=10)] = Field(
        0.8,
        alias="TRADING_VOLATILITY_BREAKER",
        description="annualised 20-day volatility of SPY or the universe that trips volatility",
    )
    reserve_high_water_pct: Share = Field(
        0.30,
        alias="TRADING_RESERVE_HIGH_WATER_PCT",
        description="share of equity above which the reserve returns its excess",
    )
    micro_trading_enabled: bool = Field(False, alias="TRADING_MICRO_TRADING_ENABLED", description="micro-trading")
    micro_trading_interval_seconds: Seconds = Field(
        300, alias="TRADING_MICRO_TRADING_INTERVAL_SECONDS", description="seconds between micro-trading polls"
    )
    micro_trading_allocation_cap_pct: Share = Field(
        0.03,
        alias="TRADING_MICRO_TRADING_ALLOCATION_CAP_PCT",
        description="largest allocation per micro-trade, share of the active pool",
    )
    micro_trading_max_daily: Count = Field(
        10, alias="TRADING_MICRO_TRADING_MAX_DAILY", description="micro-trades a day"
    )
    micro_trading_max_hold_minutes: Annotated[int, Field(ge=1, le=100_000)] = Field(
        120, alias="TRADING_MICRO_TRADING_MAX_HOLD_MINUTES", description="longest hold, minutes"
    )
    max_open_positions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        10, alias="TRADING_MAX_OPEN_POSITIONS", description="open positions at once"
    )
