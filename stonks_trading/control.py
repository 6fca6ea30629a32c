"""What the engine is told and what it has tripped over: pause, kill switch, breakers, tier, locks. Rows in, records out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection
from stonks_core.vocabulary import RiskTier
from stonks_trading.decide.breakers import Trip
from stonks_trading.records import Breaker, EngineState


def switches(connection: Connection) -> Mapping[str, Any]:
    """The operator's switches by name; a missing one is absent."""
    return {row["key"]: row["value"] for row in connection.execute("SELECT key, value FROM engine_control").fetchall()}


_SENDING = "hashtextextended('stonks orders leave', 0)"


def may_send(gate: Connection) -> bool:
    """Whether an order may leave now, held true until the gate's transaction ends: send within it.

    Whoever turns the kill switch waits for that end, and whoever sends next waits behind the switch.
    """
    gate.execute(f"SELECT pg_advisory_xact_lock_shared({_SENDING})")
    row = gate.execute("SELECT value FROM engine_control WHERE key = 'kill_switch' FOR SHARE").fetchone()
    return not (row and row["value"])


def stop_sending(connection: Connection) -> None:
    """Wait until no order is on its way, and keep every other from leaving until the transaction ends."""
    connection.execute(f"SELECT pg_advisory_xact_lock({_SENDING})")


def engine_state(
    connection: Connection,
    account_id: str,
    as_of: datetime,
    tier: RiskTier,
    session_open: datetime,
    *,
    enabled: bool,
    ill: str,
) -> EngineState:
    """The engine's state at an instant. `tier` is the configured one, which the history overrides.

    `ill` is why the data's health lets nobody open a position, empty where one may.
    """
    told = switches(connection)
    return EngineState(
        enabled=enabled,
        paused=bool(told.get("paused")) or bool(told.get("kill_switch")),
        tier=current_tier(connection, account_id, tier),
        tripped=tripped(connection, account_id, as_of),
        entries_closed_because=str(told.get("entries_closed") or "") or _blocked(connection, account_id) or ill,
        locked_tickers=locks(connection, account_id),
        micro_trades_today=_micro_trades(connection, account_id, session_open),
    )


def _blocked(connection: Connection, account_id: str) -> str:
    row = connection.execute(
        "SELECT status FROM broker_accounts WHERE account_id = %s AND blocked", (account_id,)
    ).fetchone()
    return f"the broker has blocked the account (status {row['status']})" if row else ""


def _micro_trades(connection: Connection, account_id: str, since: datetime) -> int:
    row = connection.execute(
        "SELECT count(*) AS n FROM orders WHERE account_id = %s AND micro AND side = 'buy' AND intended_at >= %s",
        (account_id, since),
    ).fetchone()
    return int(row["n"]) if row else 0


def current_tier(connection: Connection, account_id: str, configured: RiskTier) -> RiskTier:
    """The tier the engine stands at: the newest of its history, or the configured one."""
    row = connection.execute(
        "SELECT to_tier FROM risk_tier_history WHERE account_id = %s ORDER BY id DESC LIMIT 1", (account_id,)
    ).fetchone()
    return RiskTier(row["to_tier"]) if row else configured


def tripped(connection: Connection, account_id: str, as_of: datetime) -> frozenset[Breaker]:
    """Breakers whose newest event is a trip that has not reset itself."""
    rows = connection.execute(
        """
        SELECT DISTINCT ON (breaker) breaker, event, resets_at FROM circuit_breaker_events
        WHERE account_id = %s ORDER BY breaker, id DESC
        """,
        (account_id,),
    ).fetchall()
    return frozenset(
        Breaker(row["breaker"])
        for row in rows
        if row["event"] == "trip" and (row["resets_at"] is None or row["resets_at"] > as_of)
    )


def trip(connection: Connection, account_id: str, happened: Trip, as_of: datetime, resets_at: datetime | None) -> bool:
    """Store a trip and tell people; False where that breaker is tripped already. It resets itself at `resets_at`."""
    if happened.breaker in tripped(connection, account_id, as_of):
        return False
    connection.execute(
        """
        INSERT INTO circuit_breaker_events (account_id, at, breaker, event, ticker, value, threshold, resets_at, reason)
        VALUES (%s, %s, %s, 'trip', %s, %s, %s, %s, %s)
        """,
        (
            account_id,
            as_of,
            str(happened.breaker),
            happened.ticker,
            float(happened.value),
            float(happened.limit),
            resets_at,
            happened.sentence,
        ),
    )
    leave(connection, as_of, "critical", f"breaker {happened.breaker} tripped", happened.sentence)
    return True


def pardoned(connection: Connection, account_id: str) -> frozenset[str]:
    """Tickers whose loss a person has seen: their newest single_position event is a reset younger than the position."""
    rows = connection.execute(
        """
        SELECT DISTINCT ON (e.ticker) e.ticker, e.event FROM circuit_breaker_events e
        JOIN positions p ON (p.account_id, p.ticker) = (e.account_id, e.ticker)
        WHERE e.account_id = %s AND e.breaker = 'single_position' AND e.at >= p.opened_at ORDER BY e.ticker, e.id DESC
        """,
        (account_id,),
    ).fetchall()
    return frozenset(row["ticker"] for row in rows if row["event"] == "reset")


def locks(connection: Connection, account_id: str) -> Mapping[str, str]:
    """Locked tickers and why."""
    rows = connection.execute(
        "SELECT ticker, lock_reason FROM positions WHERE account_id = %s AND lock_reason <> ''", (account_id,)
    ).fetchall()
    return {row["ticker"]: row["lock_reason"] for row in rows}


def audit(
    connection: Connection, at: datetime, action: str, subject: str, reason: str, detail: Mapping[str, Any]
) -> None:
    """One line of the audit trail, by the engine."""
    connection.execute(
        "INSERT INTO audit_events (at, actor, action, subject, reason, detail) VALUES (%s, 'engine', %s, %s, %s, %s)",
        (at, action, subject, reason, Jsonb(dict(detail))),
    )
