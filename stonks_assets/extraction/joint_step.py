"""Documents and macro reports read in one call, so that they share the model fairly, and shadows in what time is left."""

from datetime import date, datetime

from stonks_assets.extraction.lines import Connect, serve
from stonks_assets.extraction.macro_step import ReportLine
from stonks_assets.extraction.shadow_step import SHADOWS
from stonks_assets.extraction.step import DocumentLine
from stonks_assets.pipeline import Pipeline, StepReport


def materialise_extraction(
    pipeline: Pipeline,
    day: date,
    as_of: datetime,
    *,
    budget: float | None = None,
    connect: Connect | None = None,
) -> StepReport:
    """Read a day's documents and classify its macro reports, those that were not yet, within `budget` seconds.

    Of each four that are begun one is a macro report while both wait; a line that is empty leaves its time to the other.
    The rest is as `materialise_intelligence` and `materialise_global_events` say.
    """
    return serve(
        pipeline,
        day,
        as_of,
        documents=DocumentLine,
        reports=ReportLine,
        shadows=SHADOWS,
        budget=budget,
        connect=connect,
    )
