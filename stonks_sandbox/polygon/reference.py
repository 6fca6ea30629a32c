"""Reference data: tickers, their details, related companies, and the market's hours."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from fastapi import Request

from stonks_sandbox.polygon.wire import (
    PolygonError,
    choice,
    day_argument,
    decode_cursor,
    flag,
    page_url,
    request_id,
    whole,
)
from stonks_sandbox.world.instants import DAY, NEW_YORK
from stonks_sandbox.world.protocol import Company, Split, World

TICKERS_PATH = "/v3/reference/tickers"


def summary(company: Company, now: datetime) -> dict[str, Any]:
    """A ticker as it stands in the list."""
    row: dict[str, Any] = {
        "ticker": company.ticker,
        "name": company.name,
        "market": "stocks",
        "locale": "us",
        "primary_exchange": company.exchange,
        "type": "CS",
        "active": True,
        "currency_name": "usd",
        "last_updated_utc": f"{now:%Y-%m-%d}T00:00:00Z",
    }
    if company.cik is not None:
        row["cik"] = f"{company.cik:010d}"
    return row


def details(world: World, ticker: str) -> dict[str, Any]:
    """One ticker in full; 404 in the vendor's words for an unknown one."""
    company = world.company(ticker)
    if company is None:
        raise PolygonError(404, "NOT_FOUND", "Ticker not found.", "message")
    row = summary(company, world.clock.now()) | {"ticker_root": ticker, "round_lot": 100}
    for key, value in (
        ("description", company.description),
        ("sic_code", company.sic_code),
        ("sic_description", company.sic_description),
    ):
        if value:
            row[key] = value
    return {"results": row, "status": "OK", "request_id": request_id()}


def _matches(company: Company, state: dict[str, Any]) -> bool:
    words = str(state["search"]).lower()
    return (
        (not state["ticker"] or company.ticker == state["ticker"])
        and (not state["cik"] or (company.cik is not None and f"{company.cik:010d}" == state["cik"]))
        and (not words or words in company.name.lower() or words in company.ticker.lower())
        and company.ticker > state["after"]
        and state["active"]
    )


def tickers(request: Request, world: World) -> dict[str, Any]:
    """One page of the ticker list, by ticker."""
    query = request.query_params
    if cursor := query.get("cursor"):
        state = decode_cursor(cursor)
    else:
        choice(query.get("market"), "market", "stocks", ("stocks",))
        state = {
            "ticker": query.get("ticker", ""),
            "cik": f"{int(query['cik']):010d}" if query.get("cik", "").isdigit() else query.get("cik", ""),
            "search": query.get("search", ""),
            "active": flag(query.get("active"), "active", default=True),
            "limit": whole(query.get("limit"), "limit", 100, 1000),
            "after": "",
        }
    found = sorted((row for row in world.companies() if _matches(row, state)), key=lambda row: row.ticker)
    chosen = found[: int(state["limit"])]
    body: dict[str, Any] = {
        "results": [summary(company, world.clock.now()) for company in chosen],
        "status": "OK",
        "request_id": request_id(),
        "count": len(chosen),
    }
    if len(found) > len(chosen):
        body["next_url"] = page_url(request, TICKERS_PATH, {**state, "after": chosen[-1].ticker})
    return body


def related(world: World, ticker: str) -> dict[str, Any]:
    """The companies that compete or deal with a ticker."""
    company = world.company(ticker)
    if company is None:
        raise PolygonError(404, "NOT_FOUND", "Ticker not found.", "message")
    return {
        "request_id": request_id(),
        "results": [{"ticker": peer} for peer in company.peers],
        "status": "OK",
        "stock_symbol": ticker,
    }


def market_now(world: World) -> dict[str, Any]:
    """Whether the market is open; the synthetic one always is."""
    now = world.clock.now()
    state = "open" if world.is_open(now) else "closed"
    return {
        "afterHours": False,
        "currencies": {"crypto": "open", "fx": "open"},
        "earlyHours": False,
        "exchanges": {"nasdaq": state, "nyse": state, "otc": state},
        "market": state,
        "serverTime": now.astimezone(NEW_YORK).isoformat(timespec="seconds"),
    }


def market_upcoming(world: World) -> Sequence[dict[str, Any]]:
    """Closed weekdays and early closes of the coming year; a market that never closes has none."""
    if world.calendar_name == "24/7":
        return []
    from stonks_sandbox.polygon.holidays import upcoming  # noqa: PLC0415 - calendars cost a second of start-up

    return upcoming(world.calendar_name, world.clock.now().astimezone(NEW_YORK).date())


def splits(request: Request, world: World) -> dict[str, Any]:
    """The announced splits between two dates, of a ticker or of all, in the vendor's order: newest first.

    Dates and the limit are refused as the vendor refuses them.
    """
    first, last = _edges(request, "execution_date")
    limit, ticker = whole(request.query_params.get("limit"), "limit", 10, 1000), request.query_params.get("ticker")
    found = [
        {
            "id": f"sandbox-split-{action.ticker}-{action.day}",
            "ticker": action.ticker,
            "execution_date": action.day.isoformat(),
            "split_from": float(action.split_from),
            "split_to": float(action.split_to),
        }
        for action in reversed(world.actions())
        if isinstance(action, Split) and first <= action.day <= last and ticker in {None, "", action.ticker}
    ]
    return {"results": found[:limit], "status": "OK", "request_id": request_id()}


def dividends(request: Request) -> dict[str, Any]:
    """The list of dividends, which is empty: the worlds pay none. What is asked for is read all the same."""
    _edges(request, "ex_dividend_date")
    whole(request.query_params.get("limit"), "limit", 10, 1000)
    return {"results": [], "status": "OK", "request_id": request_id()}


def _edges(request: Request, by: str) -> tuple[date, date]:
    """The first and the last day that a list is asked for, both included."""
    given = {
        edge: day_argument(text, f"{by}{edge}")
        for edge in ("", ".gt", ".gte", ".lt", ".lte")
        if (text := request.query_params.get(f"{by}{edge}"))
    }
    firsts = [given.get(""), given.get(".gte"), given[".gt"] + DAY if ".gt" in given else None]
    lasts = [given.get(""), given.get(".lte"), given[".lt"] - DAY if ".lt" in given else None]
    return max(filter(None, firsts), default=date.min), min(filter(None, lasts), default=date.max)
