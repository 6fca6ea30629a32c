"""The code location: everything Dagster is told, put together by one function, so that tests assemble their own."""

from collections.abc import Sequence

import dagster as dg

from stonks_assets.aggregation.assets import assets as aggregation_assets
from stonks_assets.automation.healing import HEALING_SENSORS
from stonks_assets.automation.jobs import JOBS
from stonks_assets.automation.sensors import SCHEDULES, SENSORS
from stonks_assets.automation.upkeep import UPKEEP_JOBS, UPKEEP_SCHEDULES
from stonks_assets.checks import checks_of
from stonks_assets.extraction.assets import assets as extraction_assets
from stonks_assets.ingestion.assets import assets as ingestion_assets
from stonks_assets.lake.assets import assets as fact_assets
from stonks_assets.outcomes.assets import assets as outcome_assets
from stonks_assets.parsing.assets import assets as parsing_assets
from stonks_assets.recommendation.assets import assets as recommendation_assets
from stonks_assets.resources import PipelineResource
from stonks_core.stores.lake.registry import TABLES

SECTIONS = (
    ingestion_assets,
    parsing_assets,
    extraction_assets,
    aggregation_assets,
    recommendation_assets,
    fact_assets,
    outcome_assets,
)


def build_definitions(pipeline: PipelineResource) -> dg.Definitions:
    """The whole graph over one pipeline resource; runs stay in their process."""
    assets: Sequence[dg.AssetsDefinition] = [asset for section in SECTIONS for asset in section()]
    return dg.Definitions(
        assets=assets,
        asset_checks=[check for table in TABLES for check in checks_of(table)],
        jobs=[*JOBS, *UPKEEP_JOBS],
        sensors=[*SENSORS, *HEALING_SENSORS],
        schedules=[*SCHEDULES, *UPKEEP_SCHEDULES],
        resources={"pipeline": pipeline},
        executor=dg.in_process_executor,
    )


defs = build_definitions(PipelineResource())
