"""The six raw assets, and the corporate actions and market snapshots read out of one of them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from stonks_assets.checks import SOURCES_UP
from stonks_assets.ingestion.actions import materialise_corporate_actions
from stonks_assets.ingestion.bars import materialise_market_snapshots
from stonks_assets.ingestion.step import SourcesDownError, ingest_days
from stonks_assets.partitions import daily, days_of
from stonks_assets.pipeline import StepReport
from stonks_assets.resources import PipelineResource
from stonks_assets.shell import SKEW, breaches, figures, metadata_of, table_asset
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.vocabulary import SourceType


class IngestConfig(dg.Config):
    """What a run may say to a raw asset."""

    due_only: bool = False
    """Ask only the sources whose polling interval has passed, as the cycle does; otherwise all of them."""


def _raw_asset(source_type: SourceType) -> dg.AssetsDefinition:
    table = raw_table(source_type)

    @dg.asset(
        name=table.name,
        description=table.doc,
        group_name=table.owner,
        kinds={"python", "deltalake"},
        metadata=metadata_of(table),
        tags={"grade": table.grade.value},
        partitions_def=daily,
        pool=f"lake_{table.name}",
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[
            dg.AssetCheckSpec(SOURCES_UP, asset=table.name, description="every source that was asked answered")
        ],
    )
    def raw(
        context: dg.AssetExecutionContext, config: IngestConfig, pipeline: PipelineResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        report, down = StepReport(), list[str]()
        with pipeline.open() as opened:
            started, before = opened.clock.now() - SKEW, opened.lake.version(table)
            try:
                report = ingest_days(
                    opened, source_type, days_of(context), opened.clock.now(), due_only=config.due_only
                )
                down = list(report.down)
            except SourcesDownError as error:
                if not config.due_only:
                    raise dg.Failure(str(error)) from error
                down = [str(error)]  # in a cycle the other sources' chain goes on; this asset's check fails
            version = opened.lake.version(table)
            broken = breaches(opened, table, started) if version != before else ""
        check = dg.AssetCheckResult(
            check_name=SOURCES_UP, passed=not down, description="; ".join(down) or "all answered"
        )
        yield dg.MaterializeResult(metadata=figures(table, [report], version, broken), check_results=[check])

    return raw


def assets() -> Iterator[dg.AssetsDefinition]:
    """The raw assets, then what explains the bars, then the bars."""
    for source_type in SourceType:
        yield _raw_asset(source_type)
    yield table_asset((CORPORATE_ACTIONS,), materialise_corporate_actions, reads=("raw_market_api",))
    yield table_asset((MARKET_SNAPSHOTS,), materialise_market_snapshots, reads=("raw_market_api",))
