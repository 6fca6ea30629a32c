"""Breakers by hand: the manual one tripped, any tripped one reset."""

from datetime import datetime

from stonks_core.errors import ConflictError
from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection, Row
from stonks_trading import control
from stonks_trading.console import requests
from stonks_trading.console.author import Author, account_of
from stonks_trading.records import Breaker

SETTLES = {
    Breaker.DAILY_LOSS: "It trips again while the day's loss is above its limit.",
    Breaker.VOLATILITY: "It trips again while the market's volatility is above its limit.",
    Breaker.SINGLE_POSITION: "The loss that tripped it is pardoned for as long as that position is held.",
    Breaker.MANUAL: "",
}


def trip_manual(connection: Connection, author: Author) -> bool:
    """Trip the manual breaker and have open buys cancelled; False where it is tripped already.

    Nothing but stops, take-profits and a flatten trades until it is reset.
    """
    account_id = account_of(connection)["account_id"]
    if Breaker.MANUAL in _locked(connection, account_id, author):
        return False
    connection.execute(
        """
        INSERT INTO circuit_breaker_events (account_id, at, breaker, event, actor, reason)
        VALUES (%s, %s, 'manual', 'trip', %s, %s)
        """,
        (account_id, author.at, author.name, author.reason),
    )
    requests.ask(connection, author, account_id, "cancel_entries")
    author.record(connection, "breaker_tripped", str(Breaker.MANUAL), {})
    leave(connection, author.at, "critical", "breaker manual tripped", f"{author.name}: {author.reason}")
    return True


def reset(connection: Connection, author: Author, breaker: Breaker) -> str:
    """Reset a tripped breaker; what to know of it afterwards. Raises ConflictError where it is not tripped."""
    account_id = account_of(connection)["account_id"]
    if breaker not in _locked(connection, account_id, author):
        raise ConflictError(f"the breaker {breaker} is not tripped: GET /api/trading/status shows those that are")
    store_reset(connection, author.at, account_id, breaker, author.name, author.reason)
    author.record(connection, "breaker_reset", str(breaker), {})
    return SETTLES[breaker]


def store_reset(connection: Connection, at: datetime, account_id: str, breaker: Breaker, actor: str, why: str) -> None:
    """Store a reset; it carries the ticker of the trip that it answers."""
    connection.execute(
        """
        INSERT INTO circuit_breaker_events (account_id, at, breaker, event, ticker, actor, reason)
        SELECT account_id, %(at)s, breaker, 'reset', ticker, %(actor)s, %(why)s FROM circuit_breaker_events
        WHERE account_id = %(account_id)s AND breaker = %(breaker)s AND event = 'trip' ORDER BY id DESC LIMIT 1
        """,
        {"at": at, "actor": actor, "why": why, "account_id": account_id, "breaker": str(breaker)},
    )


def standing(connection: Connection, account_id: str) -> list[Row]:
    """The newest event of each breaker."""
    return connection.execute(
        """
        SELECT DISTINCT ON (breaker) breaker, event, at, ticker, value, threshold, resets_at, actor, reason
        FROM circuit_breaker_events WHERE account_id = %s ORDER BY breaker, id DESC
        """,
        (account_id,),
    ).fetchall()


def _locked(connection: Connection, account_id: str, author: Author) -> frozenset[Breaker]:
    """Tripped breakers, one person at a time."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('breakers ' || %s, 0))", (account_id,))
    return control.tripped(connection, account_id, author.at)
