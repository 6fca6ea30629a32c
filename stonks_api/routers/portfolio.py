"""The account: equity, cash, positions with their stops, and its sessions."""

from datetime import date, datetime
from decimal import Decimal

from fastapi import APIRouter

from stonks_api.context import Ctx
from stonks_api.wire import Limit, Money, Real, Shown
from stonks_core.stores.postgres import Database

router = APIRouter(tags=["portfolio"])


class Account(Shown):
    """A broker account as it was last seen; `sandbox` says that no broker stands behind it."""

    account_id: str
    mode: str
    sandbox: bool
    status: str
    currency: str
    cash: Money
    equity: Money
    buying_power: Money
    last_equity: Money | None
    blocked: bool
    reserve: Money
    synced_at: datetime


class Position(Shown):
    """Shares held; cost and price in dollars a share, `protection` says who keeps the stop: broker, monitored, none.

    The conservative figures reckon every fill at the far side of its quote, with latency, size and fees.
    """

    ticker: str
    quantity: Money
    cost: Money
    price: Money | None
    price_at: datetime | None
    market_value: Money | None
    unrealised_pnl: Money | None
    unrealised_share: Real
    realised_pnl: Money
    conservative_cost: Money
    conservative_unrealised_pnl: Money | None
    conservative_pnl: Money
    sector: str
    micro: bool
    stop: Money | None
    take_profit: Money | None
    protection: str
    protection_note: str
    unprotected_since: datetime | None
    lock_reason: str
    opened_at: datetime | None
    updated_at: datetime


class Session(Shown):
    """An account's day."""

    session: date
    equity: Money
    cash: Money
    reserve: Money
    realised_pnl: Money
    unrealised_pnl: Money
    conservative_realised_pnl: Money | None
    conservative_unrealised_pnl: Money | None
    daily_return: Real
    drawdown: Real
    heat: Real
    open_positions: int
    tier: str
    taken_at: datetime


class Profit(Shown):
    """Profit in all, dollars: realised since the account was opened, and on what is held at the last prices."""

    realised: Money
    unrealised: Money


class Positions(Shown):
    """The account that trades, and what it holds, largest first; its profit as the broker tells it, and conservatively."""

    account: Account | None
    profit: Profit
    conservative_profit: Profit
    items: list[Position]


class Portfolio(Positions):
    """The same, and the newest sessions, oldest first."""

    sessions: list[Session]


def positions_of(database: Database) -> Positions:
    """The account that was synced last, and its open positions; no account before the engine has met its broker."""
    account = database.fetch_one(
        """
        SELECT a.account_id, a.mode, a.sandbox, a.status, a.currency, a.cash, a.equity, a.buying_power, a.last_equity,
               a.blocked, a.synced_at,
               COALESCE((SELECT balance FROM reserve_pool_ledger r WHERE r.account_id = a.account_id
                         ORDER BY id DESC LIMIT 1), 0) AS reserve
        FROM broker_accounts a ORDER BY a.synced_at DESC LIMIT 1
        """
    )
    if account is None:
        none = Profit(realised=Decimal(0), unrealised=Decimal(0))
        return Positions(account=None, profit=none, conservative_profit=none, items=[])
    held = database.fetch(
        """
        SELECT p.ticker, p.quantity, p.cost, p.price, p.price_at, p.quantity * p.price AS market_value,
               p.quantity * (p.price - p.cost) AS unrealised_pnl,
               CASE WHEN p.cost > 0 THEN (p.price / p.cost - 1)::float END AS unrealised_share, p.realised_pnl,
               p.conservative_cost, p.quantity * (p.price - p.conservative_cost) AS conservative_unrealised_pnl,
               p.conservative_pnl, p.sector,
               p.micro, s.stop, s.take_profit, p.protection, p.protection_note, p.unprotected_since, p.lock_reason,
               p.opened_at, p.updated_at
        FROM positions p
        LEFT JOIN position_stop_levels s ON (s.account_id, s.ticker, s.opened_at) = (p.account_id, p.ticker, p.opened_at)
        WHERE p.account_id = %s AND p.quantity <> 0
        ORDER BY p.quantity * COALESCE(p.price, p.cost) DESC, p.ticker LIMIT 1000
        """,
        (account["account_id"],),
    )
    total = database.fetch_one(
        """
        SELECT COALESCE(sum(realised_pnl), 0) AS realised, COALESCE(sum(conservative_pnl), 0) AS worse,
            COALESCE(sum(quantity * (price - cost)), 0) AS unrealised,
            COALESCE(sum(quantity * (price - conservative_cost)), 0) AS worse_unrealised
        FROM positions WHERE account_id = %s
        """,
        (account["account_id"],),
    )
    sums = total or {}
    return Positions(
        account=Account.model_validate(account),
        profit=Profit(realised=sums["realised"], unrealised=sums["unrealised"]),
        conservative_profit=Profit(realised=sums["worse"], unrealised=sums["worse_unrealised"]),
        items=[Position.model_validate(row) for row in held],
    )


def portfolio_of(database: Database, limit: int) -> Portfolio:
    """The same with the newest sessions, oldest first."""
    now = positions_of(database)
    rows = database.fetch(
        """
        SELECT session, equity, cash, reserve, realised_pnl, unrealised_pnl, conservative_realised_pnl,
               conservative_unrealised_pnl, daily_return, drawdown, heat, open_positions, tier, taken_at
        FROM portfolio_snapshots WHERE account_id = %s ORDER BY session DESC LIMIT %s
        """,
        (now.account.account_id if now.account else "", limit),
    )
    sessions = [Session.model_validate(row) for row in reversed(rows)]
    return Portfolio(**vars(now), sessions=sessions)


@router.get("/api/positions")
def get_positions(ctx: Ctx) -> Positions:
    """What the account holds, largest first, with stops."""
    return positions_of(ctx.database)


@router.get("/api/portfolio")
def get_portfolio(ctx: Ctx, limit: Limit = 100) -> Portfolio:
    """Equity, cash, reserve, positions, and the newest sessions, oldest first."""
    return portfolio_of(ctx.database, limit)
