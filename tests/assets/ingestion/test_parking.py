"""A source that is parked says so, and can be un-parked; a vendor's pause is kept where it is longer than ours."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion.cadence import (
    LONGEST_ASKED,
    MOST_FAILURES,
    asked_pause,
    backoff,
    due_sources,
    next_attempt,
    tell_of_parking,
)
from stonks_core.errors import NotFoundError, TransientError
from stonks_core.registry.source_state import STAGE, alert_parked, unpark
from stonks_core.stores.postgres import Database

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=3)
NOBODY = "00000000-0000-0000-0000-000000000000"


class BusyError(TransientError):
    """A failure that carries the vendor's Retry-After."""

    def __init__(self, after: object) -> None:
        super().__init__("busy")
        self.after = after


@pytest.fixture
def parked(database: Database) -> str:
    company = database.fetch_one(
        "INSERT INTO companies (ticker, legal_name) VALUES ('AAA', 'A Inc') RETURNING company_id"
    )
    assert company is not None
    row = database.fetch_one(
        """
        INSERT INTO sources (source_type, name, company_id) VALUES ('news_api', 'wire', %s) RETURNING source_id::text AS id
        """,
        (company["company_id"],),
    )
    assert row is not None
    database.execute(
        """
        INSERT INTO source_states (source_id, failures_in_a_row, parked, last_error, next_attempt_at)
        VALUES (%s, %s, true, 'gone', %s)
        """,
        (row["id"], MOST_FAILURES, NOON + timedelta(hours=1)),
    )
    with database.connection() as connection:
        tell_of_parking(connection, row["id"], MOST_FAILURES, "the wire answered 404.", NOON)
    return str(row["id"])


def alerts(database: Database) -> list[dict[str, object]]:
    return database.fetch(
        "SELECT item, status, attempts, error, last_at FROM failures WHERE stage = %s ORDER BY item", (STAGE,)
    )


def test_parking_is_an_alert_that_says_how_to_un_park(
    database: Database, parked: str, caplog: pytest.LogCaptureFixture
) -> None:
    (alert,) = alerts(database)
    assert (alert["item"], alert["status"]) == (parked, "open")
    said = str(alert["error"])
    assert "source wire (news_api) of AAA failed 10 times in a row and is parked" in said
    assert "the wire answered 404." in said
    assert f"stonks registry sources unpark {parked}" in said
    assert f"POST /registry/sources/{parked}/unpark" in said
    with caplog.at_level(logging.CRITICAL), database.connection() as connection:
        assert alert_parked(connection, parked, "the wire answered 404.", LATER) == said
    (record,) = [r for r in caplog.records if r.levelno == logging.CRITICAL]
    assert record.getMessage() == said
    assert [a["attempts"] for a in alerts(database)] == [2], "one alert, counted"


def test_nine_failures_are_no_alert(database: Database, parked: str) -> None:
    database.execute("DELETE FROM failures")
    with database.connection() as connection:
        tell_of_parking(connection, parked, MOST_FAILURES - 1, "down", NOON)
    assert alerts(database) == []


def test_un_parking_frees_the_source_settles_the_alert_and_is_on_record(database: Database, parked: str) -> None:
    assert due_sources(database, LATER) == frozenset()
    with database.connection() as connection:
        assert unpark(connection, parked, actor="ada", reason="the key was renewed", at=LATER, detail={"trace": "t1"})
    assert due_sources(database, NOON) == {parked}, "at once"
    row = database.fetch_one("SELECT failures_in_a_row, parked FROM source_states")
    assert row == {"failures_in_a_row": 0, "parked": False}
    assert [(a["status"], a["last_at"]) for a in alerts(database)] == [("resolved", LATER)]
    events = database.fetch("SELECT at, actor, action, subject, reason, detail FROM audit_events")
    assert events == [
        {
            "at": LATER,
            "actor": "ada",
            "action": "source_unparked",
            "subject": parked,
            "reason": "the key was renewed",
            "detail": {"name": "wire", "trace": "t1"},
        }
    ]
    with database.connection() as connection:
        assert not unpark(connection, parked, actor="ada", reason="again", at=LATER)
    assert len(database.fetch("SELECT 1 AS one FROM audit_events")) == 1


def test_un_parking_leaves_a_pause_of_a_source_that_is_not_parked(database: Database, parked: str) -> None:
    database.execute("UPDATE source_states SET parked = false, failures_in_a_row = 3")
    with database.connection() as connection:
        assert not unpark(connection, parked, actor="ada", reason="?", at=LATER)
    row = database.fetch_one("SELECT failures_in_a_row, next_attempt_at FROM source_states")
    assert row == {"failures_in_a_row": 3, "next_attempt_at": NOON + timedelta(hours=1)}


@pytest.mark.parametrize("name", [NOBODY, "wire", "'; --"])
def test_an_unknown_source_is_refused(database: Database, parked: str, name: str) -> None:
    for ask in (
        lambda c: unpark(c, name, actor="ada", reason="?", at=LATER),
        lambda c: alert_parked(c, name, "down", NOON),
    ):
        with pytest.raises(NotFoundError, match="there is no source"), database.connection() as connection:
            ask(connection)
    assert [a["status"] for a in alerts(database)] == ["open"]


def test_an_answer_to_asking_by_hand_settles_the_alert(database: Database, parked: str) -> None:
    with database.connection() as connection:
        tell_of_parking(connection, parked, 0, "", LATER)
    assert [a["status"] for a in alerts(database)] == ["resolved"]


# Pauses that vendors ask for.


@given(st.integers(1, 50), st.floats(0, 1e9, allow_nan=False))
def test_the_longer_pause_of_the_vendor_s_and_ours_is_kept(failures: int, seconds: float) -> None:
    asked = asked_pause(BusyError(seconds))
    at = next_attempt(NOON, timedelta(minutes=5), failures, asked)
    assert at == NOON + max(backoff(failures), asked)
    assert at <= NOON + LONGEST_ASKED


def test_an_hour_and_a_half_asked_for_is_an_hour_and_a_half() -> None:
    assert next_attempt(NOON, timedelta(minutes=5), 1, asked_pause(BusyError(5400.0))) == NOON + timedelta(minutes=90)
    assert next_attempt(NOON, timedelta(minutes=5), 1, asked_pause(BusyError(5))) == NOON + timedelta(minutes=1)


@pytest.mark.parametrize("odd", [None, "60", float("nan"), -1, True, 0])
def test_what_is_no_pause_is_none(odd: object) -> None:
    assert asked_pause(BusyError(odd)) == timedelta(0)
    assert asked_pause(TransientError("down")) == asked_pause(None) == timedelta(0)
