"""The trading daemon watched from outside, over a real database."""

from datetime import timedelta

import pytest

from stonks_core.notifications.watch import GRACE, SILENT, watch_engine
from stonks_core.stores.postgres import Database
from stonks_trading.engine.lease import TTL_SECONDS, Held, Lease
from stonks_trading.engine.supervisor import Heartbeats


def told(database: Database) -> list[str]:
    return [row["subject"] for row in database.fetch("SELECT subject FROM notifications ORDER BY id")]


@pytest.fixture
def lease(database: Database) -> Lease:
    lease = Lease(database, "quant:1")
    assert isinstance(lease.acquire(), Held)
    return lease


def now_of(database: Database) -> object:
    row = database.fetch_one("SELECT now() AS at")
    assert row
    return row["at"]


def test_where_nobody_ever_traded_nothing_is_told(database: Database) -> None:
    assert "none was lost" in watch_engine(database, now_of(database))
    assert told(database) == []


def test_a_daemon_that_lives_or_was_stopped_is_no_alarm(database: Database, lease: Lease) -> None:
    now = now_of(database)
    assert "lives" in watch_engine(database, now)
    lease.release()
    assert "gave its lease back" in watch_engine(database, now + timedelta(hours=1))
    assert told(database) == []


def test_a_daemon_that_died_is_told_once_and_that_it_is_back(database: Database, lease: Lease) -> None:
    dead = now_of(database) + timedelta(seconds=TTL_SECONDS) + GRACE + timedelta(seconds=1)
    assert "lives" in watch_engine(database, dead - timedelta(seconds=2))
    for later in range(3):
        assert "was last heard of" in watch_engine(database, dead + timedelta(minutes=later))
    assert told(database) == ["the trading daemon died"]
    database.execute("UPDATE engine_lease SET expires_at = now() - interval '1 second'")
    assert isinstance(Lease(database, "quant:2").acquire(), Held)
    for _ in range(2):
        assert "quant:2 lives" in watch_engine(database, now_of(database))
    assert told(database) == ["the trading daemon died", "the trading daemon is back"]


def test_a_task_that_hangs_is_told_by_name(database: Database, lease: Lease) -> None:
    beats = Heartbeats(database, "quant:1")
    for task in ("decisions", "stops", "sync"):
        beats.beat(task)
    Heartbeats(database, "quant:0").beat("rebalance")
    now = now_of(database)
    database.execute("UPDATE engine_heartbeats SET beat_at = now() - %s WHERE task = 'stops'", (SILENT,))
    database.execute("UPDATE engine_lease SET expires_at = now() + interval '1 hour', heartbeat_at = now()")
    for _ in range(2):
        assert "1 of its tasks hang" in watch_engine(database, now + timedelta(seconds=1))
    assert told(database) == ["the trading daemon's task stops hangs"]
