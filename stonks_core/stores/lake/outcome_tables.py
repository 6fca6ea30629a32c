"""The table of outcomes: what became of each recommendation. Facts that the stores publish live elsewhere."""

from stonks_core.stores.lake.tables import Grade, LakeTable, instant, real, text, whole

OUTCOMES = LakeTable(
    name="outcomes",
    grade=Grade.GOLD,
    owner="outcomes",
    doc="What the price did after a recommendation, 1, 5 and 20 sessions later; under the recommendation's day.",
    key=("recommendation_id", "horizon"),
    columns=(
        text("recommendation_id", "the recommendation", "recommendations.recommendation_id"),
        whole("horizon", "sessions after the last close before it: 1, 5 or 20"),
        text("ticker", "the company", "recommendations.ticker"),
        text("window", "the window", "recommendations.window"),
        text("action", "buy, sell, hold or watch", "recommendations.action"),
        text("mode", "informational, paper_eligible or live_eligible", "recommendations.mode"),
        real("score", "the recommendation's score", "recommendations.score"),
        real("confidence", "its stated confidence", "recommendations.confidence"),
        text("base_day", "date of the session whose close it is measured from", "market_snapshots.day"),
        text("end_day", "date of the session whose close it is measured to", "market_snapshots.day"),
        real("forward_return", "close to close return in that time, dividends put back", "market_snapshots.close"),
        real("abnormal_return", "that less the equal-weight return of the tracked universe", "market_snapshots.close"),
        whole("hit", "1 where the abnormal return has the call's sign, 0 where not; null for hold", null=True),
        instant("as_of", "the instant of the recommendation", "recommendations.as_of"),
        instant("available_at", "when the last of the closes it rests on was known", "market_snapshots.available_at"),
    ),
)

OUTCOME_TABLES = (OUTCOMES,)
