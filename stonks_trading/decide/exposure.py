"""What a portfolio is exposed to, buys that are still on their way included: heat, sectors, free cash, open tickers.

Sizing and the risk checks ask the same functions, so that they cannot disagree on what is held.
"""

from collections.abc import Mapping
from decimal import Decimal

from stonks_trading.decide.stops import stop_distance
from stonks_trading.decide.tiers import TierLimits
from stonks_trading.records import MarketView, Portfolio, Position

ZERO = Decimal(0)


def held_quantity(portfolio: Portfolio, ticker: str) -> Decimal:
    """Shares held, never below 0."""
    position = portfolio.positions.get(ticker)
    return max(ZERO, position.quantity) if position else ZERO


def free_quantity(portfolio: Portfolio, ticker: str) -> Decimal:
    """Shares held that no open sell (protective stops excepted) is selling already, never below 0."""
    return max(ZERO, held_quantity(portfolio, ticker) - portfolio.pending_sells.get(ticker, ZERO))


def committed_to(portfolio: Portfolio, ticker: str) -> Decimal:
    """Dollars held in a ticker or on their way into it."""
    position = portfolio.positions.get(ticker)
    return (max(ZERO, position.value) if position else ZERO) + portfolio.pending_buys.get(ticker, ZERO)


def open_tickers(portfolio: Portfolio) -> frozenset[str]:
    """Tickers that hold a place among the open positions: held, or being bought."""
    held = {t for t, p in portfolio.positions.items() if p.quantity > 0}
    return frozenset(held | {t for t, notional in portfolio.pending_buys.items() if notional > 0})


def free_cash(portfolio: Portfolio) -> Decimal:
    """Cash that is neither the reserve's nor promised to open buys; may be below 0."""
    promised = max(portfolio.committed, sum(portfolio.pending_buys.values(), ZERO))
    return portfolio.cash - portfolio.reserve - promised


def sector_of(ticker: str, portfolio: Portfolio, market: Mapping[str, MarketView]) -> str:
    """The ticker's sector; empty where unknown, and all unknown ones count as one sector."""
    view, position = market.get(ticker), portfolio.positions.get(ticker)
    return (view.sector if view else "") or (position.sector if position else "")


def committed_to_sector(portfolio: Portfolio, sector: str, market: Mapping[str, MarketView]) -> Decimal:
    """Dollars held in a sector or on their way into it."""
    tickers = set(portfolio.positions) | set(portfolio.pending_buys)
    return sum((committed_to(portfolio, t) for t in sorted(tickers) if sector_of(t, portfolio, market) == sector), ZERO)


def position_heat(position: Position) -> Decimal:
    """Dollars lost if the position fell to its stop: (price - stop) * quantity; all of its value without a stop."""
    if position.quantity <= 0:
        return ZERO
    return max(ZERO, position.price - (position.stop or ZERO)) * position.quantity


def risk_share(atr: Decimal | None, price: Decimal | None, limits: TierLimits) -> Decimal:
    """Share of a purchase that is at risk down to its stop: ATR * multiplier / price, at most and by default 1."""
    if atr is None or price is None or price <= 0:
        return Decimal(1)
    return min(Decimal(1), stop_distance(atr, limits) / price)


def heat_dollars(portfolio: Portfolio, market: Mapping[str, MarketView], limits: TierLimits) -> Decimal:
    """Dollars at risk down to the stops: of positions, and of open buys at the stops that they will get."""
    held = sum((position_heat(portfolio.positions[t]) for t in sorted(portfolio.positions)), ZERO)
    coming = ZERO
    for ticker in sorted(portfolio.pending_buys):
        view = market.get(ticker)
        quote = view.quote if view else None
        price = (quote.ask or quote.last) if quote else None
        coming += portfolio.pending_buys[ticker] * risk_share(view.atr if view else None, price, limits)
    return held + coming


def heat(portfolio: Portfolio, market: Mapping[str, MarketView], limits: TierLimits) -> Decimal:
    """Heat as a share of equity; 0 where there is neither risk nor equity, 1 where there is risk without equity."""
    at_risk = heat_dollars(portfolio, market, limits)
    if portfolio.equity <= 0:
        return Decimal(1) if at_risk > 0 else ZERO
    return at_risk / portfolio.equity
