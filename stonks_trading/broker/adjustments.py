"""Splits and renames of what an account held, as they were applied: rows of `position_adjustments`, read for the ledger."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from stonks_core.stores.postgres import Connection
from stonks_trading.decide.ledger import Adjustment, Rename, Split


def applied(connection: Connection, account_id: str) -> Sequence[Adjustment]:
    """Every adjustment of the account, oldest first."""
    rows = connection.execute(
        """
        SELECT ticker, kind, effective_at, ratio, paid_out, new_ticker FROM position_adjustments
        WHERE account_id = %s ORDER BY effective_at, ticker, kind
        """,
        (account_id,),
    ).fetchall()
    return [
        Split(row["ticker"], row["ratio"], row["effective_at"], row["paid_out"])
        if row["kind"] == "split"
        else Rename(row["ticker"], row["new_ticker"], row["effective_at"])
        for row in rows
    ]


def family(changes: Sequence[Adjustment], ticker: str) -> tuple[str, ...]:
    """The ticker and every other under which its holding may stand or have stood, by name."""
    found = {ticker}
    renames = [change for change in changes if isinstance(change, Rename)]
    while True:
        more = {name for r in renames if {r.ticker, r.new_ticker} & found for name in (r.ticker, r.new_ticker)} - found
        if not more:
            return tuple(sorted(found))
        found |= more


def is_rounded(before: Decimal, after: Decimal, told: Decimal) -> bool:
    """Whether the broker holds the whole shares of a split position and paid the part of a share out in cash."""
    return 0 < told < after and told != before and told == after.to_integral_value(rounding=ROUND_DOWN)
