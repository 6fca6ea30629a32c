"""Circuit breakers: when they trip, what a trip stops, and what lets them close again.

Storing a trip, cancelling orders and telling people is the engine's business.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stonks_trading.decide.rules import BreakerRules, share
from stonks_trading.records import Breaker, Portfolio

RESETS_ITSELF = frozenset({Breaker.DAILY_LOSS, Breaker.VOLATILITY})


@dataclass(frozen=True)
class Trip:
    """A breaker that must trip now: the measured value above its limit, and the ticker where it is about one."""

    breaker: Breaker
    value: Decimal
    limit: Decimal
    sentence: str
    ticker: str = ""


@dataclass(frozen=True)
class Effect:
    """What tripped breakers stop. Protective stops are never among it."""

    cancel_open_buys: bool
    entries_stopped: bool
    recommended_exits_stopped: bool


def daily_loss(portfolio: Portfolio) -> Decimal:
    """Share of the day's opening equity that is lost now; 0 for a gain or where nothing was there to lose."""
    if portfolio.opening_equity <= 0:
        return Decimal(0)
    return max(Decimal(0), (portfolio.opening_equity - portfolio.equity) / portfolio.opening_equity)


def position_loss(cost: Decimal, price: Decimal) -> Decimal:
    """Share of a position's cost that is lost at a price; 0 for a gain."""
    return max(Decimal(0), (cost - price) / cost) if cost > 0 else Decimal(0)


def trips(
    portfolio: Portfolio,
    market_volatility: float | None,
    rules: BreakerRules,
    *,
    pardoned: Collection[str] = (),
) -> tuple[Trip, ...]:
    """Every breaker whose limit is exceeded now, by name and ticker.

    `market_volatility` is the annualised 20-day volatility of SPY or of the universe, None where unknown. `pardoned` are
    tickers whose loss a person has seen and reset, so that the same loss does not trip the breaker again at once.
    """
    found: list[Trip] = []
    loss = daily_loss(portfolio)
    if loss > rules.daily_loss:
        found.append(
            Trip(
                Breaker.DAILY_LOSS,
                loss,
                rules.daily_loss,
                f"Equity fell {loss:.1%} since the open, from ${portfolio.opening_equity:.2f} to "
                f"${portfolio.equity:.2f}; {rules.daily_loss:.0%} is allowed.",
            )
        )
    for ticker in sorted(set(portfolio.positions) - set(pardoned)):
        position = portfolio.positions[ticker]
        lost = position_loss(position.cost, position.price)
        if position.quantity > 0 and lost > rules.single_position:
            found.append(
                Trip(
                    Breaker.SINGLE_POSITION,
                    lost,
                    rules.single_position,
                    f"{ticker} lost {lost:.1%} of its cost, from ${position.cost:.2f} to ${position.price:.2f} a share; "
                    f"{rules.single_position:.0%} is allowed.",
                    ticker,
                )
            )
    if market_volatility is not None and market_volatility > rules.volatility:
        found.append(
            Trip(
                Breaker.VOLATILITY,
                share(market_volatility),
                share(rules.volatility),
                f"The market's annualised volatility is {market_volatility:.2f}; {rules.volatility:.2f} is allowed.",
            )
        )
    return tuple(found)


def effect(tripped: Collection[Breaker]) -> Effect:
    """What the tripped breakers stop: any of them entries, the manual one also recommended exits."""
    return Effect(
        cancel_open_buys=bool(tripped),
        entries_stopped=bool(tripped),
        recommended_exits_stopped=Breaker.MANUAL in tripped,
    )


def due_resets(tripped: Mapping[Breaker, datetime], session_open: datetime) -> frozenset[Breaker]:
    """Breakers that reset themselves: daily_loss and volatility that tripped before the current session opened.

    `tripped` is breaker -> instant of its trip. The others stay until a person resets them.
    """
    return frozenset(b for b, at in tripped.items() if b in RESETS_ITSELF and at < session_open)
