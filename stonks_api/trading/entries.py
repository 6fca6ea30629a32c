"""What may be told to the engine, and what is shown of it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Request
from pydantic import Field, StringConstraints, model_validator

from stonks_api.audit import Wish
from stonks_api.context import Context
from stonks_api.tracing import trace_id_of
from stonks_api.wire import Money, Real, Shown
from stonks_core.vocabulary import RiskTier
from stonks_trading.console.author import Author

Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100, pattern=r"^[^\x00]*$")]
Ticker = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,11}$")]
Key = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._:-]{8,100}$")]
Amount = Annotated[Decimal, Field(gt=0, le=Decimal(1_000_000_000), allow_inf_nan=False, strict=False)]
Version = Annotated[int, Field(ge=0, description="the version that was read; another one by now is a 409")]
Values = Mapping[str, bool | int | float | str | None]


class Told(Wish):
    """Why, and where it should stand beside it, who."""

    person: Person | None = None

    def author(self, ctx: Context, request: Request) -> Author:
        """The act's author, now."""
        return Author(self.reason, ctx.clock.now(), self.person or "", trace_id_of(request.scope))


class KillWish(Told):
    """Whether the kill switch shall be on, and why."""

    on: bool


class ResetWish(Told):
    """A full paper reset, meant: `confirm` says so."""

    confirm: Literal["reset"]


class OrderWish(Told):
    """An order by hand. `idempotency_key` is the caller's own: the same key is the same order, however often it is sent."""

    idempotency_key: Key
    ticker: Ticker
    side: Literal["buy", "sell"]
    type: Literal["market", "limit"] = "market"
    notional: Annotated[Amount | None, Field(description="dollars; for buys")] = None
    quantity: Annotated[Amount | None, Field(description="shares")] = None
    limit_price: Amount | None = None
    valid_minutes: Annotated[int, Field(ge=1, le=1440, description="how long it may wait before it leaves")] = 60

    @model_validator(mode="after")
    def _is_an_order(self) -> "OrderWish":
        if (self.notional is None) == (self.quantity is None):
            raise ValueError("give exactly one of notional and quantity")
        if self.side == "sell" and self.quantity is None:
            raise ValueError("a sell is by quantity")
        if (self.type == "limit") != (self.limit_price is not None):
            raise ValueError("a limit order has a limit_price, a market order has none")
        return self


class ConfigWish(Told):
    """What changes of the engine's settings; `unset` names those that go back to the environment's value."""

    version: Version
    risk_tier: Annotated[RiskTier | None, Field(strict=False)] = None
    auto_tier: bool | None = None
    values: Values = Field(default_factory=dict)
    unset: list[str] = Field(default_factory=list)


class SwitchState(Shown):
    """A switch: who turned it, when and why."""

    on: bool
    reason: str = ""
    by: str = ""
    at: datetime | None = None


class Tripped(Shown):
    """A breaker that is tripped: why, and what lets it close again."""

    breaker: str
    at: datetime
    ticker: str
    value: Real
    threshold: Real
    actor: str
    reason: str
    resets_at: datetime | None
    seconds_left: Real
    stands: str


class Entries(Shown):
    """Whether positions may be opened, and every reason why not."""

    open: bool
    closed_because: list[str]


class Owner(Shown):
    """Who owns the engine."""

    owner: str
    held: bool
    fencing_token: int
    acquired_at: datetime
    heartbeat_at: datetime
    expires_at: datetime


class Beat(Shown):
    """One of the engine's tasks and how long ago it last ran."""

    task: str
    owner: str
    beat_at: datetime
    age_seconds: float
    ok_at: datetime | None
    cycles: int
    failures: int
    last_error: str
    note: str


class AccountState(Shown):
    """The account that trades, dollars."""

    account_id: str
    mode: str
    sandbox: bool
    status: str
    blocked: bool
    cash: Money
    equity: Money
    opening_equity: Money | None
    reserve: Money
    positions: int
    synced_at: datetime
    reconciled_at: datetime | None
    reset_at: datetime | None


class LastDecision(Shown):
    """A decision in short."""

    decision_id: str
    ticker: str
    kind: str
    outcome: str
    reason: str
    sentence: str
    as_of: datetime
    times: int
    last_as_of: datetime


class Asked(Shown):
    """A request to the engine and what came of it; an order's decision and order have their ids before they are made."""

    request_id: UUID
    account_id: str
    kind: str
    detail: dict[str, Any]
    reason: str
    asked_by: str
    asked_at: datetime
    valid_until: datetime | None
    began_at: datetime | None
    done_at: datetime | None
    outcome: str
    note: str
    decision_id: str | None = None
    order_id: str | None = None


class Standing(Shown):
    """How the engine stands."""

    at: datetime
    enabled: bool
    mode: str
    sandbox: bool
    paused: SwitchState
    kill_switch: SwitchState
    auto_tier: SwitchState
    tier: str
    breakers: list[Tripped]
    entries: Entries
    locked: dict[str, str]
    lease: Owner | None
    heartbeats: list[Beat]
    account: AccountState | None
    requests: list[Asked]
    approvals_pending: int
    decisions: list[LastDecision]
