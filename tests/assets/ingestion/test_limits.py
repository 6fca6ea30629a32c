"""Rate limits that hold across connections: never more than so many in any window, and no slot is lost for good.

Nothing sleeps: passing time means that all slots that were taken grow older by it.
"""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.limits import EDGAR, MINUTE_MARGIN, POLYGON, Limit, RateGate, type_limit
from stonks_core.clock import SystemClock
from stonks_core.errors import TransientError
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType

LIMIT = Limit("vendor", 3, 60.0)
PROJECT = Path(__file__).resolve().parents[3]


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
    assert sum(passed.waits) == pytest.approx(60 + MINUTE_MARGIN, abs=5)


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
        passed.sleep(69)
    assert database.fetch_one("SELECT count(*) AS n FROM rate_limits") == {"n": 1}


def slots_taken(database: Database) -> dict[str, int]:
    rows = database.fetch("SELECT bucket, count(*) AS n FROM rate_limits GROUP BY bucket")
    return {row["bucket"]: row["n"] for row in rows}


def test_a_request_takes_a_slot_of_every_limit_or_of_none(database: Database) -> None:
    passed = PassedTime(database)
    kind, vendor = Limit("type news_api", 2), Limit("vendor", 5)
    take = RateGate(database, kind, vendor, patience=10, sleep=passed.sleep)
    take()
    take()
    assert slots_taken(database) == {"type news_api": 2, "vendor": 2}
    with pytest.raises(TransientError, match="2 requests in 60 s on type news_api and the limit of 5 requests"):
        take()
    assert slots_taken(database) == {"type news_api": 2, "vendor": 2}


def test_a_vendor_s_limit_binds_all_its_types_together(database: Database) -> None:
    passed = PassedTime(database)
    vendor = Limit("vendor", 3)
    news, bars = (RateGate(database, Limit(n, 2), vendor, sleep=passed.sleep) for n in ("type news", "type bars"))
    for take in (news, bars, news):
        take()
    assert passed.waits == []
    bars()  # its own type has a slot, the vendor has none
    assert sum(passed.waits) == pytest.approx(60 + MINUTE_MARGIN, abs=5)


def test_a_limit_that_was_lowered_counts_from_the_newest_slots(database: Database) -> None:
    passed = PassedTime(database)
    for _ in range(3):
        gate(database, passed)()
        passed.sleep(10)
    passed.waits.clear()
    gate(database, passed, Limit("vendor", 1))()
    assert sum(passed.waits) == pytest.approx(60 + MINUTE_MARGIN - 10, abs=5)


def test_a_clock_that_was_set_back_closes_nothing_for_good(database: Database) -> None:
    passed = PassedTime(database)
    for _ in range(3):
        gate(database, passed)()
    database.execute("UPDATE rate_limits SET taken_at = taken_at + interval '1 day'")
    gate(database, passed)()
    assert sum(passed.waits) == pytest.approx(60 + MINUTE_MARGIN, abs=5)


def test_slots_that_came_late_are_not_used(database: Database) -> None:
    readings = iter([0.0, 2.5, 3.0, 3.5])
    RateGate(database, Limit("vendor", 5), monotonic=lambda: next(readings))()
    assert slots_taken(database) == {"vendor": 2}, "the first was too old by the time it was there"


def test_a_database_that_is_always_slow_is_said(database: Database) -> None:
    readings = iter(range(0, 100, 3))
    with pytest.raises(TransientError, match="PostgreSQL took more than 2 s for a slot of the limit of 5 requests"):
        RateGate(database, Limit("vendor", 5), monotonic=lambda: float(next(readings)))()


def most_in(arrivals: list[float], seconds: float) -> int:
    return max(sum(first <= at < first + seconds for at in arrivals) for first in arrivals)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    slots=st.integers(1, 4),
    calls=st.lists(
        st.tuples(
            st.sampled_from(["news", "bars"]),
            st.sampled_from([0.0, 1.0, 20.0, 59.0, 61.0]),
            st.floats(0, MINUTE_MARGIN - 1.5),
        ),
        min_size=4,
        max_size=12,
    ),
)
def test_the_vendor_never_sees_more_than_the_slots_in_any_window(
    database: Database, slots: int, calls: list[tuple[str, float, float]]
) -> None:
    """However long each request is under way, within the margin, and however the types mix."""
    database.execute("DELETE FROM rate_limits")
    passed = PassedTime(database)
    vendor = Limit("vendor", slots)
    gates = {
        name: RateGate(database, Limit(name, 2), vendor, patience=1e6, sleep=passed.sleep) for name in ("news", "bars")
    }
    arrivals: dict[str, list[float]] = {"news": [], "bars": []}
    for name, pause, way in calls:
        gates[name]()
        arrivals[name].append(passed.now() + way)
        passed.sleep(pause)
    assert most_in(arrivals["news"] + arrivals["bars"], vendor.seconds) <= slots
    for name in filter(arrivals.get, arrivals):
        assert most_in(arrivals[name], 60.0) <= 2


def test_connections_that_lock_in_opposite_orders_do_not_block_each_other(
    database: Database, postgres: Postgres
) -> None:
    limits = [Limit("a", 1000), Limit("b", 1000)]
    ended: list[int] = []

    def ask(order: list[Limit]) -> None:
        with Database(postgres, database.name) as own:
            for _ in range(25):
                RateGate(own, *order)()
        ended.append(1)

    threads = [threading.Thread(target=ask, args=(limits[::turn],)) for turn in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ended) == 4
    assert slots_taken(database) == {"a": 100, "b": 100}


def test_processes_together_get_no_more_than_there_is(database: Database, postgres: Postgres) -> None:
    """Three processes of their own ask at once for slots of one limit, eight each."""
    asking = (
        "import sys\n"
        "from pydantic import SecretStr\n"
        "from stonks_assets.ingestion.limits import Limit, RateGate\n"
        "from stonks_core.errors import TransientError\n"
        "from stonks_core.settings.slices import Postgres\n"
        "from stonks_core.stores.postgres import Database\n"
        "host, port, user, name = sys.argv[1:]\n"
        "server = Postgres(host=host, port=int(port), user=user, password=SecretStr(sys.stdin.read()))\n"
        "got = 0\n"
        "with Database(server, name) as database:\n"
        "    for _ in range(8):\n"
        "        try:\n"
        "            RateGate(database, Limit('vendor', 10), patience=0)()\n"
        "        except TransientError:\n"
        "            continue\n"
        "        got += 1\n"
        "print(got)\n"
    )
    command = [sys.executable, "-c", asking, postgres.host, str(postgres.port), postgres.user, database.name]
    asked = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        for _ in range(3)
    ]
    said = [process.communicate(postgres.password.get_secret_value(), timeout=120)[0] for process in asked]
    assert sum(int(got) for got in said) == 10


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


def test_every_source_type_has_a_limit_of_its_own_setting() -> None:
    rates = load_settings({"RATE_LIMIT_BROKER_PER_MINUTE": "7"}).rate_limits
    limits = {source_type: type_limit(rates, source_type) for source_type in SourceType}
    assert limits[SourceType.MARKET_API].slots == 20
    assert limits[SourceType.BROKER].slots == 7
    assert len({limit.bucket for limit in limits.values()}) == len(SourceType)
    polygon = (SourceType.MARKET_API, SourceType.NEWS_API, SourceType.MACRO_NEWS)
    assert sum(limits[t].slots for t in polygon) == POLYGON.slots, "no type waits for another by default"


def test_retries_and_redirects_take_slots_of_their_own(database: Database) -> None:
    def vendor(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/moved":
            return httpx.Response(302, headers={"location": "/here"})
        return httpx.Response(503 if next(answers) else 200, text="here")

    answers = iter([True, False])
    take = RateGate(database, Limit("vendor", 10))
    with Fetcher(
        SystemClock(), gate=take, transport=httpx.MockTransport(vendor), sleep=lambda seconds: None
    ) as fetcher:
        fetcher.get("https://vendor.example/moved")
    assert slots_taken(database) == {"vendor": 4}, "two attempts of two requests each"


def test_a_waiter_holds_no_connection(database: Database, postgres: Postgres) -> None:
    with Database(postgres, database.name, size=1, patience=2) as narrow:
        passed = PassedTime(narrow)  # asks for a connection while the gate waits
        for _ in range(4):
            gate(narrow, passed)()
    assert passed.waits
