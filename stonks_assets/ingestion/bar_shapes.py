"""Bars in the vendors' shapes: what a payload holds, the feed that it speaks for, and the row of each bar. Pure.

A bar that is none is a sentence of its own and harms no other; what a vendor adds is left alone.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from stonks_core.calendar import Session
from stonks_core.prices.adjusting import DAILY, SNAPSHOT

SANDBOX_HEADER = "x-sandbox"
_NANOSECONDS = 1_000_000_000
_LETTERS = (("open", "o"), ("high", "h"), ("low", "l"), ("close", "c"))


@dataclass(frozen=True)
class BadBar:
    """A bar that could not be read: of which ticker (or `?`), and why."""

    ticker: str
    sentence: str


def feed_of(raw: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """Where a payload's bars come from, as the answer itself tells: sandbox, iex, sip, polygon or polygon_delayed."""
    headers = json.loads(raw["response_headers"] or "{}")
    if SANDBOX_HEADER in headers:
        return "sandbox"
    asked = parse_qs(urlsplit(str(raw["url"])).query).get("feed")
    if asked:
        return asked[0]
    return "polygon_delayed" if body.get("status") == "DELAYED" else "polygon"


def daily_bars(
    body: Mapping[str, Any], raw: Mapping[str, Any], session: Session
) -> Iterator[dict[str, object] | BadBar]:
    """The rows of a payload of daily bars: Polygon's `results`, or Alpaca's `bars` by ticker."""
    feed = feed_of(raw, body)
    for ticker, bar in _daily(body):
        if isinstance(bar, dict) and isinstance(bar.get("t"), str) and _date(bar["t"]) != session.day.isoformat():
            yield BadBar(ticker, f"the bar of {ticker} is of {bar['t']} and not of {session.day}: {str(bar)[:120]}")
            continue
        yield _row(ticker, bar, raw, session, feed, (DAILY, session.close))


def snapshots(
    body: Mapping[str, Any], raw: Mapping[str, Any], session: Session
) -> Iterator[dict[str, object] | BadBar]:
    """The session so far of each ticker: Polygon's `tickers`, or Alpaca's object by ticker.

    A ticker that has not traded in the session has no row.
    """
    feed = feed_of(raw, body)
    for ticker, found in _running(body):
        if not isinstance(found, dict) or ticker == "?":
            yield BadBar(ticker, f"a snapshot is no object or names no ticker: {str(found)[:120]}")
            continue
        bar = found.get("day") or found.get("dailyBar")
        if bar and not isinstance(bar, dict):
            yield BadBar(ticker, f"the day of the snapshot of {ticker} is no object: {str(bar)[:120]}")
            continue
        if (
            not bar
            or bar.get("v") == 0
            or (isinstance(bar.get("t"), str) and _date(bar["t"]) != session.day.isoformat())
        ):
            continue
        end = min(filter(None, (_seen_at(found), raw["fetched_at"])))
        if end > session.open:
            yield _row(ticker, bar, raw, session, feed, (SNAPSHOT, min(end, session.close)))


def _daily(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for result in _listed(body.get("results")):
        yield str(result.get("T") or "?") if isinstance(result, dict) else "?", result
    bars = body.get("bars") or {}
    for ticker, own in bars.items() if isinstance(bars, dict) else [("?", bars)]:
        for bar in _listed(own):
            yield str(ticker), bar


def _running(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "tickers" in body or "status" in body:
        for found in _listed(body.get("tickers")):
            yield str(found.get("ticker") or "?") if isinstance(found, dict) else "?", found
        return
    yield from ((str(ticker), found) for ticker, found in body.items() if found is not None)


def _listed(value: Any) -> list[Any]:
    """A list; nothing stands for none, and what is no list is one bar that cannot be read."""
    return value if isinstance(value, list) else [value] if value else []


def _row(
    ticker: str, bar: Any, raw: Mapping[str, Any], session: Session, feed: str, place: tuple[str, datetime]
) -> dict[str, object] | BadBar:
    span, end = place
    try:
        prices = {name: float(bar[letter]) for name, letter in _LETTERS}
        volume = float(bar["v"])
        vwap = None if bar.get("vw") is None else float(bar["vw"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        said = f"a {span} bar of {session.day} lacks a part or has one that is no number ({error!r}): {str(bar)[:120]}"
        return BadBar(ticker, said)
    if ticker == "?":
        return BadBar(ticker, f"a {span} bar of {session.day} names no ticker: {str(bar)[:120]}")
    if not all(math.isfinite(p) and p > 0 for p in prices.values()) or not 0 <= volume < math.inf:
        return BadBar(
            ticker,
            f"the bar of {ticker} on {session.day} has a price that is not above zero or a negative volume: {prices}",
        )
    return {
        "day": session.day.isoformat(),
        "ticker": ticker,
        "span": span,
        "start_at": session.open,
        "end_at": end,
        "feed": feed,
        **prices,
        "volume": volume,
        "vwap": vwap if vwap is not None and math.isfinite(vwap) else None,
        "raw_sha256": raw["sha256"],
        "published_at": end,
        "available_at": raw["available_at"],
    }


def _seen_at(found: Mapping[str, Any]) -> datetime | None:
    """When the vendor last saw the ticker change, where it says so: nanoseconds at Polygon, a text at Alpaca."""
    trade, updated = found.get("latestTrade"), found.get("updated")
    try:
        if isinstance(trade, dict) and trade.get("t"):
            return datetime.fromisoformat(str(trade["t"])).astimezone(UTC)
        return datetime.fromtimestamp(int(updated) // _NANOSECONDS, UTC) if updated else None
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _date(stamp: str) -> str:
    return stamp[:10]
