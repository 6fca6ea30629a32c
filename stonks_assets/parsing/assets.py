"""Documents and the companies they mention."""

from collections.abc import Iterator

import dagster as dg

from stonks_assets.parsing.step import materialise_documents
from stonks_assets.shell import table_asset
from stonks_core.stores.lake.silver_tables import DOCUMENT_COMPANY_MENTIONS, DOCUMENTS

RAW = ("raw_news_api", "raw_filings_api", "raw_web_scrape", "raw_macro_news")


def assets() -> Iterator[dg.AssetsDefinition]:
    """One stage, two tables."""
    yield table_asset((DOCUMENTS, DOCUMENT_COMPANY_MENTIONS), materialise_documents, reads=RAW)
