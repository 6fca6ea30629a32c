"""Executions are booked once, whoever tells of them, in whatever order, under whatever id."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from psycopg import errors

from stonks_core.stores.postgres import Database
from stonks_trading.broker import fills, orders
from stonks_trading.broker.protocol import Execution
from stonks_trading.broker.sync import register
from tests.trading.broker.fake_broker import NOON, FakeBroker
from tests.trading.broker.test_trading_schema import order


def execution(number: int, quantity: str, price: str, cumulative: str) -> Execution:
    at = NOON + timedelta(seconds=number)
    return Execution(f"x{number}", "b1", "ORCL", "buy", Decimal(quantity), Decimal(price), Decimal(cumulative), at)


def prepared(database: Database) -> None:
    register(database, FakeBroker(NOON).account(), NOON, mode="paper", sandbox=True)
    with database.connection() as connection:
        order(connection, "o1", orders.OrderState.ACCEPTED)
        connection.execute("UPDATE orders SET broker_order_id = 'b1'")


def book(database: Database, told: Execution, source: str) -> bool:
    with database.connection() as connection:
        row = orders.locked(connection, "o1")
        assert row is not None
        return fills.book(connection, row, told, NOON, "stream" if source == "stream" else "rest")


def test_stream_and_rest_book_one_fill_even_under_different_ids(database: Database) -> None:
    prepared(database)
    told = execution(1, "0.5", "100", "0.5")
    assert book(database, told, "stream")
    assert not book(database, told, "rest")
    assert not book(database, replace(told, execution_id="20260504::other"), "rest")
    row = database.fetch_one("SELECT quantity, cost FROM positions")
    assert row == {"quantity": Decimal("0.5"), "cost": Decimal(100)}
    assert database.fetch_one("SELECT count(*) AS n, sum(amount) AS paid FROM cash_ledger") == {
        "n": 1,
        "paid": Decimal(-50),
    }


def test_the_order_of_hearing_changes_nothing(database: Database) -> None:
    prepared(database)
    told = [execution(1, "1", "100", "1"), execution(2, "2", "103", "3"), execution(3, "1", "90", "4")]
    states = set()
    for heard in permutations(told):
        for one in heard:
            assert book(database, one, "rest")
        row = database.fetch_one(
            """
            SELECT p.quantity, p.cost, p.opened_at, o.filled_quantity, o.filled_average_price,
                (SELECT balance FROM cash_ledger ORDER BY id DESC LIMIT 1) AS cash
            FROM positions p CROSS JOIN orders o
            """
        )
        assert row is not None
        states.add(tuple(row.values()))
        database.execute("TRUNCATE fills, cash_ledger, reserve_pool_ledger")
        database.execute("DELETE FROM positions")
    assert len(states) == 1
    (state,) = states
    assert (state[0], state[1], state[5]) == (4, Decimal(99), Decimal(-396))


def test_a_fill_cannot_be_without_its_order(database: Database) -> None:
    prepared(database)
    with pytest.raises(errors.ForeignKeyViolation):
        database.execute(
            """
            INSERT INTO fills (order_id, account_id, execution_id, ticker, side, quantity, price, source, executed_at, booked_at)
            VALUES ('nobody', 'acc', 'x', 'ORCL', 'buy', 1, 1, 'rest', now(), now())
            """
        )
