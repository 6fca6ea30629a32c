"""Step: the newest trends of a day get their projections, from the scores that history holds."""

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow.dataset as ds

from stonks_assets.aggregation.projections import POINTS, project
from stonks_assets.aggregation.windows import SHAPES
from stonks_assets.pipeline import STORE_FAILURES, Pipeline, StepReport
from stonks_core.identifiers import digest
from stonks_core.stores.lake.gold_tables import TREND_HISTORY, TREND_PROJECTIONS
from stonks_core.vocabulary import Window

STAGE = "trend_projections"
_REACHES = (timedelta(days=1), timedelta(days=7), timedelta(days=60))
"""How far back scores are looked for, in turn, until every trend has its twenty."""
_COLUMNS = ("ticker", "window", "score", "as_of")
Key = tuple[str, str]


def materialise_projections(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Project every trend whose newest score is of the UTC date of `as_of` and was not projected yet.

    A projection carries the instant of the score it starts from. Those below the confidence threshold are not kept.
    A failure is noted, never raised: recommendations go on without projections.
    """
    try:
        report = _project(pipeline, day, as_of)
    except STORE_FAILURES as error:
        message = (
            f"trends of {as_of.isoformat()} have no projections: {error}; they are tried again with the next cycle"
        )
        pipeline.failures.record(STAGE, "projections", message, pipeline.clock.now(), day=day)
        return StepReport(written={TREND_PROJECTIONS.name: 0}, failed=1)
    pipeline.failures.resolve(STAGE, ["projections"], pipeline.clock.now())
    return report


def _project(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    today = as_of.date()
    history = _history(pipeline, today, as_of)
    done = {
        (row["ticker"], row["window"]): row["as_of"]
        for row in pipeline.lake.read(TREND_PROJECTIONS, days=(today, today), as_of=as_of).to_pylist()
    }
    rows = []
    for key, points in history.items():
        last = max(points)[0]
        if last.date() == today and done.get(key) != last:
            rows += _row(pipeline, key, points, last)
    written = pipeline.lake.merge(TREND_PROJECTIONS, rows, update=True)
    figures: dict[str, float | int | str] = {"partition": day.isoformat(), "trends": len(history), "kept": len(rows)}
    return StepReport(written={TREND_PROJECTIONS.name: written.changed}, figures=figures)


def _history(pipeline: Pipeline, today: date, as_of: datetime) -> dict[Key, list[tuple[datetime, float]]]:
    """The scores of every ticker and window that has one today; more than twenty where they lie densely."""
    wanted: set[Key] = set()
    scores: dict[Key, list[tuple[datetime, float]]] = {}
    for reach in _REACHES:
        found = pipeline.lake.read(
            TREND_HISTORY,
            days=(today - reach, today),
            as_of=as_of,
            columns=_COLUMNS,
            where=ds.field("ticker").isin(sorted({ticker for ticker, _ in wanted})) if wanted else None,
        )
        scores = {}
        for row in found.to_pylist():
            scores.setdefault((row["ticker"], row["window"]), []).append((row["as_of"], row["score"]))
        if not wanted:
            wanted = {key for key, points in scores.items() if max(points)[0].date() == today}
        if all(len(scores[key]) >= POINTS for key in wanted):
            break
    return {key: scores[key] for key in sorted(wanted)}


def _row(pipeline: Pipeline, key: Key, points: list[tuple[datetime, float]], last: datetime) -> list[dict[str, Any]]:
    ticker, window = key
    shape = SHAPES[Window(window)]
    found = project(points, shape.half_life, shape.length(last, pipeline.calendar.previous_close(last)))
    if found is None or found.confidence < pipeline.settings.signals.projection_confidence_threshold:
        return []
    return [
        {
            "day": last.date().isoformat(),
            "projection_id": digest("projection", ticker, window, last.isoformat()),
            "ticker": ticker,
            "window": window,
            "slope": found.slope,
            "projected_score": found.projected_score,
            "r_squared": found.r_squared,
            "confidence": found.confidence,
            "points": found.points,
            "as_of": last,
        }
    ]
