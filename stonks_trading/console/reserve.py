"""The reserve pool as it stands and as it moved: for the API, the command line and whoever asks where money went."""

from decimal import Decimal
from typing import Any

from stonks_core.settings import Settings
from stonks_core.stores.postgres import Connection, Row
from stonks_trading.console import config
from stonks_trading.decide.rules import TradingRules
from stonks_trading.portfolio import reserve_balance

ZERO = Decimal(0)


def pool(connection: Connection, settings: Settings, account_id: str) -> dict[str, Any]:
    """What the reserve holds, what each trigger moved in all, dollars, and the shares at which it moves."""
    trading, _ = config.trading_of(connection, settings)
    rules = TradingRules.from_settings(trading, settings.broker.mode).reserve
    sums = connection.execute(
        "SELECT trigger, sum(amount) AS amount FROM reserve_pool_ledger WHERE account_id = %s GROUP BY trigger",
        (account_id,),
    ).fetchall()
    return {
        "balance": reserve_balance(connection, account_id),
        "moved": {row["trigger"]: row["amount"] for row in sorted(sums, key=lambda row: row["trigger"])},
        "siphon_share": float(rules.siphon),
        "high_water_share": float(rules.high_water),
        "emergency_drawdown": float(rules.emergency_drawdown),
    }


def movements(connection: Connection, account_id: str, limit: int, before: int | None = None) -> list[Row]:
    """The ledger's rows, newest first, of ids below `before`; a siphon's names the fill whose profit it is a share of."""
    return connection.execute(
        """
        SELECT r.id, r.at, r.trigger, r.amount, r.balance, r.note, f.ticker, f.order_id
        FROM reserve_pool_ledger r LEFT JOIN fills f USING (fill_id)
        WHERE r.account_id = %(account)s AND (%(before)s::bigint IS NULL OR r.id < %(before)s)
        ORDER BY r.id DESC LIMIT %(limit)s
        """,
        {"account": account_id, "before": before, "limit": limit},
    ).fetchall()
