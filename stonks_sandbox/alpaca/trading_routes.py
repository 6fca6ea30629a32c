"""The trading REST routes and the stream's socket: they read parameters, ask the venue and shape the answer."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Request, Response, WebSocket

from stonks_sandbox.alpaca import rules
from stonks_sandbox.alpaca.account import Account
from stonks_sandbox.alpaca.gate import Limiter, answer, gated, instant_parameter, integer_parameter
from stonks_sandbox.alpaca.model import Execution, Order, Refusal, refuse
from stonks_sandbox.alpaca.portfolio import end_of_day, portfolio_history
from stonks_sandbox.alpaca.store import OrderQuery
from stonks_sandbox.alpaca.stream import Hub, serve
from stonks_sandbox.alpaca.venue import Venue
from stonks_sandbox.alpaca.wire import activity_id, activity_json, asset_json, order_json

NEW_YORK = ZoneInfo("America/New_York")
MOST_ORDERS = 500
MOST_ACTIVITIES = 100


def trading_router(venue: Venue, hub: Hub, limiter: Limiter) -> APIRouter:
    """All trading routes below `/v2`, and the socket `/stream`."""
    router = APIRouter(route_class=gated(limiter))
    _add_market(router, venue)
    _add_account(router, venue)
    _add_orders(router, venue)
    _add_positions(router, venue)

    @router.websocket("/stream")
    async def stream(socket: WebSocket) -> None:
        await serve(socket, hub)

    return router


def _order_answer(result: Order | Refusal, status: str | None = None) -> Response:
    return answer(result if isinstance(result, Refusal) else order_json(result, status))


def _add_market(router: APIRouter, venue: Venue) -> None:
    @router.get("/v2/clock")
    async def clock() -> Response:
        now = venue.world.clock.now()
        times = {
            "timestamp": now,
            "next_open": venue.sessions.opening_after(now).opens,
            "next_close": venue.sessions.closing_after(now).closes,
        }
        local = {name: at.astimezone(NEW_YORK).isoformat() for name, at in times.items()}
        return answer({**local, "is_open": venue.world.is_open(now)})

    @router.get("/v2/calendar")
    async def calendar(request: Request) -> Response:
        today = venue.world.clock.now().date()
        first = instant_parameter("start", request.query_params.get("start"))
        last = instant_parameter("end", request.query_params.get("end"))
        return answer(
            calendar_json(
                venue, first.date() if first else date(1970, 1, 1), last.date() if last else today + timedelta(days=365)
            )
        )

    @router.get("/v2/assets")
    async def assets(request: Request) -> Response:
        wanted = {name: request.query_params.get(name) for name in ("status", "asset_class", "exchange")}
        rows = [_asset(venue, company.ticker) for company in venue.world.companies()]
        if wanted["status"] == "inactive" or wanted["asset_class"] not in {None, "us_equity"}:
            rows = []
        exchange = wanted["exchange"]
        return answer([row for row in rows if row and (exchange is None or row["exchange"] == exchange)])

    @router.get("/v2/assets/{symbol_or_id}")
    async def asset(symbol_or_id: str) -> Response:
        return answer(_asset(venue, symbol_or_id) or rules.not_found(f"asset not found for {symbol_or_id}"))


def _asset(venue: Venue, symbol_or_id: str) -> dict[str, Any] | None:
    company = venue.company(symbol_or_id)
    if company is None:
        return None
    return asset_json(company, fractionable=company.ticker not in venue.whole_shares_only)


def calendar_json(venue: Venue, first: date, last: date) -> list[dict[str, str]]:
    """Sessions in New York's clock time; a market that never closes is open from 00:00 to 23:59 of a UTC day."""
    rows = []
    for session in venue.sessions.between(first, last):
        opens, closes = (at.astimezone(NEW_YORK) for at in (session.opens, session.closes))
        round_the_clock = session.closes - session.opens >= timedelta(days=1)
        hours = ("00:00", "23:59") if round_the_clock else (f"{opens:%H:%M}", f"{closes:%H:%M}")
        extended = ("0000", "2359") if round_the_clock else ("0400", "2000")
        rows.append(
            {
                "date": session.day.isoformat(),
                "open": hours[0],
                "close": hours[1],
                "session_open": extended[0],
                "session_close": extended[1],
            }
        )
    return rows


def _add_account(router: APIRouter, venue: Venue) -> None:
    account = Account(venue)

    @router.get("/v2/account")
    async def get_account() -> Response:
        return answer(account.account_json())

    @router.get("/v2/account/portfolio/history")
    async def history(request: Request) -> Response:
        asked = request.query_params
        venue.settle()
        end = instant_parameter("end", asked.get("end")) or end_of_day(asked.get("date_end"))
        if isinstance(end, Refusal):
            return answer(end)
        start = instant_parameter("start", asked.get("start"))
        return answer(portfolio_history(venue, asked.get("period"), asked.get("timeframe"), end, start))

    @router.get("/v2/account/activities")
    async def activities(request: Request) -> Response:
        kinds = request.query_params.get("activity_types")
        return _activities(venue, request, kinds.split(",") if kinds else ["FILL"])

    @router.get("/v2/account/activities/{kind}")
    async def activities_of(kind: str, request: Request) -> Response:
        return _activities(venue, request, [kind])


def _activities(venue: Venue, request: Request, kinds: Sequence[str]) -> Response:
    asked = request.query_params
    venue.settle()
    after, until = (instant_parameter(name, asked.get(name)) for name in ("after", "until"))
    day = instant_parameter("date", asked.get("date"))
    if day is not None and (after or until):
        return answer(refuse(422, rules.MALFORMED, "date cannot be used with after or until"))
    if day is not None:
        opens = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
        after, until = opens - timedelta(microseconds=1), opens + timedelta(days=1)
    size = integer_parameter("page_size", asked.get("page_size"), MOST_ACTIVITIES, MOST_ACTIVITIES)
    ascending = asked.get("direction", "desc") == "asc"
    rows = [
        execution
        for execution in (venue.executions if "FILL" in kinds else [])
        if (after is None or execution.executed_at > after) and (until is None or execution.executed_at < until)
    ]
    rows.sort(key=activity_id, reverse=not ascending)
    return answer([activity_json(row) for row in _page(rows, asked.get("page_token"), size)])


def _page(rows: list[Execution], token: str | None, size: int) -> list[Execution]:
    ids = [activity_id(row) for row in rows]
    start = ids.index(token) + 1 if token in ids else 0
    return rows[start : start + size] if token is None or token in ids else []


def _add_orders(router: APIRouter, venue: Venue) -> None:
    @router.get("/v2/orders:by_client_order_id")
    async def by_client_id(request: Request) -> Response:
        return _order_answer(venue.order_by_client_id(request.query_params.get("client_order_id", "")))

    @router.get("/v2/orders")
    async def orders(request: Request) -> Response:
        asked = request.query_params
        status, side = asked.get("status") or "open", asked.get("side")
        if status not in {"open", "closed", "all"}:
            return answer(refuse(422, rules.MALFORMED, f"invalid status: {status!r}"))
        symbols = frozenset(name for name in (asked.get("symbols") or "").upper().split(",") if name)
        wanted = OrderQuery(
            status=status,
            after=instant_parameter("after", asked.get("after")),
            until=instant_parameter("until", asked.get("until")),
            symbols=symbols,
            side=side,
            limit=integer_parameter("limit", asked.get("limit"), 50, MOST_ORDERS),
            newest_first=asked.get("direction", "desc") != "asc",
        )
        return answer([order_json(order) for order in venue.orders(wanted)])

    @router.get("/v2/orders/{order_id}")
    async def order(order_id: str) -> Response:
        return _order_answer(venue.order(order_id))

    @router.post("/v2/orders")
    async def submit(request: Request) -> Response:
        body = await _body(request)
        return answer(body) if isinstance(body, Refusal) else _order_answer(venue.submit(body), "accepted")

    @router.patch("/v2/orders/{order_id}")
    async def change(order_id: str, request: Request) -> Response:
        body = await _body(request)
        if isinstance(body, Refusal):
            return answer(body)
        return _order_answer(venue.replace_order(order_id, body), "accepted")

    @router.delete("/v2/orders/{order_id}")
    async def cancel(order_id: str) -> Response:
        result = venue.cancel(order_id)
        return answer(result) if isinstance(result, Refusal) else Response(status_code=204)

    @router.delete("/v2/orders")
    async def cancel_all() -> Response:
        return answer(_cancel_all(venue), 207)


def _cancel_all(venue: Venue) -> list[dict[str, Any]]:
    results = [(order.id, venue.cancel(order.id)) for order in venue.open_orders()]
    return [
        {"id": order_id, "status": result.status, "body": result.body}
        if isinstance(result, Refusal)
        else {"id": order_id, "status": 200}
        for order_id, result in results
    ]


async def _body(request: Request) -> dict[str, Any] | Refusal:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return refuse(400, 40010000, "request body format is invalid")
    return body


def _add_positions(router: APIRouter, venue: Venue) -> None:
    account = Account(venue)

    def ticker(symbol_or_id: str) -> str:
        company = venue.company(symbol_or_id)
        return company.ticker if company else symbol_or_id.upper()

    @router.get("/v2/positions")
    async def positions() -> Response:
        return answer(account.positions_json())

    @router.get("/v2/positions/{symbol_or_id}")
    async def position(symbol_or_id: str) -> Response:
        found = account.position_json(ticker(symbol_or_id))
        return answer(found or rules.not_found("position does not exist"))

    @router.delete("/v2/positions/{symbol_or_id}")
    async def close(symbol_or_id: str, request: Request) -> Response:
        asked = request.query_params
        result = venue.close_position(ticker(symbol_or_id), asked.get("qty"), asked.get("percentage"))
        return _order_answer(result, "accepted")

    @router.delete("/v2/positions")
    async def close_all(request: Request) -> Response:
        if (request.query_params.get("cancel_orders") or "").lower() == "true":
            _cancel_all(venue)
        venue.settle()
        rows = []
        for symbol in sorted(venue.book.holdings):
            result = venue.close_position(symbol, None, None)
            if isinstance(result, Refusal):
                rows.append({"symbol": symbol, "status": result.status, "body": result.body})
            else:
                rows.append({"symbol": symbol, "status": 200, "body": order_json(result, "accepted")})
        return answer(rows, 207)
