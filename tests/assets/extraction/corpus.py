"""A registry of two companies, and raw pages about them, for the stages of extraction."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_assets.parsing.parse import mention_rows, parse_raw
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENT_COMPANY_MENTIONS, DOCUMENTS
from stonks_core.stores.postgres import Database

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEAT = (
    "<html><body><article><h1>Orion Systems beats estimates</h1><p>Orion Systems reported quarterly revenue of $4.2 "
    "billion, well above analyst estimates, and raised its full-year guidance.</p><p>Shares of Orion Systems jumped "
    "after the record profit, which management called the strongest quarter in its history. Demand for its storage "
    "products grew by 30 percent from a year ago, and the company expects the growth to continue through the year.</p>"
    "</article></body></html>"
)
STORM = (
    "<html><body><article><h1>Oil prices surge as war breaks out</h1><p>Oil prices surged on Monday after war broke "
    "out in the Middle East and crude exports were halted.</p><p>The crisis threatens energy supply across Europe and "
    "Asia, and economists expect inflation to rise sharply. Airlines and manufacturers warned of higher costs, while "
    "energy producers are expected to gain from the price of oil in the coming months.</p></article></body></html>"
)


def seed_registry(database: Database) -> None:
    for ticker, name, sector in (
        ("ORIN", "Orion Systems Inc.", "Information Technology"),
        ("PETR", "Petra Oil Corp", "Energy"),
    ):
        database.execute(
            "INSERT INTO companies (ticker, legal_name, sector) VALUES (%s, %s, %s)", (ticker, name, sector)
        )
    database.execute(
        "INSERT INTO exposure_profiles (company_id, revenue_by_region, commodity_sensitivity)"
        """ SELECT company_id, '{"europe": 0.6}', '{"oil": 0.9}' FROM companies WHERE ticker = 'PETR'"""
    )


def raw(item: str, html: str, source_type: str = "web_scrape", **changes: Any) -> dict[str, Any]:
    return {
        "day": DAY.isoformat(),
        "item_id": item,
        "sha256": item * 8,
        "source_id": "source",
        "source_type": source_type,
        "source_name": "Example Wire",
        "ticker": None,
        "kind": "page",
        "url": f"https://example.com/{item}",
        "http_status": 200,
        "response_headers": "{}",
        "media_type": "text/html",
        "payload": html.encode(),
        "credibility": 0.5,
        "published_at": NOON - timedelta(hours=1),
        "fetched_at": NOON - timedelta(minutes=5),
        "available_at": NOON - timedelta(minutes=5),
        "backfilled": False,
    } | changes


def store(lake: Lake, *rows: dict[str, Any]) -> None:
    matcher = CompanyMatcher([CompanyNames("ORIN", "Orion Systems Inc."), CompanyNames("PETR", "Petra Oil Corp")])
    for row in rows:
        parsed = parse_raw(row, matcher)
        clustered = dict(parsed.row) | {"cluster_id": parsed.document_id, "origin_document_id": parsed.document_id}
        lake.merge(DOCUMENT_COMPANY_MENTIONS, mention_rows(parsed))
        lake.merge(DOCUMENTS, [clustered])
