"""What documents say of companies, and what events in the world mean for them."""

from collections.abc import Iterator

import dagster as dg

from stonks_assets.extraction.joint_step import materialise_extraction
from stonks_assets.extraction.macro_step import materialise_macro_impacts
from stonks_assets.shell import table_asset
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, GLOBAL_EVENTS, IMPACT_RECORDS, MACRO_IMPACTS

MODEL = frozenset({"python", "deltalake", "ollama"})


def assets() -> Iterator[dg.AssetsDefinition]:
    """Documents and events are read by one body, so that neither waits for the other's backlog."""
    yield table_asset(
        (DOCUMENT_INTELLIGENCE, IMPACT_RECORDS, GLOBAL_EVENTS),
        materialise_extraction,
        reads=("documents", "document_company_mentions"),
        kinds=MODEL,
    )
    yield table_asset((MACRO_IMPACTS,), materialise_macro_impacts, reads=("global_events",))
