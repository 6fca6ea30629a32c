"""Signals of all layers, and the trends, evidence and projections made of them."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.shell import table_asset
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE, TREND_HISTORY, TREND_PROJECTIONS, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS, SIGNALS

LONGEST_SPAN = timedelta(days=90)
LONGEST_LOOKBACK = timedelta(days=365)


def _days_back(asset: str, span: timedelta) -> dg.AssetDep:
    """A dependency on a partition and those of the days before it."""
    mapping = dg.TimeWindowPartitionMapping(start_offset=-span.days, allow_nonexistent_upstream_partitions=True)
    return dg.AssetDep(asset, partition_mapping=mapping)


def assets() -> Iterator[dg.AssetsDefinition]:
    """In the order data flows; a trend reads ninety days back."""
    yield table_asset(
        (COMPETITIVE_SIGNALS,),
        materialise_competitive_signals,
        reads=tuple(
            _days_back(name, LONGEST_LOOKBACK) for name in ("impact_records", "market_snapshots", "corporate_actions")
        ),
    )
    yield table_asset((SIGNALS,), materialise_signals, reads=("impact_records", "macro_impacts", "competitive_signals"))
    yield table_asset(
        (TREND_WINDOWS, TREND_EVIDENCE, TREND_HISTORY),
        materialise_trends,
        reads=tuple(_days_back(name, LONGEST_SPAN) for name in ("signals", "market_snapshots", "corporate_actions")),
        gold=True,
    )
    yield table_asset(
        (TREND_PROJECTIONS,), materialise_projections, reads=(_days_back("trend_history", LONGEST_SPAN),), gold=True
    )
