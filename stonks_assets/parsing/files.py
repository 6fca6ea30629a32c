"""A file as the raw rows that ingestion would have made of it, so that it is read by the same road. Pure.

Told apart by what is in it, never by its name: EDGAR submissions with their header, single filed documents, feeds or
one item of a feed, a vendor's JSON of one article, web pages, plain text.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from stonks_assets.parsing.filings import parse_header, split_submission
from stonks_assets.parsing.html import decode, looks_like_html
from stonks_assets.parsing.payloads import UnreadablePayloadError
from stonks_core.vocabulary import SourceType

_HEADER = re.compile(r"<SEC-HEADER>|<ACCEPTANCE-DATETIME>|^ACCESSION NUMBER:", re.MULTILINE)
_FILED = re.compile(
    r"<DOCUMENT>\s*<TYPE>|<ix:header|xmlns:ix=|<title>\s*(?:EX-99|8-K|10-[KQ])|EDGAR|Wdesk|Workiva|Toppan Merrill|Donnelley"
    r"|ActiveDisclosure|Certent|exhibit(?:\s|&nbsp;|&#160;|<[^>]*>)*99|SECURITIES AND EXCHANGE COMMISSION",
    re.IGNORECASE,
)
_FEED = re.compile(
    r"\s*(?:<\?[^>]*\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^\[>]*(?:\[.*?\])?\s*>\s*)*<(?:rss|feed|item|entry|rdf:RDF)[\s>]",
    re.DOTALL,
)
_ATOM = "{http://www.w3.org/2005/Atom}"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
SAMPLE = 8192  # characters from which a binary file is known
MOST_UNPRINTABLE = 0.03  # of them; hostile pages strew in a few
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_BINARY = (b"%PDF", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"\xd0\xcf\x11\xe0")


def raw_rows(name: str, content: bytes, read_at: datetime) -> list[dict[str, Any]]:
    """The raw rows of a file, several for a feed of several entries, as if fetched at `read_at` (aware UTC).

    UnreadablePayloadError, with a sentence, for an empty or binary file, a header without documents, a broken feed.
    """
    if not content.strip():
        raise UnreadablePayloadError(f"{name} is empty: name a page, a text, a feed or a filing")
    text = decode(content)
    if content.startswith(_BINARY) or len(_UNPRINTABLE.findall(text[:SAMPLE])) > MOST_UNPRINTABLE * len(text[:SAMPLE]):
        raise UnreadablePayloadError(f"{name} is no text but a binary file: turn it into HTML or plain text first")
    if _HEADER.search(text[:5000]):
        return [_filing(name, text, read_at)]
    if _FEED.match(text[:5000]):
        return [_row(name, "feed_item", b"", read_at, {"entry": entry}) for entry in _entries(name, content)]
    if text.lstrip().startswith("{") and (article := _article(text)) is not None:
        return [_row(name, "article", json.dumps(article).encode(), read_at, {})]
    if looks_like_html(text) and _FILED.search(text[:20_000]):
        documents = split_submission(text)
        html = "\n".join(document.html for document in documents) or text
        return [_row(name, "page", html.encode(), read_at, {"filed": True}, "text/html; charset=utf-8")]
    return [_row(name, "page", content, read_at, {}, "")]


def _row(
    name: str, kind: str, payload: bytes, read_at: datetime, detail: Mapping[str, Any], media_type: str = ""
) -> dict[str, Any]:
    source_type = SourceType.FILINGS_API if kind == "filing" or "filed" in detail else SourceType.WEB_SCRAPE
    return {
        "day": read_at.date().isoformat(),
        "item_id": name,
        "sha256": hashlib.sha256(payload).hexdigest(),
        "source_id": "file",
        "source_type": source_type.value,
        "source_name": "",
        "ticker": None,
        "kind": kind,
        "url": "",
        "media_type": media_type,
        "payload": payload,
        "detail": json.dumps(detail),
        "credibility": None,
        "published_at": None,
        "fetched_at": read_at,
        "available_at": read_at,
    }


def _filing(name: str, text: str, read_at: datetime) -> dict[str, Any]:
    """A full submission as its header with its documents for parts."""
    header, documents = parse_header(text), split_submission(text)
    if not documents:
        raise UnreadablePayloadError(f"{name} is the header of filing {header.accession} without a document of it")
    parts = [
        _row(name, "filing_document", document.html.encode(), read_at, _described(document), "text/html; charset=utf-8")
        for document in documents
    ]
    head = text.split("<DOCUMENT>", 1)[0].encode()
    detail = {"accession": header.accession, "form": header.form, "items": list(header.items)}
    return _row(name, "filing", head, read_at, detail, "text/plain; charset=utf-8") | {"parts": parts}


def _described(document: Any) -> dict[str, str]:
    return {"type": document.type, "filename": document.filename, "description": document.description}


def _article(text: str) -> Mapping[str, Any] | None:
    """A vendor's article, None where the JSON is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    names = ("headline", "article_url", "published_utc", "description")
    return data if isinstance(data, dict) and any(name in data for name in names) else None


def _entries(name: str, content: bytes) -> list[dict[str, str]]:
    try:
        root = fromstring(content)
    except ParseError as error:
        raise UnreadablePayloadError(f"{name} is a feed whose XML is broken ({error}): fetch it again") from error
    except DefusedXmlException as error:
        raise UnreadablePayloadError(f"{name} is a feed that defines entities, and was left: {error}") from error
    found = [_entry(item) for item in root.iter() if _local(item) in {"item", "entry"}]
    if not found:
        raise UnreadablePayloadError(f"{name} is a feed without an entry")
    return found


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _entry(item: Element) -> dict[str, str]:
    """An RSS item or an Atom entry in the shape that ingestion writes."""
    said = {_local(child): "".join(child.itertext()).strip() for child in reversed(item)}
    link = next((child.get("href", "") for child in item.findall(f"{_ATOM}link")), "") or said.get("link", "")
    names = [name.text.strip() for name in item.findall(f"{_ATOM}author/{_ATOM}name") if name.text]
    return {
        "title": said.get("title", ""),
        "link": link,
        "summary": item.findtext(_CONTENT) or said.get("content") or said.get("description") or said.get("summary", ""),
        "published": said.get("pubDate") or said.get("published") or said.get("updated") or said.get("date", ""),
        "author": ", ".join(names) or said.get("author", "") or (item.findtext(_CREATOR) or "").strip(),
    }
