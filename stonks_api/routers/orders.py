"""Orders, their lives, and why each was given."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from stonks_api.context import Context, Ctx
from stonks_api.wire import Cursor, Limit, Money, Page, Real, Shown, decode_place, page
from stonks_core.stores.postgres import Database
from stonks_core.why import why_order
from stonks_core.why.order import ORDER, fills_of, find_order, risk_of

router = APIRouter(prefix="/api/orders", tags=["orders"])


class Order(Shown):
    """An order as it stands; quantities in shares, prices and notional in dollars."""

    order_id: str
    broker_order_id: str | None
    account_id: str
    mode: str
    sandbox: bool
    decision_id: str
    recommendation_id: str | None
    ticker: str
    side: str
    type: str
    time_in_force: str
    purpose: str
    tranche: int
    tranches: int
    state: str
    reason: str
    notional: Money | None
    quantity: Money | None
    limit_price: Money | None
    stop_price: Money | None
    reference_price: Money | None
    filled_quantity: Money
    filled_average_price: Money | None
    intended_at: datetime
    submitted_at: datetime | None
    final_at: datetime | None


class Fill(Shown):
    """One execution, with the profit that it realised by the broker's price and by the conservative one."""

    execution_id: str
    quantity: Money
    price: Money
    fee: Money
    realised_pnl: Money
    conservative_price: Money | None
    conservative_pnl: Money
    executed_at: datetime


class OrderEvent(Shown):
    """One step of an order's life."""

    at: datetime
    event: str
    source: str
    state_from: str
    state_to: str
    note: str


class RiskVerdict(Shown):
    """What the risk checks said of an order."""

    eligible: bool
    needs_approval: bool
    checks: list[Any]
    reasons: list[Any]
    as_of: datetime


class OrderDetail(Order):
    """An order with all that happened to it."""

    fills: list[Fill]
    events: list[OrderEvent]
    risk: list[RiskVerdict]


class ChainOrder(Order):
    """An order at the head of its chain."""

    fills: list[Fill]
    risk: list[RiskVerdict]


class ChainDecision(Shown):
    """The decision that gave the order, with everything it was worked out from."""

    decision_id: str
    recommendation_id: str | None
    ticker: str
    kind: str
    outcome: str
    reason: str
    sentence: str
    trace: dict[str, Any]
    as_of: datetime


class ChainRecommendation(Shown):
    """The recommendation that was decided on."""

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
    input_versions: dict[str, Any]
    as_of: datetime
    expires_at: datetime


class ChainTrend(Shown):
    """The trend that the recommendation speaks of, as it stood then."""

    trend_id: str
    ticker: str
    window: str
    direction: str
    score: Real
    strength: Real
    confidence: Real
    contradiction: Real
    n_effective: Real
    signals_counted: int
    company_share: Real
    macro_share: Real
    competitive_share: Real
    input_versions: dict[str, Any]
    as_of: datetime


class ChainEvidence(Shown):
    """A sentence, its place in a document of a known hash, and the records it went through."""

    rank: int
    stance: str
    layer: str
    weight: Real
    evidence_score: Real
    quote: str
    start: int
    end: int
    document_id: str
    sha256: str
    document_type: str | None
    title: str | None
    publisher: str | None
    url: str | None
    published_at: datetime | None
    available_at: datetime | None
    signal_id: str
    source_record_id: str
    records: list[dict[str, Any]]
    verified: bool


class Chain(Shown):
    """Why: from the order to the sentences. `entry` is the chain of the buy that an exit by a level left."""

    order: ChainOrder
    decision: ChainDecision
    recommendation: ChainRecommendation | None
    trend: ChainTrend | None
    evidence: list[ChainEvidence]
    gaps: list[str]
    exit: dict[str, Any] | None = None
    entry: "Chain | None" = None


def newest_orders(
    database: Database, limit: int, cursor: str = "", ticker: str | None = None, state: str | None = None
) -> Page[Order]:
    """Orders, newest first."""
    at, after = decode_place(cursor)
    rows = database.fetch(
        ORDER
        + """
        WHERE (%(at)s::timestamptz IS NULL OR (o.intended_at, o.order_id) < (%(at)s, %(after)s))
          AND (%(ticker)s::text IS NULL OR o.ticker = %(ticker)s) AND (%(state)s::text IS NULL OR o.state = %(state)s)
        ORDER BY o.intended_at DESC, o.order_id DESC LIMIT %(limit)s
        """,
        {"at": at, "after": after, "ticker": ticker, "state": state, "limit": limit + 1},
    )
    return page(Order, rows, limit, lambda row: (row["intended_at"], row["order_id"]))


def chain_of(ctx: Context, order_id: str) -> Chain:
    """The chain behind an order, as it is shown."""
    return Chain.model_validate(why_order(ctx.database, ctx.lake, order_id))


@router.get("")
def list_orders(
    ctx: Ctx,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    state: Annotated[str | None, Query(max_length=20)] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Order]:
    """Orders, newest first."""
    return newest_orders(ctx.database, limit, cursor, ticker.upper() if ticker else None, state)


@router.get("/{order_id}")
def get_order(ctx: Ctx, order_id: str) -> OrderDetail:
    """One order by its id, its broker's id or an unambiguous beginning, with fills, events and risk verdicts."""
    order = find_order(ctx.database, order_id)
    name = order["order_id"]
    events = ctx.database.fetch(
        "SELECT at, event, source, state_from, state_to, note FROM order_events WHERE order_id = %s ORDER BY id",
        (name,),
    )
    more = {"fills": fills_of(ctx.database, name), "events": events, "risk": risk_of(ctx.database, name)}
    return OrderDetail.model_validate({**order, **more})


@router.get("/{order_id}/why")
def get_why(ctx: Ctx, order_id: str) -> Chain:
    """From the order back to the sentences: each step a stored reference, each quote checked against the text."""
    return chain_of(ctx, order_id)
