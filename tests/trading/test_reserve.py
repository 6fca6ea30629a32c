"""The reserve pool over the real ledger: siphoned, returned, used in an emergency, each once, each with its reason."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from stonks_core.stores.postgres import Database
from stonks_trading import daybook
from stonks_trading.console import reserve as shown
from stonks_trading.decide.reserve import ReserveRow, faults
from stonks_trading.decide.rules import ReserveRules
from stonks_trading.records import Portfolio
from tests.trading.bench import TICKER, Bench, at, with_a_profit
from tests.trading.decide.desk import portfolio

RULES = ReserveRules()


@pytest.fixture
def bench(database: Database) -> Bench:
    """A bench whose reserve holds a fifth of one realised profit, the books of its Monday closed."""
    made = with_a_profit(database)
    session = made.session()
    session.reconcile()
    assert session.close_day(made.to(at(20, 30))) is not None
    assert [row["trigger"] for row in rows(made)] == ["siphon"]
    return made


def rows(bench: Bench) -> list[dict[str, Any]]:
    return bench.database.fetch("SELECT * FROM reserve_pool_ledger ORDER BY id")


def settled(bench: Bench, account: Portfolio) -> list[tuple[str, Decimal]]:
    """What the reserve did at a close with this account, its balance after each row."""
    before = len(rows(bench))
    with bench.database.connection() as connection:
        daybook.settle_reserve(connection, bench.broker.account_id, account, RULES, at(20, 30, day=5))
    return [(row["trigger"], row["balance"]) for row in rows(bench)[before:]]


def test_a_severe_drawdown_uses_the_reserve_once_and_says_so(bench: Bench) -> None:
    held = rows(bench)[-1]["balance"]
    bench.database.execute("UPDATE portfolio_snapshots SET high_water_equity = 2000")
    session = bench.session()
    session.reconcile()
    assert session.close_day(bench.to(at(20, 30, day=5))) is not None
    assert session.close_day(bench.to(at(20, 40, day=5))) is None
    used = rows(bench)[-1]
    assert (len(rows(bench)), used["trigger"], used["amount"], used["balance"]) == (2, "emergency_use", -held, 0)
    assert "drawdown of 4" in used["note"]
    (notice,) = bench.database.fetch("SELECT * FROM notifications WHERE subject LIKE '%%reserve%%'")
    assert (notice["severity"], f"${held:.2f} of the reserve" in notice["body"]) == ("critical", True)
    snapshot = bench.database.fetch("SELECT * FROM portfolio_snapshots ORDER BY session")[-1]
    assert (snapshot["reserve"], snapshot["active_pool"]) == (0, snapshot["equity"])


def test_a_small_drawdown_leaves_it(bench: Bench) -> None:
    account = replace(portfolio(601), high_water_equity=Decimal(1000))
    assert settled(bench, account) == []
    assert settled(bench, replace(account, cash=Decimal(600))) == [], "the threshold itself is not above it"


def test_what_is_left_after_the_return_is_used_in_the_same_close(bench: Bench) -> None:
    """A reserve above its high-water share in a severe drawdown: the excess returns, and the rest is used as well."""
    held = rows(bench)[-1]["balance"]
    assert held > 3
    account = replace(portfolio(10, reserve=held), high_water_equity=Decimal(1000))
    assert settled(bench, account) == [("high_water_return", Decimal(3)), ("emergency_use", Decimal(0))]


def test_no_more_is_used_than_was_lost(bench: Bench) -> None:
    held = rows(bench)[-1]["balance"]
    account = replace(portfolio(40, reserve=held), high_water_equity=Decimal(42))
    assert settled(bench, account) == []
    rules = replace(RULES, emergency_drawdown=Decimal("0.01"))
    with bench.database.connection() as connection:
        daybook.settle_reserve(connection, bench.broker.account_id, account, rules, at(20, 30, day=5))
    assert (rows(bench)[-1]["trigger"], rows(bench)[-1]["amount"]) == ("emergency_use", -2)


def test_the_ledger_is_shown_with_its_reasons_and_adds_up(bench: Bench) -> None:
    settled(bench, replace(portfolio(10), high_water_equity=Decimal(1000)))
    with bench.database.connection() as connection:
        found = shown.movements(connection, bench.broker.account_id, 10)
        pool = shown.pool(connection, bench.settings, bench.broker.account_id)
        assert shown.movements(connection, bench.broker.account_id, 1, found[0]["id"]) == [found[1]]
    assert [row["trigger"] for row in found] == ["emergency_use", "high_water_return", "siphon"]
    assert all(row["note"] for row in found)
    assert [row["ticker"] for row in found] == [None, None, TICKER]
    assert (
        faults([ReserveRow(*(row[c] for c in ("at", "trigger", "amount", "balance", "note"))) for row in found[::-1]])
        == ()
    )
    assert pool["balance"] == sum(pool["moved"].values()) == 0
    assert (pool["siphon_share"], pool["high_water_share"], pool["emergency_drawdown"]) == (0.2, 0.3, 0.4)
