"""Micro-trading: small, short trades on `intraday` recommendations, under caps of their own and flat in time.

A ticker is either held as a micro-trade or as an ordinary position, so that flattening one never sells the other.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from stonks_core.vocabulary import Window
from stonks_trading.decide.rules import MicroRules
from stonks_trading.records import EngineState, OrderPlan, Portfolio, Position, Recommendation

Refusal = tuple[str, str, bool]  # reason, sentence, whether it is final


def is_micro(recommendation: Recommendation, rules: MicroRules) -> bool:
    """Whether a buy is a micro-trade: micro-trading is on and the view is intraday."""
    return rules.enabled and recommendation.window is Window.INTRADAY


def refuse_entry(
    recommendation: Recommendation, portfolio: Portfolio, state: EngineState, rules: MicroRules
) -> Refusal | None:
    """Why a buy must not be made beside what is held, or None.

    A micro-trade needs a free ticker and a place below the daily maximum; an ordinary buy must not add to a micro-trade.
    """
    ticker = recommendation.ticker
    position = portfolio.positions.get(ticker)
    held = position is not None and position.quantity > 0
    if not is_micro(recommendation, rules):
        if held and position is not None and position.micro:
            return "held_as_micro", f"{ticker} is held as a micro-trade and will be flat soon.", False
        return None
    if held or portfolio.pending_buys.get(ticker):
        return (
            "micro_needs_free_ticker",
            f"{ticker} is held or being bought already; a micro-trade would mix with it.",
            True,
        )
    if state.micro_trades_today >= rules.max_daily:
        return (
            "micro_daily_maximum",
            f"{state.micro_trades_today} micro-trades were made today; {rules.max_daily} are allowed.",
            True,
        )
    return None


def overdue(
    positions: Iterable[Position],
    as_of: datetime,
    rules: MicroRules,
    pending_sells: Mapping[str, Decimal] | None = None,
) -> tuple[OrderPlan, ...]:
    """Market sells of the micro-trades held for the longest allowed time, by ticker.

    Holds even when micro-trading has been switched off meanwhile. One whose opening is unknown is overdue: an unknown
    hold must not become an endless one.
    """
    selling = pending_sells or {}
    plans: list[OrderPlan] = []
    for position in sorted(positions, key=lambda p: p.ticker):
        quantity = position.quantity - selling.get(position.ticker, Decimal(0))
        if not position.micro or quantity <= 0:
            continue
        if position.opened_at is None or as_of - position.opened_at >= rules.max_hold:
            plans.append(OrderPlan(position.ticker, "sell", "market", quantity=quantity, purpose="flatten", micro=True))
    return tuple(plans)
