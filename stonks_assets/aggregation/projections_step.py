"""Step: the newest trends of a day get their projections, from the scores that history holds."""

from datetime import date, datetime

from stonks_assets.aggregation.projection_rows import projection_row, score_history
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.stores.lake.gold_tables import TREND_PROJECTIONS


def materialise_projections(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Project every trend whose newest score is of the UTC date of `as_of` and was not projected yet.

    A projection carries the instant of the score it starts from. Those below the confidence threshold are not kept.
    """
    today = as_of.date()
    history = score_history(pipeline.lake, as_of)
    done = {
        (row["ticker"], row["window"]): row["as_of"]
        for row in pipeline.lake.read(TREND_PROJECTIONS, days=(today, today), as_of=as_of).to_pylist()
    }
    threshold = pipeline.settings.signals.projection_confidence_threshold
    fresh = {key: points for key, points in history.items() if done.get(key) != max(points)[0]}
    found = (projection_row(key, points, pipeline.calendar, threshold) for key, points in fresh.items())
    rows = [row for row in found if row is not None]
    written = pipeline.lake.merge(TREND_PROJECTIONS, rows, update=True)
    figures: dict[str, float | int | str] = {"partition": day.isoformat(), "trends": len(history), "kept": len(rows)}
    return StepReport(written={TREND_PROJECTIONS.name: written.changed}, figures=figures)
