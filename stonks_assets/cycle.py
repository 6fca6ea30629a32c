"""The chain from raw to recommendations, in order: what one cycle is, for Dagster's job and for a replay alike."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.extraction.macro_step import materialise_global_events, materialise_macro_impacts
from stonks_assets.extraction.step import materialise_intelligence
from stonks_assets.ingestion.actions import materialise_corporate_actions
from stonks_assets.ingestion.bars import materialise_market_snapshots
from stonks_assets.ingestion.step import ingest
from stonks_assets.parsing.step import materialise_documents
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_assets.recommendation.assets import recommend_and_wake
from stonks_core.vocabulary import SourceType

Stage = Callable[[Pipeline, date, datetime], StepReport]


def _asking(source_type: SourceType) -> Stage:
    return lambda pipeline, day, as_of: ingest(pipeline, source_type, day, as_of)


INGESTION: Mapping[str, Stage] = {f"raw_{t.value}": _asking(t) for t in SourceType if t is not SourceType.BROKER}
BARS: Mapping[str, Stage] = {
    "raw_market_api": _asking(SourceType.MARKET_API),
    "corporate_actions": materialise_corporate_actions,
    "market_snapshots": materialise_market_snapshots,
}
SILVER: Mapping[str, Stage] = {
    "corporate_actions": materialise_corporate_actions,
    "market_snapshots": materialise_market_snapshots,
    "documents": materialise_documents,
    "document_intelligence": materialise_intelligence,
    "global_events": materialise_global_events,
    "macro_impacts": materialise_macro_impacts,
    "competitive_signals": materialise_competitive_signals,
    "signals": materialise_signals,
}
GOLD: Mapping[str, Stage] = {
    "trend_windows": materialise_trends,
    "trend_projections": materialise_projections,
    "recommendations": recommend_and_wake,
}
STAGES: Mapping[str, Stage] = {**INGESTION, **SILVER, **GOLD}


def run_stages(stages: Mapping[str, Stage], pipeline: Pipeline, day: date, as_of: datetime) -> Mapping[str, StepReport]:
    """Run stages in their order for a day, as of an instant; their reports by name."""
    return {name: stage(pipeline, day, as_of) for name, stage in stages.items()}
