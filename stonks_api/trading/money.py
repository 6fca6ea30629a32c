"""Where the account's money went: the reserve pool."""

from datetime import datetime

from fastapi import APIRouter

from stonks_api.context import Ctx
from stonks_api.trading.configuring import number_of
from stonks_api.wire import Cursor, Limit, Money, Page, Shown, page
from stonks_trading.console import reserve
from stonks_trading.console.author import account_id_of

router = APIRouter(prefix="/api/trading", tags=["trading"])


class Reserve(Shown):
    """The reserve pool: dollars it holds, what each trigger moved in all, and the shares at which money moves."""

    balance: Money
    moved: dict[str, Money]
    siphon_share: float
    high_water_share: float
    emergency_drawdown: float


class Movement(Shown):
    """One movement: above 0 into the reserve, below 0 out of it; `balance` is what it held after, `note` why it moved."""

    id: int
    at: datetime
    trigger: str
    amount: Money
    balance: Money
    note: str
    ticker: str | None
    order_id: str | None


@router.get("/reserve")
def get_reserve(ctx: Ctx) -> Reserve:
    """What the reserve pool holds, and the rules that move it."""
    with ctx.database.connection() as connection:
        account_id = account_id_of(connection)
        return Reserve.model_validate(reserve.pool(connection, ctx.settings, account_id))


@router.get("/reserve/ledger")
def get_reserve_ledger(ctx: Ctx, limit: Limit = 50, cursor: Cursor = "") -> Page[Movement]:
    """Every movement of the reserve pool, newest first."""
    with ctx.database.connection() as connection:
        account_id = account_id_of(connection)
        rows = reserve.movements(connection, account_id, limit + 1, number_of(cursor))
    return page(Movement, rows, limit, lambda row: (row["id"],))
