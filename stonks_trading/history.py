"""Daily bars and what decisions ask of them again and again, worked out once for as long as the bars are the same. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from stonks_trading.decide import correlation as moves
from stonks_trading.decide.stops import Bar, atr

BENCHMARK = "SPY"


@dataclass(frozen=True)
class DailyBar:
    """One session of a ticker, dollars and shares; a volume of 0 is unknown."""

    start_at: datetime
    high: float
    low: float
    close: float
    volume: float = 0.0


class History(Mapping[str, Sequence[DailyBar]]):
    """Finished sessions by ticker, oldest first, and their statistics. Never changes.

    `split_at` holds the instants from which tickers trade in the shares that their bars are told in.
    """

    def __init__(
        self, bars: Mapping[str, Sequence[DailyBar]], split_at: Mapping[str, datetime] = MappingProxyType({})
    ) -> None:
        self.split_at = split_at
        self._bars = {ticker: tuple(own) for ticker, own in bars.items()}
        self._returns: dict[str, moves.Returns] = {}
        self._ranges: dict[str, Decimal | None] = {}
        self._moves: dict[str, float | None] = {}
        self._together: dict[tuple[str, str], float | None] = {}
        self._market: tuple[float | None] | None = None

    def __getitem__(self, ticker: str) -> Sequence[DailyBar]:
        return self._bars[ticker]

    def __iter__(self) -> Iterator[str]:
        return iter(self._bars)

    def __len__(self) -> int:
        return len(self._bars)

    def atr(self, ticker: str) -> Decimal | None:
        """The average true range over 14 sessions, dollars; None where unknown."""
        if ticker not in self._ranges:
            own = self._bars.get(ticker, ())
            self._ranges[ticker] = atr([Bar(decimal(b.high), decimal(b.low), decimal(b.close)) for b in own])
        return self._ranges[ticker]

    def volatility(self, ticker: str) -> float | None:
        """The annualised 20-day volatility; None where unknown."""
        if ticker not in self._moves:
            own = self._bars.get(ticker, ())
            self._moves[ticker] = moves.realised_volatility([decimal(b.close) for b in own if b.close > 0])
        return self._moves[ticker]

    def market_volatility(self) -> float | None:
        """The annualised 20-day volatility of SPY where it has bars, else of the universe; None where unknown."""
        if self._market is None:
            found = self.volatility(BENCHMARK)
            whole = found if found is not None else moves.universe_volatility(map(self.volatility, self._bars))
            self._market = (whole,)
        return self._market[0]

    def correlation(self, one: str, other: str) -> float | None:
        """The correlation of two tickers' returns over 60 days; None where unknown."""
        pair = (one, other) if one < other else (other, one)
        if pair not in self._together:
            self._together[pair] = moves.correlation(self._returns_of(pair[0]), self._returns_of(pair[1]))
        return self._together[pair]

    def _returns_of(self, ticker: str) -> moves.Returns:
        if ticker not in self._returns:
            closes: Mapping[date, Decimal] = {b.start_at.date(): decimal(b.close) for b in self._bars.get(ticker, ())}
            self._returns[ticker] = moves.daily_returns(closes)
        return self._returns[ticker]


def decimal(value: float) -> Decimal:
    """A price as it is written."""
    return Decimal(str(value))
