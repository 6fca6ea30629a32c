"""What `stonks extract` is asked about: lines of JSON with their companies, or documents in files. No store is needed."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stonks_assets.extraction.prompts import AskedCompany
from stonks_assets.parsing.files import raw_rows
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_assets.parsing.metadata import parse_instant
from stonks_assets.parsing.parse import ParsedDocument, parse_raw
from stonks_assets.parsing.payloads import UnreadablePayloadError
from stonks_assets.parsing.text import normalise, one_line

STDIN = "-"
LINES = (".jsonl", ".ndjson")
_LISTED = re.compile(
    r"(?P<name>[A-Z][\w.&'’-]*(?:,? (?:[A-Z&][\w.&'’-]*|of|and|the))*)\s*\((?:[^()]{0,40}[\s,;])?"
    r"(?:NYSE(?: American| Arca)?|NASDAQ|Nasdaq(?:GS|GM|CM)?|AMEX|OTC\w*|TSX|LSE|NSE|BSE)\s?:\s?(?P<ticker>[A-Z][A-Z.]{0,9})\b"
)


class BadLineError(Exception):
    """A line or file cannot be asked about; the text says what is wrong with it and what is expected."""


@dataclass(frozen=True)
class Question:
    """A document and the companies to judge. `key` comes back beside the answer: an id of a line, the name of a file."""

    key: Any
    text: str
    companies: tuple[AskedCompany, ...]
    title: str = ""
    published_at: datetime | None = None


@dataclass(frozen=True)
class Unasked:
    """A line or file that cannot be asked about, and why."""

    key: Any
    error: str


Found = Question | Unasked


def questions_of(name: str, companies: Sequence[CompanyNames], read_at: datetime) -> Iterator[Found]:
    """The questions of a file, in order. `companies` are those to look for in a document that brings none of its own."""
    path = Path(name)
    try:
        if name == STDIN:
            yield from _lines(sys.stdin.buffer)
        elif path.suffix.lower() in LINES:
            with path.open("rb") as stream:
                yield from _lines(stream)
        else:
            yield from documents_in(name, path.read_bytes(), companies, read_at)
    except OSError as error:
        yield Unasked(name, f"{name} cannot be read: {error.strerror or error}")


def _lines(stream: Any) -> Iterator[Found]:
    for number, raw in enumerate(stream, 1):
        if not raw.strip():
            continue
        row: Any = None
        try:
            row = json.loads(raw)
            yield _question(row, number)
        except (ValueError, BadLineError) as error:
            key = row.get("id", number) if isinstance(row, dict) else number
            told = str(error) if isinstance(error, BadLineError) else f"it is not JSON: {error}"
            yield Unasked(key, f'line {number}: {told}; expected {{"id", "text", "companies": [{{"ticker", "name"}}]}}')


def _question(row: Any, number: int) -> Question:
    if not isinstance(row, dict):
        raise BadLineError("it is no JSON object")
    text, title = row.get("text"), row.get("title") or ""
    if not isinstance(text, str) or not isinstance(title, str):
        raise BadLineError("`text` and `title` must be texts")
    text, title = _clean(text), one_line(title)
    text, title = (text, title) if text else (title, "")
    if not text:
        raise BadLineError("`text` is empty")
    given = row.get("companies")
    if not isinstance(given, list) or not given:
        raise BadLineError("`companies` must be a list with at least one company")
    companies = tuple(_company(entry) for entry in given)
    tickers = [company.ticker for company in companies]
    if len(set(tickers)) < len(tickers):
        raise BadLineError("a ticker stands twice in `companies`")
    published = row.get("published") or row.get("published_at")
    instant = parse_instant(published) if isinstance(published, str) else None
    return Question(row.get("id", number), text, companies, title, instant)


def _clean(text: str) -> str:
    """The text as a parsed document would hold it, so that quotes and offsets are those of what was judged."""
    return normalise(text.encode("utf-8", "replace").decode())


def _company(entry: Any) -> AskedCompany:
    if isinstance(entry, str) and entry.strip():
        return AskedCompany(entry.strip(), (entry.strip(),))
    if not isinstance(entry, dict):
        raise BadLineError("a company must have a `ticker` and a `name`")
    names = [entry.get("name"), *(entry.get("names") or ()), *(entry.get("aliases") or ())]
    told = tuple(dict.fromkeys(one_line(name) for name in names if isinstance(name, str) and name.strip()))
    ticker = entry.get("ticker")
    ticker = ticker if isinstance(ticker, str) and ticker.strip() else next(iter(told), "")
    if not ticker:
        raise BadLineError("a company has neither a ticker nor a name")
    return AskedCompany(ticker, told)


def documents_in(name: str, content: bytes, companies: Sequence[CompanyNames], read_at: datetime) -> Iterator[Found]:
    """A file as parsing sees it: a page, text, feed, filing or a vendor's article. A feed holds several documents."""
    try:
        rows = raw_rows(name, content, read_at)
    except UnreadablePayloadError as error:
        yield Unasked(name, str(error))
        return
    matcher = CompanyMatcher(companies)
    for number, row in enumerate(rows, 1):
        key = name if len(rows) == 1 else f"{name}#{number}"
        try:
            yield _about(key, parse_raw(row, matcher), companies)
        except UnreadablePayloadError as error:
            yield Unasked(key, str(error))


def _about(key: str, document: ParsedDocument, companies: Sequence[CompanyNames]) -> Found:
    """A question about the known companies that a document names, else about those that it lists with their ticker."""
    text, title = document.row["text"], document.row["title"]
    asked = [AskedCompany(c.ticker, (c.legal_name, *c.aliases)) for c in companies if c.ticker in document.tickers]
    asked = asked or listed_in(f"{title}\n{text}")
    if not asked:
        return Unasked(
            key, f"{key} names no company that is known: give --companies FILE, or write them as (NASDAQ: AAPL)"
        )
    return Question(key, text, tuple(asked), title, document.row["published_at"])


def listed_in(text: str) -> list[AskedCompany]:
    """The companies that a text names with their listing: `Apple Inc. (NASDAQ: AAPL)`."""
    found: dict[str, AskedCompany] = {}
    for match in _LISTED.finditer(text):
        found.setdefault(match["ticker"], AskedCompany(match["ticker"], (match["name"],)))
    return list(found.values())
