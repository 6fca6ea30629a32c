"""Step: recommendations whose sessions are over get their outcomes."""

from datetime import date, datetime, timedelta

from stonks_assets.outcomes.forward import HORIZONS, measure
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.prices.reading import read_bars
from stonks_core.prices.sessions import sessions
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.outcome_tables import OUTCOMES

REACH = timedelta(days=45)
"""Calendar days that 20 sessions never exceed, with the longest run of holidays."""
_BASE_REACH = timedelta(days=10)
_COLUMNS = ("day", "recommendation_id", "ticker", "window", "action", "mode", "score", "confidence", "as_of")


def materialise_outcomes(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Measure what `as_of` allows of the recommendations of `day` and the 45 days before; a measured one stays.

    Outcomes stand under their recommendation's day.
    """
    lake, days = pipeline.lake, (day - REACH, day)
    issued = lake.read(RECOMMENDATIONS, days=days, as_of=as_of, columns=_COLUMNS).to_pylist()
    known = lake.read(OUTCOMES, days=days, columns=("recommendation_id", "horizon")).to_pylist()
    done = frozenset((row["recommendation_id"], row["horizon"]) for row in known)
    waiting = [row for row in issued if any((row["recommendation_id"], horizon) not in done for horizon in HORIZONS)]
    if not waiting:
        return StepReport(written={OUTCOMES.name: 0}, figures={"waiting": 0})
    first = min(row["as_of"] for row in waiting).date()
    tickers = list(pipeline.universe(as_of).companies)
    market = sessions(read_bars(lake, (first - _BASE_REACH, as_of.date()), as_of, tickers=tickers), as_of, tickers)
    written = lake.merge(OUTCOMES, measure(waiting, market, done))
    return StepReport(written={OUTCOMES.name: written.inserted}, figures={"waiting": len(waiting)})
