"""The jobs: one cycle over a day, the market's history, and the broker's statements."""

import dagster as dg

from stonks_assets.partitions import daily
from stonks_core.vocabulary import SourceType

CYCLE_ASSETS = (
    *(f"raw_{t.value}" for t in SourceType if t is not SourceType.BROKER),
    "market_snapshots",
    "documents",
    "document_company_mentions",
    "document_intelligence",
    "impact_records",
    "global_events",
    "macro_impacts",
    "competitive_signals",
    "signals",
    "trend_windows",
    "trend_evidence",
    "trend_history",
    "trend_projections",
    "recommendations",
    "recommendation_evidence",
)

cycle_job = dg.define_asset_job(
    "cycle",
    selection=dg.AssetSelection.assets(*CYCLE_ASSETS),
    partitions_def=daily,
    description="One cycle: from raw payloads to recommendations, in one run.",
    tags={"stonks/kind": "cycle"},
)
history_job = dg.define_asset_job(
    "market_history",
    selection=dg.AssetSelection.assets("raw_market_api", "market_snapshots"),
    partitions_def=daily,
    description="Daily bars of past days, in one run over the range.",
    tags={"stonks/kind": "history"},
)
statements_job = dg.define_asset_job(
    "broker_statements",
    selection=dg.AssetSelection.assets("raw_broker"),
    partitions_def=daily,
    description="The broker's statements, for the record.",
    tags={"stonks/kind": "statements"},
)
JOBS = (cycle_job, history_job, statements_job)


def due_only_config() -> dict[str, object]:
    """Run configuration of a cycle that asks only the sources that are due."""
    raws = [f"raw_{t.value}" for t in SourceType if t is not SourceType.BROKER]
    return {"ops": {name: {"config": {"due_only": True}} for name in raws}}
