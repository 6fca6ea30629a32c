"""The news endpoint: filters, order, and pages in which every article appears exactly once.

A page's cursor holds the range as it stood at the first page, so that articles published meanwhile shift nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from fastapi import Request

from stonks_sandbox.polygon.wire import choice, decode_cursor, instant_argument, page_url, request_id, whole
from stonks_sandbox.world.instants import iso_utc
from stonks_sandbox.world.protocol import Article, World

PATH = "/v2/reference/news"
BOUNDS = ("gte", "gt", "lte", "lt")
DEFAULT_REACH = timedelta(days=30)
"""How far back an unbounded question looks."""
TICK = timedelta(microseconds=1)
PIECE = timedelta(days=3)
FLOOR = datetime(2000, 1, 1, tzinfo=UTC)
"""No world has older articles."""


def _range(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    start, end = datetime.min.replace(tzinfo=UTC), now + TICK
    bounded = False
    if text := query.get("published_utc"):
        low, high = instant_argument(text, "published_utc")
        start, end, bounded = low, min(end, high), True
    for bound in BOUNDS:
        text = query.get(f"published_utc.{bound}")
        if not text:
            continue
        low, high = instant_argument(text, f"published_utc.{bound}")
        if bound in {"gte", "gt"}:
            start, bounded = max(start, low if bound == "gte" else high), True
        else:
            end = min(end, high if bound == "lte" else low)
    return (start if bounded else end - DEFAULT_REACH), end


def _state(request: Request, now: datetime) -> dict[str, Any]:
    query = request.query_params
    if cursor := query.get("cursor"):
        return decode_cursor(cursor)
    start, end = _range(query, now)
    choice(query.get("sort"), "sort", "published_utc", ("published_utc",))
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "ticker": query.get("ticker", ""),
        "order": choice(query.get("order"), "order", "desc", ("asc", "desc", "ascending", "descending"))[:3],
        "limit": whole(query.get("limit"), "limit", 10, 1000),
        "after": None,
    }


def shape(request: Request, article: Article) -> dict[str, Any]:
    """One article as the vendor writes it; `insights` are left out, because they come later than publication."""
    base = str(request.base_url).rstrip("/")
    site = f"{base}/web/{article.path.split('/', 1)[0]}"
    return {
        "id": article.article_id,
        "publisher": {
            "name": article.publisher,
            "homepage_url": site,
            "logo_url": f"{site}/logo.svg",
            "favicon_url": f"{site}/favicon.ico",
        },
        "title": article.title,
        "author": article.author,
        "published_utc": iso_utc(article.published_at),
        "article_url": f"{base}/web/{article.path}",
        "tickers": list(article.tickers),
        "description": article.description,
        "keywords": list(article.keywords),
    }


def _place(article: Article) -> tuple[datetime, str]:
    return article.published_at, article.article_id


def _windows(start: datetime, end: datetime, *, backwards: bool) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) in pieces of a few days, so that a page costs what it holds and not what the range holds."""
    while start < end:
        if backwards:
            edge = max(start, end - PIECE)
            yield edge, end
            end = edge
        else:
            edge = min(end, start + PIECE)
            yield start, edge
            start = edge


def _scan(world: World, state: dict[str, Any]) -> Iterator[Article]:
    """The articles of a question in its order, from behind the cursor's place."""
    start, end = datetime.fromisoformat(state["start"]), datetime.fromisoformat(state["end"])
    backwards = state["order"] == "des"
    after = (datetime.fromisoformat(state["after"][0]), str(state["after"][1])) if state["after"] else None
    if after is not None:
        start, end = (start, after[0] + TICK) if backwards else (after[0], end)
    for low, high in _windows(max(start, FLOOR), end, backwards=backwards):
        found = world.articles(low, high)
        for article in reversed(found) if backwards else found:
            if not article.wire or article.kind == "rumour":
                continue
            if state["ticker"] and state["ticker"] not in article.tickers:
                continue
            if after is None or (_place(article) < after if backwards else _place(article) > after):
                yield article


def page(request: Request, world: World) -> dict[str, Any]:
    """One page of news, as asked for by arguments or by a cursor."""
    state = _state(request, world.clock.now())
    limit = int(state["limit"])
    chosen = list(islice(_scan(world, state), limit + 1))
    more, chosen = len(chosen) > limit, chosen[:limit]
    body: dict[str, Any] = {
        "results": [shape(request, article) for article in chosen],
        "status": "OK",
        "request_id": request_id(),
        "count": len(chosen),
    }
    if more:
        last = _place(chosen[-1])
        body["next_url"] = page_url(request, PATH, {**state, "after": [last[0].isoformat(), last[1]]})
    return body
