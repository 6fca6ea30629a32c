"""How sensors and schedules ask: the toggle first, then a run over a day or a stretch of days."""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg

from stonks_assets.automation.control import pipeline_enabled
from stonks_assets.pipeline import Pipeline

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
Asked = Iterator[dg.RunRequest | dg.SkipReason]


def switched_off(pipeline: Pipeline) -> dg.SkipReason | None:
    """Why nothing is asked for while a person has switched the pipeline off; None while it is on."""
    return None if pipeline_enabled(pipeline.database) else dg.SkipReason("the pipeline is switched off")


def over(first: date, last: date) -> tuple[str | None, Mapping[str, str]]:
    """Partition key and tags of a run over a day, or over all days from the first to the last."""
    if first == last:
        return first.isoformat(), {}
    return None, {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
