"""The market-data REST routes: they read parameters, page through what `MarketData` knows and shape the answer."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from stonks_sandbox.alpaca.gate import Denied, Limiter, answer, gated, instant_parameter, integer_parameter
from stonks_sandbox.alpaca.market_data import MarketData, action_json, bar_json, news_id, news_json, parse_timeframe
from stonks_sandbox.alpaca.model import Refusal

FEEDS = frozenset({"iex", "sip", "delayed_sip", "otc", "boats", "overnight"})
ACTIONS = frozenset(
    {
        *("forward_split", "reverse_split", "unit_split", "stock_dividend", "cash_dividend", "spin_off", "cash_merger"),
        *("stock_merger", "stock_and_cash_merger", "redemption", "name_change", "worthless_removal"),
        "rights_distribution",
    }
)
MOST_ACTIONS = 1000
MOST_BARS = 10_000
MOST_NEWS = 50
_Row = TypeVar("_Row")


def data_router(market: MarketData, limiter: Limiter) -> APIRouter:
    """All market-data routes, `/v2/stocks/...`, `/v1beta1/news` and `/v1/corporate-actions`."""
    router = APIRouter(route_class=gated(limiter))
    _add_latest(router, market)
    _add_bars(router, market)
    _add_news(router, market)
    _add_corporate_actions(router, market)
    return router


def _bad(message: str) -> Denied:
    return Denied(Refusal(400, {"message": message}))


def _symbols(request: Request) -> list[str]:
    names = [name.strip().upper() for name in (request.query_params.get("symbols") or "").split(",")]
    found = sorted({name for name in names if name})
    if not found:
        raise _bad("symbols is required")
    return found


def _check_feed(request: Request) -> None:
    feed = request.query_params.get("feed")
    if feed and feed not in FEEDS:
        raise _bad(f"invalid feed: {feed}")


def _add_latest(router: APIRouter, market: MarketData) -> None:
    kinds: tuple[tuple[str, str, Callable[[str], dict[str, Any] | None]], ...] = (
        ("quotes", "quote", market.quote),
        ("trades", "trade", market.trade),
        ("bars", "bar", market.latest_bar),
    )
    for plural, singular, read in kinds:
        _add_one_latest(router, plural, singular, read)

    @router.get("/v2/stocks/snapshots")
    async def snapshots(request: Request) -> Response:
        _check_feed(request)
        found = {symbol: market.snapshot(symbol) for symbol in _symbols(request)}
        return answer({symbol: row for symbol, row in found.items() if row})

    @router.get("/v2/stocks/{symbol}/snapshot")
    async def snapshot(symbol: str, request: Request) -> Response:
        _check_feed(request)
        row = market.snapshot(symbol.upper())
        return answer({"symbol": symbol.upper(), **row} if row else _unknown(symbol))


def _unknown(symbol: str) -> Refusal:
    return Refusal(404, {"message": f"no data found for {symbol}"})


def _add_one_latest(
    router: APIRouter, plural: str, singular: str, read: Callable[[str], dict[str, Any] | None]
) -> None:
    @router.get(f"/v2/stocks/{plural}/latest", name=f"latest_{plural}")
    async def many(request: Request) -> Response:
        _check_feed(request)
        found = {symbol: read(symbol) for symbol in _symbols(request)}
        return answer({plural: {symbol: row for symbol, row in found.items() if row}})

    @router.get(f"/v2/stocks/{{symbol}}/{plural}/latest", name=f"latest_{singular}")
    async def one(symbol: str, request: Request) -> Response:
        _check_feed(request)
        row = read(symbol.upper())
        return answer({"symbol": symbol.upper(), singular: row} if row else _unknown(symbol))


def _token(*parts: str) -> str:
    return base64.b64encode("|".join(parts).encode()).decode()


def _untoken(raw: str | None) -> list[str] | None:
    if not raw:
        return None
    try:
        return base64.b64decode(raw, validate=True).decode().split("|")
    except (binascii.Error, UnicodeDecodeError):
        raise _bad(f"invalid page_token: {raw!r}") from None


def _range(request: Request, market: MarketData, reach: timedelta | None) -> tuple[datetime, datetime]:
    """The asked interval; without a start it begins `reach` before its end, or with its end's UTC day."""
    end = instant_parameter("end", request.query_params.get("end")) or market.now()
    end = min(end, market.now())
    start = instant_parameter("start", request.query_params.get("start"))
    if start is None:
        start = end.replace(hour=0, minute=0, second=0, microsecond=0) if reach is None else end - reach
    return start, end


def _after(rows: Sequence[_Row], keys: Sequence[str], token: list[str] | None) -> list[_Row]:
    """The rows behind the one that a page token names; a token of nothing known is refused."""
    if token is None:
        return list(rows)
    wanted = "|".join(token)
    if wanted not in keys:
        raise _bad("invalid page_token: it belongs to another query")
    return list(rows[keys.index(wanted) + 1 :])


def _add_bars(router: APIRouter, market: MarketData) -> None:
    def page(request: Request, symbols: Sequence[str]) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
        asked = request.query_params
        _check_feed(request)
        frame = parse_timeframe(asked.get("timeframe", ""))
        if frame is None:
            raise _bad(f"invalid timeframe: {asked.get('timeframe')!r}")
        start, end = _range(request, market, None)
        limit = integer_parameter("limit", asked.get("limit"), 1000, MOST_BARS)
        descending = asked.get("sort") == "desc"
        told = market.adjusted() if asked.get("adjustment") in {"split", "all"} else market
        rows = list[tuple[str, dict[str, Any]]]()
        for symbol in symbols:
            bars = told.bars(symbol, start, end, frame)
            rows += [(symbol, bar_json(bar)) for bar in (reversed(bars) if descending else bars)]
        keys = [f"{symbol}|{row['t']}" for symbol, row in rows]
        left = _after(rows, keys, _untoken(asked.get("page_token")))
        shown = left[:limit]
        more = len(left) > limit
        return shown, _token(shown[-1][0], shown[-1][1]["t"]) if more else None

    @router.get("/v2/stocks/bars")
    async def bars(request: Request) -> Response:
        rows, token = page(request, _symbols(request))
        gathered: dict[str, list[dict[str, Any]]] = {}
        for symbol, row in rows:
            gathered.setdefault(symbol, []).append(row)
        return answer({"bars": gathered, "next_page_token": token})

    @router.get("/v2/stocks/{symbol}/bars")
    async def bars_of(symbol: str, request: Request) -> Response:
        rows, token = page(request, [symbol.upper()])
        return answer({"symbol": symbol.upper(), "bars": [row for _, row in rows], "next_page_token": token})


def _add_news(router: APIRouter, market: MarketData) -> None:
    @router.get("/v1beta1/news")
    async def news(request: Request) -> Response:
        asked = request.query_params
        start, end = _range(request, market, timedelta(days=7))
        symbols = frozenset(name for name in (asked.get("symbols") or "").upper().split(",") if name)
        limit = integer_parameter("limit", asked.get("limit"), 10, MOST_NEWS)
        articles = market.news(start, end, symbols)
        if asked.get("sort", "desc") != "asc":
            articles.reverse()
        keys = [str(news_id(article)) for article in articles]
        left = _after(articles, keys, _untoken(asked.get("page_token")))
        shown = left[:limit]
        token = _token(str(news_id(shown[-1]))) if len(left) > limit else None
        root = str(request.base_url).rstrip("/").removesuffix("/alpaca-data")
        content = (asked.get("include_content") or "").lower() == "true"
        rows = [news_json(article, f"{root}/web", with_content=content) for article in shown]
        return answer({"news": rows, "next_page_token": token})


def _add_corporate_actions(router: APIRouter, market: MarketData) -> None:
    @router.get("/v1/corporate-actions")
    async def corporate_actions(request: Request) -> Response:
        asked = request.query_params
        kinds = frozenset(filter(None, (asked.get("types") or "").split(",")))
        for kind in sorted(kinds - ACTIONS):
            raise _bad(f"invalid type: {kind}")
        start, end = (instant_parameter(name, asked.get(name)) for name in ("start", "end"))
        if start and end and end < start:
            raise _bad("end should not be before start")
        limit = integer_parameter("limit", asked.get("limit"), 100, MOST_ACTIONS)
        symbols = frozenset(filter(None, (asked.get("symbols") or "").upper().split(",")))
        first, last = (start or market.now()).date(), (end or market.now()).date()
        rows = [
            action_json(action)
            for action in market.actions()
            if first <= action.day <= last and (not symbols or action.ticker in symbols)
        ]
        rows = [(kind, row) for kind, row in rows if not kinds or kind.removesuffix("s") in kinds]
        left = _after(rows, [row["id"] for _, row in rows], _untoken(asked.get("page_token")))
        gathered: dict[str, list[dict[str, Any]]] = {}
        for kind, row in left[:limit]:
            gathered.setdefault(kind, []).append(row)
        token = _token(left[limit - 1][1]["id"]) if len(left) > limit else None
        return answer({"corporate_actions": gathered, "next_page_token": token})
