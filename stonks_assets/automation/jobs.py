"""The jobs over assets: one cycle over a day, the market's history, the broker's statements, facts and outcomes."""

from collections.abc import Iterable

import dagster as dg

from stonks_assets.checks import SOURCES_UP, check_keys
from stonks_assets.ingestion.filing_checks import LISTED_ACCEPTANCE
from stonks_assets.partitions import daily
from stonks_core.stores.lake.fact_tables import FACT_TABLES
from stonks_core.stores.lake.outcome_tables import OUTCOME_TABLES
from stonks_core.stores.lake.registry import PIPELINE_TABLES
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.vocabulary import SourceType

CYCLE_ASSETS = (
    *(f"raw_{t.value}" for t in SourceType if t is not SourceType.BROKER),
    "corporate_actions",
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


def _alone(*assets: str) -> dg.AssetSelection:
    """Assets with the check that their own body makes, without those that are bodies of their own."""
    own = [dg.AssetCheckKey(dg.AssetKey(name), SOURCES_UP) for name in assets if name.startswith("raw_")]
    return dg.AssetSelection.assets(*assets).without_checks() | dg.AssetSelection.checks(*own)


def _checks(tables: Iterable[LakeTable]) -> dg.AssetSelection:
    return dg.AssetSelection.checks(*check_keys(tables))


cycle_job = dg.define_asset_job(
    "cycle",
    selection=_alone(*CYCLE_ASSETS),
    partitions_def=daily,
    description="One cycle: from raw payloads to recommendations, in one run.",
    tags={"stonks/kind": "cycle"},
)
history_job = dg.define_asset_job(
    "market_history",
    selection=_alone("raw_market_api", "corporate_actions", "market_snapshots"),
    partitions_def=daily,
    description="Daily bars and corporate actions of past days, in one run over the range.",
    tags={"stonks/kind": "history"},
)
statements_job = dg.define_asset_job(
    "broker_statements",
    selection=_alone("raw_broker"),
    partitions_def=daily,
    description="The broker's statements, for the record.",
    tags={"stonks/kind": "statements"},
)
checks_job = dg.define_asset_job(
    "checks",
    selection=_checks(PIPELINE_TABLES)
    | dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("raw_filings_api"), LISTED_ACCEPTANCE)),
    description="Every table's checks over yesterday and today, apart from the cycle, which they would slow down.",
    tags={"stonks/kind": "checks"},
)
facts_job = dg.define_asset_job(
    "facts",
    selection=_alone(*(table.name for table in FACT_TABLES)) | _checks(FACT_TABLES),
    partitions_def=daily,
    description="The twelve facts of a day.",
    tags={"stonks/kind": "facts"},
)
outcomes_job = dg.define_asset_job(
    "nightly_outcomes",
    selection=_alone(*(table.name for table in OUTCOME_TABLES)) | _checks(OUTCOME_TABLES),
    partitions_def=daily,
    description="What came of the recommendations.",
    tags={"stonks/kind": "outcomes"},
)
JOBS = (cycle_job, history_job, statements_job, checks_job, facts_job, outcomes_job)


def cycle_config() -> dict[str, object]:
    """Run configuration of a cycle: only the sources that are due, and trends of the newest day only."""
    raws = {f"raw_{t.value}": {"config": {"due_only": True}} for t in SourceType if t is not SourceType.BROKER}
    gold = {
        name: {"config": {"newest_only": True}} for name in ("trend_windows", "trend_projections", "recommendations")
    }
    return {"ops": {**raws, **gold}}
