"""`stonks trading` and `stonks approvals` over a home's real database: the same rows as over HTTP, told in sentences."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from psycopg import sql
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.opening import open_stores
from stonks_core.stores.postgres import Database, dsn

STAGE = f"steering{os.getpid()}"
WHY = ("--reason", "said the test", "--person", "Ada L.")
Stonks = Callable[..., Result]


@pytest.fixture(scope="module")
def environment(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A home whose live book is made and empty."""
    variables = {
        "STONKS_HOME": str(tmp_path_factory.mktemp("steering")), "DEPLOY_STAGE": STAGE, "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port), "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
    }  # fmt: skip
    settings = load_settings(variables)
    with open_stores(settings, {}):
        pass
    yield variables
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        for name in (settings.database_name, settings.dagster_database_name):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def book(environment: dict[str, str]) -> Iterator[Database]:
    """The live book's database: an account, a company, nothing told to the engine."""
    settings = load_settings(environment)
    with Database(settings.postgres, settings.database_name) as opened:
        opened.execute("TRUNCATE broker_accounts, companies, audit_events, notifications CASCADE")
        opened.execute("UPDATE engine_control SET value = to_jsonb(key = 'auto_tier')")
        opened.execute("INSERT INTO companies (ticker, legal_name, sector) VALUES ('ACME', 'Acme Corp.', 'Energy')")
        opened.execute(
            """
            INSERT INTO broker_accounts (account_id, mode, sandbox, status, cash, equity, buying_power, synced_at)
            VALUES ('acc', 'paper', true, 'ACTIVE', 1000, 1000, 1000, now())
            """
        )
        yield opened


@pytest.fixture
def stonks(environment: dict[str, str], book: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stonks:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words), env={**environment, "COLUMNS": "200"})

    return run


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    return " ".join(result.output.split())


def test_switches_are_turned_told_and_on_record(stonks: Stonks, book: Database) -> None:
    assert "entries: open" in said(stonks("trading", "status"))
    assert said(stonks("trading", "pause", *WHY)) == "paused: on"
    assert said(stonks("trading", "pause", *WHY)) == "paused: on, as before"
    assert said(stonks("trading", "kill", *WHY)) == "kill switch: on"
    status = said(stonks("trading", "status"))
    assert "entries: closed, because the kill switch is on; the engine is paused" in status
    assert "kill switch: by Ada L. at" in status
    assert json.loads(stonks("trading", "unkill", *WHY, "--json").output) == {"kill_switch": False, "changed": True}
    said(stonks("trading", "resume", *WHY))
    state = json.loads(stonks("trading", "status", "--json").output)
    assert (state["paused"]["on"], state["entries"]) == (False, {"open": True, "closed_because": []})
    audit = book.fetch("SELECT action, detail FROM audit_events ORDER BY id")
    assert [row["action"] for row in audit] == [
        "trading_paused",
        "kill_switch_on",
        "kill_switch_off",
        "trading_resumed",
    ]
    assert {row["detail"]["person"] for row in audit} == {"Ada L."}


def test_nothing_without_a_reason(stonks: Stonks, book: Database) -> None:
    assert "say why" in refused(stonks("trading", "pause", "--reason", "x"))
    assert stonks("trading", "pause").exit_code == 2
    assert book.fetch("SELECT 1 FROM audit_events") == []


def test_breakers_by_hand(stonks: Stonks) -> None:
    assert said(stonks("trading", "breaker", "trip", *WHY)) == "the breaker manual is tripped"
    assert "breaker manual: said the test; stays until a person resets it" in said(stonks("trading", "status"))
    assert said(stonks("trading", "breaker", "reset", "manual", *WHY)) == "the breaker manual is reset."
    assert "is not tripped" in refused(stonks("trading", "breaker", "reset", "daily_loss", *WHY))


def test_what_is_to_be_done_once_is_a_request(stonks: Stonks, book: Database) -> None:
    assert "for cancel_all: the engine does it at its next round" in said(stonks("trading", "cancel-all", *WHY))
    said(stonks("trading", "flatten", *WHY))
    order = ("trading", "order", "buy", "acme", "--notional", "25", "--key", "my-order-1", *WHY)
    assert said(stonks(*order)) == said(stonks(*order))
    assert "is not a number" in refused(
        stonks("trading", "order", "buy", "ACME", "--notional", "x", "--key", "k", *WHY)
    )
    assert "audit trail stay" in refused(stonks("trading", "reset", *WHY))
    assert json.loads(stonks("trading", "reset", "--yes", *WHY, "--json").output)["kind"] == "reset"
    kinds = [row["kind"] for row in book.fetch("SELECT kind FROM engine_requests ORDER BY asked_at")]
    assert kinds == ["cancel_all", "flatten", "override_order", "reset"]
    assert "asked: flatten (said the test), not done yet" in said(stonks("trading", "status"))
    (paused,) = book.fetch("SELECT value FROM engine_control WHERE key = 'paused'")
    assert paused["value"] is True


def test_settings_and_limits_change_and_go_back(stonks: Stonks, book: Database) -> None:
    changed = json.loads(
        stonks("trading", "config", "--set", "max_open_positions=5", "--tier", "conservative", *WHY, "--json").output
    )
    row = next(one for one in changed["settings"] if one["name"] == "max_open_positions")
    assert (changed["risk_tier"], row["value"], row["environment"]) == ("conservative", 5, 10)
    limits = json.loads(stonks("trading", "limits", "--set", "approval_above_dollars=25", *WHY, "--json").output)
    held = {one["name"]: one for one in limits["limits"]}
    assert (held["approval_above_dollars"]["value"], held["max_open_positions"]["value"]) == (25.0, 5)
    assert held["max_position_pct"]["value"] == 0.05
    said(stonks("trading", "config", "--unset", "max_open_positions", *WHY))
    said(stonks("trading", "limits", "--unset", "approval_above_dollars", *WHY))
    assert book.fetch("SELECT 1 FROM risk_configs") == []
    assert "say why" in refused(stonks("trading", "limits", "--set", "max_heat_pct=0.1"))
    assert "is not NAME=VALUE" in refused(stonks("trading", "config", "--set", "max_open_positions", *WHY))
    assert "max_heat_pct" in refused(stonks("trading", "limits", "--set", "max_heat_pct=7", *WHY))
    assert "cannot be changed" in refused(stonks("trading", "config", "--set", "enabled=true", *WHY))


def test_approvals_are_listed_given_refused_and_let_go(stonks: Stonks, book: Database) -> None:
    names = [ask(book, number) for number in range(3)]
    assert said(stonks("approvals", "list")).count("buy ACME $20.00") == 3
    approved = said(stonks("approvals", "approve", names[0], *WHY))
    assert approved.endswith("Approved; the engine checks it against fresh prices before it leaves.")
    assert "does not leave" in said(stonks("approvals", "reject", names[1], *WHY))
    assert "was rejected by Ada L. already" in refused(stonks("approvals", "approve", names[1], *WHY))
    assert "is no approval's id" in refused(stonks("approvals", "approve", "x", *WHY))
    assert "say who decides" in refused(stonks("approvals", "approve", names[2], "--reason", "fine", "--person", " "))
    assert said(stonks("approvals", "expire", "--reason", "tidy up")) == "0 approvals were let go"
    assert said(stonks("approvals", "expire", "--older-than-minutes", "5", "--reason", "tidy up")).startswith("1 ")
    found = json.loads(stonks("approvals", "list", "--status", "any", "--json").output)
    assert {row["approval_id"]: row["status"] for row in found} == dict(
        zip(names, ("approved", "rejected", "expired"), strict=True)
    )


def ask(book: Database, number: int) -> str:
    """An order that waits for a person since ten minutes ago."""
    asked = datetime.now(UTC) - timedelta(minutes=10)
    with book.connection() as connection:
        connection.execute(
            """
            INSERT INTO trading_decisions (decision_id, account_id, ticker, kind, outcome, reason, sentence, as_of, final,
                last_as_of) VALUES (%(id)s, 'acc', 'ACME', 'override', 'act', 'override', '', %(at)s, true, %(at)s)
            """,
            {"id": f"d{number}", "at": asked},
        )
        connection.execute(
            """
            INSERT INTO orders (order_id, account_id, decision_id, ticker, side, type, purpose, notional, intended_at,
                updated_at) VALUES (%(order)s, 'acc', %(id)s, 'ACME', 'buy', 'market', 'override', 20, %(at)s, %(at)s)
            """,
            {"order": f"so-{number}", "id": f"d{number}", "at": asked},
        )
        row = connection.execute(
            """
            INSERT INTO approval_requests (order_id, reason, requested_at, expires_at) VALUES (%s, 'large', %s, %s)
            RETURNING approval_id
            """,
            (f"so-{number}", asked, asked + timedelta(hours=4)),
        ).fetchone()
    assert row is not None
    return str(row["approval_id"])


def test_the_reserve_is_told_with_its_movements_and_reasons(stonks: Stonks, book: Database) -> None:
    assert "reserve: $0.00; 20% of each realised profit goes in" in said(stonks("trading", "reserve"))
    book.execute(
        """
        INSERT INTO reserve_pool_ledger (account_id, at, trigger, amount, balance, note)
        VALUES ('acc', now(), 'correction', 12.34, 0, 'brought over'),
               ('acc', now(), 'emergency_use', -2, 0, 'drawdown of 41%%')
        """
    )
    found = json.loads(said(stonks("trading", "reserve", "--json")))
    assert (found["balance"], found["moved"]) == ("10.34", {"correction": "12.34", "emergency_use": "-2"})
    assert [row["note"] for row in found["movements"]] == ["drawdown of 41%", "brought over"]
    assert "drawdown of 41%" in said(stonks("trading", "reserve", "--limit", "1"))


def test_both_profits_are_told_with_the_fees_behind_them(stonks: Stonks, book: Database) -> None:
    book.execute(
        """
        INSERT INTO positions (account_id, ticker, quantity, cost, conservative_cost, price, updated_at)
        VALUES ('acc', 'ACME', 2, 10, 10.5, 12, now())
        """
    )
    found = json.loads(said(stonks("trading", "profit", "--json")))
    assert (found["broker"]["total"], found["conservative"]["total"]) == ("4", "3.0")
    assert found["newest_sales"] == []
    told = said(stonks("trading", "profit"))
    assert "broker: $4.00 in all" in told
    assert "conservative: $3.00 in all" in told
    assert "of each share, at most $" in told
