"""What a broker promises, in prose, and the records that cross that border. Nothing here talks to anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Protocol

from stonks_trading.records import OrderType, Quote, Side

TimeInForce = Literal["day", "gtc", "opg", "cls", "ioc", "fok"]


class OrderState(StrEnum):
    """Where an order stands in our books. `unknown`: it may or may not have reached the broker."""

    INTENDED = "intended"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self in _FINAL


_FINAL = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED})


@dataclass(frozen=True)
class Account:
    """The account as the broker tells it, dollars."""

    account_id: str
    number: str
    status: str
    currency: str
    cash: Decimal
    equity: Decimal
    buying_power: Decimal
    last_equity: Decimal | None
    blocked: bool


@dataclass(frozen=True)
class BrokerPosition:
    """Shares the broker says are held; negative for a short. `available` is what no open order holds back."""

    ticker: str
    quantity: Decimal
    cost: Decimal
    price: Decimal | None
    available: Decimal


@dataclass(frozen=True)
class OrderRequest:
    """An order as it is sent: exactly one of notional and quantity; `client_order_id` is ours and unique for all time."""

    client_order_id: str
    ticker: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce = "day"
    notional: Decimal | None = None
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True)
class BrokerOrder:
    """An order as the broker tells it. `quantity` is None for a notional order that has not filled."""

    broker_order_id: str
    client_order_id: str
    ticker: str
    side: Side
    state: OrderState
    status: str  # the broker's own word
    quantity: Decimal | None
    notional: Decimal | None
    filled_quantity: Decimal
    filled_average_price: Decimal | None
    submitted_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True)
class Execution:
    """One fill. `cumulative_quantity`, the order's filled quantity after it, names it whichever way it was heard of."""

    execution_id: str
    broker_order_id: str
    ticker: str
    side: Side
    quantity: Decimal
    price: Decimal
    cumulative_quantity: Decimal | None
    at: datetime


@dataclass(frozen=True)
class TradeUpdate:
    """One event of the broker's stream: how the order stands now and, for a fill, the execution."""

    event: str
    order: BrokerOrder
    execution: Execution | None
    at: datetime


@dataclass(frozen=True)
class Asset:
    """What may be done with a ticker."""

    ticker: str
    tradable: bool
    fractionable: bool


@dataclass(frozen=True)
class BrokerClock:
    """The broker's present, and whether it says that the market is open."""

    now: datetime
    is_open: bool


@dataclass(frozen=True)
class Refused:
    """The broker answered no, for good; nothing was placed. `code` is empty where it gave none."""

    code: str
    message: str


@dataclass(frozen=True)
class NotSent:
    """Certainly not placed, and worth another try: throttled, or the broker could not be reached at all."""

    sentence: str


@dataclass(frozen=True)
class InDoubt:
    """Nobody knows whether it was placed: look it up by its client order id before anything else."""

    sentence: str


Submitted = BrokerOrder | Refused | NotSent | InDoubt


class Broker(Protocol):
    """A brokerage account.

    Everything but `submit` raises TransientError when the broker could not be asked (it may pass) and PermanentError
    when it refused to answer (wrong key, forbidden). No call waits for ever. No call is repeated behind the caller's
    back, `submit` least of all. Amounts are Decimals as the broker wrote them, instants are aware UTC.
    """

    def account(self) -> Account:
        """The account now."""
        ...

    def clock(self) -> BrokerClock:
        """The broker's present."""
        ...

    def asset(self, ticker: str) -> Asset | None:
        """What may be done with a ticker; None for one the broker does not know."""
        ...

    def positions(self) -> Sequence[BrokerPosition]:
        """All open positions."""
        ...

    def open_orders(self) -> Sequence[BrokerOrder]:
        """All orders that can still fill."""
        ...

    def submit(self, request: OrderRequest) -> Submitted:
        """Place one order, once.

        The order as it stood before any fill; or why not. Never raises for what the broker or the way to it did: the
        four outcomes are values, because the caller must branch on them. Sending a client order id that was placed
        before is InDoubt: look it up.
        """
        ...

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id, whatever its state; None when the broker never heard of it."""
        ...

    def order(self, broker_order_id: str) -> BrokerOrder | None:
        """An order by the broker's id; None when there is none."""
        ...

    def cancel(self, broker_order_id: str) -> bool:
        """Ask for an order's cancellation; False when it is final already. The end state comes by stream or sweep."""
        ...

    def executions(self, after: datetime) -> Sequence[Execution]:
        """All fills of the account after an instant, oldest first."""
        ...

    def quotes(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        """The latest quotes; a ticker that has none is absent."""
        ...
