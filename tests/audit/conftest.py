"""A pipeline over a small lake with a story: a document or two a day about Acme, its rivals and the world."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.extraction.macro_step import materialise_macro_impacts
from stonks_assets.pipeline import Pipeline
from stonks_assets.recommendation.step import materialise_recommendations
from stonks_core.clock import ManualClock
from stonks_core.identifiers import sha256_text
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.silver_tables import DOCUMENTS, GLOBAL_EVENTS, IMPACT_RECORDS, MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database
from tests.acceptance.stage import fresh_database

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
TODAY = NOW.date()
FILLERS: dict[str, Any] = {"string": "", "double": 0.5, "int64": 0, "bool": False, "binary": b""}
COMPANIES = (("ACME", "Acme Corporation"), ("BETA", "Beta Inc"), ("CARGO", "Cargo Lines"))
Row = dict[str, Any]


def filled(table: LakeTable, **given: Any) -> Row:
    """A row of a table with fillers where nothing is given."""
    plain = {f.name: None if f.nullable else FILLERS.get(str(f.type), NOW) for f in table.schema}
    return {**plain, **given}


@dataclass
class World:
    """A pipeline and the means to tell it stories."""

    pipeline: Pipeline
    told: list[str] = field(default_factory=list)

    @property
    def lake(self) -> Lake:
        return self.pipeline.lake

    def tell(self, name: str, at: datetime, sentiment: float, ticker: str = "ACME", **record: Any) -> str:
        """One document about a company with one impact record; its id."""
        document, day = f"{at:%Y%m%d}-{name}", at.date().isoformat()
        quote = f"What {name} says of {ticker}."
        text = f"Intro. {quote}"
        clocks = {"published_at": at, "available_at": record.pop("available_at", at)}
        shared = {"day": day, "document_id": document, "cluster_id": record.pop("cluster_id", document)}
        source = {"publisher": "World Wire", "text": text, "sha256": sha256_text(text), "status": "parsed"}
        self.lake.merge(DOCUMENTS, [filled(DOCUMENTS, **shared, **source, **clocks)])
        words = {"quote": quote, "quote_start": 7, "quote_end": len(text), "document_sha256": sha256_text(text)}
        figures = {"sentiment": sentiment, "impact": 0.95, "confidence": 0.95, "credibility": 0.95}
        plain = {"impact_id": f"i-{name}", "ticker": ticker, "catalyst": "guidance_raise", "horizon": "days"}
        self.lake.merge(
            IMPACT_RECORDS, [filled(IMPACT_RECORDS, **{**shared, **plain, **figures, **words, **clocks, **record})]
        )
        self.told.append(document)
        return document

    def happen(self, name: str, at: datetime, sectors: str = '[{"name": "Transport", "weight": 1.0}]') -> str:
        """One macro document with its event; its id."""
        document, day = f"{at:%Y%m%d}-{name}", at.date().isoformat()
        quote = f"What {name} means for the world."
        text = f"Intro. {quote}"
        clocks = {"published_at": at, "available_at": at}
        shared = {"day": day, "document_id": document, "cluster_id": document}
        source = {"publisher": "World Wire", "text": text, "sha256": sha256_text(text), "status": "parsed"}
        self.lake.merge(DOCUMENTS, [filled(DOCUMENTS, **shared, **source, **clocks)])
        words = {"quote": quote, "quote_start": 7, "quote_end": len(text), "document_sha256": sha256_text(text)}
        what = {"regions": "[]", "sectors": sectors, "commodities": "[]", "severity": "critical", "duration": "medium"}
        figures = {"direction": -0.9, "confidence": 0.9, "credibility": 0.9}
        event = filled(GLOBAL_EVENTS, event_id=f"e-{name}", **shared, **words, **what, **figures, **clocks)
        self.lake.merge(GLOBAL_EVENTS, [event])
        return document

    def cycle(self, as_of: datetime = NOW) -> None:
        """What the layers hold becomes signals, trends, projections and recommendations."""
        clock = self.pipeline.clock
        assert isinstance(clock, ManualClock)
        clock.advance_to(max(as_of, clock.now()))
        for step in STEPS:
            step(self.pipeline, as_of.date(), as_of)

    def said(self, ticker: str = "ACME", window: str = "1d") -> Row:
        """The newest recommendation on a company over a window."""
        rows = self.lake.read(RECOMMENDATIONS).to_pylist()
        found = [row for row in rows if (row["ticker"], row["window"]) == (ticker, window)]
        return max(found, key=lambda row: row["as_of"])


STEPS: Sequence[Callable[[Pipeline, date, datetime], Any]] = (
    materialise_competitive_signals,
    materialise_signals,
    materialise_trends,
    materialise_projections,
    materialise_recommendations,
)


def registered(database: Database) -> None:
    """Three companies; Acme and Beta compete, Cargo is alone in transport."""
    with database.connection() as connection:
        for ticker, name in COMPANIES:
            sector = "Transport" if ticker == "CARGO" else "Technology"
            connection.execute(
                "INSERT INTO companies (ticker, legal_name, sector) VALUES (%s, %s, %s)", (ticker, name, sector)
            )
        connection.execute(
            """
            INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength)
            SELECT a.company_id, b.company_id, 'direct_competitor', 1 FROM companies a, companies b
            WHERE a.ticker = 'ACME' AND b.ticker = 'BETA'
            """
        )


def priced(lake: Lake, sessions: int = 30, until: date = TODAY) -> None:
    """Daily bars of every company up to a day, each wavering in its own way."""
    rows = []
    for place, (ticker, _) in enumerate(COMPANIES):
        for back in range(sessions, 0, -1):
            day = until - timedelta(days=back)
            end = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
            price = 50.0 + 10 * place + ((back * (3 + place)) % 7) * 0.4
            bar = {"open": price, "high": price + 1, "low": price - 1, "close": price, "volume": 1000.0 + back}
            clocks = {"start_at": end - timedelta(hours=23), "end_at": end, "published_at": end, "available_at": end}
            rows.append(
                filled(MARKET_SNAPSHOTS, day=day.isoformat(), ticker=ticker, span="1d", feed="sandbox", **bar, **clocks)
            )
    lake.merge(MARKET_SNAPSHOTS, rows)


def world_over(lake: Lake, database: Database, now: datetime = NOW) -> World:
    """A pipeline over stores, in a market that never closes."""
    return World(Pipeline(load_settings({"MARKET_CALENDAR": "24/7"}), lake, database, ManualClock(now)))


@pytest.fixture
def world(lake: Lake, database: Database) -> World:
    """The registry and prices; nothing told yet."""
    registered(database)
    priced(lake)
    return world_over(lake, database)


@pytest.fixture(scope="session")
def story(postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two days of news with a cycle on each and three on the second; nobody may change it."""
    lake = Lake(LakeLocation(str(tmp_path_factory.mktemp("story") / "lake")))
    with fresh_database(postgres, template) as database:
        registered(database)
        priced(lake)
        world = world_over(lake, database)
        live_through(world)
        yield world


def live_through(world: World, *but: str) -> None:
    """The story, but for some of its documents."""
    for number, hours in enumerate((30, 9, 3, 2)):
        if f"a{number}" not in but:
            world.tell(f"a{number}", NOW - timedelta(hours=hours), 0.9 - 0.1 * number)
    if "against" not in but:
        world.tell("against", NOW - timedelta(hours=1), -0.3)
    if "copy" not in but:
        world.tell("copy", NOW - timedelta(hours=2), 0.6, impact=0.4, cluster_id=f"{NOW:%Y%m%d}-a2")
    if "late" not in but:  # fetched long after it was published
        at = NOW - timedelta(minutes=150)
        world.tell("late", at, -0.5, available_at=NOW - timedelta(minutes=30), catalyst="other")
    if "storm" not in but:
        world.happen("storm", NOW - timedelta(hours=4))
        materialise_macro_impacts(world.pipeline, TODAY, NOW)
    world.cycle(NOW - timedelta(days=1))
    for minutes in (40, 20, 0):
        world.cycle(NOW - timedelta(minutes=minutes))


@pytest.fixture
def told(story: World, lake: Lake, database: Database) -> World:
    """The story in stores of a test's own."""
    shutil.copytree(story.lake.location.root, lake.location.root)
    registered(database)
    return world_over(lake, database)
