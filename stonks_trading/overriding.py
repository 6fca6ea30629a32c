"""A person's own order as the decision it is: named after the caller's key, so that asking twice is one order. Pure."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from stonks_core.identifiers import digest
from stonks_trading.decide.quotes import UsableQuote, judge_quote
from stonks_trading.decide.rules import QuoteRules
from stonks_trading.records import Decision, OrderPlan, Quote


def override_id(account_id: str, key: str) -> str:
    """The decision's id, whoever derives it and however often."""
    return digest("override", account_id, key)


def plan_of_detail(detail: Mapping[str, Any]) -> OrderPlan:
    """The order as it was asked for; amounts are texts of decimals."""

    def amount(name: str) -> Decimal | None:
        return Decimal(detail[name]) if detail.get(name) is not None else None

    return OrderPlan(
        ticker=detail["ticker"],
        side=detail["side"],
        type=detail["type"],
        notional=amount("notional"),
        quantity=amount("quantity"),
        limit_price=amount("limit_price"),
        purpose="override",
    )


def as_decision(account_id: str, request: Mapping[str, Any], quote: Quote | None, as_of: datetime) -> Decision:
    """The decision of a request for an order; its price is the limit, else the quote's far side where it is usable."""
    plan = plan_of_detail(request["detail"])
    judged = judge_quote(plan.ticker, quote, as_of, QuoteRules())
    far = judged.far_side(plan.side) if isinstance(judged, UsableQuote) else None
    price = plan.limit_price or far or (quote.last if quote else None)
    size = f"${plan.notional}" if plan.notional is not None else f"{plan.quantity} shares"
    return Decision(
        decision_id=override_id(account_id, request["idempotency_key"]),
        recommendation_id="",
        ticker=plan.ticker,
        outcome="act",
        reason="override",
        sentence=f"{request['asked_by']} asked to {plan.side} {size} of {plan.ticker}: {request['reason']}",
        as_of=as_of,
        order=plan,
        inputs={"price": str(price)} if price is not None else {},
    )
