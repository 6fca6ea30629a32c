"""`stonks bench react`: from a recommendation's commit to its order, and ten thousand recommendations at once.

The daemon is the real one, over a real lake and PostgreSQL; the broker stands in this process and answers at once, so
that its own answer time is left out. The limit is a bare NOTIFY round trip, the peer a loop that polls.
"""

import asyncio
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from stonks_cli.bench.ground import Ground, ground
from stonks_cli.bench.instant_broker import InstantBroker
from stonks_cli.bench.made_recommendations import daily_bars, recommendation
from stonks_cli.bench.measuring import machine, measured
from stonks_core.calendar import MarketCalendar
from stonks_core.clock import SystemClock
from stonks_core.errors import StonksError
from stonks_core.settings import Settings, load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.stores.migrations import ensure_database, migrate
from stonks_core.stores.postgres import Database
from stonks_trading.door import open_door
from stonks_trading.engine.daemon import Daemon, Parts
from stonks_trading.engine.lease import Lease
from stonks_trading.engine.supervisor import Task
from stonks_trading.session import TradingSession

SECTORS = 11
PATIENCE = 60.0
BURST_PATIENCE = 600.0
BURSTS = 3
MOST_OPEN = 10
CHANNEL = "stonks_recommendations"
POLLING, MOST_POLLED = 0.1, 50


@dataclass(frozen=True)
class Sizes:
    """Companies with a quarter of daily bars each, recommendations one by one, and at once."""

    companies: int
    rounds: int
    burst: int


@dataclass
class Scene:
    """The stores of one run and the broker in it."""

    settings: Settings
    lake: Lake
    database: Database
    tickers: Sequence[str]
    broker: InstantBroker
    _given: int = field(default=0)

    def recommend(self, tickers: Sequence[str], window: str = "30d") -> None:
        """Commit a strong buy of each ticker, valid for days, as the pipeline commits it; no wake-up."""
        now = datetime.now(UTC)
        rows = []
        for ticker in tickers:
            self._given += 1
            rows.append(recommendation(f"bench-{self._given}", ticker, window, now))
        self.lake.merge(RECOMMENDATIONS, rows)


def run(sizes: Sizes) -> dict[str, object]:
    """All figures. StonksError where the daemon does not react at all."""
    with ground() as stands:
        return {
            "machine": machine(),
            "reaction": [*_reaction(stands, sizes), _wake_up(stands, sizes.rounds), _polling(stands, sizes.rounds)],
            "burst": list(_burst(stands, sizes)),
        }


def _reaction(stands: Ground, sizes: Sizes) -> Iterator[dict[str, object]]:
    with _scene(stands, max(sizes.companies, sizes.rounds)) as scene, _daemon(scene):
        taken = []
        for ticker in scene.tickers[: sizes.rounds]:
            scene.broker.expect(1)
            scene.recommend([ticker])
            committed = time.perf_counter()
            scene.database.notify(CHANNEL)
            taken.append(scene.broker.reached(PATIENCE) - committed)
            _end_oldest(scene)
        yield _times(f"ours: commit to order, {len(scene.tickers)} companies", taken)


def _end_oldest(scene: Scene) -> None:
    """End all but the newest open orders: an account has MOST_OPEN positions, and this broker fills nothing."""
    scene.database.execute(
        """
        UPDATE orders SET state = 'canceled' WHERE state = 'accepted' AND order_id NOT IN (
            SELECT order_id FROM orders WHERE state = 'accepted' ORDER BY intended_at DESC LIMIT %s)
        """,
        (MOST_OPEN,),
    )


def _wake_up(stands: Ground, rounds: int) -> dict[str, object]:
    with _scene(stands, 1) as scene, psycopg.connect(scene.database.url, autocommit=True) as ear:
        ear.execute("LISTEN bench")
        taken = []
        for _ in range(rounds):
            begun = time.perf_counter()
            scene.database.notify("bench")
            next(ear.notifies(timeout=PATIENCE, stop_after=1))
            taken.append(time.perf_counter() - begun)
        return _times("limit: bare NOTIFY round trip", taken)


def _polling(stands: Ground, rounds: int) -> dict[str, object]:
    """A loop that looks every tenth of a second whether the table of recommendations has a new version."""
    with _scene(stands, 1) as scene:
        scene.recommend(scene.tickers)
        taken = []
        for number in range(min(rounds, MOST_POLLED)):
            poller = _Poller(scene.lake)
            poller.start()
            poller.ended.wait(POLLING * ((number * 7) % 10) / 10)  # not in step with the loop
            scene.recommend(scene.tickers)
            committed = time.perf_counter()
            poller.join(PATIENCE)
            if poller.is_alive():
                poller.ended.set()
                raise StonksError("the polling loop did not see a commit within a minute")
            taken.append(max(0.0, poller.found - committed))
        return _times("peer: polling every 100 ms, before anything is decided", taken)


class _Poller(threading.Thread):
    """Ends when the table has a version that it had not at first; `found` is when that was seen."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(name="poller")
        self.ended, self.found = threading.Event(), 0.0
        self._lake, self._seen = lake, lake.version(RECOMMENDATIONS)

    def run(self) -> None:
        """Poll."""
        while not self.ended.wait(POLLING):
            if self._lake.version(RECOMMENDATIONS) > self._seen:
                self.found = time.perf_counter()
                return


def _burst(stands: Ground, sizes: Sizes) -> Iterator[dict[str, object]]:
    """Bursts through the whole daemon, each from its wake-up until every recommendation is decided and no order waits."""
    with _scene(stands, sizes.companies) as scene, _daemon(scene):
        for number in range(BURSTS):
            _commit(scene, sizes.burst)
            _, cost = measured(lambda: _through(scene, (number + 1) * sizes.burst))  # noqa: B023  called at once
            found = scene.database.fetch_one(
                """
                SELECT count(*) AS known, max(decided) AS most, sum(acts) AS acts FROM (
                    SELECT count(*) FILTER (WHERE final OR outcome = 'act') AS decided,
                        count(*) FILTER (WHERE outcome = 'act') AS acts
                    FROM trading_decisions GROUP BY recommendation_id) each
                """
            )
            if found is None or found["most"] != 1:
                raise StonksError(f"recommendations were decided twice: {found}")
            yield cost.row(f"burst {number + 1}", sizes.burst) | {
                "decided": found["known"] - number * sizes.burst,
                "orders": len(scene.broker.placed),
                "acts": int(found["acts"]),
            }


def _commit(scene: Scene, count: int) -> None:
    windows = ("30d", "90d", "7d")
    for number in range(-(-count // len(scene.tickers))):
        left = count - number * len(scene.tickers)
        scene.recommend(scene.tickers[:left], windows[number % len(windows)])


def _through(scene: Scene, decided: int) -> None:
    """Wake the daemon and wait until so many decisions stand and every order of theirs has left."""
    scene.database.notify(CHANNEL)
    deadline, pause = time.monotonic() + BURST_PATIENCE, threading.Event()
    while True:
        row = scene.database.fetch_one(
            """
            SELECT (SELECT count(DISTINCT recommendation_id) FROM trading_decisions) AS decided,
                (SELECT count(*) FROM orders WHERE state IN ('intended', 'submitting', 'unknown')) AS waiting
            """
        )
        if row is not None and row["decided"] >= decided and row["waiting"] == 0:
            return
        if time.monotonic() > deadline:
            raise StonksError(f"the daemon did not get through a burst in {BURST_PATIENCE:.0f} s: {row}")
        pause.wait(0.05)


def _times(name: str, seconds: Sequence[float]) -> dict[str, object]:
    ordered = sorted(seconds)
    return {
        "what": name,
        "count": len(ordered),
        "median_ms": round(1000 * statistics.median(ordered), 3),
        "p90_ms": round(1000 * _quantile(ordered, 0.9), 3),
        "p99_ms": round(1000 * _quantile(ordered, 0.99), 3),
        "worst_ms": round(1000 * ordered[-1], 3),
    }


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def _scene(stands: Ground, companies: int) -> Iterator[Scene]:
    tickers = [f"B{number:04d}" for number in range(companies)]
    name = stands.name()
    ensure_database(stands.postgres, name)
    migrate(stands.postgres, name)
    settings = load_settings(
        {
            "STONKS_HOME": str(stands.folder),
            "MARKET_CALENDAR": "24/7",
            "TRADING_ENABLED": "true",
            "TRADING_POLLING_INTERVAL_SECONDS": "3600",
            "TRADING_MAX_OPEN_POSITIONS": "10000",
            "TRADING_GRADUAL_ENTRY_TRANCHES": "1",
        }
    )
    with Database(stands.postgres, name, application="bench") as database:
        with database.connection() as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO companies (ticker, legal_name, sector, valid_from) VALUES (%s, %s, %s, '-infinity')",
                [(t, f"Bench {t} Inc.", f"Sector {n % SECTORS}") for n, t in enumerate(tickers)],
            )
        lake = stands.lake()
        lake.merge(MARKET_SNAPSHOTS, list(daily_bars(dict.fromkeys(tickers, 100.0))))
        yield Scene(settings, lake, database, tickers, InstantBroker(tickers))


def _session(scene: Scene, lease: Lease | None = None) -> TradingSession:
    calendar, clock = MarketCalendar("24/7"), SystemClock()
    parts = (scene.settings, scene.lake, scene.database, scene.broker, calendar, clock, open_door)
    return TradingSession(*parts, lease.fence) if lease else TradingSession(*parts)


class _Deaf(Daemon):
    """The daemon without the broker's stream, which a broker that fills nothing does not need."""

    def tasks(self) -> Sequence[Task]:
        """All tasks but the stream."""
        return tuple(task for task in super().tasks() if task.name != "stream")


@contextmanager
def _daemon(scene: Scene) -> Iterator[None]:
    """The daemon in a thread of its own, listening when the block begins."""
    lease = Lease(scene.database, "bench")
    parts = Parts(scene.settings, scene.database, _session(scene, lease), lease, SystemClock())
    ready, failed = threading.Event(), list[BaseException]()
    stop: Callable[[], object] = lambda: None  # noqa: E731  replaced by the thread

    async def live() -> None:
        nonlocal stop
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        stop = lambda: loop.call_soon_threadsafe(ended.set)  # noqa: E731
        await _Deaf(parts, ended).run(lambda _: ready.set())

    def body() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001  told by whoever waits
            failed.append(error)
            ready.set()

    thread = threading.Thread(target=body, name="daemon")
    thread.start()
    try:
        if not ready.wait(PATIENCE) or failed:
            raise StonksError(f"the daemon did not come up within a minute: {failed}")
        _listening(scene.database)
        yield
    finally:
        stop()
        thread.join(PATIENCE)


def _listening(database: Database) -> None:
    deadline = time.monotonic() + PATIENCE
    while not database.fetch("SELECT 1 FROM engine_heartbeats WHERE note = 'listening'"):
        if time.monotonic() > deadline:
            raise StonksError("the daemon did not listen within a minute")
        threading.Event().wait(0.05)
