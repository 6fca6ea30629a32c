"""Rate limits that hold across connections: never more than so many in any window, and no slot is lost for good.

Nothing sleeps: passing time means that all slots that were taken grow older by it.
"""

import threading
import time
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stonks_assets.ingestion.limits import EDGAR, POLYGON, Limit, RateGate
from stonks_core.errors import TransientError
from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import Database

LIMIT = Limit("vendor", 3, 60.0)


@dataclass
class PassedTime:
    """A clock that runs with the machine's, and jumps when somebody waits."""

    database: Database
    jumped: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return time.monotonic() + self.jumped

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.jumped += seconds
        self.database.execute("UPDATE rate_limits SET taken_at = taken_at - make_interval(secs => %s)", (seconds,))


def gate(database: Database, passed: PassedTime, limit: Limit = LIMIT, patience: float = 1e6) -> RateGate:
    return RateGate(database, limit, patience=patience, sleep=passed.sleep)


def test_slots_are_taken_at_once_until_there_are_none(database: Database) -> None:
    passed = PassedTime(database)
    take = gate(database, passed)
    for _ in range(3):
        take()
    assert passed.waits == []
    take()
    assert sum(passed.waits) == pytest.approx(60, abs=5)


def test_processes_share_one_limit(database: Database, postgres: Postgres) -> None:
    passed = PassedTime(database)
    with Database(postgres, database.name) as other:
        gates = [gate(database, passed), gate(other, passed)]
        for number in range(3):
            gates[number % 2]()
        assert passed.waits == []
        gates[1]()
    assert passed.waits != []


def test_buckets_are_apart(database: Database) -> None:
    passed = PassedTime(database)
    for bucket in ("a", "b"):
        for _ in range(3):
            gate(database, passed, Limit(bucket, 3))()
    assert passed.waits == []


def test_impatience_is_said_and_takes_no_slot(database: Database) -> None:
    passed = PassedTime(database)
    for _ in range(3):
        gate(database, passed)()
    with pytest.raises(TransientError, match="the limit of 3 requests in 60 s on vendor left no slot for 10 s"):
        gate(database, passed, patience=10)()
    assert passed.waits == []
    assert database.fetch_one("SELECT count(*) AS n FROM rate_limits") == {"n": 3}


def test_old_slots_are_forgotten(database: Database) -> None:
    passed = PassedTime(database)
    for _ in range(5):
        gate(database, passed)()
        passed.sleep(61)
    assert database.fetch_one("SELECT count(*) AS n FROM rate_limits") == {"n": 1}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(slots=st.integers(1, 4), pauses=st.lists(st.sampled_from([0.0, 1.0, 20.0, 59.0, 61.0]), min_size=4, max_size=10))
def test_no_window_ever_holds_more_than_its_slots(database: Database, slots: int, pauses: list[float]) -> None:
    database.execute("DELETE FROM rate_limits")
    passed = PassedTime(database)
    take = gate(database, passed, Limit("vendor", slots))
    taken: list[float] = []
    for pause in pauses:
        take()
        taken.append(passed.now())
        passed.sleep(pause)
    for first in taken:
        assert sum(first <= at < first + 59.5 for at in taken) <= slots


def test_many_at_once_get_no_more_than_there_is(database: Database) -> None:
    got: list[int] = []

    def impatient(seconds: float) -> None:
        raise InterruptedError(seconds)

    def ask() -> None:
        try:
            RateGate(database, LIMIT, sleep=impatient)()
        except InterruptedError:
            return
        got.append(1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 3


def test_the_vendors_limits_are_kept() -> None:
    assert (POLYGON.slots, POLYGON.seconds) == (45, 60.0)
    assert EDGAR.slots / EDGAR.seconds <= 10
