"""The account's equity over time, as GET /v2/account/portfolio/history tells it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from stonks_sandbox.alpaca.account import Account
from stonks_sandbox.alpaca.model import Refusal, refuse
from stonks_sandbox.alpaca.venue import Venue

UNITS = {"D": 1, "W": 7, "M": 30, "A": 365}  # days
STEPS = {"1Min": 60, "5Min": 300, "15Min": 900, "1H": 3_600, "1D": 86_400}  # seconds
MOST_POINTS = 10_000


def span(period: str) -> timedelta | Refusal:
    """The length of a period such as 1D, 2W, 3M or 1A; months count 30 days, years 365."""
    found = re.fullmatch(r"([1-9]\d{0,3})([DWMA])", period)
    if found is None:
        return refuse(422, 40010001, f"invalid period: {period!r} is not a number and one of D, W, M, A")
    return timedelta(days=int(found[1]) * UNITS[found[2]])


def default_step(length: timedelta) -> str:
    """The vendor's resolution where none is asked for."""
    if length < timedelta(days=7):
        return "1Min"
    return "15Min" if length < timedelta(days=30) else "1D"


def portfolio_history(
    venue: Venue,
    period: str | None,
    timeframe: str | None,
    end: datetime | None,
    start: datetime | None,
) -> dict[str, Any] | Refusal:
    """Equity at the ends of windows that start at `timestamp`, inside sessions, up to `end` or now.

    Daily windows are sessions. Before the account was opened there is nothing to tell.
    """
    length = span(period or "1M")
    if isinstance(length, Refusal):
        return length
    now = venue.world.clock.now()
    until = min(end or now, now)
    since = start or until - length
    name = timeframe or default_step(until - since)
    if name not in STEPS:
        return refuse(422, 40010001, f"invalid timeframe: {name!r} is none of {', '.join(STEPS)}")
    since = max(since, venue.opened_at)
    windows = _windows(venue, since, until, STEPS[name])
    if len(windows) > MOST_POINTS:
        return refuse(422, 40010001, f"{len(windows)} points asked for, at most {MOST_POINTS}: widen the timeframe")
    account = Account(venue)
    base = account.equity_at([since], venue.world.bar_seconds)[0] if windows else venue.initial_cash
    # A window that has not ended is worth what the account is worth now.
    ended = [closes for _, closes in windows if closes <= now]
    equity = account.equity_at(ended, STEPS[name]) if ended else []
    equity += [account.equity()] * (len(windows) - len(ended))
    gains = [value - base for value in equity]
    return {
        "timestamp": [int(opens.timestamp()) for opens, _ in windows],
        "equity": [round(float(value), 2) for value in equity],
        "profit_loss": [round(float(gain), 2) for gain in gains],
        "profit_loss_pct": [round(float(gain / base), 6) if base else None for gain in gains],
        "base_value": round(float(base), 2),
        "base_value_asof": f"{since.astimezone(UTC):%Y-%m-%d}",
        "timeframe": name,
    }


def _windows(venue: Venue, since: datetime, until: datetime, seconds: int) -> list[tuple[datetime, datetime]]:
    sessions = venue.sessions.between(since.date() - timedelta(days=1), until.date() + timedelta(days=1))
    if seconds == STEPS["1D"]:
        return [(s.opens, s.closes) for s in sessions if s.closes > since and s.opens < until]
    step = timedelta(seconds=seconds)
    windows = list[tuple[datetime, datetime]]()
    for session in sessions:
        at = max(session.opens, _on_grid(since, seconds))
        while at < min(session.closes, until) and len(windows) <= MOST_POINTS:
            windows.append((at, at + step))
            at += step
    return windows


def _on_grid(at: datetime, seconds: int) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def end_of_day(day: str | None) -> datetime | Refusal | None:
    """The last instant of a UTC day given as YYYY-MM-DD."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day[:10]) + timedelta(days=1), time(), UTC)
    except ValueError:
        return refuse(422, 40010001, f"invalid date_end: {day!r} is no date")
