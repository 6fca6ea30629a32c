"""The frozen records that the trading side's parts hand to each other. Cash, prices and quantities are Decimals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from stonks_core.vocabulary import Action, Mode, RiskTier, Window

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit"]
Purpose = Literal["entry", "exit", "stop", "take_profit", "trim", "override", "flatten", "protective_stop"]


@dataclass(frozen=True)
class Recommendation:
    """A materialised recommendation, as the decision reads it."""

    recommendation_id: str
    ticker: str
    window: Window
    action: Action
    mode: Mode
    strength: float
    confidence: float
    as_of: datetime
    expires_at: datetime
    reference_price: Decimal | None = None


@dataclass(frozen=True)
class Position:
    """Shares held of one ticker; `cost` is the average entry price in dollars."""

    ticker: str
    quantity: Decimal
    cost: Decimal
    price: Decimal
    stop: Decimal | None = None
    take_profit: Decimal | None = None
    sector: str = ""
    opened_at: datetime | None = None
    micro: bool = False

    @property
    def value(self) -> Decimal:
        """Market value, dollars."""
        return self.quantity * self.price


@dataclass(frozen=True)
class Portfolio:
    """What the account holds at one instant. Equity = cash + market value; active pool = equity - reserve."""

    as_of: datetime
    cash: Decimal
    reserve: Decimal
    positions: Mapping[str, Position]
    opening_equity: Decimal
    high_water_equity: Decimal
    committed: Decimal = Decimal(0)  # notional of buys that are not filled yet
    pending_buys: Mapping[str, Decimal] = field(default_factory=dict)  # ticker -> notional not filled yet
    pending_sells: Mapping[str, Decimal] = field(default_factory=dict)  # ticker -> quantity not filled yet

    @property
    def equity(self) -> Decimal:
        """Cash plus market value, dollars."""
        return self.cash + sum((p.value for p in self.positions.values()), Decimal(0))

    @property
    def active_pool(self) -> Decimal:
        """Equity less the reserve, dollars."""
        return self.equity - self.reserve


@dataclass(frozen=True)
class Quote:
    """The latest quote of `at` and the last trade of `last_at`; `bid` or `ask` is None where that side is missing."""

    ticker: str
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    at: datetime
    feed: str
    last_at: datetime | None = None


@dataclass(frozen=True)
class MarketView:
    """What the decision knows of one ticker at `as_of`: nothing later than it."""

    ticker: str
    quote: Quote | None
    atr: Decimal | None
    sector: str
    mean_correlation: float  # with the open positions over 60 daily returns; 0 where unknown or none is open
    volatility: float | None = None
    typical_volume: Decimal | None = None  # shares of a session, the mean of the last 20


class Breaker(StrEnum):
    """What can halt trading."""

    DAILY_LOSS = "daily_loss"
    SINGLE_POSITION = "single_position"
    VOLATILITY = "volatility"
    MANUAL = "manual"


@dataclass(frozen=True)
class EngineState:
    """What is switched on, tripped or paused, and why no position may be opened, if so."""

    enabled: bool
    paused: bool
    tier: RiskTier
    tripped: frozenset[Breaker] = frozenset()
    entries_closed_because: str = ""  # the data-health verdict; empty: entries are open
    locked_tickers: Mapping[str, str] = field(default_factory=dict)  # ticker -> reconciliation break
    micro_trades_today: int = 0  # micro-trades opened since the session began
    guard: str = ""  # why clock or session are in doubt; empty: entries are open


@dataclass(frozen=True)
class OrderPlan:
    """An order that a decision asks for: exactly one of notional and quantity."""

    ticker: str
    side: Side
    type: OrderType
    notional: Decimal | None = None
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    purpose: Purpose = "entry"
    tranche: int = 1
    tranches: int = 1
    micro: bool = False  # the position it opens is a micro-trade: flat after the longest hold


@dataclass(frozen=True)
class Clamp:
    """One step of the sizing: which limit, and the size in dollars after it."""

    rule: str
    limit: Decimal | None
    after: Decimal
    note: str = ""


@dataclass(frozen=True)
class Decision:
    """What was decided about one recommendation, with its whole trace. `act` has an order, `skip` a reason."""

    decision_id: str
    recommendation_id: str
    ticker: str
    outcome: Literal["act", "skip"]
    reason: str  # a rule's name: sized, below_minimum, conflicting_windows, breaker, paused, ...
    sentence: str  # the same for a person, with the numbers
    as_of: datetime
    order: OrderPlan | None = None
    clamps: tuple[Clamp, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    final: bool = True  # False: may be decided again (market closed, paused, no quote yet)
