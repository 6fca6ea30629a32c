"""The registry as the pipeline sees it: one immutable snapshot, asked for as of an instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stonks_core.registry.source_config import provider_of, publication_latency_of
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import Relationship, SourceType


@dataclass(frozen=True)
class Company:
    """A tracked company."""

    company_id: str
    ticker: str
    legal_name: str
    sector: str
    industry: str
    cik: int | None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExposureProfile:
    """What a company is exposed to: revenue shares by region (sum at most 1), sensitivity to commodities in [-1, 1]."""

    revenue_by_region: Mapping[str, float]
    commodity_sensitivity: Mapping[str, float]
    supply_chain_regions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Competitor:
    """One directed pair: news about `ticker` may move `competitor`."""

    ticker: str
    competitor: str
    relationship: Relationship
    strength: float


@dataclass(frozen=True)
class Source:
    """A configured source; `ticker` is empty where it belongs to no company."""

    source_id: str
    source_type: SourceType
    name: str
    config: Mapping[str, object]
    credibility: float
    ticker: str
    last_published_at: datetime | None

    @property
    def provider(self) -> str:
        """Who answers: what the configuration names, or the type's first provider."""
        return provider_of(self.source_type, self.config)

    @property
    def publication_latency(self) -> timedelta:
        """How long after publication an item can be had."""
        return publication_latency_of(self.config)


@dataclass(frozen=True)
class Universe:
    """Companies by ticker, their exposure profiles, competitor pairs and active sources, as of one instant."""

    companies: Mapping[str, Company]
    exposures: Mapping[str, ExposureProfile]
    competitors: tuple[Competitor, ...]
    sources: tuple[Source, ...]

    def sources_of(self, source_type: SourceType) -> tuple[Source, ...]:
        """The active sources of one type."""
        return tuple(s for s in self.sources if s.source_type is source_type)


_COMPANIES: Final = """
    SELECT h.company_id::text, h.ticker, h.legal_name, h.sector, h.industry, h.cik,
           ARRAY(SELECT a.alias FROM company_aliases a WHERE a.company_id = h.company_id
                 AND a.valid_from <= %(as_of)s AND %(as_of)s < a.valid_to ORDER BY a.alias) AS aliases
    FROM company_history h WHERE h.active AND h.valid_from <= %(as_of)s AND %(as_of)s < h.valid_to ORDER BY h.ticker
"""
_EXPOSURES: Final = """
    SELECT company_id::text, revenue_by_region, commodity_sensitivity, supply_chain_regions FROM exposure_profiles
    WHERE valid_from <= %(as_of)s AND %(as_of)s < valid_to
"""
_PAIRS: Final = """
    SELECT company_id::text, competitor_id::text, relationship, strength FROM competitor_relationships
    WHERE valid_from <= %(as_of)s AND %(as_of)s < valid_to ORDER BY 1, 2
"""
_SOURCES: Final = """
    SELECT source_id::text, company_id::text, source_type, name, config, credibility, last_published_at
    FROM sources WHERE active ORDER BY source_type, name, source_id
"""


def load_universe(database: Database, as_of: datetime) -> Universe:
    """The active universe as it stood at an instant, under the names of that instant, with all that hung on it.

    One snapshot of the database: no edit that commits meanwhile is half in it. Sources are those that are asked now.
    """
    parameters = {"as_of": as_of}
    with database.connection() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        companies, exposures, pairs, sources = (
            connection.execute(query, parameters).fetchall() for query in (_COMPANIES, _EXPOSURES, _PAIRS, _SOURCES)
        )
    by_id = {row["company_id"]: row["ticker"] for row in companies}
    return Universe(
        companies={row["ticker"]: Company(**{**row, "aliases": tuple(row["aliases"])}) for row in companies},
        exposures={
            by_id[row["company_id"]]: ExposureProfile(
                row["revenue_by_region"], row["commodity_sensitivity"], tuple(row["supply_chain_regions"])
            )
            for row in exposures
            if row["company_id"] in by_id
        },
        competitors=tuple(
            Competitor(
                by_id[r["company_id"]],
                by_id[r["competitor_id"]],
                Relationship(r["relationship"]),
                r["strength"],
            )
            for r in pairs
            if r["company_id"] in by_id and r["competitor_id"] in by_id
        ),
        sources=tuple(
            Source(
                source_id=r["source_id"],
                source_type=SourceType(r["source_type"]),
                name=r["name"],
                config=r["config"],
                credibility=r["credibility"],
                ticker=by_id.get(r["company_id"], ""),
                last_published_at=r["last_published_at"],
            )
            for r in sources
            if r["company_id"] is None or r["company_id"] in by_id
        ),
    )
