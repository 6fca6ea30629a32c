"""Results and verdicts in PostgreSQL: what takes whose place, what changes wake and are remembered, what the door reads."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from stonks_core.health import store
from stonks_core.health.report import report
from stonks_core.health.verdict import Reason, Result, Verdict
from stonks_core.settings.scheduling import DataHealth
from stonks_core.stores.postgres import Connection, Database

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WELL = Result("signals", "ranges", "", NOON)
ILL = Result("signals", "ranges", "sentiment is 1.7", NOON, ("2026-03-10",), blocks="trends are sums of it")
CLOSED = (Reason("signals", "ranges", "sentiment is 1.7"),)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.url, autocommit=True, row_factory=psycopg.rows.dict_row) as opened:
        yield opened


def held(connection: Connection) -> dict[tuple[str, str], Result]:
    return {result.name: result for result in store.results(connection)}


def test_the_newest_result_of_each_check_stands(database: Database, connection: Connection) -> None:
    store.keep_results(database, [ILL, replace(WELL, check="words")])
    store.keep_results(database, [replace(WELL, checked_at=NOON - MINUTE)])
    assert held(connection)[ILL.name] == ILL
    store.keep_results(database, [replace(WELL, checked_at=NOON + MINUTE)])
    assert held(connection)[ILL.name].problem == ""
    assert len(held(connection)) == 2


def test_since_when_a_check_holds_or_fails_is_kept(database: Database, connection: Connection) -> None:
    for minutes, problem in ((0, "bad"), (1, "worse"), (2, ""), (3, "")):
        store.keep_results(database, [replace(ILL, problem=problem, checked_at=NOON + minutes * MINUTE)])
        (row,) = store.check_rows(connection)
        assert row["changed_at"] == NOON + (0 if minutes < 2 else 2) * MINUTE


def test_a_breach_adds_days_and_only_a_whole_check_that_began_later_clears_it(
    database: Database, connection: Connection
) -> None:
    store.keep_results(database, [replace(ILL, days=("2026-03-08",))])
    store.add_breaches(database, [replace(ILL, problem="again", checked_at=NOON + 2 * MINUTE)])
    found = held(connection)[ILL.name]
    assert (found.problem, found.days, found.checked_at) == ("again", ("2026-03-08", "2026-03-10"), NOON)
    store.keep_results(database, [replace(WELL, checked_at=NOON + MINUTE)])  # began before the breach, ended after it
    assert held(connection)[ILL.name].problem == "again"
    store.keep_results(database, [replace(WELL, checked_at=NOON + 3 * MINUTE)])
    assert held(connection)[ILL.name].problem == ""


def verdicts(connection: Connection) -> list[dict[str, Any]]:
    return store.history(connection, 10)


def test_a_change_is_remembered_wakes_and_is_told_and_no_change_is_not(connection: Connection) -> None:
    connection.execute(f"LISTEN {store.CHANNEL}")
    told = [
        store.keep_verdict(connection, verdict)
        for verdict in (
            Verdict(NOON),
            Verdict(NOON + MINUTE),
            Verdict(NOON + 2 * MINUTE, CLOSED),
            Verdict(NOON + 3 * MINUTE, (replace(CLOSED[0], sentence="sentiment is 1.8"),)),
            Verdict(NOON + 4 * MINUTE),
        )
    ]
    assert told == [True, False, True, False, True]
    assert [(row["as_of"], row["entries_open"]) for row in verdicts(connection)] == [
        (NOON + 4 * MINUTE, True),
        (NOON + 2 * MINUTE, False),
        (NOON, True),
    ]
    assert [word.payload for word in connection.notifies(timeout=5, stop_after=3)] == ["open", "closed", "open"]
    shown = connection.execute("SELECT severity, subject, body FROM notifications ORDER BY id").fetchall()
    assert [(row["severity"], row["subject"]) for row in shown] == [
        ("warning", "data health: no new positions"),
        ("info", "data health: new positions may be opened again"),
    ]
    assert shown[0]["body"] == "sentiment is 1.7"
    assert store.changed_at(connection) == NOON + 4 * MINUTE


def test_an_older_verdict_never_takes_the_place_of_a_newer_one(connection: Connection) -> None:
    store.keep_verdict(connection, Verdict(NOON, CLOSED))
    assert not store.keep_verdict(connection, Verdict(NOON - MINUTE))
    assert store.stored(connection).verdict == Verdict(NOON, CLOSED)


def test_the_door_reads_the_verdict_and_the_toggle(connection: Connection) -> None:
    patience = timedelta(minutes=10)
    assert "not been judged yet" in store.door(connection, NOON, patience)
    store.keep_verdict(connection, Verdict(NOON))
    assert store.door(connection, NOON, patience) == ""
    assert "not been judged since" in store.door(connection, NOON + timedelta(minutes=11), patience)
    connection.execute(
        "INSERT INTO pipeline_control (key, value, updated_by, updated_at) VALUES ('pipeline_enabled', %s, 'ada', %s)",
        (Jsonb(False), NOON),
    )
    assert "switched off by ada at 2026-03-10 12:00 UTC" in store.door(connection, NOON, patience)


def test_refused_records_are_counted_by_clause(connection: Connection) -> None:
    for item, counts in (
        ("a", {"unsupported_quote": 2, "invented_number": 1}),
        ("b", {"unsupported_quote": 3}),
        ("c", {}),
    ):
        connection.execute(
            """
            INSERT INTO failures (stage, item, error, detail, status, first_at, last_at)
            VALUES ('refused_records', %s, 'refused', %s, 'noted', %s, %s)
            """,
            (item, Jsonb({"counts": counts}), NOON, NOON),
        )
    assert store.refused_records(connection) == {"unsupported_quote": 5, "invented_number": 1}


def test_the_report_tells_what_the_daemon_is_told(database: Database, connection: Connection) -> None:
    store.keep_results(database, [ILL])
    store.keep_verdict(connection, Verdict(NOON, CLOSED))
    told = report(connection, DataHealth(), NOON)
    assert (told.entries_open, told.because, told.judged_at) == (False, "sentiment is 1.7", NOON)
    assert [(row["subject"], row["blocks"]) for row in told.checks] == [("signals", "trends are sums of it")]
    shown_only = DataHealth.model_validate({"DATA_HEALTH_GATE": "false"})
    assert report(connection, shown_only, NOON).entries_open
    assert report(connection, DataHealth(), None).because == "sentiment is 1.7"
