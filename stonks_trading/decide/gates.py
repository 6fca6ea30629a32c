"""What keeps the door shut for now: switches, breakers, the market's hours, locks, the data-health verdict.

Every refusal here may pass, so none of them is final. The data-health verdict, the guards of clock and session, a pause
and the automatic breakers close the door to entries only; stops do not come through here at all.
"""

from decimal import Decimal
from typing import NamedTuple

from stonks_trading.records import Breaker, EngineState, Portfolio, Side


class Shut(NamedTuple):
    """Why nothing may be ordered now: the rule's name, and a sentence."""

    reason: str
    sentence: str


def shut_for(side: Side, ticker: str, portfolio: Portfolio, state: EngineState, *, market_open: bool) -> Shut | None:
    """Why a recommendation's order may not go now, or None where it may."""
    if not state.enabled:
        return Shut("trading_disabled", "Trading is switched off; set TRADING_ENABLED=true to let it trade.")
    if Breaker.MANUAL in state.tripped:
        return Shut("breaker", "The manual kill switch is on: nothing but stops may trade until it is reset.")
    if ticker in state.locked_tickers:
        return Shut("locked", f"{ticker} is locked until this is resolved: {state.locked_tickers[ticker]}.")
    if not market_open:
        return Shut("market_closed", "The market is closed and does not open within the order's validity.")
    opposite = portfolio.pending_sells if side == "buy" else portfolio.pending_buys
    if opposite.get(ticker, Decimal(0)) > 0:
        other = "sell" if side == "buy" else "buy"
        return Shut(
            "opposite_order_open",
            f"A {other} of {ticker} is still open; a {side} beside it would be a wash trade.",
        )
    return _shut_for_entries(ticker, portfolio, state) if side == "buy" else None


def _shut_for_entries(ticker: str, portfolio: Portfolio, state: EngineState) -> Shut | None:
    coming = portfolio.pending_buys.get(ticker, Decimal(0))
    if coming > 0:
        return Shut("order_open", f"A buy of {ticker} for ${coming:.2f} is not filled yet: the next waits until it is.")
    if state.tripped:
        names = ", ".join(sorted(state.tripped))
        return Shut("breaker", f"Tripped: {names}. No position is opened until it is reset.")
    if state.paused:
        return Shut("paused", "The engine is paused: no position is opened until it is resumed.")
    if state.guard:
        return Shut("guard", f"No position is opened: {state.guard}.")
    if state.entries_closed_because:
        return Shut("data_health", f"No position is opened: {state.entries_closed_because}.")
    return None
