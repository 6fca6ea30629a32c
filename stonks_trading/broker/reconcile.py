"""Comparing our books with the broker's: before the first decision, and again and again.

A difference locks its ticker with a reason and is shown; it is never booked away with an invented fill. Cash is taken
over from the broker (dividends, fees, rounding) only where every share agrees and nothing but stops at rest is under way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from stonks_core.stores.postgres import Database
from stonks_trading.broker import adjustments, fills, orders
from stonks_trading.broker.protocol import Account, Broker, BrokerPosition, OrderState
from stonks_trading.broker.sync import Swept, lock_ticker, store_prices, sweep, unlock_ticker

ROUNDS = 3  # a fill may happen between two questions; a difference that lasts is one
CENT = Decimal("0.01")
SPLITS_SETTLE_WITHIN = timedelta(days=10)  # cash for parts of a share comes days after the ex-date
BROKER_SPLITS_WITHIN = timedelta(hours=12)  # from 00:00 UTC of the ex-date: before New York opens
_UNFINISHED = (OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)


@dataclass(frozen=True)
class Break:
    """One ticker of which the broker has another quantity than we booked."""

    ticker: str
    ours: Decimal
    theirs: Decimal

    @property
    def sentence(self) -> str:
        """The difference, for a person."""
        return (
            f"our books have {self.ours:f} {self.ticker}, the broker has {self.theirs:f}: entries are locked until they "
            "agree; look for orders that were not ours, a split, or a transfer"
        )


@dataclass(frozen=True)
class Reconciled:
    """How the comparison ended."""

    breaks: tuple[Break, ...]
    swept: Swept
    cash_adjusted: Decimal


def differences(ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal]) -> tuple[Break, ...]:
    """Tickers whose quantities differ, by ticker. Pure; an absent ticker is a quantity of 0."""
    zero = Decimal(0)
    return tuple(
        Break(ticker, ours.get(ticker, zero), theirs.get(ticker, zero))
        for ticker in sorted({*ours, *theirs})
        if ours.get(ticker, zero) != theirs.get(ticker, zero)
    )


def compare(
    database: Database, broker: Broker, account: Account, sectors: Mapping[str, str], as_of: datetime
) -> Reconciled:
    """Sweep, compare, lock and unlock, and bring cash level where that is safe.

    Orders in doubt must have been resolved before. Raises TransientError or PermanentError when the broker cannot be
    asked: then nothing may be decided.
    """
    _open_cash(database, account, as_of)
    total = Swept()
    breaks: tuple[Break, ...] = ()
    theirs: Mapping[str, BrokerPosition] = {}
    for _ in range(ROUNDS):
        theirs = {position.ticker: position for position in broker.positions()}
        swept = sweep(database, broker, account.account_id, as_of)
        total.booked += swept.booked
        total.told, total.strangers = swept.told, swept.strangers
        breaks = differences(
            _booked(database, account.account_id), {ticker: held.quantity for ticker, held in theirs.items()}
        )
        if not breaks:
            break
    breaks = _without_splits(database, account.account_id, breaks, as_of)
    store_prices(database, account.account_id, theirs, sectors, as_of)
    _lock(database, account.account_id, breaks, as_of)
    adjusted = Decimal(0) if breaks else _level_cash(database, broker, account.account_id, as_of)
    database.execute("UPDATE broker_accounts SET reconciled_at = %s WHERE account_id = %s", (as_of, account.account_id))
    return Reconciled(breaks, total, adjusted)


def _booked(database: Database, account_id: str) -> Mapping[str, Decimal]:
    rows = database.fetch("SELECT ticker, quantity FROM positions WHERE account_id = %s", (account_id,))
    return {row["ticker"]: row["quantity"] for row in rows}


def _without_splits(
    database: Database, account_id: str, breaks: tuple[Break, ...], as_of: datetime
) -> tuple[Break, ...]:
    """The differences that a split applied on our side does not explain.

    A part of a share that the broker paid out in cash is taken off our books. Where the broker still shows the old shares
    there is no difference until BROKER_SPLITS_WITHIN of its beginning; then it is one.
    """
    left: list[Break] = []
    for found in breaks:
        with database.connection() as connection:
            split = connection.execute(
                """
                SELECT ex_date, ratio, effective_at, quantity_before FROM position_adjustments
                WHERE account_id = %s AND ticker = %s AND kind = 'split' AND effective_at > %s
                ORDER BY effective_at DESC LIMIT 1 FOR UPDATE
                """,
                (account_id, found.ticker, as_of - SPLITS_SETTLE_WITHIN),
            ).fetchone()
            if split is None:
                left.append(found)
            elif adjustments.is_rounded(split["quantity_before"], found.ours, found.theirs):
                connection.execute(
                    """
                    UPDATE position_adjustments SET paid_out = paid_out + %(part)s, quantity_after = quantity_after - %(part)s
                    WHERE account_id = %(account_id)s AND ticker = %(ticker)s AND kind = 'split' AND ex_date = %(ex_date)s
                    """,
                    {
                        "part": found.ours - found.theirs,
                        "account_id": account_id,
                        "ticker": found.ticker,
                        "ex_date": split["ex_date"],
                    },
                )
                fills.reckon(connection, account_id, found.ticker, as_of)
            elif found.theirs != split["quantity_before"] or as_of - split["effective_at"] >= BROKER_SPLITS_WITHIN:
                left.append(found)
    return tuple(left)


def _lock(database: Database, account_id: str, breaks: tuple[Break, ...], as_of: datetime) -> None:
    broken = {found.ticker: found for found in breaks}
    with database.connection() as connection:
        held = connection.execute(
            "SELECT ticker FROM positions WHERE account_id = %s AND lock_reason <> '' ORDER BY ticker", (account_id,)
        ).fetchall()
        for found in breaks:
            lock_ticker(connection, account_id, found.ticker, found.sentence, as_of)
        for row in held:
            if row["ticker"] not in broken:
                unlock_ticker(connection, account_id, row["ticker"], as_of)


def _open_cash(database: Database, account: Account, as_of: datetime) -> None:
    database.execute(
        """
        INSERT INTO cash_ledger (account_id, at, trigger, amount, balance, note)
        VALUES (%s, %s, 'opening', %s, 0, 'the broker''s cash when we first saw the account')
        ON CONFLICT DO NOTHING
        """,
        (account.account_id, as_of, account.cash),
    )


def _level_cash(database: Database, broker: Broker, account_id: str, as_of: datetime) -> Decimal:
    theirs = broker.account().cash
    if sweep(database, broker, account_id, as_of).booked:
        return Decimal(0)  # a stop fired in between: that cash is the fill's
    with database.connection() as connection:
        under_way = (
            *orders.in_states(connection, account_id, _UNFINISHED),
            *orders.to_watch(connection, account_id),
        )
        if any(row.purpose != "protective_stop" or row.broker_filled_quantity > 0 for row in under_way):
            return Decimal(0)
        ours = fills.cash_balance(connection, account_id) or Decimal(0)
    difference = theirs - ours
    if abs(difference) < CENT:
        return Decimal(0)
    database.execute(
        """
        INSERT INTO cash_ledger (account_id, at, trigger, amount, balance, note)
        VALUES (%s, %s, 'broker_adjustment', %s, 0, 'dividends, interest, fees, transfers or rounding at the broker')
        """,
        (account_id, as_of, difference),
    )
    return difference
