"""What the decision is told of the market, put together from daily bars and quotes. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from stonks_trading.decide import correlation
from stonks_trading.history import DailyBar, History, decimal
from stonks_trading.records import MarketView, Quote


def view(ticker: str, quote: Quote | None, history: History, held: Iterable[str], sector: str) -> MarketView:
    """One ticker as the decision sees it."""
    return MarketView(
        ticker=ticker,
        quote=quote,
        atr=history.atr(ticker),
        sector=sector,
        mean_correlation=correlation.mean_correlation(ticker, held, history.correlation),
        volatility=history.volatility(ticker),
    )


def exit_price(quote: Quote | None, last_close: Decimal | None, *, market_open: bool) -> Decimal | None:
    """The price that stops look at: in session the last trade, else the middle, else the bid; closed, the last close.

    Not the bid first: one odd quote of a thin feed must not sell a position. None where nothing is known.
    """
    if not market_open or quote is None:
        return last_close if last_close is not None else (quote.last if quote else None)
    if quote.last is not None:
        return quote.last
    if quote.bid is not None and quote.ask is not None:
        return (quote.bid + quote.ask) / 2
    return quote.bid if quote.bid is not None else last_close


def last_close(bars: Sequence[DailyBar]) -> Decimal | None:
    """The close of the newest finished session, or None."""
    return decimal(bars[-1].close) if bars else None
