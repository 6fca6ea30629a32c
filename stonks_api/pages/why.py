"""The pages behind the overview: why an order was given, and a document with the quoted words marked."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse

from stonks_api.context import Context, Ctx
from stonks_api.pages.rendering import render
from stonks_api.routers.documents import get_document, get_orders
from stonks_api.routers.orders import ChainEvidence, chain_of
from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.why.lookup import document_day, rows_by

router = APIRouter()
AROUND = 180
LONGEST_TEXT = 200_000


@router.get("/orders/{order_id}/why", response_class=HTMLResponse)
def get_why_page(ctx: Ctx, order_id: str) -> HTMLResponse:
    """Why an order was given, step by step down to the sentences."""
    chain = chain_of(ctx, order_id)
    return render("why.html", ctx, chain=chain, around=_around(ctx, chain.evidence))


@router.get("/documents/{document_id}", response_class=HTMLResponse)
def get_document_page(
    ctx: Ctx, document_id: str, start: Annotated[int, Query(ge=0)] = 0, end: Annotated[int, Query(ge=0)] = 0
) -> HTMLResponse:
    """A document's text with the characters from `start` to `end` marked, and the orders that it moved."""
    document = get_document(ctx, document_id)
    first = max(0, min(start, len(document.text)) - LONGEST_TEXT // 2)
    last = first + LONGEST_TEXT
    marked = (document.text[first:start], document.text[start:end], document.text[max(start, end) : last])
    parts = marked if start < end else (document.text[first:last], "", "")
    moved = get_orders(ctx, document_id).items
    cut = first > 0 or last < len(document.text)
    return render("document.html", ctx, document=document, parts=parts, moved=moved, cut=cut)


def _around(ctx: Context, evidence: list[ChainEvidence]) -> dict[int, tuple[str, str]]:
    """By rank: the words before and after each quote that still stands where it stood."""
    named = {one.document_id for one in evidence}
    rows = rows_by(ctx.lake, DOCUMENTS, "document_id", named, {document_day(name) for name in named}, ("text",))
    return {
        one.rank: surroundings(rows[one.document_id]["text"], one.start, one.end) for one in evidence if one.verified
    }


def surroundings(text: str, start: int, end: int, reach: int = AROUND) -> tuple[str, str]:
    """Up to `reach` characters before and after a span, cut between words and dotted where they are cut."""
    before, after = text[max(0, start - reach) : start], text[end : end + reach]
    if start > reach:
        before = "… " + before.partition(" ")[2]
    if end + reach < len(text):
        after = after.rpartition(" ")[0] + " …"
    return before, after
