"""The first universe: learnt from the vendors' own reference data, once, where the registry is empty.

Companies, sectors (by SIC code), aliases, competitors (the vendor's related companies) and one source per type. People
change any of it afterwards; a registry that holds a company is never touched. What is learnt counts as having been so always,
so that the days before the first start can be computed too.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from stonks_assets.ingestion.polygon import PolygonClient, listed
from stonks_assets.ingestion.sources import PROVIDERS, edgar_fetcher, polygon_client
from stonks_assets.pipeline import Pipeline
from stonks_core.audit import note
from stonks_core.errors import PermanentError
from stonks_core.registry.editing import LOCK
from stonks_core.registry.sectors import default_exposure, sector_of_sic
from stonks_core.stores.postgres import Connection
from stonks_core.vocabulary import Relationship, SourceType

LOG = logging.getLogger(__name__)
CREDIBILITY: Mapping[SourceType, float] = {
    SourceType.FILINGS_API: 0.95,
    SourceType.NEWS_API: 0.6,
    SourceType.MACRO_NEWS: 0.6,
}
OTHER_CREDIBILITY = 0.5
SANDBOX_BLOG = "Sandbox blog"
SEEDER = "seeding"
PEER_STRENGTH = {Relationship.DIRECT_COMPETITOR: 0.6, Relationship.SECTOR_PEER: 0.4}
_SUFFIX = re.compile(
    r"[,\s]+(?:inc|incorporated|corp|corporation|co|company|ltd|limited|plc|llc|lp|holdings?|group|n\.?v|s\.?a|ag|/[a-z]{2,3}/?)\.?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Listing:
    """What the vendors know of a company."""

    ticker: str
    name: str
    cik: int | None
    exchange: str
    sic_code: str
    industry: str
    related: tuple[str, ...]


def seed_registry(pipeline: Pipeline) -> int:
    """Fill an empty registry with every ticker of the reference data; how many companies came in.

    Meant for the sandbox, whose market is small; a real market is seeded by choosing tickers.
    """
    _follow_sandbox(pipeline)
    if pipeline.database.fetch_one("SELECT FROM companies LIMIT 1") is not None:
        return 0
    listings = _listings(pipeline)
    with pipeline.database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (LOCK,))
        if connection.execute("SELECT FROM companies LIMIT 1").fetchone() is not None:
            return 0  # another starter, or somebody with a company in mind, was first
        for listing in listings:
            _insert_company(connection, listing)
        _insert_pairs(connection, listings)
        _insert_sources(connection, pipeline)
        tickers = [listing.ticker for listing in listings]
        note(connection, SEEDER, "registry_seeded", "registry", "the registry was empty", {"tickers": tickers})
    return len(listings)


def _listings(pipeline: Pipeline) -> list[Listing]:
    with edgar_fetcher(pipeline) as edgar, polygon_client(pipeline) as polygon:
        answer = edgar.get(f"{pipeline.settings.endpoints.edgar_www}/files/company_tickers.json")
        ciks = {str(entry["ticker"]): int(entry["cik_str"]) for entry in answer.json().values()}
        params: dict[str, str | int] = {"market": "stocks", "active": "true", "limit": 1000}
        tickers = [str(r["ticker"]) for _, page in polygon.pages("/v3/reference/tickers", params) for r in page]
        return [_listing(polygon, ticker, ciks) for ticker in tickers]


def _listing(polygon: PolygonClient, ticker: str, ciks: Mapping[str, int]) -> Listing:
    details = _details(polygon, ticker)
    related = listed(polygon.get(f"/v1/related-companies/{ticker}"))[1]
    cik = str(details.get("cik") or "")
    return Listing(
        ticker=ticker,
        name=_plain(details.get("name")) or ticker,
        cik=ciks.get(ticker) or (int(cik) if cik.isdecimal() and int(cik) else None),
        exchange=_plain(details.get("primary_exchange")),
        sic_code=str(details.get("sic_code") or ""),
        industry=_plain(details.get("sic_description")),
        related=tuple(str(r["ticker"]) for r in related if r.get("ticker")),
    )


def _plain(text: object) -> str:
    """A vendor's text within the registry's bounds: one line, at most 200 characters."""
    return " ".join(str(text or "").split())[:200].strip()


def _details(polygon: PolygonClient, ticker: str) -> Mapping[str, Any]:
    """What the vendor tells of one ticker; nothing where it lists the ticker and does not know it."""
    try:
        found = polygon.get(f"/v3/reference/tickers/{ticker}").json()["results"]
    except (PermanentError, KeyError, TypeError) as error:
        LOG.warning("the reference data tells nothing of %s, so its name stands for it: %s", ticker, error)
        return {}
    return found if isinstance(found, dict) else {}


def short_names(name: str) -> tuple[str, ...]:
    """A legal name without its form: `Apple Inc.` gives `Apple`; nothing where that leaves the name as it is."""
    short = name.strip()
    while (cut := _SUFFIX.sub("", short)) != short:
        short = cut.strip(" ,.")
    return (short,) if short and short.lower() != name.lower() and len(short) > 2 else ()


def _insert_company(connection: Connection, listing: Listing) -> None:
    sector = sector_of_sic(listing.sic_code)
    row = connection.execute(
        """
        INSERT INTO companies (ticker, legal_name, sector, industry, cik, exchange, valid_from)
        VALUES (%s, %s, %s, %s, %s, %s, '-infinity')
        ON CONFLICT (ticker) WHERE valid_to = 'infinity' DO NOTHING RETURNING company_id
        """,
        (listing.ticker, listing.name, sector, listing.industry, listing.cik, listing.exchange),
    ).fetchone()
    if row is None:
        return
    for alias in short_names(listing.name):
        connection.execute(
            "INSERT INTO company_aliases (company_id, alias) VALUES (%s, %s)", (row["company_id"], alias)
        )
    profile = default_exposure(sector)
    connection.execute(
        "INSERT INTO exposure_profiles (company_id, revenue_by_region, commodity_sensitivity, supply_chain_regions) "
        "VALUES (%s, %s, %s, %s)",
        (
            row["company_id"],
            Jsonb(dict(profile.revenue_by_region)),
            Jsonb(dict(profile.commodity_sensitivity)),
            Jsonb(list(profile.supply_chain_regions)),
        ),
    )


def _insert_pairs(connection: Connection, listings: Sequence[Listing]) -> None:
    industry = {listing.ticker: listing.sic_code for listing in listings}
    for listing in listings:
        for other in listing.related:
            if other not in industry or other == listing.ticker:
                continue
            same = bool(listing.sic_code) and industry[other] == listing.sic_code
            kind = Relationship.DIRECT_COMPETITOR if same else Relationship.SECTOR_PEER
            connection.execute(
                """
                INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength)
                SELECT a.company_id, b.company_id, %s, %s FROM companies a, companies b
                WHERE a.ticker = %s AND b.ticker = %s AND a.valid_to = 'infinity' AND b.valid_to = 'infinity'
                ON CONFLICT DO NOTHING
                """,
                (kind.value, PEER_STRENGTH[kind], listing.ticker, other),
            )


def _insert_sources(connection: Connection, pipeline: Pipeline) -> None:
    provider = pipeline.settings.market_data_provider
    vendor, by = provider.capitalize(), {"provider": provider}
    _insert_source(connection, SourceType.MARKET_API, f"{vendor} daily bars", by)
    _insert_source(connection, SourceType.NEWS_API, f"{vendor} news", by)
    if provider in PROVIDERS[SourceType.MACRO_NEWS]:
        _insert_source(connection, SourceType.MACRO_NEWS, f"{vendor} macro news", by)
    _insert_source(connection, SourceType.FILINGS_API, "SEC EDGAR", {})
    _insert_source(connection, SourceType.BROKER, "Alpaca", {})
    if pipeline.settings.sandbox.url:
        _insert_source(connection, SourceType.WEB_SCRAPE, SANDBOX_BLOG, {"url": _blog(pipeline)})


def _insert_source(connection: Connection, source_type: SourceType, name: str, config: Mapping[str, object]) -> None:
    connection.execute(
        "INSERT INTO sources (source_type, name, config, credibility) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (source_type.value, name, Jsonb(dict(config)), CREDIBILITY.get(source_type, OTHER_CREDIBILITY)),
    )


def _blog(pipeline: Pipeline) -> str:
    return f"{pipeline.settings.sandbox.url}/web/feed.xml"


def _follow_sandbox(pipeline: Pipeline) -> None:
    """The sandbox may listen on another port than the last time: its feed's address moves along."""
    pipeline.database.execute(
        "UPDATE sources SET config = jsonb_set(config, '{url}', to_jsonb(%s::text)), version = version + 1, updated_at = now() "
        "WHERE source_type = 'web_scrape' AND name = %s AND config->>'url' <> %s",
        (_blog(pipeline), SANDBOX_BLOG, _blog(pipeline)),
    )
