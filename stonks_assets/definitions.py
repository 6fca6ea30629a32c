"""The code location: everything Dagster is told, put together by one function, so that tests assemble their own."""

from collections.abc import Sequence

import dagster as dg

from stonks_assets.aggregation.assets import assets as aggregation_assets
from stonks_assets.automation.healing import HEALING_SENSORS
from stonks_assets.automation.health import HEALTH_SENSORS
from stonks_assets.automation.jobs import JOBS
from stonks_assets.automation.sensors import SCHEDULES, SENSORS
from stonks_assets.automation.upkeep import UPKEEP_JOBS, UPKEEP_SCHEDULES
from stonks_assets.checks import checks_of
from stonks_assets.extraction.assets import assets as extraction_assets
from stonks_assets.ingestion.assets import assets as ingestion_assets
from stonks_assets.ingestion.filing_checks import listed_acceptance_check
from stonks_assets.lake.assets import assets as fact_assets
from stonks_assets.outcomes.assets import assets as outcome_assets
from stonks_assets.parsing.assets import assets as parsing_assets
from stonks_assets.recommendation.assets import assets as recommendation_assets
from stonks_assets.resources import PipelineResource
from stonks_core.stores.lake.fact_tables import FACT_TABLES
from stonks_core.stores.lake.outcome_tables import OUTCOME_TABLES
from stonks_core.stores.lake.registry import PIPELINE_TABLES

CHECKED = {"pipeline_checks": PIPELINE_TABLES, "fact_checks": FACT_TABLES, "outcome_checks": OUTCOME_TABLES}
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
        asset_checks=[*(checks_of(name, tables) for name, tables in CHECKED.items()), listed_acceptance_check()],
        jobs=[*JOBS, *UPKEEP_JOBS],
        sensors=[*SENSORS, *HEALING_SENSORS, *HEALTH_SENSORS],
        schedules=[*SCHEDULES, *UPKEEP_SCHEDULES],
        resources={"pipeline": pipeline},
        executor=dg.in_process_executor,
    )


defs = build_definitions(PipelineResource())
