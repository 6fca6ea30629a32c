"""Documents: what came in, what was read in each, and which orders it moved."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from stonks_api.context import Context, Ctx
from stonks_api.lake_query import LakeQuery, days_held
from stonks_api.wire import Cursor, Limit, Page, Real, Shown, decode_place, page
from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.stores.lake.silver_tables import (
    DOCUMENT_COMPANY_MENTIONS,
    DOCUMENT_INTELLIGENCE,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
)
from stonks_core.why import orders_of_document
from stonks_core.why.lookup import document_day

router = APIRouter(prefix="/api/documents", tags=["documents"])
COLUMNS = (
    "document_id, document_type, source_type, source_name, ticker, title, publisher, author, canonical_url AS url, language, "
    "characters, quality_score, confidence, status, cluster_id, sha256, published_at, available_at"
)
MOST_RECORDS = 500


class Document(Shown):
    """A document without its text."""

    document_id: str
    document_type: str
    source_type: str
    source_name: str
    ticker: str | None
    title: str
    publisher: str
    author: str
    url: str
    language: str
    characters: int
    quality_score: Real
    confidence: str
    status: str
    cluster_id: str
    sha256: str
    published_at: datetime
    available_at: datetime


class Mention(Shown):
    """Where the text names a company."""

    ticker: str
    surface: str
    kind: str
    start: int
    end: int


class Intelligence(Shown):
    """What the extractor read in a document, and how its answer fared."""

    status: str
    summary: str
    sentiment: Real
    catalyst: str
    confidence: Real
    impacts_kept: int
    hallucinated_ticker: int
    unsupported_quote: int
    invalid_record: int
    agent: str
    variant: str
    model: str
    model_digest: str
    extracted_at: datetime


class Impact(Shown):
    """What a document means for one company, and the sentence that says so."""

    impact_id: str
    ticker: str
    sentiment: Real
    impact: Real
    catalyst: str
    horizon: str
    confidence: Real
    quote: str
    quote_start: int
    quote_end: int
    document_sha256: str


class Event(Shown):
    """The macro event that a document tells of."""

    event_id: str
    type: str
    summary: str
    severity: str
    direction: Real
    duration: str
    confidence: Real
    quote: str
    quote_start: int
    quote_end: int


class MacroImpact(Shown):
    """What the event means for one company."""

    macro_impact_id: str
    ticker: str
    exposure: Real
    impact: Real
    sentiment: Real
    confidence: Real


class DocumentDetail(Document):
    """A document with its text and everything that was read in it."""

    text: str
    mentions: list[Mention]
    intelligence: Intelligence | None
    impacts: list[Impact]
    event: Event | None
    macro_impacts: list[MacroImpact]


class MovedOrder(Shown):
    """An order whose recommendation quotes the document."""

    order_id: str
    broker_order_id: str | None
    decision_id: str
    recommendation_id: str
    ticker: str
    side: str
    purpose: str
    state: str
    notional: Real
    quantity: Real
    filled_quantity: Real
    filled_average_price: Real
    intended_at: datetime
    sentence: str
    rank: int
    stance: str
    layer: str
    weight: Real
    quote: str
    start: int
    end: int


class MovedOrders(Shown):
    """The orders that a document moved, newest first."""

    items: list[MovedOrder]


def newest_documents(
    ctx: Context,
    limit: int,
    cursor: str = "",
    ticker: str | None = None,
    day: date | None = None,
    kind: str | None = None,
) -> Page[Document]:
    """Documents by feed day and publication, newest first; of one company those from its sources and those that mention it."""
    query = LakeQuery(COLUMNS, DOCUMENTS.name, [DOCUMENTS.name]).where("{days}")
    query.equal(document_type=kind)
    at, after = decode_place(cursor)
    through = None
    if at is not None and after is not None:
        through = _day_in(after)
        later = "(day < ? OR published_at < ? OR (published_at = ? AND document_id < ?))"  # no day is after `through`
        query.where(later, through.isoformat(), at, at, after)
    if ticker:
        mentioned = f"SELECT document_id FROM {DOCUMENT_COMPANY_MENTIONS.name} WHERE ticker = ? AND {{days}}"
        query.tables = [*query.tables, DOCUMENT_COMPANY_MENTIONS.name]
        query.where(f"(ticker = ? OR document_id IN ({mentioned}))", ticker, ticker)
    days = [one for one in days_held(ctx.lake, DOCUMENTS) if day is None or one == day]
    rows = query.newest(ctx.sql, days, "day DESC, published_at DESC, document_id DESC", limit + 1, through)
    return page(Document, rows, limit, lambda row: (row["published_at"], row["document_id"]))


def _day_in(cursor_id: str) -> date:
    try:
        return document_day(cursor_id)
    except NotFoundError as error:
        raise BadInputError("the cursor is none of this list: pass `next_cursor` as it was given") from error


@router.get("")
def list_documents(
    ctx: Ctx,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    day: Annotated[date | None, Query(description="feed day, UTC")] = None,
    document_type: Annotated[str | None, Query(max_length=20)] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Document]:
    """Documents by feed day and publication, newest first; of one company those from its sources and those that mention it."""
    return newest_documents(ctx, limit, cursor, ticker.upper() if ticker else None, day, document_type)


@router.get("/{document_id}")
def get_document(ctx: Ctx, document_id: str) -> DocumentDetail:
    """One document: text, mentions, what the extractor read, impact records with their quotes, the macro event."""
    rows = _of(ctx, DOCUMENTS.name, document_id, f"{COLUMNS}, text", "document_id")
    if not rows:
        raise NotFoundError(f"there is no document {document_id!r}: GET /api/documents lists those that there are")
    read = _of(ctx, DOCUMENT_INTELLIGENCE.name, document_id, "*", "document_id")
    events = _of(ctx, GLOBAL_EVENTS.name, document_id, "*", "event_id")
    parts = {
        "mentions": _of(ctx, DOCUMENT_COMPANY_MENTIONS.name, document_id, "*", "start, ticker"),
        "intelligence": read[0] if read else None,
        "impacts": _of(ctx, IMPACT_RECORDS.name, document_id, "*", "impact DESC, impact_id"),
        "event": events[0] if events else None,
        "macro_impacts": _of(ctx, MACRO_IMPACTS.name, document_id, "*", "impact DESC, macro_impact_id"),
    }
    return DocumentDetail.model_validate({**rows[0], **parts})


@router.get("/{document_id}/orders")
def get_orders(ctx: Ctx, document_id: str) -> MovedOrders:
    """Forward: the orders whose recommendation holds this document as evidence."""
    moved = orders_of_document(ctx.database, ctx.lake, document_id)
    return MovedOrders(items=[MovedOrder.model_validate(order) for order in moved])


def _of(ctx: Context, table: str, document_id: str, columns: str, order: str) -> list[dict[str, Any]]:
    query = LakeQuery(columns, table, [table]).equal(day=document_day(document_id).isoformat(), document_id=document_id)
    return query.rows(ctx.sql, order, MOST_RECORDS)
