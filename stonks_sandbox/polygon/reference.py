"""Reference data: tickers, their details, related companies, and the market's hours."""

from collections.abc import Sequence
from datetime import datetime
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
from stonks_sandbox.world.instants import NEW_YORK
from stonks_sandbox.world.protocol import Company, World

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


def no_actions(request: Request, by: str) -> dict[str, Any]:
    """The list of splits or dividends, which is empty: the worlds' prices know none, recorded ones are adjusted already.

    What is asked for is read all the same, so that a wrong date or limit is refused as the vendor refuses it.
    """
    for name in (by, *(f"{by}.{edge}" for edge in ("gt", "gte", "lt", "lte"))):
        if request.query_params.get(name):
            day_argument(request.query_params[name], name)
    whole(request.query_params.get("limit"), "limit", 10, 1000)
    return {"results": [], "status": "OK", "request_id": request_id()}
