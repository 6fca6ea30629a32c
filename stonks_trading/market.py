"""What the decision is told of the market, put together from daily bars and quotes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from stonks_trading.decide import correlation
from stonks_trading.decide.stops import Bar, atr
from stonks_trading.inputs import DailyBar
from stonks_trading.records import MarketView, Quote

BENCHMARK = "SPY"


def view(
    ticker: str, quote: Quote | None, bars: Mapping[str, Sequence[DailyBar]], held: Iterable[str], sector: str
) -> MarketView:
    """One ticker as the decision sees it. `bars` are finished sessions only, oldest first."""
    own = bars.get(ticker, ())
    others = {name: correlation.daily_returns(closes(bars.get(name, ()))) for name in {ticker, *held}}
    return MarketView(
        ticker=ticker,
        quote=quote,
        atr=atr([Bar(_decimal(b.high), _decimal(b.low), _decimal(b.close)) for b in own]),
        sector=sector,
        mean_correlation=correlation.mean_correlation(ticker, held, others),
        volatility=correlation.realised_volatility([_decimal(b.close) for b in own if b.close > 0]),
    )


def closes(bars: Sequence[DailyBar]) -> Mapping[date, Decimal]:
    """Closing prices by the date of their session."""
    return {bar.start_at.date(): _decimal(bar.close) for bar in bars}


def pairs(bars: Mapping[str, Sequence[DailyBar]]) -> Mapping[tuple[str, str], float]:
    """The 60-day correlation of each pair of tickers that is known."""
    return correlation.correlation_matrix(
        bars, {ticker: correlation.daily_returns(closes(own)) for ticker, own in bars.items()}
    )


def market_volatility(bars: Mapping[str, Sequence[DailyBar]]) -> float | None:
    """Annualised 20-day volatility of SPY where it has bars, else of the universe; None where unknown."""
    each = {
        ticker: correlation.realised_volatility([_decimal(b.close) for b in own if b.close > 0])
        for ticker, own in bars.items()
    }
    benchmark = each.get(BENCHMARK)
    return benchmark if benchmark is not None else correlation.universe_volatility(each.values())


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
    return _decimal(bars[-1].close) if bars else None


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))
