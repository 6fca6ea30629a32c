"""The day that the acceptance tests look at: what happened on it, in order.

A registry with relationships of several kinds; stories and prices of the weeks before; two days of news, filings, pages
and macro events; a cycle at 15:00 with its orders, the same once more, another cycle ten minutes later; and the next
day everything is sold and the books are closed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from stonks_assets.cycle import BARS, GOLD, INGESTION, SILVER, run_stages
from stonks_assets.health.judging import judge_whole
from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.silver_tables import IMPACT_RECORDS
from stonks_core.stores.postgres import Database
from stonks_trading.console.author import Author, account_of
from stonks_trading.console.requests import ask
from stonks_trading.session import TradingSession
from tests.acceptance.stage import Sandbox, Snapshot, fresh_database, pipeline_over, sandbox, session_over, snapshot

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
DAYS_OF_BARS = 26
MACRO_NEWS_BEFORE = (4,)
"""A day of macro news alone, old enough for short events to have grown stale."""
STORIES = 7


@dataclass(frozen=True)
class Day:
    """The stores at the end of the day, still open, and what they held on the way."""

    sandbox: Sandbox
    pipeline: Pipeline
    first: Snapshot
    again: Snapshot
    later: Snapshot

    @property
    def database(self) -> Database:
        """Its database."""
        return self.pipeline.database


@contextmanager
def live_through(folder: Path, postgres: Postgres, template: str) -> Iterator[Day]:
    """Live the day through."""
    with (
        sandbox(folder / "state", NOW) as played,
        fresh_database(postgres, template) as database,
        pipeline_over(folder, database, played.url, NOW) as (pipeline, clock),
    ):
        prepare(pipeline)
        with session_over(pipeline, clock) as session:
            cycle(pipeline, session, NOW, YESTERDAY, TODAY)
            _fill(played, session, clock, NOW + timedelta(seconds=90))
            first = snapshot(pipeline.lake, database)
            cycle(pipeline, session, NOW, YESTERDAY, TODAY)
            session.sweep(clock.now())
            again = snapshot(pipeline.lake, database)
            _move(played, clock, LATER)
            cycle(pipeline, session, LATER, TODAY)
            _fill(played, session, clock, LATER + timedelta(seconds=90))
            later = snapshot(pipeline.lake, database)
            _sell_everything(played, session, clock, database)
        yield Day(played, pipeline, first, again, later)


def prepare(pipeline: Pipeline) -> None:
    """The registry, and what was known before the day."""
    register(pipeline)
    for back in range(DAYS_OF_BARS, 0, -1):
        run_stages(BARS, pipeline, TODAY - timedelta(days=back), NOW)
    macro = {name: {**INGESTION, **SILVER}[name] for name in _MACRO}
    for back in MACRO_NEWS_BEFORE:
        run_stages(macro, pipeline, TODAY - timedelta(days=back), NOW)
    _tell_old_stories(pipeline)


def register(pipeline: Pipeline) -> None:
    """The sandbox's companies, as an operator has tuned them."""
    seed_registry(pipeline)
    _few_filers(pipeline.database)
    _relate(pipeline.database)


_MACRO = ("raw_macro_news", "documents", "document_intelligence", "macro_impacts", "signals")


def cycle(pipeline: Pipeline, session: TradingSession, at: datetime, *days: date) -> None:
    """Days from raw to signals, today's trends and recommendations, and what is decided and ordered upon them."""
    for day in days:
        run_stages({**INGESTION, **SILVER}, pipeline, day, at)
    run_stages(GOLD, pipeline, TODAY, at)
    judge_whole(pipeline, at)
    session.decide(at)
    session.send_outbox(at)


def _fill(played: Sandbox, session: TradingSession, clock: ManualClock, at: datetime) -> None:
    _move(played, clock, at)
    session.sweep(at)
    session.check_stops(at)


def _move(played: Sandbox, clock: ManualClock, at: datetime) -> None:
    played.drive(at)
    clock.advance_to(at)


def _sell_everything(played: Sandbox, session: TradingSession, clock: ManualClock, database: Database) -> None:
    tomorrow = LATER + timedelta(days=1)
    _move(played, clock, tomorrow)
    session.sweep(tomorrow)
    with database.connection() as connection:
        account_id = account_of(connection)["account_id"]
        ask(connection, Author("the day is over", tomorrow), account_id, "flatten")
    session.obey(tomorrow)
    session.send_outbox(tomorrow)
    _move(played, clock, tomorrow + timedelta(seconds=90))
    session.sweep(clock.now())
    session.siphon(clock.now())
    session.close_day(clock.now())


def _few_filers(database: Database) -> None:
    """Filings are asked for filer by filer; a third of them is enough, and the day three times as fast."""
    database.execute(
        """
        WITH numbered AS (SELECT company_id, row_number() OVER (ORDER BY ticker) AS n FROM companies)
        UPDATE companies c SET cik = NULL FROM numbered WHERE numbered.company_id = c.company_id AND mod(n, 3) <> 0
        """
    )


def _relate(database: Database) -> None:
    """Relationships of every kind, and strong ones, as an operator might set them: the seed knows two kinds only."""
    database.execute(
        """
        WITH numbered AS (
            SELECT r.company_id, r.competitor_id, row_number() OVER (ORDER BY a.ticker, b.ticker)::int AS n
            FROM competitor_relationships r
            JOIN companies a ON a.company_id = r.company_id JOIN companies b ON b.company_id = r.competitor_id)
        UPDATE competitor_relationships r SET strength = 1.0 - 0.05 * mod(n, 3), relationship =
            (ARRAY['direct_competitor', 'sector_peer', 'substitute', 'supplier', 'customer', 'partner'])[1 + mod(n, 6)]
        FROM numbered WHERE numbered.company_id = r.company_id AND numbered.competitor_id = r.competitor_id
        """
    )


def _tell_old_stories(pipeline: Pipeline) -> None:
    """Impact records of the weeks before, so that news has a past to be compared with; their documents are long gone."""
    tickers = sorted(pipeline.universe(NOW).companies)
    rows = [
        _old_story(ticker, catalyst, TODAY - timedelta(days=8 + 2 * number + offset % 2))
        for offset, ticker in enumerate(tickers)
        for catalyst in _CATALYSTS
        for number in range(STORIES)
    ]
    pipeline.lake.merge(IMPACT_RECORDS, rows)


_CATALYSTS: Sequence[str] = (
    "earnings_beat",
    "earnings_miss",
    "guidance_raise",
    "guidance_cut",
    "contract_win",
    "product_launch",
)


def _old_story(ticker: str, catalyst: str, told: date) -> dict[str, object]:
    published = datetime(told.year, told.month, told.day, 11, 30, tzinfo=UTC)
    document = f"{told:%Y%m%d}-{ticker.lower()}-{catalyst}"
    return {
        "day": told.isoformat(),
        "impact_id": f"old-{document}",
        "document_id": document,
        "cluster_id": document,
        "ticker": ticker,
        "sentiment": 0.5,
        "impact": 0.5,
        "catalyst": catalyst,
        "horizon": "days",
        "confidence": 0.8,
        "credibility": 0.6,
        "quote": "told before",
        "quote_start": 0,
        "quote_end": 11,
        "document_sha256": "0" * 64,
        "published_at": published,
        "available_at": published + timedelta(minutes=1),
    }
