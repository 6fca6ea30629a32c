"""Playing a day through a proxy: polls as the sensors would ask for them, and what stands in the stores at the end."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.ingestion.step import SourcesDownError, ingest_days
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.clock import ManualClock
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType
from tests.acceptance.stage import pipeline_over
from tests.faults.passing import POLYGON_SLOTS, Passing, hurried
from tests.faults.plan import Plan
from tests.faults.proxy import Proxy

DOCUMENTS = (SourceType.NEWS_API, SourceType.FILINGS_API, SourceType.MACRO_NEWS, SourceType.WEB_SCRAPE)
MOST_POLLS = 200
PAUSE = timedelta(minutes=61)
Item = tuple[str, str]


def instant(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of a day, UTC."""
    return datetime.combine(day, time(hour, minute), UTC)


def last_of(day: date) -> datetime:
    """The day's last whole second."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def addresses(proxy: Proxy) -> dict[str, str]:
    """Settings under which Polygon and EDGAR are real, and behind the proxy."""
    polygon = {
        "MARKET_DATA_API_KEY": "a-key",
        "MARKET_DATA_BASE_URL": f"{proxy.url}/polygon",
        "POLYGON_REQUESTS_PER_MINUTE": str(POLYGON_SLOTS),
    }
    edgar = {"EDGAR_WWW_URL": f"{proxy.url}/edgar/www", "EDGAR_DATA_URL": f"{proxy.url}/edgar/data"}
    return {**polygon, **edgar, "EDGAR_CONTACT": "faults@stonks.example"}


@contextmanager
def through(
    proxy: Proxy, passing: Passing, folder: Path, database: Database, now: datetime, **more: str
) -> Iterator[tuple[Pipeline, ManualClock]]:
    """A pipeline whose vendors are behind the proxy, with real keys, so that their limits are kept.

    Inside the block nobody waits: time passes instead.
    """
    passing.database = database
    with (
        pytest.MonkeyPatch.context() as patch,
        pipeline_over(folder, database, proxy.url, now, **addresses(proxy), **more) as opened,
    ):
        hurried(patch, passing)
        seed_registry(opened[0])  # the feed's address moves along with the proxy
        yield opened


@dataclass
class Player:
    """Polls what is due; `polls` are the reports by source type, None where all of a type's sources were down."""

    proxy: Proxy
    pipeline: Pipeline
    clock: ManualClock
    passing: Passing
    types: Sequence[SourceType] = DOCUMENTS
    polls: list[tuple[SourceType, StepReport | None]] = field(default_factory=list)
    unparked: int = 0

    def day(self, day: date, hours: Sequence[int]) -> None:
        """Poll at some hours of a day and then, its end having come, until each type was read once without a fault."""
        for hour in hours:
            self.to(instant(day, hour))
            self.proxy.drive(instant(day, hour).isoformat())
            for source_type in self.types:
                self.poll(source_type, day, instant(day, hour))
        self.settle(day)

    def settle(self, day: date) -> None:
        """Poll the day as it stood at its end until each type was read once without a fault."""
        self.proxy.drive(last_of(day).isoformat())
        waiting = list(self.types)
        for _ in range(MOST_POLLS):
            self.to(max(last_of(day), self.clock.now() + PAUSE))
            waiting = [t for t in waiting if not self.poll(t, day, last_of(day))]
            if not waiting:
                return
        raise AssertionError(f"{waiting} could not be read without a fault in {MOST_POLLS} polls")

    def to(self, moment: datetime) -> None:
        """Let the time pass until a moment."""
        self.passing.sleep(max(0.0, (moment - self.clock.now()).total_seconds()))
        self.clock.advance_to(max(moment, self.clock.now()))

    def poll(self, source_type: SourceType, day: date, as_of: datetime) -> bool:
        """Ask the sources of a type that are due; whether some were and none of it went wrong.

        A source that is parked is asked again by hand, as its operator would.
        """
        by_hand = (
            "UPDATE source_states SET parked = false, failures_in_a_row = 0, next_attempt_at = '-infinity' WHERE parked"
        )
        self.unparked += self.pipeline.database.execute(by_hand)
        try:
            report = ingest_days(self.pipeline, source_type, (day,), as_of, due_only=True)
        except SourcesDownError:
            self.polls.append((source_type, None))
            return False
        self.polls.append((source_type, report))
        return report.failed == 0 and int(report.figures["sources"]) > 0


def play(
    proxy: Proxy, passing: Passing, folder: Path, database: Database, plan: Plan, script: "Script", **more: str
) -> Player:
    """A script with a plan."""
    proxy.plan = plan
    with through(proxy, passing, folder, database, instant(script.days[0], 0, 30), **more) as (pipeline, clock):
        player = Player(proxy, pipeline, clock, passing, script.types)
        for day in script.days:
            player.day(day, script.hours)
    return player


@dataclass(frozen=True)
class Script:
    """Which days are played, the hours of the polls on each, and what is asked for."""

    days: Sequence[date]
    hours: Sequence[int] = (6, 12, 17, 22)
    types: Sequence[SourceType] = DOCUMENTS


def stored(pipeline: Pipeline, types: Sequence[SourceType]) -> Mapping[Item, bytes]:
    """What a pipeline's lake holds."""
    return stored_in(pipeline.lake, types)


def stored_in(lake: Lake, types: Sequence[SourceType]) -> Mapping[Item, bytes]:
    """The payload of every raw item and part, by source type and name; no item may stand twice."""
    found: dict[Item, bytes] = {}
    for source_type in types:
        for row in lake.read(raw_table(source_type)).to_pylist():
            item = (source_type.value, row["item_id"])
            assert item not in found, f"{item} stands twice"
            found[item] = row["payload"]
    return found


def said(database: Database, logged: Sequence[str]) -> str:
    """Everything that was said of failures: runs, items and the log."""
    runs = database.fetch("SELECT error FROM ingestion_runs WHERE status = 'failed'")
    items = database.fetch("SELECT item, error FROM failures")
    return "\n".join([*(row["error"] for row in runs), *(f"{r['item']} {r['error']}" for r in items), *logged])


def news_held(proxy: Proxy, day: date) -> list[dict[str, Any]]:
    """The day's articles as the vendor lists them, asked for without the pipeline and without faults."""
    question = f"/polygon/v2/reference/news?published_utc.gte={day}T00:00:00Z&published_utc.lt={day}T23:59:59Z&order=asc&limit=1000"
    listed: list[dict[str, Any]] = []
    url: str | None = question
    while url:
        held = proxy._held(url.removeprefix(proxy.url), {"authorization": "Bearer a-key", "host": proxy.url[7:]})
        body = json.loads(held.body)
        listed += body["results"]
        url = body.get("next_url")
    return listed
