"""Orders judged: asked about without being sent, and every verdict that was ever stored."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from stonks_api.context import Ctx
from stonks_api.trading.entries import Amount, Ticker
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_place, page
from stonks_core.calendar import MarketCalendar
from stonks_core.errors import NotFoundError
from stonks_trading.console.proposing import evaluate_order
from stonks_trading.records import OrderPlan, Quote

router = APIRouter(prefix="/risk", tags=["risk"])


class GivenQuote(BaseModel):
    """A quote of the caller's own, instead of the newest that the engine has seen."""

    model_config = ConfigDict(extra="forbid", strict=True)
    bid: Amount
    ask: Amount
    at: Annotated[AwareDatetime | None, Field(strict=False, description="now where it is not given")] = None


class Proposed(BaseModel):
    """An order that is only asked about."""

    model_config = ConfigDict(extra="forbid", strict=True)
    ticker: Ticker
    side: Literal["buy", "sell"]
    type: Literal["market", "limit"] = "market"
    notional: Amount | None = None
    quantity: Amount | None = None
    limit_price: Amount | None = None
    quote: GivenQuote | None = None

    @model_validator(mode="after")
    def _is_an_order(self) -> "Proposed":
        if (self.notional is None) == (self.quantity is None):
            raise ValueError("give exactly one of notional and quantity")
        if (self.type == "limit") != (self.limit_price is not None):
            raise ValueError("a limit order has a limit_price, a market order has none")
        return self


class Check(Shown):
    """One check: what would be, what is allowed, and the sentence."""

    name: str
    passed: bool
    value: Decimal | None
    limit: Decimal | None
    sentence: str


class Evaluation(Shown):
    """A verdict; `source` says of what: an intent, an approved order once more, or an order only asked about."""

    evaluation_id: UUID
    account_id: str
    order_id: str | None
    ticker: str
    side: str
    eligible: bool
    needs_approval: bool
    checks: list[Check]
    reasons: list[str]
    source: str
    proposal: dict[str, Any]
    as_of: datetime


class Verdict(Evaluation):
    """The verdict on an order that was asked about, and why a person would have to agree, if so."""

    approval_reason: str


@router.post("/evaluate")
def post_evaluate(ctx: Ctx, proposed: Proposed) -> Verdict:
    """Judge an order by the engine's own checks. The verdict is stored; nothing is ordered and nothing is sent."""
    now, told = ctx.clock.now(), proposed.quote
    plan = OrderPlan(
        ticker=proposed.ticker,
        side=proposed.side,
        type=proposed.type,
        notional=proposed.notional,
        quantity=proposed.quantity,
        limit_price=proposed.limit_price,
        purpose="override",
    )
    quote = Quote(proposed.ticker, told.bid, told.ask, None, told.at or now, "given") if told else None
    calendar = MarketCalendar(ctx.settings.calendar_name)
    return Verdict.model_validate(
        evaluate_order(ctx.settings, ctx.lake, ctx.database, calendar, plan, now, given=quote)
    )


@router.get("/evaluations")
def get_evaluations(
    ctx: Ctx,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    order_id: Annotated[str | None, Query(max_length=48)] = None,
    source: Literal["order", "approval", "asked"] | None = None,
    *,
    eligible: bool | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Evaluation]:
    """Verdicts, newest first."""
    at, after = decode_place(cursor)
    rows = ctx.database.fetch(
        """
        SELECT * FROM risk_evaluations
        WHERE (%(ticker)s::text IS NULL OR ticker = %(ticker)s) AND (%(order)s::text IS NULL OR order_id = %(order)s)
          AND (%(source)s::text IS NULL OR source = %(source)s)
          AND (%(eligible)s::boolean IS NULL OR eligible = %(eligible)s)
          AND (%(at)s::timestamptz IS NULL OR (as_of, evaluation_id::text) < (%(at)s, %(after)s))
        ORDER BY as_of DESC, evaluation_id::text DESC LIMIT %(limit)s
        """,
        {
            "ticker": ticker.upper() if ticker else None,
            "order": order_id,
            "source": source,
            "eligible": eligible,
            "at": at,
            "after": after,
            "limit": limit + 1,
        },
    )
    return page(Evaluation, rows, limit, lambda row: (row["as_of"], row["evaluation_id"]))


@router.get("/evaluations/{evaluation_id}")
def get_evaluation(ctx: Ctx, evaluation_id: UUID) -> Evaluation:
    """One verdict with every check."""
    row = ctx.database.fetch_one("SELECT * FROM risk_evaluations WHERE evaluation_id = %s", (evaluation_id,))
    if row is None:
        raise NotFoundError(f"there is no evaluation {evaluation_id}: GET /risk/evaluations lists them")
    return Evaluation.model_validate(row)
