"""The addresses of the web stand-in: pages with validators and compression, as a polite crawler expects them."""

import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from html import escape

from fastapi import APIRouter, Request, Response

from stonks_sandbox.world.protocol import Article, World

FEED_REACH = timedelta(days=2)
FEED_MOST = 100
WORTH_COMPRESSING = 500
ROBOTS = """User-agent: *
Disallow: /web/account/
Disallow: /web/search
Crawl-delay: 1
Allow: /
"""
MISSING = (
    "<!DOCTYPE html><html><head><title>Page not found</title></head><body><h1>Page not found</h1>"
    "<p>The page may have moved or never existed.</p></body></html>"
)


def _unchanged(request: Request, tag: str, modified: datetime) -> bool:
    """Whether the reader's copy is current: by If-None-Match, else by If-Modified-Since (RFC 9110)."""
    if asked := request.headers.get("if-none-match"):
        known = {part.strip().removeprefix("W/") for part in asked.split(",")}
        return tag in known or "*" in known
    if since := request.headers.get("if-modified-since"):
        try:
            at = parsedate_to_datetime(since)
        except ValueError:
            return False
        return (at if at.tzinfo else at.replace(tzinfo=UTC)) >= modified.replace(microsecond=0)
    return False


def _serve(request: Request, content: bytes, kind: str, modified: datetime) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {
        "ETag": tag,
        "Last-Modified": format_datetime(modified.astimezone(UTC), usegmt=True),
        "Cache-Control": "max-age=60",
        "Vary": "Accept-Encoding",
    }
    if _unchanged(request, tag, modified):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = kind
    if len(content) >= WORTH_COMPRESSING and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, compresslevel=5, mtime=0)
    return Response(content, headers=headers)


def _item(base: str, article: Article) -> str:
    link = escape(f"{base}/web/{article.path}")
    return (
        f"<item><title>{escape(article.title)}</title><link>{link}</link>"
        f'<guid isPermaLink="false">{article.article_id}</guid>'
        f"<dc:creator>{escape(article.author or article.publisher)}</dc:creator>"
        f'<source url="{base}/web/feed.xml">{escape(article.publisher)}</source>'
        f"<pubDate>{format_datetime(article.published_at.astimezone(UTC), usegmt=True)}</pubDate>"
        f"<description>{escape(article.description)}</description></item>"
    )


def _feed(base: str, articles: list[Article]) -> bytes:
    items = "\n".join(_item(base, article) for article in articles)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>Street talk</title><link>{base}/web/</link>"
        "<description>Rumours and blog posts of a simulated market</description><language>en</language>\n"
        f"{items}\n</channel></rss>\n"
    )
    return text.encode()


def build_web(world: World) -> APIRouter:
    """The router to mount at /web."""
    router = APIRouter(tags=["web"])

    @router.get("/robots.txt")
    def robots() -> Response:
        return Response(ROBOTS, media_type="text/plain")

    @router.get("/feed.xml")
    def feed(request: Request) -> Response:
        now = world.clock.now()
        found = [row for row in world.articles(now - FEED_REACH, now + timedelta(microseconds=1)) if not row.wire]
        newest = list(reversed(found))[:FEED_MOST]
        base = str(request.base_url).rstrip("/")
        modified = newest[0].published_at if newest else now - FEED_REACH
        return _serve(request, _feed(base, newest), "application/rss+xml; charset=utf-8", modified)

    @router.get("/{path:path}")
    def page(request: Request, path: str) -> Response:
        article = world.article_at(path)
        if article is None:
            return Response(MISSING, 404, media_type="text/html")
        base = str(request.base_url).rstrip("/")
        html = article.html.replace('rel="canonical" href="/web/', f'rel="canonical" href="{base}/web/', 1)
        return _serve(request, html.encode(), "text/html; charset=utf-8", article.published_at)

    return router
