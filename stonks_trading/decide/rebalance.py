"""Rebalancing: which positions to trim, and to what. It only ever sells a part of what is held; it never buys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stonks_core.money import shares_down
from stonks_trading.decide import exposure
from stonks_trading.decide.rules import TradingRules
from stonks_trading.decide.tiers import TierLimits
from stonks_trading.records import OrderPlan, Portfolio

OVERWEIGHT = Decimal("1.25")  # of the tier's position limit; beyond it a position is trimmed at once
CLOSE_PAIR = 0.85


@dataclass(frozen=True)
class Trim:
    """A part of a position to sell, and why."""

    order: OrderPlan
    reason: str  # overweight, weekly, correlated_pair
    sentence: str


def weekly_due(last: datetime | None, as_of: datetime) -> bool:
    """Whether the week (Monday to Sunday, UTC) of the last rebalance is over; always where there was none."""
    return last is None or last.isocalendar()[:2] < as_of.isocalendar()[:2]


def trims(
    portfolio: Portfolio,
    pairs: Mapping[tuple[str, str], float],
    limits: TierLimits,
    rules: TradingRules,
    *,
    weekly: bool,
) -> tuple[Trim, ...]:
    """What to sell so that positions stand within the tier's limit (its share of the active pool), by ticker.

    A position beyond 1.25 times the limit is trimmed to the limit at once, one beyond the limit when the weekly
    rebalance is due. Two positions whose 60-day correlation (`pairs`, see correlation_matrix) exceeds 0.85 are one bet:
    together they keep to one limit, each in proportion to its value. Micro-trades are left out, they end by themselves;
    trims below the least order are not worth one.
    """
    limit = max(Decimal(0), portfolio.active_pool * limits.max_position)
    values = {t: p.value for t, p in portfolio.positions.items() if p.quantity > 0 and p.value > 0 and not p.micro}
    targets, why = dict(values), dict[str, tuple[str, str]]()
    for ticker in sorted(values):
        beyond = values[ticker] > OVERWEIGHT * limit
        if beyond or (weekly and values[ticker] > limit):
            targets[ticker] = limit
            why[ticker] = (
                "overweight" if beyond else "weekly",
                f"${values[ticker]:.2f} of {ticker} is above the tier's ${limit:.2f}",
            )
    for (one, other), close in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        if close <= CLOSE_PAIR or one not in targets or other not in targets:
            continue
        both = targets[one] + targets[other]
        if both > limit:
            for ticker in (one, other):
                targets[ticker] = targets[ticker] * limit / both
                why[ticker] = (
                    "correlated_pair",
                    f"{one} and {other} move together ({close:.2f}) and share one limit of ${limit:.2f}",
                )
    found = [_trim(portfolio, t, values[t] - targets[t], *why[t], rules) for t in sorted(why)]
    return tuple(trim for trim in found if trim is not None)


def _trim(
    portfolio: Portfolio, ticker: str, excess: Decimal, reason: str, because: str, rules: TradingRules
) -> Trim | None:
    position = portfolio.positions[ticker]
    selling = portfolio.pending_sells.get(ticker, Decimal(0))
    wanted = shares_down(excess / position.price) - selling
    quantity = min(wanted, exposure.free_quantity(portfolio, ticker))
    if quantity * position.price < rules.least_order:
        return None
    order = OrderPlan(ticker, "sell", "market", quantity=quantity, purpose="trim")
    return Trim(order, reason, f"Sell {quantity.normalize():f} shares of {ticker}: {because}.")
