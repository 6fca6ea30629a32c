"""What documents say of companies, and what events in the world mean for them."""

from collections.abc import Iterator

import dagster as dg

from stonks_assets.extraction.macro_step import materialise_global_events, materialise_macro_impacts
from stonks_assets.extraction.step import materialise_intelligence
from stonks_assets.shell import table_asset
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, GLOBAL_EVENTS, IMPACT_RECORDS, MACRO_IMPACTS

MODEL = frozenset({"python", "deltalake", "ollama"})


def assets() -> Iterator[dg.AssetsDefinition]:
    """Documents first: macro events wait for no company's news."""
    yield table_asset(
        (DOCUMENT_INTELLIGENCE, IMPACT_RECORDS),
        materialise_intelligence,
        reads=("documents", "document_company_mentions"),
        kinds=MODEL,
    )
    yield table_asset((GLOBAL_EVENTS,), materialise_global_events, reads=("documents",), kinds=MODEL)
    yield table_asset((MACRO_IMPACTS,), materialise_macro_impacts, reads=("global_events",))
