"""The table of outcomes: what became of each recommendation. Facts that the stores publish live elsewhere."""

from stonks_core.stores.lake.tables import SIGNED, UNIT, Grade, Interval, LakeTable, instant, real, text, whole
from stonks_core.vocabulary import Action, Mode, Window

OUTCOMES = LakeTable(
    name="outcomes",
    grade=Grade.GOLD,
    owner="outcomes",
    doc="What the price did after a recommendation, 1, 5 and 20 sessions later; under the recommendation's day.",
    key=("recommendation_id", "horizon"),
    columns=(
        text("recommendation_id", "the recommendation", "recommendations.recommendation_id"),
        whole("horizon", "sessions after the last close before it: 1, 5 or 20", within=Interval(1, 20)),
        text("ticker", "the company", "recommendations.ticker"),
        text("window", "the window", "recommendations.window", among=Window),
        text("action", "buy, sell, hold or watch", "recommendations.action", among=Action),
        text("mode", "informational, paper_eligible or live_eligible", "recommendations.mode", among=Mode),
        real("score", "the recommendation's score", "recommendations.score", within=SIGNED),
        real("confidence", "its stated confidence", "recommendations.confidence", within=UNIT),
        text("base_day", "date of the session whose close it is measured from", "market_snapshots.day"),
        text("end_day", "date of the session whose close it is measured to", "market_snapshots.day"),
        real(
            "forward_return",
            "close to close return in that time, dividends put back",
            "market_snapshots.close",
            within=Interval(-1),
        ),
        real("abnormal_return", "that less the equal-weight return of the tracked universe", "market_snapshots.close"),
        whole(
            "hit", "1 where the abnormal return has the call's sign, 0 where not; null for hold", null=True, within=UNIT
        ),
        instant("as_of", "the instant of the recommendation", "recommendations.as_of"),
        instant("available_at", "when the last of the closes it rests on was known", "market_snapshots.available_at"),
    ),
)

OUTCOME_TABLES = (OUTCOMES,)
