"""When a source is asked again: intervals, growing pauses, parking, and who is due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion.cadence import (
    BACKOFF_BASE,
    BACKOFF_MOST,
    LONGEST,
    POLLING_SECONDS,
    backoff,
    due_sources,
    failures_in_a_row,
    next_attempt,
    polling_interval,
)
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
source_types = st.sampled_from(list(SourceType))


def test_pauses_double_up_to_an_hour() -> None:
    assert [backoff(n).total_seconds() for n in range(9)] == [0, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@given(st.integers(-5, 10**9), st.integers(0, 100))
def test_a_pause_never_shrinks_and_never_exceeds_an_hour(failures: int, more: int) -> None:
    assert timedelta(0) <= backoff(failures) <= backoff(failures + more) <= BACKOFF_MOST
    assert (backoff(failures) >= BACKOFF_BASE) == (failures > 0)


@given(source_types, st.floats(min_value=0, exclude_min=True, allow_nan=False))
def test_a_source_s_own_interval_goes_before_its_type_s(source_type: SourceType, seconds: float) -> None:
    interval = polling_interval(source_type, {"polling_interval_seconds": seconds})
    assert timedelta(seconds=1) <= interval <= LONGEST
    if 1 <= seconds <= LONGEST.total_seconds():
        assert interval == timedelta(seconds=seconds)


@pytest.mark.parametrize("odd", [0, -5, "60", None, True, [], float("nan")])
def test_an_interval_that_is_none_is_the_type_s(odd: object) -> None:
    for source_type, seconds in POLLING_SECONDS.items():
        assert polling_interval(source_type, {"polling_interval_seconds": odd}) == timedelta(seconds=seconds)
        assert polling_interval(source_type, {}) == timedelta(seconds=seconds)


def test_every_source_type_has_a_cadence() -> None:
    assert set(POLLING_SECONDS) == set(SourceType)


@given(source_types, st.integers(0, 200))
def test_the_next_attempt_lies_ahead(source_type: SourceType, failures: int) -> None:
    interval = polling_interval(source_type, {})
    at = next_attempt(NOON, interval, failures)
    assert at == NOON + (backoff(failures) if failures else interval)
    assert at > NOON


def test_who_is_due(database: Database) -> None:
    for name, attempt, parked, active in [
        ("never asked", None, False, True),
        ("due", NOON, False, True),
        ("not yet", NOON + timedelta(seconds=1), False, True),
        ("parked", NOON - timedelta(hours=1), True, True),
        ("switched off", NOON - timedelta(hours=1), False, False),
    ]:
        row = database.fetch_one(
            "INSERT INTO sources (source_type, name, active) VALUES ('news_api', %s, %s) RETURNING source_id",
            (name, active),
        )
        assert row is not None
        if attempt:
            database.execute(
                "INSERT INTO source_states (source_id, next_attempt_at, parked, failures_in_a_row) VALUES (%s, %s, %s, 4)",
                (row["source_id"], attempt, parked),
            )
    names = {row["source_id"]: row["name"] for row in database.fetch("SELECT source_id::text, name FROM sources")}
    assert {names[source] for source in due_sources(database, NOON)} == {"never asked", "due"}
    by_name = {name: source for source, name in names.items()}
    assert failures_in_a_row(database, by_name["due"]) == 4
    assert failures_in_a_row(database, by_name["never asked"]) == 0
