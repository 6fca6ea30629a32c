"""The scores that a projection rests on, read from the lake's history, and the projection as a row of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow.dataset as ds

from stonks_assets.aggregation.projections import POINTS, project
from stonks_assets.aggregation.windows import SHAPES
from stonks_core.calendar import MarketCalendar
from stonks_core.identifiers import digest
from stonks_core.prices.reading import LakeReader
from stonks_core.stores.lake.gold_tables import TREND_HISTORY
from stonks_core.vocabulary import Window

_REACHES = (timedelta(days=1), timedelta(days=7), timedelta(days=60))
"""How far back scores are looked for, in turn, until every trend has its twenty."""
_COLUMNS = ("ticker", "window", "score", "as_of")
Key = tuple[str, str]
Points = Sequence[tuple[datetime, float]]


def score_history(lake: LakeReader, as_of: datetime, only: Key | None = None) -> Mapping[Key, Points]:
    """The scores of every ticker and window (or of one) that has one on the UTC date of `as_of`, by instant.

    More than twenty where they lie densely.
    """
    today = as_of.date()
    wanted: set[Key] = set()
    scores: dict[Key, list[tuple[datetime, float]]] = {}
    named = None if only is None else (ds.field("ticker") == only[0]) & (ds.field("window") == only[1])
    for reach in _REACHES:
        among = ds.field("ticker").isin(sorted({ticker for ticker, _ in wanted})) if wanted else None
        found = lake.read(
            TREND_HISTORY,
            days=(today - reach, today),
            as_of=as_of,
            columns=_COLUMNS,
            where=among if named is None else named,
        )
        scores = {}
        for row in found.to_pylist():
            scores.setdefault((row["ticker"], row["window"]), []).append((row["as_of"], row["score"]))
        if not wanted:
            wanted = {key for key, points in scores.items() if max(points)[0].date() == today}
        if all(len(scores[key]) >= POINTS for key in wanted):
            break
    return {key: scores[key] for key in sorted(wanted)}


def projection_row(key: Key, points: Points, calendar: MarketCalendar, threshold: float) -> dict[str, Any] | None:
    """The row of `trend_projections` from a trend's scores; None where its confidence is below the threshold."""
    ticker, window = key
    last = max(points)[0]
    shape = SHAPES[Window(window)]
    found = project(points, shape.half_life, shape.length(last, calendar.previous_close(last)))
    if found is None or found.confidence < threshold:
        return None
    return {
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
