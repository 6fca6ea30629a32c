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
from stonks_assets.parsing.html import decode, looks_like_html, main_text
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_assets.parsing.metadata import page_metadata, parse_instant
from stonks_assets.parsing.payloads import UnreadablePayloadError, read_payload
from stonks_assets.parsing.text import normalise, one_line
from stonks_core.errors import StonksError

STDIN = "-"
LINES = (".jsonl", ".ndjson")
_LISTED = re.compile(
    r"(?P<name>[A-Z][\w.&'’-]*(?:,? (?:[A-Z&][\w.&'’-]*|of|and|the))*)\s*\((?:[^()]{0,40}[\s,;])?"
    r"(?:NYSE(?: American| Arca)?|NASDAQ|Nasdaq(?:GS|GM|CM)?|AMEX|OTC\w*|TSX|LSE|NSE|BSE)\s?:\s?(?P<ticker>[A-Z][A-Z.]{0,9})\b"
)
_FORM = re.compile(r"^<SEC-DOCUMENT>|^<SUBMISSION>|^-----BEGIN PRIVACY", re.MULTILINE)


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


def questions_of(name: str, companies: Sequence[CompanyNames]) -> Iterator[Question | Unasked]:
    """The questions of a file, in order. `companies` are those to look for in a document that brings none of its own."""
    path = Path(name)
    try:
        if name == STDIN:
            yield from _lines(sys.stdin.buffer)
        elif path.suffix.lower() in LINES:
            with path.open("rb") as stream:
                yield from _lines(stream)
        else:
            yield _document(name, path.read_bytes(), companies)
    except OSError as error:
        yield Unasked(name, f"{name} cannot be read: {error.strerror or error}")


def _lines(stream: Any) -> Iterator[Question | Unasked]:
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


def _document(name: str, content: bytes, companies: Sequence[CompanyNames]) -> Question | Unasked:
    """A file as parsing sees it: an article as a vendor writes it, a web page, or plain text."""
    try:
        title, text, published = _read(name, content)
    except UnreadablePayloadError as error:
        return Unasked(name, f"{name} cannot be parsed: {error}")
    if not text:
        return Unasked(name, f"{name} holds no text that a reader would see")
    found = CompanyMatcher(companies).tickers(f"{title}\n{text}")
    asked = [AskedCompany(c.ticker, (c.legal_name, *c.aliases)) for c in companies if c.ticker in found]
    asked = asked or listed_in(f"{title}\n{text}")
    if not asked:
        return Unasked(
            name, f"{name} names no company that is known: give --companies FILE, or write them as (NASDAQ: AAPL)"
        )
    return Question(name, text, tuple(asked), title, published)


def _read(name: str, content: bytes) -> tuple[str, str, datetime | None]:
    if Path(name).suffix.lower() == ".json":
        draft = read_payload({"kind": "article", "url": "", "item_id": name, "source_name": name, "payload": content})
        return draft.title, draft.text, draft.published_at
    text = decode(content)
    if _FORM.search(text[:4000]) is None and looks_like_html(text):
        about = page_metadata(text)
        return about.title, main_text(text), about.published_at
    return "", normalise(text), None


def listed_in(text: str) -> list[AskedCompany]:
    """The companies that a text names with their listing: `Apple Inc. (NASDAQ: AAPL)`."""
    found: dict[str, AskedCompany] = {}
    for match in _LISTED.finditer(text):
        found.setdefault(match["ticker"], AskedCompany(match["ticker"], (match["name"],)))
    return list(found.values())


def companies_in(path: Path) -> list[CompanyNames]:
    """The companies of a JSON list of {ticker, name, aliases}; StonksError where the file is none."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
        asked = [_company(entry) for entry in (entries if isinstance(entries, list) else [entries])]
    except (OSError, ValueError, BadLineError) as error:
        raise StonksError(f"the companies in {path} cannot be read: {error}") from error
    return [CompanyNames(company.ticker, next(iter(company.names), ""), company.names[1:]) for company in asked]
