"""The check that EDGAR's listed acceptance times are right or New York's clock: anything else means that EDGAR changed."""

from datetime import datetime

import dagster as dg
import orjson
import pyarrow.dataset as ds

from stonks_assets.checks import days_of_run
from stonks_assets.health.tables import Days
from stonks_assets.ingestion.edgar import accepted_at
from stonks_assets.ingestion.edgar_listing import OFFSETS
from stonks_assets.resources import PipelineResource
from stonks_core.errors import PermanentError
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.lake import Lake
from stonks_core.vocabulary import SourceType

LISTED_ACCEPTANCE = "listed_acceptance"
_TABLE = raw_table(SourceType.FILINGS_API)


def listed_acceptance_check() -> dg.AssetChecksDefinition:
    """The check of the raw filings."""

    @dg.asset_check(
        asset=_TABLE.name,
        name=LISTED_ACCEPTANCE,
        description="a filing's listed acceptance time is its header's, or behind it by 4 or 5 hours",
    )
    def check(context: dg.AssetCheckExecutionContext, pipeline: PipelineResource) -> dg.AssetCheckResult:
        with pipeline.open() as opened:
            days = days_of_run(context.run.tags, opened.clock.now().date())
            problem = strange_acceptances(opened.lake, days)
        return dg.AssetCheckResult(passed=not problem, description=problem or "holds")

    return check


def strange_acceptances(lake: Lake, days: Days) -> str:
    """What is wrong with the listed acceptance times of some days as a sentence, empty where nothing is."""
    rows = lake.read(
        _TABLE, days=days, columns=["item_id", "detail", "payload"], where=ds.field("kind") == "filing"
    ).to_pylist()
    strange = [row["item_id"] for row in rows if not _explained(row["detail"], row["payload"])]
    if not strange:
        return ""
    return (
        f"{len(strange)} of {len(rows)} filings from {days[0]} to {days[1]} are listed neither at their header's "
        f"acceptance time nor 4 or 5 hours before it, such as {strange[0]}"
    )


def _explained(detail: str, header: bytes) -> bool:
    try:
        listed = datetime.fromisoformat(orjson.loads(detail)["listed_acceptance"])
        return accepted_at(header, "the header") - listed in OFFSETS
    except (PermanentError, ValueError, KeyError, TypeError):
        return False
