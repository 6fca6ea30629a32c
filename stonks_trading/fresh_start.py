"""A paper account's fresh start: what is measured begins anew, and nothing of the past is deleted."""

from datetime import date

from psycopg.types.json import Jsonb

from stonks_core.stores.postgres import Connection
from stonks_core.vocabulary import RiskTier
from stonks_trading import control
from stonks_trading.console import breakers
from stonks_trading.portfolio import reserve_balance
from stonks_trading.records import Portfolio

WHAT_IT_DOES = (
    "pauses the engine, cancels every open order and sells every position; once the account is flat: resets the tripped "
    "breakers, returns the reserve to the active pool, sets the risk tier back to TRADING_RISK_TIER, and lets the "
    "highest equity, the day's opening equity and the win rate count from then on. Orders, fills, decisions, ledgers "
    "and the audit trail stay as they are, the broker's cash is what it is, and the engine stays paused until resumed"
)


def begin_anew(
    connection: Connection, account_id: str, books: Portfolio, session: date, tier: RiskTier, actor: str, why: str
) -> str:
    """Begin a flat account anew at the portfolio's instant; what was done, in a sentence."""
    at, did = books.as_of, []
    for breaker in sorted(control.tripped(connection, account_id, at)):
        breakers.store_reset(connection, at, account_id, breaker, actor, f"full paper reset: {why}")
        did.append(f"reset the breaker {breaker}")
    held = reserve_balance(connection, account_id)
    if held > 0:
        connection.execute(
            """
            INSERT INTO reserve_pool_ledger (account_id, at, trigger, amount, balance, note)
            VALUES (%s, %s, 'correction', %s, 0, 'full paper reset')
            """,
            (account_id, at, -held),
        )
        did.append(f"returned the reserve of ${held:.2f}")
    before = control.current_tier(connection, account_id, tier)
    if before is not tier:
        connection.execute(
            """
            INSERT INTO risk_tier_history (account_id, at, session, from_tier, to_tier, actor, reason, metrics)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (account_id, at, session, str(before), str(tier), actor, f"full paper reset: {why}", Jsonb({})),
        )
        did.append(f"set the tier from {before} back to {tier}")
    connection.execute("UPDATE broker_accounts SET reset_at = %s WHERE account_id = %s", (at, account_id))
    connection.execute(
        """
        UPDATE daily_risk_snapshots SET opening_equity = %s, equity = %s, loss = 0, updated_at = %s
        WHERE account_id = %s AND session = %s
        """,
        (books.equity, books.equity, at, account_id, session),
    )
    did.append(f"began the measurements anew at an equity of ${books.equity:.2f}")
    return "; ".join(did)
