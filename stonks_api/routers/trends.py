"""Trends: where each company's news points over each window, the evidence, the history and the projection."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from stonks_api.context import Context, Ctx
from stonks_api.lake_query import LakeQuery, days_held
from stonks_api.wire import Cursor, Limit, Page, Real, Shown, decode_cursor, decode_place, page
from stonks_core.errors import NotFoundError
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE, TREND_HISTORY, TREND_PROJECTIONS, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.vocabulary import Direction, Window
from stonks_core.why.lookup import document_day, rows_by

router = APIRouter(prefix="/api/trends", tags=["trends"])
REACH = timedelta(days=90)  # the longest window: what is older points nowhere any more
MOST_EVIDENCE = 10
ORDER = {window.value: number for number, window in enumerate(Window)}


class Trend(Shown):
    """A trend of one company and window."""

    trend_id: str
    ticker: str
    window: str
    direction: str
    score: Real
    strength: Real
    confidence: Real
    contradiction: Real
    positive: Real
    negative: Real
    total_weight: Real
    n_effective: Real
    signals_counted: int
    company_share: Real
    macro_share: Real
    competitive_share: Real
    window_return: Real
    volume_ratio: Real
    volatility: Real
    reference_price: Real
    degraded: str
    as_of: datetime


class TrendEvidence(Shown):
    """A signal that a trend rests on."""

    rank: int
    signal_id: str
    document_id: str
    title: str | None
    publisher: str | None
    layer: str
    stance: str
    weight: Real
    recency: Real
    evidence_score: Real


class Projection(Shown):
    """Where a trend's score goes if it goes on as it did."""

    slope: Real
    projected_score: Real
    r_squared: Real
    confidence: Real
    points: int
    as_of: datetime


class TrendDetail(Trend):
    """A trend with its evidence and its projection."""

    evidence: list[TrendEvidence]
    projection: Projection | None


class CompanyTrends(Shown):
    """A company's newest trend of every window, shortest first."""

    ticker: str
    windows: list[TrendDetail]


def _newest(ctx: Context, table: LakeTable) -> LakeQuery:
    """The newest row of each company and window among the last ninety days that the table has."""
    days = days_held(ctx.lake, table)
    since = (days[0] - REACH if days else date.min).isoformat()
    ranked = 'row_number() OVER (PARTITION BY ticker, "window" ORDER BY as_of DESC)'
    source = f"(SELECT * FROM {table.name} WHERE day >= '{since}' QUALIFY {ranked} = 1)"
    return LakeQuery("*", source, [table.name])


def current_trends(
    ctx: Context,
    limit: int,
    cursor: str = "",
    ticker: str | None = None,
    window: Window | None = None,
    direction: Direction | None = None,
) -> Page[Trend]:
    """The newest trends, by company and window."""
    query = _newest(ctx, TREND_WINDOWS)
    query.equal(
        ticker=ticker, window=window.value if window else None, direction=direction.value if direction else None
    )
    place = decode_cursor(cursor, 2)
    if place:
        query.where('(ticker > ? OR (ticker = ? AND "window" > ?))', place[0], *place)
    rows = query.rows(ctx.sql, 'ticker, "window"', limit + 1)
    return page(Trend, rows, limit, lambda row: (row["ticker"], row["window"]))


@router.get("")
def list_trends(
    ctx: Ctx,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    window: Window | None = None,
    direction: Direction | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Trend]:
    """The newest trend of each company and window."""
    return current_trends(ctx, limit, cursor, ticker.upper() if ticker else None, window, direction)


@router.get("/{ticker}")
def get_trends(ctx: Ctx, ticker: str) -> CompanyTrends:
    """A company's newest trend of every window, each with its ranked evidence and its projection."""
    name = ticker.upper()
    trends = _newest(ctx, TREND_WINDOWS).equal(ticker=name)
    rows = trends.rows(ctx.sql, "as_of", len(Window))
    if not rows:
        raise NotFoundError(f"{name[:20]!r} has no trend: GET /api/trends lists the companies that have one")
    projections = _newest(ctx, TREND_PROJECTIONS).equal(ticker=name)
    projected = {row["window"]: row for row in projections.rows(ctx.sql, "as_of", len(Window))}
    detailed = [
        TrendDetail.model_validate({**row, "evidence": _evidence(ctx, row), "projection": projected.get(row["window"])})
        for row in sorted(rows, key=lambda row: ORDER[row["window"]])
    ]
    return CompanyTrends(ticker=name, windows=detailed)


@router.get("/{ticker}/history")
def get_history(ctx: Ctx, ticker: str, window: Window, limit: Limit = 100, cursor: Cursor = "") -> Page[Trend]:
    """Every trend that was computed for a company and window, newest first."""
    place = decode_place(cursor)
    query = LakeQuery("*", TREND_HISTORY.name, [TREND_HISTORY.name]).equal(ticker=ticker.upper(), window=window.value)
    query.before("as_of", "trend_id", place)
    through = place[0].astimezone(UTC).date() if place[0] else None
    rows = query.newest(ctx.sql, days_held(ctx.lake, TREND_HISTORY), "as_of DESC, trend_id DESC", limit + 1, through)
    return page(Trend, rows, limit, lambda row: (row["as_of"], row["trend_id"]))


def _evidence(ctx: Context, trend: dict[str, Any]) -> list[dict[str, Any]]:
    day = trend["as_of"].date().isoformat()
    query = LakeQuery("*", TREND_EVIDENCE.name, [TREND_EVIDENCE.name]).equal(day=day, trend_id=trend["trend_id"])
    ranked = query.rows(ctx.sql, "rank", MOST_EVIDENCE)
    named = {row["document_id"] for row in ranked}
    documents = rows_by(ctx.lake, DOCUMENTS, "document_id", named, map(document_day, named), ("title", "publisher"))
    unknown = {"title": None, "publisher": None}
    return [{**unknown, **documents.get(row["document_id"], {}), **row} for row in ranked]
