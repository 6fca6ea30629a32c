"""Step: the newest trends of a day get their projections, from the scores that history holds."""

from datetime import date, datetime

from stonks_assets.aggregation.projection_rows import projection_row, score_history
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.gold_tables import TREND_PROJECTIONS

STAGE, ITEM = "trend_projections", "projections"


def materialise_projections(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Project every trend whose newest score is of the UTC date of `as_of` and was not projected yet.

    A projection carries the instant of the score it starts from. Those below the confidence threshold are not kept.
    A failure is noted, never raised: recommendations go on without projections.
    """
    try:
        report = _project(pipeline, day, as_of)
    except STORE_FAILURES as error:
        message = f"trends of {as_of.isoformat()} have no projections: {in_words(error)}; they are tried again with the next cycle"
        pipeline.failures.record(STAGE, ITEM, message, pipeline.clock.now(), day=day)
        return StepReport(written={TREND_PROJECTIONS.name: 0}, failed=1)
    pipeline.failures.resolve(STAGE, [ITEM], pipeline.clock.now())
    return report


def _project(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
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
