"""The risk engine's limits: what holds, what it may be set to, who changed it."""

from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from stonks_api.context import Context, Ctx
from stonks_api.trading.configuring import ConfigChange, history_of
from stonks_api.trading.entries import Told, Values, Version
from stonks_api.wire import Cursor, Limit, Page, Shown
from stonks_core.stores.postgres import Connection
from stonks_trading import control
from stonks_trading.console import config
from stonks_trading.risk.config import BOUNDS, PREFIX, SWITCHES, RiskConfig

router = APIRouter(prefix="/risk", tags=["risk"])


class LimitShown(Shown):
    """A limit: what holds, what holds where it is not set, and its bounds; null for none."""

    name: str
    value: Any
    default: Any
    overridden: bool
    least: float | None
    most: float | None
    unit: str


class RiskLimits(Shown):
    """The limits at a version and a tier; `unreadable` says why nothing may be bought, if so."""

    version: int
    tier: str
    limits: list[LimitShown]
    unreadable: str


class LimitsWish(Told):
    """What changes of the limits; `unset` names those that go back to the tier's and the settings' own."""

    version: Version
    values: Values = Field(default_factory=dict)
    unset: list[str] = Field(default_factory=list)


def limits_of(ctx: Context, connection: Connection) -> RiskLimits:
    """The limits as they stand."""
    account = connection.execute("SELECT account_id FROM broker_accounts ORDER BY synced_at DESC LIMIT 1").fetchone()
    tier = control.current_tier(connection, account["account_id"] if account else "", ctx.settings.trading.risk_tier)
    plain, held, unreadable = config.limits_of(connection, ctx.settings, tier)
    rows = config.rows_of(connection, "risk.")
    shown = [
        LimitShown(
            name=name,
            value=_value(held, name),
            default=_value(plain, name),
            overridden=PREFIX + name in rows,
            least=float(BOUNDS[name].least) if name in BOUNDS else None,
            most=float(BOUNDS[name].most) if name in BOUNDS else None,
            unit=BOUNDS[name].unit if name in BOUNDS else "true or false",
        )
        for name in (*BOUNDS, *SWITCHES)
    ]
    return RiskLimits(
        version=config.version_of(connection, "risk."), tier=str(tier), limits=shown, unreadable=unreadable
    )


def _value(limits: RiskConfig, name: str) -> Any:
    found = limits.quotes.max_age.total_seconds() if name == "quote_max_age_seconds" else getattr(limits, name)
    return float(found) if isinstance(found, Decimal) else found


@router.get("/config")
def get_config(ctx: Ctx) -> RiskLimits:
    """The limits that orders are checked against, and their bounds."""
    with ctx.database.connection() as connection:
        return limits_of(ctx, connection)


@router.put("/config")
def put_config(ctx: Ctx, request: Request, wish: LimitsWish) -> RiskLimits:
    """Set or unset limits. Every order that is judged from now on meets them; those that left are not judged again."""
    with ctx.database.connection() as connection:
        wanted = config.Wanted(wish.values, wish.unset)
        config.change(connection, wish.author(ctx, request), "risk.", wish.version, wanted)
        return limits_of(ctx, connection)


@router.get("/config/history")
def get_history(ctx: Ctx, limit: Limit = 50, cursor: Cursor = "") -> Page[ConfigChange]:
    """Every change of a limit, newest first."""
    return history_of(ctx.database, "risk.", limit, cursor)
