"""Companies and sources on their way into the registry, in bulk: what a seed learnt, with one note on record.

A company that is tracked already stays as it is, and a source that is there too. What is learnt counts as having been
so always, so that days before the first start can be computed too.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from psycopg.types.json import Jsonb

from stonks_assets.ingestion.sources import PROVIDERS
from stonks_core.audit import note
from stonks_core.registry.editing import LOCK
from stonks_core.registry.sectors import default_exposure, sector_of_sic
from stonks_core.settings import Settings
from stonks_core.stores.postgres import Connection
from stonks_core.vocabulary import Relationship, SourceType

CREDIBILITY: Mapping[SourceType, float] = {
    SourceType.FILINGS_API: 0.95,
    SourceType.NEWS_API: 0.6,
    SourceType.MACRO_NEWS: 0.6,
}
OTHER_CREDIBILITY = 0.5
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
    sector: str = ""
    """Empty where its SIC code tells."""

    def with_related(self, related: tuple[str, ...]) -> "Listing":
        """The same with other related companies."""
        return replace(self, related=related)


def insert_listings(connection: Connection, listings: Sequence[Listing], reason: str) -> int:
    """Track the companies that are not tracked, with aliases, exposure by sector and competitors; how many came in."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (LOCK,))
    added = [listing.ticker for listing in listings if _insert_company(connection, listing)]
    _insert_pairs(connection, listings, frozenset(added))
    if added:
        note(connection, SEEDER, "registry_seeded", "registry", reason, {"tickers": added})
    return len(added)


def short_names(name: str) -> tuple[str, ...]:
    """A legal name without its form: `Apple Inc.` gives `Apple`; nothing where that leaves the name as it is."""
    short = name.strip()
    while (cut := _SUFFIX.sub("", short)) != short:
        short = cut.strip(" ,.")
    return (short,) if short and short.lower() != name.lower() and len(short) > 2 else ()


def _insert_company(connection: Connection, listing: Listing) -> bool:
    """Whether the company came in."""
    sector = listing.sector or sector_of_sic(listing.sic_code)
    row = connection.execute(
        """
        INSERT INTO companies (ticker, legal_name, sector, industry, cik, exchange, valid_from)
        VALUES (%s, %s, %s, %s, %s, %s, '-infinity')
        ON CONFLICT (ticker) WHERE valid_to = 'infinity' DO NOTHING RETURNING company_id
        """,
        (listing.ticker, listing.name, sector, listing.industry, listing.cik, listing.exchange),
    ).fetchone()
    if row is None:
        return False
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
    return True


def _insert_pairs(connection: Connection, listings: Sequence[Listing], added: Set[str]) -> None:
    """The pairs in which a company is new: what people have made of the others stays."""
    industry = {listing.ticker: listing.sic_code or listing.industry for listing in listings}
    for listing in listings:
        for other in listing.related:
            if other not in industry or other == listing.ticker or not added & {listing.ticker, other}:
                continue
            same = bool(industry[other]) and industry[other] == industry[listing.ticker]
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


def insert_sources(connection: Connection, settings: Settings) -> None:
    """One source of each type, of the vendors that the settings name; those that are there stay as they are."""
    provider = settings.market_data_provider
    vendor, by = provider.capitalize(), {"provider": provider}
    insert_source(connection, SourceType.MARKET_API, f"{vendor} daily bars", by)
    insert_source(connection, SourceType.NEWS_API, f"{vendor} news", by)
    if provider in PROVIDERS[SourceType.MACRO_NEWS]:
        insert_source(connection, SourceType.MACRO_NEWS, f"{vendor} macro news", by)
    insert_source(connection, SourceType.FILINGS_API, "SEC EDGAR", {})
    insert_source(connection, SourceType.BROKER, "Alpaca", {})


def insert_source(
    connection: Connection,
    source_type: SourceType,
    name: str,
    config: Mapping[str, object],
    credibility: float | None = None,
) -> None:
    """A source, unless one of its type and name is there; credibility is that of its type where none is given."""
    believed = CREDIBILITY.get(source_type, OTHER_CREDIBILITY) if credibility is None else credibility
    connection.execute(
        "INSERT INTO sources (source_type, name, config, credibility) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (source_type.value, name, Jsonb(dict(config)), believed),
    )
