"""The first universe: learnt from the vendors' own reference data, once, where the registry is empty.

Companies, sectors (by SIC code), aliases, competitors (the vendor's related companies) and one source per type. People
change any of it afterwards; a registry that holds a company is never touched. What is learnt counts as having been so always,
so that the days before the first start can be computed too.
"""

import logging
from collections.abc import Mapping
from typing import Any

from stonks_assets.ingestion.listings import Listing, insert_listings, insert_source, insert_sources
from stonks_assets.ingestion.polygon import PolygonClient, listed
from stonks_assets.ingestion.sources import edgar_fetcher, polygon_client
from stonks_assets.pipeline import Pipeline
from stonks_core.errors import PermanentError
from stonks_core.registry.editing import LOCK
from stonks_core.vocabulary import SourceType

LOG = logging.getLogger(__name__)
SANDBOX_BLOG = "Sandbox blog"


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
        insert_listings(connection, listings, "the registry was empty")
        insert_sources(connection, pipeline.settings)
        if pipeline.settings.sandbox.url:
            insert_source(connection, SourceType.WEB_SCRAPE, SANDBOX_BLOG, {"url": _blog(pipeline)})
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


def _blog(pipeline: Pipeline) -> str:
    return f"{pipeline.settings.sandbox.url}/web/feed.xml"


def _follow_sandbox(pipeline: Pipeline) -> None:
    """The sandbox may listen on another port than the last time: its feed's address moves along."""
    pipeline.database.execute(
        "UPDATE sources SET config = jsonb_set(config, '{url}', to_jsonb(%s::text)), version = version + 1, updated_at = now() "
        "WHERE source_type = 'web_scrape' AND name = %s AND config->>'url' <> %s",
        (_blog(pipeline), SANDBOX_BLOG, _blog(pipeline)),
    )
