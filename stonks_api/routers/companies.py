"""Companies of the registry: names, aliases, sources, exposure and competitors."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from stonks_api.context import Ctx
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_cursor, page
from stonks_core.errors import NotFoundError
from stonks_core.stores.postgres import Database

router = APIRouter(prefix="/api/companies", tags=["companies"])


class Company(Shown):
    """A tracked company."""

    ticker: str
    legal_name: str
    sector: str
    industry: str
    cik: int | None
    exchange: str
    active: bool
    aliases: list[str]


class Source(Shown):
    """A configured source of a company, and how it fared; its configuration is not shown."""

    name: str
    source_type: str
    credibility: float
    active: bool
    parked: bool
    last_error: str


class Competitor(Shown):
    """A company that this one's news may move."""

    ticker: str
    legal_name: str
    relationship: str
    strength: float


class Exposure(Shown):
    """What a company is exposed to."""

    revenue_by_region: dict[str, Any]
    commodity_sensitivity: dict[str, Any]
    supply_chain_regions: list[Any]
    basis: str


class CompanyDetail(Company):
    """A company with what hangs on it."""

    sources: list[Source]
    competitors: list[Competitor]
    exposure: Exposure | None


def tracked_companies(
    database: Database, limit: int, cursor: str = "", ticker: str | None = None, sector: str | None = None
) -> Page[Company]:
    """Companies that are valid now, by ticker."""
    place = decode_cursor(cursor, 1)
    rows = database.fetch(
        """
        SELECT c.ticker, c.legal_name, c.sector, c.industry, c.cik, c.exchange, c.active,
               ARRAY(SELECT alias FROM company_aliases a WHERE a.company_id = c.company_id AND a.valid_to = 'infinity'
                     ORDER BY alias) AS aliases
        FROM companies c
        WHERE c.valid_to = 'infinity' AND (%(after)s::text IS NULL OR c.ticker > %(after)s)
          AND (%(ticker)s::text IS NULL OR c.ticker = %(ticker)s) AND (%(sector)s::text IS NULL OR c.sector = %(sector)s)
        ORDER BY c.ticker LIMIT %(limit)s
        """,
        {"after": place[0] if place else None, "ticker": ticker, "sector": sector, "limit": limit + 1},
    )
    return page(Company, rows, limit, lambda row: (row["ticker"],))


@router.get("")
def list_companies(
    ctx: Ctx, sector: Annotated[str | None, Query(max_length=60)] = None, limit: Limit = 50, cursor: Cursor = ""
) -> Page[Company]:
    """Companies, by ticker."""
    return tracked_companies(ctx.database, limit, cursor, sector=sector)


@router.get("/{ticker}")
def get_company(ctx: Ctx, ticker: str) -> CompanyDetail:
    """One company with its sources, competitors and exposure profile."""
    name = ticker.upper()
    found = tracked_companies(ctx.database, 1, ticker=name).items
    if not found:
        raise NotFoundError(f"there is no company {name[:20]!r}: GET /api/companies lists those that are tracked")
    of = {"ticker": name}
    sources = ctx.database.fetch(
        """
        SELECT s.name, s.source_type, s.credibility, s.active, COALESCE(t.parked, false) AS parked,
               COALESCE(t.last_error, '') AS last_error
        FROM sources s JOIN companies c USING (company_id) LEFT JOIN source_states t USING (source_id)
        WHERE c.ticker = %(ticker)s AND c.valid_to = 'infinity' ORDER BY s.source_type, s.name LIMIT 200
        """,
        of,
    )
    competitors = ctx.database.fetch(
        """
        SELECT b.ticker, b.legal_name, r.relationship, r.strength
        FROM competitor_relationships r JOIN companies a USING (company_id) JOIN companies b ON b.company_id = r.competitor_id
        WHERE a.ticker = %(ticker)s AND 'infinity' = ALL(ARRAY[a.valid_to, b.valid_to, r.valid_to])
        ORDER BY r.strength DESC, b.ticker LIMIT 200
        """,
        of,
    )
    exposure = ctx.database.fetch_one(
        """
        SELECT e.revenue_by_region, e.commodity_sensitivity, e.supply_chain_regions, e.basis
        FROM exposure_profiles e JOIN companies c USING (company_id)
        WHERE c.ticker = %(ticker)s AND c.valid_to = 'infinity' AND e.valid_to = 'infinity'
        """,
        of,
    )
    more = {"sources": sources, "competitors": competitors, "exposure": exposure}
    return CompanyDetail.model_validate({**found[0].model_dump(), **more})
