"""Where the account's money came from and went: both profits, and the reserve pool."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from stonks_api.context import Ctx
from stonks_api.trading.configuring import number_of
from stonks_api.wire import Cursor, Limit, Money, Page, Shown, page
from stonks_trading.console import profit, reserve
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


class Profit(Shown):
    """Dollars: realised by sales, unrealised on what is held at its last price, both together, and fees paid of them."""

    realised: Money
    unrealised: Money
    total: Money
    fees: Money


class FeeRate(Shown):
    """A fee of a sale as it is in force: dollars of each dollar or share, at most `cap`, and where that is written."""

    fee: str
    of_each: str
    rate: Money
    cap: Money | None
    since: date
    source: str


class Profits(Shown):
    """The account's profit as the broker tells it, and conservatively: far side of the quote, latency, size, fees."""

    sales: int
    broker: Profit
    conservative: Profit
    rates: list[FeeRate]


class Sale(Shown):
    """One execution that sold, with its price, fee and profit as the broker told them and conservatively."""

    id: int
    at: datetime
    ticker: str
    order_id: str
    purpose: str
    quantity: Money
    price: Money
    conservative_price: Money | None
    fee: Money
    conservative_fee: Money | None
    realised_pnl: Money
    conservative_pnl: Money
    difference: Money


@router.get("/profit")
def get_profit(ctx: Ctx) -> Profits:
    """Both profits in all, and the fees that the conservative one reckons with."""
    with ctx.database.connection() as connection:
        return Profits.model_validate(profit.totals(connection, account_id_of(connection), ctx.clock.now()))


@router.get("/sales")
def get_sales(
    ctx: Ctx, ticker: Annotated[str | None, Query(max_length=12)] = None, limit: Limit = 50, cursor: Cursor = ""
) -> Page[Sale]:
    """Every sale with both of its profits, newest first."""
    with ctx.database.connection() as connection:
        account_id, name = account_id_of(connection), ticker.upper() if ticker else None
        rows = profit.sales(connection, account_id, limit + 1, number_of(cursor), name)
    return page(Sale, rows, limit, lambda row: (row["id"],))


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
