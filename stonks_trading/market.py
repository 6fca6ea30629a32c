"""What the decision is told of the market, put together from daily bars and quotes. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from stonks_trading.decide import correlation
from stonks_trading.history import DailyBar, History, decimal
from stonks_trading.records import MarketView, Quote

VOLUME_SESSIONS = 20


class _View(MarketView):
    """A view that works its correlation out when somebody asks: most are looked at for their sector or range alone."""

    def __init__(self, correlate: Callable[[], float], **known: object) -> None:
        self.__dict__.update(known)
        self.__dict__["_correlate"] = correlate

    @cached_property
    def mean_correlation(self) -> float:
        """With the open positions."""
        correlate: Callable[[], float] = self.__dict__["_correlate"]
        return correlate()


def view(ticker: str, quote: Quote | None, history: History, held: Iterable[str], sector: str) -> MarketView:
    """One ticker as the decision sees it."""
    return _View(
        lambda: correlation.mean_correlation(ticker, held, history.correlation),
        ticker=ticker,
        quote=quote,
        atr=history.atr(ticker),
        sector=sector,
        volatility=history.volatility(ticker),
        typical_volume=typical_volume(history.get(ticker, ())),
    )


def typical_volume(bars: Sequence[DailyBar]) -> Decimal | None:
    """The mean volume of the last VOLUME_SESSIONS sessions, shares; None where any of them is unknown or there are fewer."""
    newest = bars[-VOLUME_SESSIONS:]
    if len(newest) < VOLUME_SESSIONS or any(not bar.volume > 0 for bar in newest):
        return None
    return decimal(round(sum(bar.volume for bar in newest) / VOLUME_SESSIONS, 3))


@dataclass(frozen=True)
class Basis:
    """The price that stops look at, and whether it is fresh enough to say that somebody watches."""

    price: Decimal
    fresh: bool


def exit_basis(
    quote: Quote | None, last_close: Decimal | None, *, market_open: bool, as_of: datetime, max_age: timedelta
) -> Basis | None:
    """The price that stops look at; None where nothing is known.

    Closed: the last close. In session, of what is at most `max_age` old: the last trade, else the middle of bid and ask
    where they are not crossed. Not the bid first: one odd quote of a thin feed must not sell a position. Where nothing
    is that young the same in the same order however old, then the bid, then the close; that is not fresh.
    """
    if not market_open or quote is None:
        price = last_close if last_close is not None else (quote.last if quote else None)
        return None if price is None else Basis(price, fresh=not market_open)
    traded = quote.last_at or quote.at
    middle = None
    if quote.bid is not None and quote.ask is not None and quote.bid <= quote.ask:
        middle = (quote.bid + quote.ask) / 2
    for price, at in ((quote.last, traded), (middle, quote.at)):
        if price is not None and as_of - at <= max_age:
            return Basis(price, fresh=True)
    stale = next((price for price in (quote.last, middle, quote.bid, last_close) if price is not None), None)
    return None if stale is None else Basis(stale, fresh=False)


def of_these_shares(quote: Quote, split_at: datetime | None) -> Quote | None:
    """What of a quote is told in the shares that trade since a split; None where all of it is older.

    A thin feed shows yesterday's trade until somebody trades: beside levels in new shares it would fire or raise them.
    """
    if split_at is None:
        return quote
    quoted, traded = quote.at >= split_at, (quote.last_at or quote.at) >= split_at
    if not quoted and not traded:
        return None
    return replace(
        quote,
        bid=quote.bid if quoted else None,
        ask=quote.ask if quoted else None,
        last=quote.last if traded else None,
    )


def last_close(bars: Sequence[DailyBar]) -> Decimal | None:
    """The close of the newest finished session, or None."""
    return decimal(bars[-1].close) if bars else None
