"""The addresses of the Polygon stand-in."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from stonks_sandbox.polygon import aggregates, news, reference
from stonks_sandbox.polygon.snapshot import snapshot
from stonks_sandbox.polygon.wire import (
    PolygonError,
    answer,
    authorise,
    choice,
    day_argument,
    decode_cursor,
    flag,
    page_url,
    request_id,
    span_edge,
    whole,
)
from stonks_sandbox.world import actions
from stonks_sandbox.world.protocol import World


class PolygonRoute(APIRoute):
    """Turns a `PolygonError` into the vendor's error body, wherever it was raised."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with the translation around it."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except PolygonError as error:
                return error.response()

        return handle


def _aggregates(
    request: Request, world: World, ticker: str, multiple: str, span: str, edges: tuple[str, str]
) -> Response:
    query = request.query_params
    clockwise = aggregates.around_the_clock(world)
    state: dict[str, Any] = (
        decode_cursor(query["cursor"])
        if query.get("cursor")
        else {
            "adjusted": flag(query.get("adjusted"), "adjusted", default=True),
            "sort": choice(query.get("sort"), "sort", "asc", ("asc", "desc")),
            "limit": whole(query.get("limit"), "limit", 5000, 50_000),
            "after": None,
        }
    )
    start = span_edge(edges[0], "from", last=False, around_the_clock=clockwise)
    end = span_edge(edges[1], "to", last=True, around_the_clock=clockwise)
    if end <= start:
        raise PolygonError(400, "ERROR", f"'from' ({edges[0]}) must not be later than 'to' ({edges[1]})")
    number = whole(multiple, "multiplier", 1, 1_000_000)
    told = actions.as_adjusted(world) if state["adjusted"] else world
    rows = aggregates.ranged(told, ticker, number, span, start, min(end, world.clock.now() + timedelta(microseconds=1)))
    if state["sort"] == "desc":
        rows.reverse()
    if state["after"] is not None:
        after = int(state["after"])
        rows = [row for row in rows if (row["t"] > after) == (state["sort"] == "asc") and row["t"] != after]
    chosen = rows[: int(state["limit"])]
    body: dict[str, Any] = {
        "ticker": ticker,
        "queryCount": len(chosen),
        "resultsCount": len(chosen),
        "adjusted": state["adjusted"],
        "status": "OK",
        "request_id": request_id(),
        "count": len(chosen),
    }
    if chosen:
        body["results"] = chosen
    if len(rows) > len(chosen):
        path = f"/v2/aggs/ticker/{ticker}/range/{multiple}/{span}/{edges[0]}/{edges[1]}"
        body["next_url"] = page_url(request, path, {**state, "after": chosen[-1]["t"]})
    return answer(body)


def _market_day(world: World, date: str, *, adjusted: bool) -> Response:
    start, end = aggregates.day_bounds(world, day_argument(date, "date"))
    told = actions.as_adjusted(world) if adjusted else world
    rows = [
        {"T": company.ticker, **row}
        for company in world.companies()
        for row in aggregates.ranged(told, company.ticker, 1, "day", start, end)
    ]
    body: dict[str, Any] = {
        "queryCount": len(rows),
        "resultsCount": len(rows),
        "adjusted": adjusted,
        "status": "OK",
        "request_id": request_id(),
        "count": len(rows),
    }
    if rows:
        body["results"] = rows
    return answer(body)


def _previous(world: World, ticker: str, *, adjusted: bool) -> Response:
    bar = aggregates.previous_day(actions.as_adjusted(world) if adjusted else world, ticker)
    body: dict[str, Any] = {
        "ticker": ticker,
        "queryCount": int(bar is not None),
        "resultsCount": int(bar is not None),
        "adjusted": adjusted,
        "status": "OK",
        "request_id": request_id(),
        "count": int(bar is not None),
    }
    if bar is not None:
        shaped = aggregates.shape(bar, aggregates.stamp(world, aggregates.day_of(world, bar)))
        body["results"] = [{"T": ticker, **shaped}]
    return answer(body)


def build_polygon(world: World) -> APIRouter:
    """The router to mount at /polygon. A wrong argument is 400, a missing key 401, an unknown ticker 404 or empty."""
    router = APIRouter(route_class=PolygonRoute, dependencies=[Depends(authorise)], tags=["polygon"])
    _add_prices(router, world)
    _add_reference(router, world)
    return router


def _add_prices(router: APIRouter, world: World) -> None:
    @router.get("/v2/aggs/ticker/{ticker}/range/{multiple}/{span}/{first}/{last}")
    def ranged(request: Request, ticker: str, multiple: str, span: str, first: str, last: str) -> Response:
        return _aggregates(request, world, ticker, multiple, span, (first, last))

    @router.get("/v2/aggs/grouped/locale/us/market/stocks/{date}")
    def grouped(date: str, adjusted: str | None = None) -> Response:
        return _market_day(world, date, adjusted=flag(adjusted, "adjusted", default=True))

    @router.get("/v2/aggs/ticker/{ticker}/prev")
    def previous(ticker: str, adjusted: str | None = None) -> Response:
        return _previous(world, ticker, adjusted=flag(adjusted, "adjusted", default=True))

    @router.get("/v2/snapshot/locale/us/markets/stocks/tickers")
    def snapshots(tickers: str = "") -> Response:
        wanted = set(filter(None, tickers.split(",")))
        rows = [
            row
            for company in world.companies()
            if (not wanted or company.ticker in wanted) and (row := snapshot(world, company.ticker)) is not None
        ]
        return answer({"count": len(rows), "status": "OK", "request_id": request_id(), "tickers": rows})

    @router.get("/v2/snapshot/locale/us/markets/stocks/tickers/{ticker}")
    def one_snapshot(ticker: str) -> Response:
        row = snapshot(world, ticker)
        if row is None:
            raise PolygonError(404, "NotFound", "Ticker not found.", "message")
        return answer({"status": "OK", "request_id": request_id(), "ticker": row})


def _add_reference(router: APIRouter, world: World) -> None:
    @router.get(news.PATH)
    def articles(request: Request) -> Response:
        return answer(news.page(request, world))

    @router.get(reference.TICKERS_PATH)
    def tickers_page(request: Request) -> Response:
        return answer(reference.tickers(request, world))

    @router.get("/v3/reference/tickers/{ticker}")
    def ticker_details(ticker: str) -> Response:
        return answer(reference.details(world, ticker))

    @router.get("/v1/related-companies/{ticker}")
    def related(ticker: str) -> Response:
        return answer(reference.related(world, ticker))

    @router.get("/v3/reference/splits")
    def splits(request: Request) -> Response:
        return answer(reference.splits(request, world))

    @router.get("/v3/reference/dividends")
    def dividends(request: Request) -> Response:
        return answer(reference.dividends(request))

    @router.get("/v1/marketstatus/now")
    def market_now() -> Response:
        return answer(reference.market_now(world))

    @router.get("/v1/marketstatus/upcoming")
    def market_upcoming() -> Response:
        return Response(orjson.dumps(reference.market_upcoming(world)), media_type="application/json")
