"""Retention of PostgreSQL's rows: what is old goes in batches, what belongs to an order stays, bookkeeping is bounded."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from stonks_assets.automation import forgetting
from stonks_assets.automation.forgetting import forget_rows, rows_to_forget
from stonks_assets.automation.retention import DATABASE_TABLES, HOUSEKEEPING_DAYS
from stonks_assets.automation.upkeep import current_cutoffs
from stonks_assets.pipeline import Pipeline
from stonks_core.health.store import keep_verdict
from stonks_core.health.verdict import Reason, Verdict
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from tests.api import story, trades
from tests.assets.automation_stage import NOON, pipeline_at

KEPT = load_settings({}).retention.model_dump()
LONG_GONE = NOON - timedelta(days=400)


def forget(pipeline: Pipeline) -> dict[str, int]:
    return dict(forget_rows(pipeline, current_cutoffs(pipeline)))


@pytest.fixture
def told(database: Database) -> Database:
    story.tell_database(database)
    return database


Fill = Callable[[Database, datetime, str], None]


def decision(database: Database, at: datetime, name: str) -> None:
    trades.decide(database, name, "recommendation", name, "Skip.", at, outcome="skip")


def event(database: Database, at: datetime, name: str, change: tuple[str, str] = ("filled", "filled")) -> None:
    database.execute(
        """
        INSERT INTO order_events (order_id, at, event, source, state_from, state_to, note)
        VALUES (%s, %s, 'seen', 'rest', %s, %s, %s)
        """,
        (story.ENTRY, at, *change, name),
    )


def verdict(database: Database, at: datetime, name: str, order_id: str | None = None) -> None:
    database.execute(
        """
        INSERT INTO risk_evaluations (account_id, order_id, ticker, side, eligible, as_of)
        VALUES (%s, %s, %s, 'buy', true, %s)
        """,
        (trades.ACCOUNT, order_id, name, at),
    )


def audit(database: Database, at: datetime, name: str, detail: str = "{}") -> None:
    database.execute(
        "INSERT INTO audit_events (at, actor, action, subject, detail) VALUES (%s, 'ada', 'looked', %s, %s)",
        (at, name, detail),
    )


def metric(database: Database, at: datetime, name: str) -> None:
    database.execute(
        """
        INSERT INTO model_performance_metrics (model, agent, metric, value, samples, at) VALUES ('m', 'a', %s, 1, 1, %s)
        """,
        (name, at),
    )


def performance(database: Database, at: datetime, name: str) -> None:
    database.execute(
        """
        INSERT INTO agent_performance_log (agent, model, document_id, ok, latency_ms, at) VALUES ('a', 'm', %s, true, 1, %s)
        """,
        (name, at),
    )


OWN: dict[str, tuple[Fill, str]] = {
    "trading_decisions": (decision, "decision_id"),
    "risk_evaluations": (verdict, "ticker"),
    "order_events": (event, "note"),
    "audit_events": (audit, "subject"),
    "model_performance_metrics": (metric, "metric"),
    "agent_performance_log": (performance, "document_id"),
}


def held(database: Database, table: str) -> set[str]:
    return {row["name"] for row in database.fetch(f"SELECT {OWN[table][1]} AS name FROM {table}")}


@pytest.mark.parametrize("table", DATABASE_TABLES)
def test_old_rows_go_to_the_day(lake: Lake, told: Database, table: str) -> None:
    fill, _ = OWN[table]
    days = timedelta(days=KEPT[table])
    told.execute("UPDATE orders SET final_at = %s WHERE state = 'filled'", (LONG_GONE,))
    fill(told, NOON - days - timedelta(minutes=1), "old")
    fill(told, NOON - days + timedelta(minutes=1), "young")
    before = held(told, table)
    pipeline = pipeline_at(NOON, lake, told)
    assert rows_to_forget(pipeline, current_cutoffs(pipeline)) == [table]
    assert forget(pipeline)[table] == 1
    assert held(told, table) == before - {"old"}
    assert rows_to_forget(pipeline, current_cutoffs(pipeline)) == []


def test_what_belongs_to_an_order_stays(lake: Lake, told: Database) -> None:
    verdict(told, LONG_GONE, "of an order", story.ENTRY)
    event(told, LONG_GONE, "a change", ("accepted", "filled"))
    audit(told, LONG_GONE, story.ENTRY)
    audit(told, LONG_GONE, "flatten", json.dumps({"order_id": story.ENTRY}))
    told.execute("UPDATE orders SET final_at = NULL, state = state")
    event(told, LONG_GONE, "of an order that is not over")
    tables = (
        "orders",
        "fills",
        "trading_decisions JOIN orders USING (decision_id)",
        "risk_evaluations",
        "order_events",
    )

    def counts() -> dict[str, Any]:
        return {table: told.fetch_one(f"SELECT count(*) AS n FROM {table}") for table in (*tables, "audit_events")}

    before = counts()
    forget(pipeline_at(NOON + timedelta(days=2000), lake, told))
    assert counts() == before


def test_a_decision_that_was_repeated_lately_is_not_old(lake: Lake, told: Database) -> None:
    decision(told, LONG_GONE, "again and again")
    told.execute("UPDATE trading_decisions SET last_as_of = %s WHERE decision_id = 'again and again'", (NOON,))
    forget(pipeline_at(NOON, lake, told))
    assert "again and again" in held(told, "trading_decisions")


def test_bookkeeping_is_bounded(lake: Lake, told: Database) -> None:
    source = told.fetch_one("INSERT INTO sources (source_type, name) VALUES ('news_api', 'wire') RETURNING source_id")
    assert source is not None
    pipeline = pipeline_at(NOON, lake, told)
    for at in (LONG_GONE, NOON - timedelta(minutes=5)):
        told.execute("INSERT INTO rate_limits (bucket, taken_at) VALUES ('gone', %s)", (at,))
        told.execute(
            """
            INSERT INTO ingestion_runs (source_id, day, status, started_at, finished_at) VALUES (%s, %s, 'succeeded', %s, %s)
            """,
            (source["source_id"], at.date(), at, at),
        )
        for status in ("open", "resolved", "dismissed"):
            pipeline.failures.record("extraction", f"{status} {at.date()}", "cut", at)
        told.execute("INSERT INTO notifications (at, severity, subject) VALUES (%s, 'info', 's')", (at,))
        with told.connection() as connection:
            keep_verdict(
                connection, Verdict(at, (Reason("signals", "ranges", f"ill since {at}"),) if at == LONG_GONE else ())
            )
        told.execute(
            "INSERT INTO pipeline_control (key, value, updated_at) VALUES (%s, 'true', %s), (%s, 'true', %s)",
            (f"propagated {at.date()}", at, f"of somebody else {at.date()}", at),
        )
    told.execute("UPDATE failures SET status = split_part(item, ' ', 1)")
    gone = forget(pipeline)
    assert {name: gone[name] for name in HOUSEKEEPING_DAYS} == dict.fromkeys(HOUSEKEEPING_DAYS, 1)
    assert {row["item"] for row in told.fetch("SELECT item FROM failures WHERE last_at = %s", (LONG_GONE,))} == {
        f"open {LONG_GONE.date()}",
        f"dismissed {LONG_GONE.date()}",
    }


def test_many_rows_go_in_batches(lake: Lake, told: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 3)
    for number in range(8):
        metric(told, LONG_GONE, f"m{number}")
    assert forget(pipeline_at(NOON, lake, told))["model_performance_metrics"] == 8
