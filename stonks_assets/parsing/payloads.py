"""Raw payloads to drafts: what each kind of raw row holds, read into one shape. Pure.

`article`   JSON {"listing": the vendor's item, "page_html": text or null, "page_url": text or null}
`feed_item` JSON {"entry": {title, link, summary, published, author}, "page_html": text or null}
`filing`    JSON {"accession", "cik", "ticker", "form", "items", "header", "primary_url",
                  "documents": [{"type", "filename", "description", "url", "html"}]}
`page`      the page's bytes
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stonks_assets.parsing.filings import parse_header
from stonks_assets.parsing.html import all_text, decode, main_text
from stonks_assets.parsing.identity import canonical_url, filing_identity
from stonks_assets.parsing.metadata import PageMetadata, page_metadata, parse_instant
from stonks_assets.parsing.text import normalise, one_line

SHORT_ARTICLE = 500  # characters below which the listing's description is added
DOCUMENT_KINDS = ("article", "feed_item", "filing", "page")


class UnreadablePayloadError(Exception):
    """A raw payload is not what its kind promises; the text names the item, what is wrong and what to do."""


@dataclass(frozen=True)
class Draft:
    """A document before it is judged. `identity` is what its id is made of; `text` is normalised."""

    identity: str
    url: str
    canonical_url: str
    title: str
    author: str
    publisher: str
    text: str
    published_at: datetime | None
    visible_characters: int = 0


def read_payload(raw: Mapping[str, Any]) -> Draft:
    """The draft of a raw row; UnreadablePayloadError when the payload cannot be read."""
    kind = str(raw["kind"])
    if kind == "page":
        return _page(raw)
    data = _json(raw)
    if kind == "article":
        return _article(raw, data)
    if kind == "feed_item":
        return _feed_item(raw, data)
    if kind == "filing":
        return _filing(raw, data)
    raise UnreadablePayloadError(
        f"{_item(raw)} is of kind {kind}, which holds no document; expected {', '.join(DOCUMENT_KINDS)}"
    )


def listed_identity(raw: Mapping[str, Any]) -> str | None:
    """The identity as the listing tells it, without reading the page; None where only the page can tell.

    Cheap: it lets a stage pass over what it already has. Raises UnreadablePayloadError like `read_payload`.
    """
    kind = str(raw["kind"])
    if kind == "page":
        return canonical_url(str(raw["url"])) or None
    data = _json(raw)
    if kind == "filing":
        accession = _text_of(data.get("accession"))
        return f"accession:{accession}" if accession else None
    listing, entry = _object(data.get("listing")), _object(data.get("entry"))
    url = _text_of(data.get("page_url")) or _text_of(listing.get("article_url")) or _text_of(entry.get("link"))
    return canonical_url(url) or None


def _item(raw: Mapping[str, Any]) -> str:
    return f"item {raw.get('item_id')} of source {raw.get('source_name')}"


def _json(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        data = json.loads(bytes(raw["payload"]))
    except (ValueError, RecursionError) as error:
        raise UnreadablePayloadError(
            f"the payload of {_item(raw)} is not JSON ({error}): fetch it again or dismiss the failure"
        ) from error
    if not isinstance(data, dict):
        raise UnreadablePayloadError(
            f"the payload of {_item(raw)} is JSON but no object: fetch it again or dismiss the failure"
        )
    return data


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _identity(raw: Mapping[str, Any], canonical: str) -> str:
    return canonical or f"item:{raw['source_id']}:{raw['item_id']}"


def _with_title(title: str, text: str) -> str:
    """The text with its title as first line, where it does not say it itself: titles carry news and quotes."""
    if not title or one_line(text[: len(title) + 200]).lower().find(title.lower()) >= 0:
        return text
    return normalise(f"{title}\n\n{text}")


def _enriched(text: str, description: str) -> str:
    """A short text with the listing's description, unless it says the same already."""
    if len(text) >= SHORT_ARTICLE or not description or one_line(description) in one_line(text):
        return text
    if one_line(text) in one_line(description):
        return description
    return normalise(f"{text}\n\n{description}")


def _page_parts(html: str, url: str) -> tuple[PageMetadata, str, int]:
    if not html:
        return PageMetadata(canonical_url=canonical_url(url) if url else ""), "", 0
    return page_metadata(html, url), main_text(html), len(all_text(html))


def _article(raw: Mapping[str, Any], data: Mapping[str, Any]) -> Draft:
    listing = _object(data.get("listing"))
    url = _text_of(data.get("page_url")) or _text_of(listing.get("article_url")) or str(raw["url"])
    page, text, visible = _page_parts(_text_of(data.get("page_html")), url)
    title = one_line(_text_of(listing.get("title"))) or page.title
    publisher = listing.get("publisher")
    publisher = _object(publisher).get("name") if isinstance(publisher, dict) else publisher
    text = _enriched(text, all_text(_text_of(listing.get("description"))))
    return Draft(
        identity=_identity(raw, page.canonical_url),
        url=url,
        canonical_url=page.canonical_url,
        title=title,
        author=one_line(_text_of(listing.get("author"))) or page.author,
        publisher=one_line(_text_of(publisher)) or page.publisher,
        text=_with_title(title, text),
        published_at=parse_instant(_text_of(listing.get("published_utc"))) or raw["published_at"] or page.published_at,
        visible_characters=visible,
    )


def _feed_item(raw: Mapping[str, Any], data: Mapping[str, Any]) -> Draft:
    entry = _object(data.get("entry"))
    url = _text_of(entry.get("link")) or str(raw["url"])
    page, text, visible = _page_parts(_text_of(data.get("page_html")), url)
    title = all_text(_text_of(entry.get("title"))).replace("\n", " ") or page.title
    text = _enriched(text, all_text(_text_of(entry.get("summary"))))
    return Draft(
        identity=_identity(raw, page.canonical_url),
        url=url,
        canonical_url=page.canonical_url,
        title=title,
        author=one_line(_text_of(entry.get("author"))) or page.author,
        publisher=page.publisher or str(raw["source_name"]),
        text=_with_title(title, text),
        published_at=parse_instant(_text_of(entry.get("published"))) or raw["published_at"] or page.published_at,
        visible_characters=visible,
    )


def _page(raw: Mapping[str, Any]) -> Draft:
    html = decode(bytes(raw["payload"]), str(raw["media_type"]))
    page, text, visible = _page_parts(html, str(raw["url"]))
    return Draft(
        identity=_identity(raw, page.canonical_url),
        url=str(raw["url"]),
        canonical_url=page.canonical_url,
        title=page.title,
        author=page.author,
        publisher=page.publisher,
        text=_with_title(page.title, text),
        published_at=page.published_at or raw["published_at"],
        visible_characters=visible,
    )


def _filing(raw: Mapping[str, Any], data: Mapping[str, Any]) -> Draft:
    accession = _text_of(data.get("accession"))
    try:
        identity = filing_identity(accession)
    except ValueError as error:
        raise UnreadablePayloadError(f"{_item(raw)} names no filing: {error}") from error
    header = parse_header(_text_of(data.get("header")))
    form = _text_of(data.get("form")) or header.form
    documents = data.get("documents")
    documents = [_object(entry) for entry in documents] if isinstance(documents, list) else []
    texts = [all_text(_text_of(entry.get("html"))) for entry in documents if _carries_news(entry, form)]
    items = header.items or tuple(str(item) for item in data.get("items") or ())
    company = header.company or _text_of(data.get("ticker"))
    url = _text_of(data.get("primary_url")) or str(raw["url"])
    return Draft(
        identity=identity,
        url=url,
        canonical_url=canonical_url(url),
        title=one_line(f"{company} {form}: {'; '.join(items)}" if items else f"{company} {form}"),
        author=company,
        publisher="SEC EDGAR",
        text=normalise("\n\n".join(text for text in texts if text)),
        published_at=header.accepted_at or raw["published_at"],
    )


def _carries_news(entry: Mapping[str, Any], form: str) -> bool:
    """The main document and its EX-99 exhibits (press releases); contracts and certifications are left out."""
    kind = _text_of(entry.get("type")).upper()
    return kind.startswith("EX-99") or kind in {form.upper(), form.upper().removesuffix("/A")}
