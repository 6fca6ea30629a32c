"""Keeping our books level with the broker by REST: account, executions, order states, prices. Also what the stream says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection, Database
from stonks_trading import control
from stonks_trading.broker import fills, orders
from stonks_trading.broker.orders import OrderRow
from stonks_trading.broker.protocol import Account, Broker, BrokerPosition, Execution, OrderState, TradeUpdate

OVERLAP = timedelta(minutes=5)  # executions are asked for again from this long before the newest that is booked


@dataclass
class Swept:
    """What a sweep found: booked executions, orders whose state was told, executions that belong to no order of ours."""

    booked: int = 0
    told: int = 0
    strangers: list[Execution] = field(default_factory=list)


def register(database: Database, account: Account, as_of: datetime, *, mode: str, sandbox: bool) -> None:
    """Store the account as the broker tells it now."""
    database.execute(
        """
        INSERT INTO broker_accounts (account_id, account_number, mode, sandbox, status, currency, cash, equity,
            buying_power, last_equity, blocked, synced_at)
        VALUES (%(account_id)s, %(number)s, %(mode)s, %(sandbox)s, %(status)s, %(currency)s, %(cash)s, %(equity)s,
            %(buying_power)s, %(last_equity)s, %(blocked)s, %(as_of)s)
        ON CONFLICT (account_id) DO UPDATE SET account_number = EXCLUDED.account_number, mode = EXCLUDED.mode,
            sandbox = EXCLUDED.sandbox, status = EXCLUDED.status, currency = EXCLUDED.currency, cash = EXCLUDED.cash,
            equity = EXCLUDED.equity, buying_power = EXCLUDED.buying_power, last_equity = EXCLUDED.last_equity,
            blocked = EXCLUDED.blocked, synced_at = EXCLUDED.synced_at
        """,
        {**vars(account), "mode": mode, "sandbox": sandbox, "as_of": as_of},
    )


def sweep(database: Database, broker: Broker, account_id: str, as_of: datetime) -> Swept:
    """Book every execution that is not booked, then take over every order's state.

    Executions are asked for from a little before the oldest thing that is unfinished, so that nothing missed by the
    stream or by a dead process stays missed; booking them again changes nothing.
    """
    swept = Swept()
    with database.connection() as connection:
        after = _cursor(connection, account_id)
    if after is not None:
        for execution in broker.executions(after):
            _book(database, broker, account_id, execution, as_of, swept)
    with database.connection() as connection:
        watched = orders.to_watch(connection, account_id)
    still_open = {order.broker_order_id: order for order in broker.open_orders()} if watched else {}
    for row in watched:
        told = still_open.get(row.broker_order_id or "") or broker.find(row.order_id)
        if told is None:
            continue
        with database.connection() as connection:
            current = orders.locked(connection, row.order_id)
            if current is not None:
                orders.learn(connection, current, told, as_of, "rest")
                swept.told += 1
    return swept


def apply_update(database: Database, account_id: str, update: TradeUpdate, at: datetime) -> bool:
    """Take over one event of the stream; False when it is about no order of ours."""
    with database.connection() as connection:
        row = orders.locked(connection, update.order.client_order_id)
        if row is None or row.account_id != account_id:
            return False
        if update.execution is not None:
            fills.book(connection, row, update.execution, at, "stream")
        orders.learn(connection, row, update.order, at, "stream")
    return True


def store_prices(
    database: Database, account_id: str, held: Mapping[str, BrokerPosition], sectors: Mapping[str, str], as_of: datetime
) -> None:
    """Store what the broker says of each position that either side has."""
    with database.connection() as connection:
        connection.execute(
            "SELECT 1 FROM positions WHERE account_id = %s ORDER BY ticker FOR UPDATE", (account_id,)
        ).fetchall()
        known = connection.execute("SELECT ticker FROM positions WHERE account_id = %s", (account_id,)).fetchall()
        for ticker in sorted({row["ticker"] for row in known} | set(held)):
            told = held.get(ticker)
            connection.execute(
                """
                INSERT INTO positions (account_id, ticker, broker_quantity, price, price_at, sector, updated_at)
                VALUES (%(account_id)s, %(ticker)s, %(quantity)s, %(price)s, %(at)s, %(sector)s, %(at)s)
                ON CONFLICT (account_id, ticker) DO UPDATE SET broker_quantity = EXCLUDED.broker_quantity,
                    price = COALESCE(EXCLUDED.price, positions.price),
                    price_at = CASE WHEN EXCLUDED.price IS NULL THEN positions.price_at ELSE EXCLUDED.price_at END,
                    sector = EXCLUDED.sector, updated_at = EXCLUDED.updated_at
                """,
                {
                    "account_id": account_id,
                    "ticker": ticker,
                    "quantity": told.quantity if told else Decimal(0),
                    "price": told.price if told else None,
                    "at": as_of,
                    "sector": sectors.get(ticker, ""),
                },
            )


def cancel_orders(
    database: Database,
    broker: Broker,
    account_id: str,
    as_of: datetime,
    *,
    entries_only: bool,
    why: str,
    ticker: str = "",
) -> int:
    """Cancel what can still fill, at the broker and in the outbox; how many were asked for. Exits stay with `entries_only`."""
    with database.connection() as connection:
        waiting = orders.in_states(connection, account_id, (OrderState.INTENDED,))
        working = orders.to_watch(connection, account_id)
    asked = 0
    for row in [*waiting, *working]:
        if (entries_only and row.side == "sell") or row.state.final or ticker not in {"", row.ticker}:
            continue
        asked += cancel_order(database, broker, row, as_of, why)
    return asked


def cancel_all(
    database: Database,
    broker: Broker,
    account_id: str,
    as_of: datetime,
    *,
    began_at: datetime,
    entries_only: bool,
    but: str,
    why: str,
) -> tuple[int, int]:
    """Cancel every unfinished order that was intended by `began_at`, those of the purpose `but` excepted.

    How many were asked for now, and of how many nobody knows yet whether they arrived: those never leave again, and
    when they turn up at the broker the next call cancels them. Calling again asks the broker again and notes nothing.
    """
    states = (OrderState.INTENDED, OrderState.SUBMITTING, OrderState.UNKNOWN)
    with database.connection() as connection:
        rows = [*orders.in_states(connection, account_id, states), *orders.to_watch(connection, account_id)]
    asked = doubtful = 0
    for row in rows:
        spared = (entries_only and row.side == "sell") or row.purpose == but
        if spared or row.state.final or row.intended_at > began_at:
            continue
        if row.cancel_asked_at is None:
            asked += cancel_order(database, broker, row, as_of, why)
        elif row.broker_order_id is not None:
            broker.cancel(row.broker_order_id)
        doubtful += row.state in {OrderState.SUBMITTING, OrderState.UNKNOWN}
    return asked, doubtful


def cancel_order(database: Database, broker: Broker, row: OrderRow, as_of: datetime, why: str) -> int:
    """Cancel one order, at the broker or where it is still an intent; 0 where there is none such. The end comes by sweep."""
    if row.broker_order_id is not None:
        broker.cancel(row.broker_order_id)
    with database.connection() as connection:
        current = orders.locked(connection, row.order_id)
        if current is None:
            return 0
        if current.state is OrderState.INTENDED:
            orders.move(connection, current, OrderState.CANCELED, as_of, "engine", why)
        else:
            connection.execute(
                "UPDATE orders SET cancel_asked_at = %s, reason = %s WHERE order_id = %s", (as_of, why, row.order_id)
            )
            orders.note(connection, row.order_id, as_of, "cancel_asked", "engine", text=why)
    return 1


def _cursor(connection: Connection, account_id: str) -> datetime | None:
    """From when executions may be missing; None when no order of ours ever reached the broker."""
    row = connection.execute(
        """
        SELECT least(
            (SELECT min(COALESCE(submitted_at, intended_at)) FROM orders WHERE account_id = %(id)s
                AND broker_order_id IS NOT NULL AND (state IN ('accepted', 'partially_filled')
                    OR broker_filled_quantity > filled_quantity)),
            (SELECT max(executed_at) FROM fills WHERE account_id = %(id)s),
            (SELECT min(intended_at) FROM orders WHERE account_id = %(id)s AND broker_order_id IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM fills WHERE account_id = %(id)s))) AS since
        """,
        {"id": account_id},
    ).fetchone()
    return row["since"] - OVERLAP if row and row["since"] else None


def _book(
    database: Database, broker: Broker, account_id: str, execution: Execution, as_of: datetime, swept: Swept
) -> None:
    with database.connection() as connection:
        row = orders.locked_by_broker_id(connection, account_id, execution.broker_order_id)
        if row is not None:
            swept.booked += fills.book(connection, row, execution, as_of, "rest")
            return
    told = broker.order(execution.broker_order_id)  # an order whose answer was lost: is its client id one of ours?
    with database.connection() as connection:
        row = orders.locked(connection, told.client_order_id) if told is not None else None
        if row is None or told is None or row.account_id != account_id:
            swept.strangers.append(execution)
            return
        orders.learn(connection, row, told, as_of, "rest")
        swept.booked += fills.book(connection, row, execution, as_of, "rest")


def lock_ticker(connection: Connection, account_id: str, ticker: str, why: str, as_of: datetime) -> None:
    """Lock a ticker: no entry until the difference is gone. Says so once per reason."""
    changed = connection.execute(
        """
        INSERT INTO positions AS held (account_id, ticker, lock_reason, locked_at, updated_at)
        VALUES (%(account_id)s, %(ticker)s, %(why)s, %(at)s, %(at)s)
        ON CONFLICT (account_id, ticker) DO UPDATE SET lock_reason = EXCLUDED.lock_reason,
            locked_at = COALESCE(held.locked_at, EXCLUDED.locked_at), updated_at = EXCLUDED.updated_at
        WHERE held.lock_reason <> EXCLUDED.lock_reason
        """,
        {"account_id": account_id, "ticker": ticker, "why": why, "at": as_of},
    ).rowcount
    if changed:
        leave(connection, as_of, "critical", f"{ticker} is locked", why)
        control.audit(connection, as_of, "lock", ticker, why, {})


def unlock_ticker(connection: Connection, account_id: str, ticker: str, as_of: datetime) -> None:
    """Unlock a ticker whose difference is gone."""
    changed = connection.execute(
        """
        UPDATE positions SET lock_reason = '', locked_at = NULL, updated_at = %s
        WHERE account_id = %s AND ticker = %s AND lock_reason <> ''
        """,
        (as_of, account_id, ticker),
    ).rowcount
    if changed:
        control.audit(connection, as_of, "unlock", ticker, "our books and the broker agree again", {})
