"""What the schema itself refuses, whoever writes."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

from stonks_core.stores.postgres import Connection, Database
from stonks_trading.broker.orders import NEXT
from stonks_trading.broker.protocol import OrderState

AT = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)


def account(connection: Connection, account_id: str = "acc") -> None:
    connection.execute(
        """
        INSERT INTO broker_accounts (account_id, mode, sandbox, status, cash, equity, buying_power, synced_at)
        VALUES (%s, 'paper', true, 'ACTIVE', 1000, 1000, 1000, %s)
        """,
        (account_id, AT),
    )


def order(connection: Connection, order_id: str, state: OrderState = OrderState.INTENDED) -> None:
    connection.execute(
        """
        INSERT INTO trading_decisions (decision_id, account_id, ticker, kind, outcome, reason, sentence, as_of, final, last_as_of)
        VALUES (%s, 'acc', 'ORCL', 'override', 'act', 'sized', '', %s, true, %s)
        """,
        (order_id, AT, AT),
    )
    connection.execute(
        """
        INSERT INTO orders (order_id, account_id, decision_id, ticker, side, type, purpose, notional, state, intended_at,
            updated_at)
        VALUES (%s, 'acc', %s, 'ORCL', 'buy', 'market', 'override', 10, %s, %s, %s)
        """,
        (order_id, order_id, str(state), AT, AT),
    )


def test_the_state_machine_of_the_schema_is_that_of_the_code(database: Database) -> None:
    allowed = {}
    with database.connection() as connection:
        account(connection)
        for before in OrderState:
            for after in OrderState:
                order(connection, f"{before}-{after}", before)
    for before in OrderState:
        for after in OrderState:
            try:
                database.execute("UPDATE orders SET state = %s WHERE order_id = %s", (str(after), f"{before}-{after}"))
                allowed[before, after] = True
            except psycopg.errors.CheckViolation:
                allowed[before, after] = False
    expected = {(b, a): b is a or a in NEXT.get(b, ()) for b in OrderState for a in OrderState}
    assert allowed == expected


def test_an_intent_is_not_rewritten(database: Database) -> None:
    with database.connection() as connection:
        account(connection)
        order(connection, "one")
    with pytest.raises(psycopg.errors.CheckViolation, match="not rewritten"):
        database.execute("UPDATE orders SET notional = 20 WHERE order_id = 'one'")
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute("UPDATE orders SET quantity = 1 WHERE order_id = 'one'")


def test_a_ledgers_balance_is_the_sum_of_its_rows(database: Database) -> None:
    with database.connection() as connection:
        account(connection)
        account(connection, "other")
        for owner, amount in [("acc", "10.10"), ("other", "5"), ("acc", "-3.05"), ("acc", "0.000000001")]:
            connection.execute(
                "INSERT INTO cash_ledger (account_id, at, trigger, amount, balance) VALUES (%s, %s, 'broker_adjustment', %s, 99)",
                (owner, AT, Decimal(amount)),
            )
    rows = database.fetch("SELECT balance FROM cash_ledger WHERE account_id = 'acc' ORDER BY id")
    assert [row["balance"] for row in rows] == [Decimal("10.10"), Decimal("7.05"), Decimal("7.050000001")]
    with pytest.raises(psycopg.errors.CheckViolation, match="is a ledger"):
        database.execute("UPDATE cash_ledger SET amount = 1 WHERE account_id = 'acc'")
    with pytest.raises(psycopg.errors.CheckViolation):  # the reserve is never below zero
        database.execute(
            "INSERT INTO reserve_pool_ledger (account_id, at, trigger, amount, balance) VALUES ('acc', now(), 'correction', -1, 0)"
        )


def test_a_stop_never_falls(database: Database) -> None:
    with database.connection() as connection:
        account(connection)
        connection.execute("INSERT INTO positions (account_id, ticker, updated_at) VALUES ('acc', 'ORCL', %s)", (AT,))
        connection.execute(
            """
            INSERT INTO position_stop_levels (account_id, ticker, entry, stop, initial_stop, atr, highest, opened_at, updated_at)
            VALUES ('acc', 'ORCL', 100, 95, 95, 2, 100, %s, %s)
            """,
            (AT, AT),
        )
    database.execute("UPDATE position_stop_levels SET stop = 96")
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot fall"):
        database.execute("UPDATE position_stop_levels SET stop = 95.99")
