"""Daily returns, how two tickers' returns move together, and how much one moves at all. Statistics are floats."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations, pairwise

CORRELATION_DAYS = 60
LEAST_PAIRS = 20  # fewer common days say nothing about a pair
VOLATILITY_DAYS = 20
SESSIONS_A_YEAR = 252

Returns = Mapping[date, float]
Pair = Callable[[str, str], float | None]
"""The correlation of two tickers, None where it is not known."""


def daily_returns(closes: Mapping[date, Decimal]) -> dict[date, float]:
    """Close over previous close minus 1, under the later day; one fewer than there are positive closes."""
    days = sorted(day for day, close in closes.items() if close > 0)
    return {day: float(closes[day] / closes[before] - 1) for before, day in pairwise(days)}


def correlation(one: Returns, other: Returns, days: int = CORRELATION_DAYS) -> float | None:
    """Pearson's correlation over the last `days` days that both have, in [-1, 1].

    None with fewer than 20 common days or where one of them did not move at all.
    """
    common = sorted(one.keys() & other.keys())[-days:]
    if len(common) < LEAST_PAIRS:
        return None
    first, second = [one[d] for d in common], [other[d] for d in common]
    mean_first, mean_second = statistics.fmean(first), statistics.fmean(second)
    spread_first = math.fsum((x - mean_first) ** 2 for x in first)
    spread_second = math.fsum((y - mean_second) ** 2 for y in second)
    scale = math.sqrt(spread_first) * math.sqrt(spread_second)
    if scale == 0:
        return None
    together = math.fsum((x - mean_first) * (y - mean_second) for x, y in zip(first, second, strict=True))
    return max(-1.0, min(1.0, together / scale))


def mean_correlation(ticker: str, open_tickers: Iterable[str], of: Pair) -> float:
    """Mean correlation of a ticker with the other open ones, over the pairs that are known; 0 where none is."""
    each = (of(ticker, other) for other in sorted(set(open_tickers) - {ticker}))
    known = [value for value in each if value is not None]
    return statistics.fmean(known) if known else 0.0


def correlation_matrix(tickers: Iterable[str], of: Pair) -> dict[tuple[str, str], float]:
    """Correlation of each pair that is known, keyed by (lesser, greater) ticker."""
    found = {(one, other): of(one, other) for one, other in combinations(sorted(set(tickers)), 2)}
    return {pair: value for pair, value in found.items() if value is not None}


def realised_volatility(closes: Sequence[Decimal], days: int = VOLATILITY_DAYS) -> float | None:
    """Annualised volatility of the last `days` daily log returns: their sample deviation times the root of 252.

    `closes` are positive, oldest first; None with fewer than days + 1 of them.
    """
    if len(closes) <= days:
        return None
    last = [float(close) for close in closes[-days - 1 :]]
    logs = [math.log(after / before) for before, after in pairwise(last)]
    return statistics.stdev(logs) * math.sqrt(SESSIONS_A_YEAR)


def universe_volatility(volatilities: Iterable[float | None]) -> float | None:
    """The median volatility of a universe, for where its index has no prices; None where none is known."""
    known = [v for v in volatilities if v is not None and math.isfinite(v)]
    return statistics.median(known) if known else None
