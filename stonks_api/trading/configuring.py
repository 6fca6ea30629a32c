"""The engine's settings that may change while it runs, its tier, and the history of both."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request

from stonks_api.context import Context, Ctx
from stonks_api.trading.entries import ConfigWish
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_cursor, page
from stonks_core.calendar import MarketCalendar
from stonks_core.errors import BadInputError
from stonks_core.settings.trading import Trading
from stonks_core.stores.postgres import Connection, Database
from stonks_trading import control, runtime
from stonks_trading.console import config

router = APIRouter(prefix="/api/trading", tags=["trading"])


class Setting(Shown):
    """A setting: what is in force, and what the environment says."""

    name: str
    variable: str
    description: str
    value: Any
    environment: Any
    overridden: bool


class TradingConfig(Shown):
    """The settings in force at a version; `unreadable` says why overriding rows are passed over, if so."""

    version: int
    risk_tier: str
    auto_tier: bool
    settings: list[Setting]
    unreadable: str


class ConfigChange(Shown):
    """One value that changed."""

    id: int
    key: str
    was: Any
    now: Any
    actor: str
    reason: str
    at: datetime


class TierStep(Shown):
    """One step of the risk tier, by the engine or by a person."""

    id: int
    at: datetime
    from_tier: str
    to_tier: str
    actor: str
    reason: str
    metrics: dict[str, Any]


def config_of(ctx: Context, connection: Connection) -> TradingConfig:
    """The settings as they stand."""
    trading, unreadable = config.trading_of(connection, ctx.settings)
    environment, rows = runtime.shown(ctx.settings.trading), config.rows_of(connection, "trading.")
    account = connection.execute("SELECT account_id FROM broker_accounts ORDER BY synced_at DESC LIMIT 1").fetchone()
    settings = [
        Setting(
            name=name,
            variable=str(Trading.model_fields[name].alias),
            description=str(Trading.model_fields[name].description),
            value=value,
            environment=environment[name],
            overridden=runtime.PREFIX + name in rows,
        )
        for name, value in runtime.shown(trading).items()
    ]
    tier = control.current_tier(connection, account["account_id"] if account else "", ctx.settings.trading.risk_tier)
    return TradingConfig(
        version=config.version_of(connection, "trading."),
        risk_tier=str(tier),
        auto_tier=bool(control.switches(connection).get("auto_tier", True)),
        settings=settings,
        unreadable=unreadable,
    )


def history_of(database: Database, group: config.Group, limit: int, cursor: str) -> Page[ConfigChange]:
    """The changes of a group, newest first."""
    rows = database.fetch(
        """
        SELECT id, key, was, "is" AS now, actor, reason, at FROM risk_config_history
        WHERE starts_with(key, %(group)s) AND (%(after)s::bigint IS NULL OR id < %(after)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"group": group, "after": number_of(cursor), "limit": limit + 1},
    )
    return page(ConfigChange, rows, limit, lambda row: (row["id"],))


def number_of(cursor: str) -> int | None:
    """The number that a cursor of a numbered list stands at; BadInputError for one of another list."""
    place = decode_cursor(cursor, 1)
    if place and not (place[0].isdecimal() and len(place[0]) <= 18):
        raise BadInputError("the cursor is none of this list: pass `next_cursor` as it was given")
    return int(place[0]) if place else None


@router.get("/config")
def get_config(ctx: Ctx) -> TradingConfig:
    """The settings in force, which of them are overridden, and the risk tier."""
    with ctx.database.connection() as connection:
        return config_of(ctx, connection)


@router.put("/config")
def put_config(ctx: Ctx, request: Request, wish: ConfigWish) -> TradingConfig:
    """Set or unset settings, the risk tier, and whether it adjusts itself. The engine follows at its next round."""
    with ctx.database.connection() as connection:
        author = wish.author(ctx, request)
        session = MarketCalendar(ctx.settings.calendar_name).session_at_or_before(author.at).day
        wanted = config.Wanted(wish.values, wish.unset)
        config.change_trading(
            connection,
            author,
            ctx.settings,
            session,
            wish.version,
            wanted,
            tier=wish.risk_tier,
            auto_tier=wish.auto_tier,
        )
        return config_of(ctx, connection)


@router.get("/config/history")
def get_history(ctx: Ctx, limit: Limit = 50, cursor: Cursor = "") -> Page[ConfigChange]:
    """Every change of a setting, newest first."""
    return history_of(ctx.database, "trading.", limit, cursor)


@router.get("/tiers")
def get_tiers(ctx: Ctx, limit: Limit = 50, cursor: Cursor = "") -> Page[TierStep]:
    """Every step of the risk tier, newest first."""
    rows = ctx.database.fetch(
        """
        SELECT id, at, from_tier, to_tier, actor, reason, metrics FROM risk_tier_history
        WHERE %(after)s::bigint IS NULL OR id < %(after)s ORDER BY id DESC LIMIT %(limit)s
        """,
        {"after": number_of(cursor), "limit": limit + 1},
    )
    return page(TierStep, rows, limit, lambda row: (row["id"],))
