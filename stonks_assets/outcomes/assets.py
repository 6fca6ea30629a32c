"""Outcomes: what became of recommendations, every night."""

from collections.abc import Iterator

import dagster as dg

from stonks_assets.outcomes.step import materialise_outcomes
from stonks_assets.shell import table_asset
from stonks_core.stores.lake.outcome_tables import OUTCOMES


def assets() -> Iterator[dg.AssetsDefinition]:
    """One asset."""
    yield table_asset(
        (OUTCOMES,), materialise_outcomes, reads=("recommendations", "market_snapshots", "corporate_actions")
    )
