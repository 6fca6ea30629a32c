"""Recommendations and daily bars as the pipeline stores them, made for benchmarks of trading."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

SESSIONS = 90


def daily_bars(prices: Mapping[str, float], sessions: int = SESSIONS) -> Iterator[Mapping[str, Any]]:
    """Daily bars of the sessions up to yesterday, each ticker around its price, dollars, and on a path of its own."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    chances = {ticker: random.Random(ticker) for ticker in prices}
    for back in range(sessions, 0, -1):
        start = today - timedelta(days=back)
        end = start + timedelta(days=1)
        for ticker, price in prices.items():
            close = price * chances[ticker].uniform(0.99, 1.01)
            yield {
                "day": start.date().isoformat(),
                "ticker": ticker,
                "span": "1d",
                "start_at": start,
                "end_at": end,
                "feed": "sandbox",
                "open": close,
                "high": close * 1.01,
                "low": close * 0.99,
                "close": close,
                "volume": 1e6,
                "vwap": close,
                "raw_sha256": "",
                "published_at": end,
                "available_at": end,
            }


def recommendation(
    name: str, ticker: str, window: str, now: datetime, *, action: str = "buy", price: float = 100.0
) -> Mapping[str, Any]:
    """A strong recommendation of half a month's validity."""
    return {
        "day": now.date().isoformat(),
        "recommendation_id": name,
        "identity": name,
        "trend_id": name,
        "ticker": ticker,
        "window": window,
        "action": action,
        "mode": "paper_eligible",
        "risk_class": "moderate",
        "score": 0.8,
        "strength": 0.8,
        "confidence": 0.9,
        "contradiction": 0.0,
        "suppression": "",
        "thesis": f"{ticker} is spoken of.",
        "thesis_author": "template",
        "reference_price": price,
        "input_versions": "{}",
        "as_of": now,
        "expires_at": now + timedelta(days=15),
    }
