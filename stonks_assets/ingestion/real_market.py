"""The registry of a real system: companies that a person named, what EDGAR knows of them, their peers, and the sources.

People change any of it afterwards; a company that is tracked already stays as it is.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stonks_assets.ingestion.constituents import Constituent, peers, tabled
from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.listings import Listing, insert_listings, insert_source, insert_sources
from stonks_assets.ingestion.public_feeds import PUBLIC_FEEDS
from stonks_assets.ingestion.sources import edgar_fetcher, page_fetcher
from stonks_assets.pipeline import Pipeline
from stonks_core.errors import PermanentError, TransientError
from stonks_core.registry.edgar_tickers import Filer, read_tickers
from stonks_core.registry.sectors import sector_of_sic
from stonks_core.vocabulary import SourceType

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seeded:
    """What came into the registry: how many companies, how many sources, and the tickers that EDGAR does not know."""

    companies: int
    sources: int
    without_filings: tuple[str, ...]


def sp500(pipeline: Pipeline) -> list[Constituent]:
    """The S&P 500's companies, from the table that SP500_CONSTITUENTS_URL names."""
    url = pipeline.settings.market_data.sp500_url
    with page_fetcher(pipeline) as pages:
        return tabled(pages.get(url).text(), url)


def seed_universe(pipeline: Pipeline, wanted: Sequence[Constituent]) -> Seeded:
    """Track the companies that are wanted and not tracked yet, and have the sources of the settings' vendors.

    Sector and industry are the table's, else those of the SIC code by which the company files; peers are the nearest in
    size of the same industry. Run again, it adds only what is missing.
    """
    with edgar_fetcher(pipeline) as edgar:
        answer = edgar.get(f"{pipeline.settings.endpoints.edgar_www}/files/company_tickers.json")
        filers = {_key(ticker): filer for ticker, filer in read_tickers(answer.content).items()}
        found = [_listing(pipeline, edgar, each, filers.get(_key(each.ticker))) for each in wanted]
    related = peers({each.ticker: each.industry for each in found}, [_key(ticker) for ticker in filers])
    listings = [each.with_related(related[each.ticker]) for each in found]
    with pipeline.database.connection() as connection:
        companies = insert_listings(connection, listings, "a person named the universe")
        before = connection.execute("SELECT count(*) AS n FROM sources").fetchone()
        insert_sources(connection, pipeline.settings)
        for feed in PUBLIC_FEEDS:
            kind = SourceType.MACRO_NEWS if feed.kind == "macro" else SourceType.NEWS_API
            insert_source(connection, kind, feed.publisher, feed.config, feed.credibility)
        after = connection.execute("SELECT count(*) AS n FROM sources").fetchone()
    missing = tuple(each.ticker for each in listings if each.cik is None)
    return Seeded(companies, (after["n"] if after else 0) - (before["n"] if before else 0), missing)


def _listing(pipeline: Pipeline, edgar: Fetcher, wanted: Constituent, filer: Filer | None) -> Listing:
    cik = wanted.cik or (filer.cik_str if filer else None)
    filed = _filer(pipeline, edgar, cik) if cik and not (wanted.sector and wanted.industry) else {}
    code = str(filed.get("sic") or "")
    exchanges = filed.get("exchanges")
    return Listing(
        ticker=wanted.ticker,
        name=wanted.name or (filer.title if filer else "") or wanted.ticker,
        cik=cik,
        exchange=str(exchanges[0] or "") if isinstance(exchanges, list) and exchanges else "",
        sic_code=code,
        industry=wanted.industry or str(filed.get("sicDescription") or ""),
        related=(),
        sector=wanted.sector or sector_of_sic(code),
    )


def _filer(pipeline: Pipeline, edgar: Fetcher, cik: int) -> Mapping[str, Any]:
    """What EDGAR says of a company that files; nothing where it says nothing."""
    try:
        found = edgar.get(f"{pipeline.settings.endpoints.edgar_data}/submissions/CIK{cik:010d}.json").json()
    except (PermanentError, TransientError) as error:
        LOG.warning("EDGAR tells nothing of CIK %d, so its sector stays unknown: %s", cik, error)
        return {}
    return found if isinstance(found, dict) else {}


def _key(ticker: str) -> str:
    """A ticker as EDGAR writes it: BRK.B is BRK-B there."""
    return ticker.replace(".", "-")
