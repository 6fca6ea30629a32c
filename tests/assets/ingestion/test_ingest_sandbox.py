"""Ingestion against the sandbox's real process: seeding, every source type, running twice, and sources that fail."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from stonks_assets.ingestion import http
from stonks_assets.ingestion.bars import materialise_market_snapshots
from stonks_assets.ingestion.cadence import MOST_FAILURES
from stonks_assets.ingestion.committing import SETTLING, Committer
from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.listings import short_names
from stonks_assets.ingestion.protocol import Ask, RawItem
from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.ingestion.step import Asked, SourcesDownError, _ask_source, ingest, ingest_days
from stonks_assets.pipeline import Pipeline
from stonks_core.errors import PermanentError, TransientError
from stonks_core.registry.editing import Author, editing
from stonks_core.registry.importing import apply, rows_of
from stonks_core.registry.transfer import TABLES, read_json, to_json
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.vocabulary import SECTORS, SourceType
from tests.assets.ingestion.asking import TODAY
from tests.assets.ingestion.conftest import SANDBOX_NOW, PipelineAt

YESTERDAY = TODAY - timedelta(days=1)
Rows = list[dict[str, object]]


def raws(pipeline: Pipeline, source_type: SourceType) -> Rows:
    rows: Rows = pipeline.lake.read(raw_table(source_type)).to_pylist()
    return rows


def runs(pipeline: Pipeline) -> list[tuple[str, str, int, int, str]]:
    found = pipeline.database.fetch(
        "SELECT name, status, items_seen, items_new, error_class FROM ingestion_runs JOIN sources USING (source_id) "
        "ORDER BY finished_at, name"
    )
    return [tuple(row.values()) for row in found]  # type: ignore[misc]


@pytest.fixture
def seeded(pipeline_at: PipelineAt) -> Pipeline:
    pipeline = pipeline_at()
    assert seed_registry(pipeline) >= 24
    return pipeline


# Seeding.


def test_the_registry_is_learnt_from_the_vendors_and_once(seeded: Pipeline) -> None:
    universe = seeded.universe(SANDBOX_NOW)
    assert len(universe.companies) >= 24
    assert {company.sector for company in universe.companies.values()} <= set(SECTORS)
    assert all(company.cik for company in universe.companies.values())
    assert any(company.aliases for company in universe.companies.values())
    assert set(universe.exposures) == set(universe.companies)
    assert universe.competitors
    assert {source.source_type for source in universe.sources} == set(SourceType)
    assert next(iter(universe.sources_of(SourceType.FILINGS_API))).credibility == 0.95
    before = seeded.database.fetch("SELECT count(*) AS n, max(updated_at) AS at FROM companies")
    assert seed_registry(seeded) == 0
    assert seeded.database.fetch("SELECT count(*) AS n, max(updated_at) AS at FROM companies") == before
    assert seeded.universe(SANDBOX_NOW) == universe


def test_what_is_learnt_was_so_always_is_on_record_and_is_within_the_registrys_bounds(seeded: Pipeline) -> None:
    assert seeded.universe(SANDBOX_NOW - timedelta(days=900)) == seeded.universe(SANDBOX_NOW)
    assert seed_registry(seeded) == 0
    (noted,) = seeded.database.fetch("SELECT actor, action, detail FROM audit_events")
    assert (noted["actor"], noted["action"]) == ("seeding", "registry_seeded")
    with editing(seeded.database, Author("tester", "in again"), SANDBOX_NOW) as edit:
        rows = {name: rows_of(edit.connection, name, SANDBOX_NOW) for name in TABLES}
        assert {row["ticker"] for row in rows["companies"]} == set(noted["detail"]["tickers"])
        assert apply(edit, read_json(to_json(rows).encode())) == []


def test_what_people_changed_stays(seeded: Pipeline) -> None:
    seeded.database.execute(
        "UPDATE companies SET legal_name = 'Renamed' WHERE ticker = (SELECT min(ticker) FROM companies)"
    )
    seeded.database.execute("DELETE FROM competitor_relationships")
    assert seed_registry(seeded) == 0
    assert seeded.universe(SANDBOX_NOW).competitors == ()
    assert "Renamed" in {company.legal_name for company in seeded.universe(SANDBOX_NOW).companies.values()}


def test_the_sandbox_s_feed_moves_along_with_its_port(seeded: Pipeline, pipeline_at: PipelineAt) -> None:
    moved = pipeline_at(SANDBOX_URL="http://127.0.0.1:1")
    assert seed_registry(moved) == 0
    (blog,) = moved.universe(SANDBOX_NOW).sources_of(SourceType.WEB_SCRAPE)
    assert blog.config == {"url": "http://127.0.0.1:1/web/feed.xml"}


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Apple Inc.", ("Apple",)),
        ("Alphabet Inc", ("Alphabet",)),
        ("Berkshire Holdings Group, Ltd.", ("Berkshire",)),
        ("Koninklijke Philips N.V.", ("Koninklijke Philips",)),
        ("The Home Depot", ()),
        ("AB Corp", ()),
        ("Inc.", ()),
    ],
)
def test_short_names_of_companies(name: str, short: tuple[str, ...]) -> None:
    assert short_names(name) == short


# Every source type.


@pytest.mark.parametrize("source_type", list(SourceType))
def test_a_second_look_brings_nothing_new(seeded: Pipeline, source_type: SourceType) -> None:
    day = YESTERDAY if source_type is SourceType.MARKET_API else TODAY
    first = ingest(seeded, source_type, day, SANDBOX_NOW)
    rows, version = raws(seeded, source_type), seeded.lake.version(raw_table(source_type))
    assert first.written == {f"raw_{source_type}": len([row for row in rows if row["part_of"] is None])}
    again = ingest(seeded, source_type, day, SANDBOX_NOW)
    assert again.written == {f"raw_{source_type}": 0}
    assert seeded.lake.version(raw_table(source_type)) == version
    for row in rows:
        assert row["day"] == day.isoformat()
        assert row["published_at"] is None or row["published_at"] <= SANDBOX_NOW
        assert row["available_at"] <= row["fetched_at"]  # type: ignore[operator]
        assert row["source_type"] == source_type
        assert "authorization" not in str(row["response_headers"]).lower()


def test_the_world_has_news_bars_filings_macro_a_blog_and_statements(seeded: Pipeline) -> None:
    days = [TODAY - timedelta(days=n) for n in range(2, -1, -1)]
    for source_type in SourceType:
        ingest_days(seeded, source_type, days, SANDBOX_NOW)
    kinds = {str(t): {row["kind"] for row in raws(seeded, t)} for t in SourceType}
    assert kinds == {
        "market_api": {"grouped_daily", "splits", "dividends", "snapshots"},
        "news_api": {"article", "article_page"},
        "filings_api": {"filing", "filing_index", "filing_document"},
        "web_scrape": {"feed_item", "article_page"},
        "broker": {"account", "positions"},
        "macro_news": {"article", "article_page"},
    }
    filings = raws(seeded, SourceType.FILINGS_API)
    first = next(row for row in filings if row["kind"] == "filing")
    assert b"ACCEPTANCE-DATETIME" in first["payload"]  # type: ignore[operator]
    assert len([row for row in filings if row["part_of"] == first["item_id"] and row["kind"] == "filing_document"]) >= 2
    articles = raws(seeded, SourceType.NEWS_API)
    pages = {row["part_of"] for row in articles if row["kind"] == "article_page"}
    assert pages == {row["item_id"] for row in articles if row["kind"] == "article"}
    assert seeded.database.fetch("SELECT item, error FROM failures") == []


def test_two_clocks_of_a_backfill_and_of_a_live_fetch(pipeline_at: PipelineAt) -> None:
    later = pipeline_at(datetime(2026, 3, 11, tzinfo=UTC) + SETTLING + timedelta(seconds=1))
    seed_registry(later)
    ingest(later, SourceType.NEWS_API, TODAY, SANDBOX_NOW)
    rows = raws(later, SourceType.NEWS_API)
    assert rows
    for row in rows:
        assert row["backfilled"] is True
        assert row["available_at"] == row["published_at"] + timedelta(seconds=60)  # type: ignore[operator]


def test_bars_become_snapshots_once(seeded: Pipeline) -> None:
    ingest(seeded, SourceType.MARKET_API, YESTERDAY, SANDBOX_NOW)
    report = materialise_market_snapshots(seeded, YESTERDAY, SANDBOX_NOW)
    bars = seeded.lake.read(MARKET_SNAPSHOTS).to_pylist()
    assert report.written == {"market_snapshots": len(bars)}
    assert {bar["ticker"] for bar in bars} >= set(seeded.universe(SANDBOX_NOW).companies)
    for bar in bars:
        assert (bar["span"], bar["feed"], bar["day"]) == ("1d", "sandbox", YESTERDAY.isoformat())
        assert bar["low"] <= min(bar["open"], bar["close"]) <= max(bar["open"], bar["close"]) <= bar["high"]
        assert bar["start_at"] < bar["end_at"] == bar["published_at"] <= bar["available_at"]
    version = seeded.lake.version(MARKET_SNAPSHOTS)
    assert materialise_market_snapshots(seeded, YESTERDAY, SANDBOX_NOW).written == {"market_snapshots": 0}
    assert seeded.lake.version(MARKET_SNAPSHOTS) == version


# Sources that fail.


def add_feed(pipeline: Pipeline, name: str, url: str) -> None:
    pipeline.database.execute(
        "INSERT INTO sources (source_type, name, config) VALUES ('web_scrape', %s, jsonb_build_object('url', %s::text))",
        (name, url),
    )


def test_a_source_that_fails_is_on_record_and_harms_no_other(seeded: Pipeline, sandbox_url: str) -> None:
    add_feed(seeded, "gone", f"{sandbox_url}/web/none")
    add_feed(seeded, "inside", "http://127.0.0.1:1/secret")
    report = ingest(seeded, SourceType.WEB_SCRAPE, TODAY, SANDBOX_NOW)
    assert report.figures == {"sources": 3, "down": 2}
    assert sorted(sentence.partition(":")[0] for sentence in report.down) == ["gone", "inside"]
    assert report.failed >= 2
    assert raws(seeded, SourceType.WEB_SCRAPE)
    outcomes = {name: (status, error_class) for name, status, _, _, error_class in runs(seeded)}
    assert outcomes == {
        "Sandbox blog": ("succeeded", ""),
        "gone": ("failed", "permanent"),
        "inside": ("failed", "permanent"),
    }
    states = {
        row["name"]: row
        for row in seeded.database.fetch("SELECT name, t.* FROM source_states t JOIN sources USING (source_id)")
    }
    assert states["gone"]["failures_in_a_row"] == 1
    assert states["gone"]["next_attempt_at"] == SANDBOX_NOW + timedelta(seconds=60)
    assert "answered 404" in states["gone"]["last_error"]
    assert "no public address" in states["inside"]["last_error"]
    assert states["Sandbox blog"]["last_success_at"] == SANDBOX_NOW
    assert states["Sandbox blog"]["next_attempt_at"] == SANDBOX_NOW + timedelta(seconds=1800)


def test_only_sources_that_are_due_are_asked(seeded: Pipeline, pipeline_at: PipelineAt) -> None:
    ingest_days(seeded, SourceType.BROKER, [TODAY], SANDBOX_NOW, due_only=True)
    asked = len(runs(seeded))
    assert ingest_days(seeded, SourceType.BROKER, [TODAY], SANDBOX_NOW, due_only=True).figures == {
        "sources": 0,
        "down": 0,
    }
    assert len(runs(seeded)) == asked
    later = pipeline_at(SANDBOX_NOW + timedelta(seconds=30))
    assert ingest_days(later, SourceType.BROKER, [TODAY], SANDBOX_NOW, due_only=True).figures["sources"] == 1


@pytest.mark.parametrize("source_type", [t for t in SourceType if t is not SourceType.WEB_SCRAPE])
def test_when_all_sources_of_a_type_are_down_the_asset_says_so(
    seeded: Pipeline, pipeline_at: PipelineAt, source_type: SourceType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_GROWING", lambda _: 0.0)
    down = pipeline_at(SANDBOX_URL="http://127.0.0.1:1")
    day = YESTERDAY if source_type is SourceType.MARKET_API else TODAY
    with pytest.raises(SourcesDownError, match=f"no {source_type} source could be read for {day}: .* did not answer"):
        ingest(down, source_type, day, SANDBOX_NOW)
    (run,) = runs(down)
    assert run[1:] == ("failed", 0, 0, "transient")


class Stumbling:
    """An adapter that brings so many items and then fails."""

    def __init__(self, items: int, failure: Exception | None) -> None:
        self.items, self.failure = items, failure

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """Items that are not known, then the failure."""
        for number in range(self.items):
            if not ask.known([f"i{number}"]):
                answer = Answer("u", 200, {}, b"{}", SANDBOX_NOW)
                yield RawItem(f"i{number}", "article", answer, SANDBOX_NOW - timedelta(minutes=number))
        if self.failure:
            raise self.failure


Asker = Callable[[int, Exception | None], tuple[int, str]]


@pytest.fixture
def ask_stumbling(seeded: Pipeline) -> Asker:
    universe = seeded.universe(SANDBOX_NOW)
    (source,) = universe.sources_of(SourceType.NEWS_API)

    def ask(items: int, failure: Exception | None) -> tuple[int, str]:
        committer = Committer(seeded, SourceType.NEWS_API)
        asked = Asked(source, universe, TODAY, SANDBOX_NOW)
        tally = _ask_source(seeded, Stumbling(items, failure), committer, asked)
        return tally.new, tally.error

    return ask


@pytest.mark.parametrize("failure", [TransientError("cut"), PermanentError("refused")])
def test_what_came_before_a_source_failed_is_kept(seeded: Pipeline, ask_stumbling: Asker, failure: Exception) -> None:
    assert ask_stumbling(250, failure) == (250, str(failure))
    assert len(raws(seeded, SourceType.NEWS_API)) == 250
    assert ask_stumbling(260, None) == (10, "")
    row = seeded.database.fetch_one("SELECT failures_in_a_row, last_error FROM source_states")
    assert row == {"failures_in_a_row": 0, "last_error": ""}
    newest = seeded.database.fetch_one("SELECT max(last_published_at) AS at FROM sources")
    assert newest == {"at": SANDBOX_NOW}


def test_a_source_that_fails_again_and_again_is_parked(seeded: Pipeline, ask_stumbling: Asker) -> None:
    for attempt in range(1, MOST_FAILURES + 1):
        ask_stumbling(0, TransientError("down"))
        row = seeded.database.fetch_one("SELECT failures_in_a_row, parked FROM source_states")
        assert row == {"failures_in_a_row": attempt, "parked": attempt >= MOST_FAILURES}
    assert ask_stumbling(1, None) == (1, "")
    assert seeded.database.fetch_one("SELECT parked FROM source_states") == {"parked": False}


def test_a_feed_s_entries_are_known_on_the_days_after(seeded: Pipeline, pipeline_at: PipelineAt) -> None:
    ingest(seeded, SourceType.WEB_SCRAPE, TODAY, SANDBOX_NOW)
    count = len(raws(seeded, SourceType.WEB_SCRAPE))
    assert count
    tomorrow = pipeline_at(SANDBOX_NOW + timedelta(days=1))
    assert ingest(
        tomorrow, SourceType.WEB_SCRAPE, TODAY + timedelta(days=1), SANDBOX_NOW + timedelta(days=1)
    ).written == {"raw_web_scrape": 0}
    assert len(raws(seeded, SourceType.WEB_SCRAPE)) == count
