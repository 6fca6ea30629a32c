"""How the engine stands, read from its rows: for the status page, the command line and whoever looks for a fault."""

from datetime import datetime
from typing import Any

from stonks_core.settings import Settings
from stonks_core.stores.postgres import Connection, Database, Row
from stonks_trading import control, runtime
from stonks_trading.console import breakers, config

SECRET = frozenset({"sns_topic_arn", "sns_phone_number", "gmail_sender", "gmail_recipient"})


def standing(settings: Settings, database: Database, at: datetime) -> dict[str, Any]:
    """The engine at an instant: switches with who turned them, tier, breakers, lease, heartbeats, account, decisions."""
    with database.connection() as connection:
        account = connection.execute("SELECT * FROM broker_accounts ORDER BY synced_at DESC LIMIT 1").fetchone()
        account_id = account["account_id"] if account else ""
        told = {row["key"]: row for row in connection.execute("SELECT * FROM engine_control").fetchall()}
        tripped = [_breaker(row, at) for row in breakers.standing(connection, account_id) if _stands(row, at)]
        return {
            "at": at,
            "enabled": settings.trading_enabled,
            "mode": settings.broker.mode,
            "sandbox": settings.sandboxed["broker"],
            "paused": _switch(told.get("paused")),
            "kill_switch": _switch(told.get("kill_switch")),
            "auto_tier": _switch(told.get("auto_tier")),
            "tier": str(control.current_tier(connection, account_id, settings.trading.risk_tier)),
            "breakers": tripped,
            "entries": _entries(connection, settings, account, told, tripped),
            "locked": dict(control.locks(connection, account_id)),
            "lease": connection.execute(
                """
                SELECT owner, expires_at >= now() AS held, fencing_token, acquired_at, heartbeat_at, expires_at
                FROM engine_lease WHERE name = 'trading'
                """
            ).fetchone(),
            "heartbeats": connection.execute(
                """
                SELECT task, owner, beat_at, extract(epoch FROM now() - beat_at)::float AS age_seconds, ok_at, cycles,
                       failures, last_error, note FROM engine_heartbeats ORDER BY task
                """
            ).fetchall(),
            "account": _account(connection, account),
            "requests": connection.execute(
                "SELECT * FROM engine_requests WHERE done_at IS NULL ORDER BY asked_at, request_id LIMIT 100"
            ).fetchall(),
            "approvals_pending": len(
                connection.execute("SELECT 1 FROM approval_requests WHERE status = 'pending' LIMIT 1000").fetchall()
            ),
            "decisions": connection.execute(
                """
                SELECT decision_id, ticker, kind, outcome, reason, sentence, as_of, times, last_as_of
                FROM trading_decisions ORDER BY last_as_of DESC, decision_id LIMIT 10
                """
            ).fetchall(),
        }


def diagnosis(settings: Settings, database: Database, at: datetime) -> dict[str, Any]:
    """The same with what is needed to find a fault: settings in force, orders on their way, last errors. No secret."""
    with database.connection() as connection:
        trading, unreadable = config.trading_of(connection, settings)
        plain = {name: value for name, value in settings.trading.model_dump(mode="json").items() if name not in SECRET}
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return {
            "standing": standing(settings, database, at),
            "schema": revision["version_num"] if revision else "",
            "calendar": settings.calendar_name,
            "broker": {
                "mode": settings.broker.mode,
                "key_is_set": bool(settings.broker.api_key.get_secret_value()),
                "sandbox": settings.sandboxed["broker"],
            },
            "environment": plain,
            "in_force": runtime.shown(trading),
            "unreadable": unreadable,
            "risk_configs": config.rows_of(connection, "risk."),
            "orders_by_state": {
                row["state"]: row["n"]
                for row in connection.execute("SELECT state, count(*) AS n FROM orders GROUP BY state ORDER BY state")
            },
            "orders_unfinished": connection.execute(
                """
                SELECT order_id, account_id, ticker, side, purpose, state, reason, attempts, intended_at, attempted_at,
                       cancel_asked_at, valid_until FROM orders
                WHERE state NOT IN ('filled', 'canceled', 'expired', 'rejected') ORDER BY intended_at, order_id LIMIT 100
                """
            ).fetchall(),
            "tasks_that_failed": connection.execute(
                "SELECT task, failures, last_error, beat_at FROM engine_heartbeats WHERE last_error <> '' ORDER BY task"
            ).fetchall(),
            "quotes": connection.execute(
                "SELECT count(*) AS n, min(quoted_at) AS oldest, max(quoted_at) AS newest FROM market_quotes"
            ).fetchone(),
            "notifications": connection.execute(
                "SELECT at, severity, subject, body FROM notifications ORDER BY at DESC, id DESC LIMIT 20"
            ).fetchall(),
        }


def _switch(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {"on": False}
    return {"on": bool(row["value"]), "reason": row["reason"], "by": row["updated_by"], "at": row["updated_at"]}


def _stands(row: Row, at: datetime) -> bool:
    return row["event"] == "trip" and (row["resets_at"] is None or row["resets_at"] > at)


def _breaker(row: Row, at: datetime) -> dict[str, Any]:
    resets = row["resets_at"]
    until = f"resets itself at {resets:%Y-%m-%d %H:%M} UTC" if resets else "stays until a person resets it"
    return {**row, "stands": until, "seconds_left": (resets - at).total_seconds() if resets else None}


def _entries(
    connection: Connection, settings: Settings, account: Row | None, told: dict[str, Row], tripped: list[dict[str, Any]]
) -> dict[str, Any]:
    """Whether positions may be opened, and every reason why not."""
    closed = told.get("entries_closed")
    reasons = [
        (not settings.trading_enabled, "trading is switched off (TRADING_ENABLED)"),
        (account is None, "the engine has not met its broker yet"),
        (bool(told.get("kill_switch", {}).get("value")), "the kill switch is on"),
        (bool(told.get("paused", {}).get("value")), "the engine is paused"),
        (bool(tripped), f"tripped: {', '.join(one['breaker'] for one in tripped)}"),
        (bool(closed and closed["value"]), str(closed["value"]) if closed else ""),
        (bool(account and account["blocked"]), "the broker has blocked the account"),
        (bool(unreadable := config.trading_of(connection, settings)[1]), unreadable),
    ]
    because = [sentence for holds, sentence in reasons if holds]
    return {"open": not because, "closed_because": because}


def _account(connection: Connection, account: Row | None) -> dict[str, Any] | None:
    if account is None:
        return None
    row = connection.execute(
        """
        SELECT (SELECT opening_equity FROM daily_risk_snapshots WHERE account_id = %(id)s ORDER BY session DESC LIMIT 1)
                   AS opening_equity,
               COALESCE((SELECT balance FROM reserve_pool_ledger WHERE account_id = %(id)s ORDER BY id DESC LIMIT 1), 0)
                   AS reserve,
               (SELECT count(*) FROM positions WHERE account_id = %(id)s AND quantity <> 0) AS positions
        """,
        {"id": account["account_id"]},
    ).fetchone()
    return {**account, **(row or {})}
