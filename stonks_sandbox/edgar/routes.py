"""The addresses of the EDGAR stand-in: /www for www.sec.gov, /data for data.sec.gov."""

import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from stonks_sandbox.edgar.gate import UndeclaredError, require_contact
from stonks_sandbox.edgar.pages import current_feed, index_page
from stonks_sandbox.edgar.submissions import columns, file_name, older_parts, submissions
from stonks_sandbox.world.forms import full_submission
from stonks_sandbox.world.protocol import Company, Filing, World

HISTORY = timedelta(days=400)
"""How far back a filer's submissions reach in a synthetic world; a recording's reach to its beginning."""
FEED_REACH = {"synthetic": timedelta(days=3), "recorded": timedelta(days=30)}
"""How far back the feed of the latest filings looks; a recording of few companies has few filings a day."""
TICK = timedelta(microseconds=1)
SUBMISSIONS = re.compile(r"CIK(\d{10})(?:-submissions-(\d{3}))?\.json")
MISSING_JSON = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
    "<Message>The specified key does not exist.</Message></Error>"
)
MISSING_PAGE = (
    "<!DOCTYPE html><html><head><title>SEC.gov | File Not Found Error Alert (404)</title></head>"
    "<body><h1>File Not Found</h1><p>We cannot find that page on our web site.</p></body></html>"
)
TYPES = {"htm": "text/html", "html": "text/html", "txt": "text/plain", "xml": "application/xml", "sgml": "text/plain"}


class EdgarRoute(APIRoute):
    """Answers undeclared readers with sec.gov's own refusal."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with the refusal around it."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except UndeclaredError as error:
                return error.response()

        return handle


def _history(world: World, cik: int) -> Sequence[Filing]:
    now = world.clock.now()
    start = now - HISTORY if world.kind == "synthetic" else datetime(1993, 1, 1, tzinfo=UTC)
    return world.filings(start, now + TICK, cik)


def _filer(world: World, cik: int) -> Company | None:
    return next((company for company in world.companies() if company.cik == cik), None)


def _document(filing: Filing, name: str) -> bytes | None:
    if name in {f"{filing.accession}-index.html", f"{filing.accession}-index.htm"}:
        return index_page(filing)
    if name == f"{filing.accession}.hdr.sgml":
        return filing.header
    if name == f"{filing.accession}.txt":
        return full_submission(filing)
    return next((document.content for document in filing.documents if document.filename == name), None)


def _dashed(folder: str) -> str:
    plain = folder.replace("-", "")
    return f"{plain[:10]}-{plain[10:12]}-{plain[12:]}"


def _served(filing: Filing, name: str, content: bytes) -> Response:
    kind = TYPES.get(name.rsplit(".", 1)[-1].lower(), "application/octet-stream")
    modified = format_datetime(filing.accepted_at.astimezone(UTC), usegmt=True)
    return Response(content, headers={"Last-Modified": modified, "Content-Type": kind})


def _archived(world: World, cik: str, folder: str, name: str) -> Response:
    filing = world.filing(_dashed(folder))
    content = None
    if filing is not None and cik.isdigit() and int(cik) == filing.cik:
        content = _document(filing, name)
    if filing is None or content is None:
        return Response(MISSING_PAGE, 404, media_type="text/html")
    return _served(filing, name, content)


def _submissions(world: World, name: str) -> Response:
    match = SUBMISSIONS.fullmatch(name)
    company = _filer(world, int(match[1])) if match else None
    if match is None or company is None or company.cik is None:
        return Response(MISSING_JSON, 404, media_type="application/xml")
    filings = _history(world, company.cik)
    if match[2] is None:
        return Response(orjson.dumps(submissions(company, filings)), media_type="application/json")
    parts = {file_name(company.cik, number): part for number, part in enumerate(older_parts(filings), start=1)}
    if name not in parts:
        return Response(MISSING_JSON, 404, media_type="application/xml")
    return Response(orjson.dumps(columns(parts[name])), media_type="application/json")


def _number(text: str, default: int, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() else default


def _current(request: Request, world: World) -> Response:
    query = request.query_params
    if query.get("action", "getcurrent") != "getcurrent":
        return Response(MISSING_PAGE, 404, media_type="text/html")
    form = query.get("type", "")
    now = world.clock.now()
    found = [row for row in world.filings(now - FEED_REACH[world.kind], now + TICK) if row.form.startswith(form)]
    found.reverse()
    start = _number(query.get("start", ""), 0, 1_000_000)
    count = max(1, _number(query.get("count", ""), 40, 100))
    base = f"{str(request.base_url).rstrip('/')}/edgar/www"
    feed = current_feed(base, found[start : start + count], now)
    return Response(feed, headers={"Content-Type": "application/atom+xml", "Cache-Control": "no-cache"})


def build_edgar(world: World) -> APIRouter:
    """The router to mount at /edgar. Readers without a contact address in the User-Agent are refused with 403."""
    router = APIRouter(route_class=EdgarRoute, dependencies=[Depends(require_contact)], tags=["edgar"])

    @router.get("/www/files/company_tickers.json")
    def company_tickers() -> Response:
        filers = [company for company in world.companies() if company.cik is not None]
        rows = {
            str(number): {"cik_str": company.cik, "ticker": company.ticker, "title": company.name}
            for number, company in enumerate(filers)
        }
        return Response(orjson.dumps(rows), media_type="application/json")

    @router.get("/data/submissions/{name}")
    def of_filer(name: str) -> Response:
        return _submissions(world, name)

    @router.get("/www/cgi-bin/browse-edgar")
    def current(request: Request) -> Response:
        return _current(request, world)

    @router.get("/www/Archives/edgar/data/{cik}/{folder}/{name}")
    def archived(cik: str, folder: str, name: str) -> Response:
        return _archived(world, cik, folder, name)

    @router.get("/www/Archives/edgar/data/{cik}/{name}")
    def short_address(cik: str, name: str) -> Response:
        return _archived(world, cik, name[:20].replace("-", ""), name)

    return router
