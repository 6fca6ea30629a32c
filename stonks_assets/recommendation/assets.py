"""Recommendations with their evidence; new ones wake the trading daemon."""

from collections.abc import Iterator
from datetime import date, datetime

import dagster as dg

from stonks_assets.pipeline import Pipeline, StepReport
from stonks_assets.recommendation.step import materialise_recommendations
from stonks_assets.shell import table_asset
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS

CHANNEL = "stonks_recommendations"


def recommend_and_wake(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """The stage, then a NOTIFY where it wrote something; polling finds what a lost wake-up would miss."""
    report = materialise_recommendations(pipeline, day, as_of)
    if report.written.get(RECOMMENDATIONS.name):
        pipeline.database.notify(CHANNEL, day.isoformat())
    return report


def assets() -> Iterator[dg.AssetsDefinition]:
    """One stage, two tables."""
    yield table_asset(
        (RECOMMENDATIONS, RECOMMENDATION_EVIDENCE),
        recommend_and_wake,
        reads=("trend_windows", "trend_evidence", "trend_projections", "impact_records", "global_events", "documents"),
        gold=True,
        judges=True,
    )
