"""Recommendations: what to do about a company, how far it may go, and the sentences it rests on."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from stonks_api.context import Context, Ctx
from stonks_api.lake_query import LakeQuery, days_held
from stonks_api.routers.orders import ChainEvidence
from stonks_api.wire import Cursor, Limit, Page, Real, Shown, decode_place, page
from stonks_core.errors import NotFoundError
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS
from stonks_core.vocabulary import Action, Mode, Window
from stonks_core.why.evidence import evidence_of

router = APIRouter(prefix="/api/recommendations", tags=["recommendations"])


class Recommendation(Shown):
    """A recommendation with the sentence of its best evidence."""

    recommendation_id: str
    trend_id: str
    ticker: str
    window: str
    action: str
    mode: str
    risk_class: str
    score: Real
    strength: Real
    confidence: Real
    contradiction: Real
    suppression: str
    thesis: str
    thesis_author: str
    reference_price: Real
    as_of: datetime
    expires_at: datetime
    quote: str | None = None
    quote_document_id: str | None = None


class Outcome(Shown):
    """What the engine decided about a recommendation, and the order that came of it."""

    decision_id: str
    outcome: str
    reason: str
    sentence: str
    as_of: datetime
    order_id: str | None


class RecommendationDetail(Recommendation):
    """A recommendation with all its evidence, each quote checked against the text, and what came of it."""

    evidence: list[ChainEvidence]
    decisions: list[Outcome]


def newest_recommendations(
    ctx: Context,
    limit: int,
    cursor: str = "",
    ticker: str | None = None,
    action: Action | None = None,
    mode: Mode | None = None,
    window: Window | None = None,
) -> Page[Recommendation]:
    """Recommendations, newest first, each with its best sentence."""
    query = LakeQuery("*", RECOMMENDATIONS.name, [RECOMMENDATIONS.name])
    wanted = {"action": action, "mode": mode, "window": window}
    query.equal(ticker=ticker, **{name: value.value if value else None for name, value in wanted.items()})
    place = decode_place(cursor)
    query.before("as_of", "recommendation_id", place)
    through = place[0].astimezone(UTC).date() if place[0] else None
    days = days_held(ctx.lake, RECOMMENDATIONS)
    rows = query.newest(ctx.sql, days, "as_of DESC, recommendation_id DESC", limit + 1, through)
    return page(
        Recommendation, with_best_quotes(ctx, rows), limit, lambda row: (row["as_of"], row["recommendation_id"])
    )


def with_best_quotes(ctx: Context, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of recommendations, each with the sentence of its best evidence."""
    if not rows:
        return []
    columns = "recommendation_id, quote, document_id AS quote_document_id"
    query = LakeQuery(columns, RECOMMENDATION_EVIDENCE.name, [RECOMMENDATION_EVIDENCE.name]).equal(rank=1)
    query.among("day", {row["day"] for row in rows})
    query.among("recommendation_id", {row["recommendation_id"] for row in rows})
    best = {row["recommendation_id"]: row for row in query.rows(ctx.sql, "recommendation_id", len(rows))}
    return [{**row, **best.get(row["recommendation_id"], {})} for row in rows]


@router.get("")
def list_recommendations(
    ctx: Ctx,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    action: Action | None = None,
    mode: Mode | None = None,
    window: Window | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Recommendation]:
    """Recommendations, newest first, each with the sentence of its best evidence."""
    return newest_recommendations(ctx, limit, cursor, ticker.upper() if ticker else None, action, mode, window)


@router.get("/{recommendation_id}")
def get_recommendation(ctx: Ctx, recommendation_id: str) -> RecommendationDetail:
    """One recommendation: thesis, ranked evidence down to the sentence, decisions and orders."""
    query = LakeQuery("*", RECOMMENDATIONS.name, [RECOMMENDATIONS.name]).equal(recommendation_id=recommendation_id)
    rows = query.newest(ctx.sql, days_held(ctx.lake, RECOMMENDATIONS), "as_of", 1)
    if not rows:
        raise NotFoundError(f"there is no recommendation {recommendation_id!r}: GET /api/recommendations lists them")
    decisions = ctx.database.fetch(
        """
        SELECT d.decision_id, d.outcome, d.reason, d.sentence, d.as_of, o.order_id
        FROM trading_decisions d LEFT JOIN orders o USING (decision_id)
        WHERE d.recommendation_id = %s ORDER BY d.as_of DESC, d.decision_id LIMIT 200
        """,
        (recommendation_id,),
    )
    evidence = evidence_of(ctx.lake, rows[0])
    best = {"quote": evidence[0]["quote"], "quote_document_id": evidence[0]["document_id"]} if evidence else {}
    return RecommendationDetail.model_validate({**rows[0], **best, "evidence": evidence, "decisions": decisions})
