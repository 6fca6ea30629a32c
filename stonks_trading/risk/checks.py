"""The risk checks: one proposed order against the portfolio and the limits, each check a value with its figures.

Limits of exposure bind buys only; a sell is checked for what it could do wrong: sell short, come twice, wash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stonks_trading.decide import exposure
from stonks_trading.decide.breakers import daily_loss
from stonks_trading.decide.quotes import UnusableQuote, UsableQuote, judge_quote
from stonks_trading.records import Breaker, MarketView, OrderPlan, Portfolio, Side
from stonks_trading.risk.config import RiskConfig

PROTECTIVE = frozenset({"stop", "take_profit", "flatten", "protective_stop"})
ZERO = Decimal(0)


@dataclass(frozen=True)
class OpenOrder:
    """An order that is on its way or at the broker and not final."""

    client_order_id: str
    ticker: str
    side: Side
    purpose: str
    tranche: int = 1


@dataclass(frozen=True)
class Proposal:
    """An order before it is sent, and what it meets. `portfolio` and `open_orders` must not count the order itself."""

    order: OrderPlan
    client_order_id: str
    portfolio: Portfolio
    market: Mapping[str, MarketView]
    as_of: datetime
    open_orders: Sequence[OpenOrder] = ()
    tripped: frozenset[Breaker] = frozenset()

    @property
    def is_buy(self) -> bool:
        """Whether it would add to a position."""
        return self.order.side == "buy"


@dataclass(frozen=True)
class CheckResult:
    """One check's verdict. `value` is what would be after the order, `limit` what is allowed; None where not a number."""

    name: str
    passed: bool
    limit: Decimal | None
    value: Decimal | None
    sentence: str


def judged_quote(p: Proposal, config: RiskConfig) -> UsableQuote | UnusableQuote:
    """The verdict on the ticker's quote at the proposal's instant."""
    view = p.market.get(p.order.ticker)
    return judge_quote(p.order.ticker, view.quote if view else None, p.as_of, config.quotes)


def worth(p: Proposal, config: RiskConfig) -> Decimal | None:
    """Dollars of the order: its notional, or its quantity at its limit price or the quote's far side; None where unknown."""
    order = p.order
    if order.notional is not None:
        return order.notional
    if order.quantity is None:
        return None
    quote = judged_quote(p, config)
    price = order.limit_price or (quote.far_side(order.side) if isinstance(quote, UsableQuote) else None)
    return None if price is None else order.quantity * price


def order_size(p: Proposal, config: RiskConfig) -> CheckResult:
    """A buy is worth from the least order up to the largest allowed; a sell is of more than nothing."""
    value = worth(p, config)
    if not p.is_buy:
        size = p.order.quantity if p.order.quantity is not None else p.order.notional
        return CheckResult(
            "order_size", size is not None and size > 0, None, size, f"The sell is of {size}; it must be above 0."
        )
    fits = value is not None and config.least_order <= value <= config.max_order_dollars
    said = "unknown, there being no usable price" if value is None else f"${value:.2f}"
    return CheckResult(
        "order_size",
        fits,
        config.max_order_dollars,
        value,
        f"The order's worth is {said}; allowed are ${config.least_order:.2f} to ${config.max_order_dollars:.2f}.",
    )


def position_limit(p: Proposal, config: RiskConfig) -> CheckResult:
    """What is held of the ticker, on its way and ordered stays within its share of the active pool and the dollar cap."""
    limit = min(max(ZERO, p.portfolio.active_pool) * config.max_position_pct, config.max_position_dollars)
    after = exposure.committed_to(p.portfolio, p.order.ticker) + _added(p, config)
    return _at_most("position_limit", p, after, limit, f"{p.order.ticker} would stand at", "a position")


def sector_concentration(p: Proposal, config: RiskConfig) -> CheckResult:
    """The same for the ticker's sector; unknown sectors count as one."""
    sector = exposure.sector_of(p.order.ticker, p.portfolio, p.market)
    limit = max(ZERO, p.portfolio.active_pool) * config.max_sector_pct
    after = exposure.committed_to_sector(p.portfolio, sector, p.market) + _added(p, config)
    return _at_most(
        "sector_concentration", p, after, limit, f"{sector or 'Unknown sectors'} would stand at", "a sector"
    )


def portfolio_heat(p: Proposal, config: RiskConfig) -> CheckResult:
    """Dollars at risk down to the stops, the order's included, stay within their share of equity."""
    limits = config.tier_limits()
    view, quote = p.market.get(p.order.ticker), judged_quote(p, config)
    price = quote.ask if isinstance(quote, UsableQuote) else None
    risk = exposure.risk_share(view.atr if view else None, price, limits)
    limit = max(ZERO, p.portfolio.equity) * config.max_heat_pct
    after = exposure.heat_dollars(p.portfolio, p.market, limits) + _added(p, config) * risk
    return _at_most("portfolio_heat", p, after, limit, "The dollars at risk would be", "the portfolio's heat")


def daily_loss_limit(p: Proposal, config: RiskConfig) -> CheckResult:
    """The loss since the day's opening equity is within its limit."""
    loss = daily_loss(p.portfolio)
    return CheckResult(
        "daily_loss_limit",
        not p.is_buy or loss <= config.max_daily_loss_pct,
        config.max_daily_loss_pct,
        loss,
        f"The loss since the open is {loss:.2%}; buys are allowed up to {config.max_daily_loss_pct:.2%}.",
    )


def max_open_positions(p: Proposal, config: RiskConfig) -> CheckResult:
    """With the order no more tickers are open than allowed; adding to an open one takes no new place."""
    now = exposure.open_tickers(p.portfolio)
    after = len(now | {p.order.ticker}) if p.is_buy else len(now)
    return CheckResult(
        "max_open_positions",
        not p.is_buy or p.order.ticker in now or after <= config.max_open_positions,
        Decimal(config.max_open_positions),
        Decimal(after),
        f"{after} positions would be open; {config.max_open_positions} are allowed.",
    )


def cash_and_pool(p: Proposal, config: RiskConfig) -> CheckResult:
    """Cash that is neither reserved nor promised covers the order and leaves the active pool its minimum."""
    left = exposure.free_cash(p.portfolio) - _added(p, config)
    enough = left >= config.active_pool_minimum and p.portfolio.active_pool >= config.active_pool_minimum
    return CheckResult(
        "cash_and_pool",
        not p.is_buy or enough,
        config.active_pool_minimum,
        left,
        f"${left:.2f} of free cash would be left of an active pool of ${p.portfolio.active_pool:.2f}; both must keep "
        f"${config.active_pool_minimum:.2f}.",
    )


def no_short(p: Proposal, config: RiskConfig) -> CheckResult:  # noqa: ARG001 - all checks are called alike
    """A sell is by quantity and of no more shares than are held and free."""
    free = exposure.free_quantity(p.portfolio, p.order.ticker)
    quantity = p.order.quantity
    within = p.is_buy or (quantity is not None and quantity <= free)
    said = "by dollars, so that its shares are unknown" if quantity is None else f"of {quantity.normalize():f} shares"
    sentence = (
        "A buy opens no short."
        if p.is_buy
        else f"The sell is {said}; {free.normalize():f} of {p.order.ticker} are held and free."
    )
    return CheckResult("no_short", within, free, quantity, sentence)


def duplicate(p: Proposal, config: RiskConfig) -> CheckResult:  # noqa: ARG001 - all checks are called alike
    """No open order has the same id, or the same ticker, side, purpose and tranche.

    A protective stop takes the place of the one before it, which is cancelled before it is sent.
    """
    mine = (p.order.ticker, p.order.side, p.order.purpose, p.order.tranche)
    twins = sorted(
        o.client_order_id
        for o in p.open_orders
        if o.client_order_id == p.client_order_id
        or ((o.ticker, o.side, o.purpose, o.tranche) == mine and o.purpose != "protective_stop")
    )
    sentence = f"Order {twins[0]} is the same and still open." if twins else "No open order is the same."
    return CheckResult("duplicate", not twins, ZERO, Decimal(len(twins)), sentence)


def wash_trade(p: Proposal, config: RiskConfig) -> CheckResult:  # noqa: ARG001 - all checks are called alike
    """No opposite order of the ticker is open. Protective orders neither wash nor are kept back by this check."""
    against = sorted(
        o.client_order_id
        for o in p.open_orders
        if o.ticker == p.order.ticker and o.side != p.order.side and o.purpose not in PROTECTIVE
    )
    passed = not against or p.order.purpose in PROTECTIVE
    sentence = (
        f"The opposite order {against[0]} of {p.order.ticker} is open; cancel it or wait until it is final."
        if against
        else f"No opposite order of {p.order.ticker} is open."
    )
    return CheckResult("wash_trade", passed, ZERO, Decimal(len(against)), sentence)


def quote_is_usable(p: Proposal, config: RiskConfig) -> CheckResult:
    """A buy meets a quote that is there, two-sided, uncrossed, fresh and not too wide."""
    quote = judged_quote(p, config)
    age = Decimal(str((p.as_of - view.quote.at).total_seconds())) if (view := _quoted(p)) and view.quote else None
    sentence = quote.sentence if isinstance(quote, UnusableQuote) else f"The quote for {p.order.ticker} is usable."
    passed = not p.is_buy or isinstance(quote, UsableQuote)
    return CheckResult("quote", passed, Decimal(str(config.quotes.max_age.total_seconds())), age, sentence)


def breakers_closed(p: Proposal, config: RiskConfig) -> CheckResult:  # noqa: ARG001 - all checks are called alike
    """No breaker is tripped, for a buy; the manual one also stops sells that protect nothing."""
    names = ", ".join(sorted(p.tripped))
    stopped = bool(p.tripped) if p.is_buy else Breaker.MANUAL in p.tripped and p.order.purpose not in PROTECTIVE
    sentence = f"Tripped: {names}." if names else "No breaker is tripped."
    return CheckResult("breakers", not stopped, ZERO, Decimal(len(p.tripped)), sentence)


def _quoted(p: Proposal) -> MarketView | None:
    return p.market.get(p.order.ticker)


def _added(p: Proposal, config: RiskConfig) -> Decimal:
    return (worth(p, config) or ZERO) if p.is_buy else ZERO


def _at_most(name: str, p: Proposal, after: Decimal, limit: Decimal, subject: str, what: str) -> CheckResult:
    passed = not p.is_buy or after <= limit
    return CheckResult(name, passed, limit, after, f"{subject} ${after:.2f}; ${limit:.2f} is allowed for {what}.")
