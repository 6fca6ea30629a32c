"""Raw items to drafts: what each kind of raw row and its parts hold, read into one shape. Pure.

`article`   the vendor's JSON of one article, as Polygon or Alpaca write it; part `article_page`: its page
`feed_item` the entry as the feed writes it, `detail.entry` what it says {title, link, summary, published, author};
            part `article_page`: its page
`filing`    the SGML header, `detail` what the listing says of it {accession, ticker, form, items, primary_url};
            parts `filing_document`: its documents, `detail` {type, filename, description}
`page`      the page's bytes; with `detail.filed` a document out of a filing that came without the filing
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stonks_assets.parsing.filings import parse_header
from stonks_assets.parsing.html import all_text, decode, looks_like_html, parse_tree, read_page
from stonks_assets.parsing.identity import canonical_url, filing_identity
from stonks_assets.parsing.metadata import PageMetadata, parse_instant, tree_metadata
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
    zone_stated: bool = True
    language: str = ""  # as the page states it


def read_payload(raw: Mapping[str, Any]) -> Draft:
    """The draft of a raw row; UnreadablePayloadError when the payload cannot be read."""
    kind = str(raw["kind"])
    if kind == "page":
        return _page(raw)
    if kind == "article":
        return _article(raw, _listing(raw))
    if kind == "feed_item":
        return _feed_item(raw, _object(_detail(raw).get("entry")))
    if kind == "filing":
        return _filing(raw, _detail(raw))
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
    if kind == "filing":
        accession = _text_of(_detail(raw).get("accession"))
        return f"accession:{accession}" if accession else None
    if kind == "article":
        return canonical_url(_listing(raw).url) or None
    return canonical_url(_text_of(_object(_detail(raw).get("entry")).get("link"))) or None


@dataclass(frozen=True)
class Listing:
    """What a news vendor says of one article, whichever it is."""

    url: str
    title: str
    author: str
    publisher: str
    description: str
    content: str
    published: str


def _listing(raw: Mapping[str, Any]) -> Listing:
    """The vendor's article: Alpaca's has a headline, Polygon's a title. What is added later (`insights`) is not read."""
    data = _json(raw)
    if "headline" in data:
        return Listing(
            url=_text_of(data.get("url")),
            title=_text_of(data.get("headline")),
            author=_text_of(data.get("author")),
            publisher=_text_of(data.get("source")).title(),
            description=_text_of(data.get("summary")),
            content=_text_of(data.get("content")),
            published=_text_of(data.get("created_at")),
        )
    publisher = data.get("publisher")
    publisher = _object(publisher).get("name") if isinstance(publisher, dict) else publisher
    return Listing(
        url=_text_of(data.get("article_url")),
        title=_text_of(data.get("title")),
        author=_text_of(data.get("author")),
        publisher=_text_of(publisher),
        description=_text_of(data.get("description")),
        content="",
        published=_text_of(data.get("published_utc")),
    )


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


def _detail(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the adapter learnt of an item or a part; it is ours, so that it is JSON where it is there."""
    return _object(json.loads(row.get("detail") or "{}"))


def _parts(raw: Mapping[str, Any], kind: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The item's parts of a kind with their text, in their order."""
    for part in raw.get("parts") or ():
        if part["kind"] == kind:
            yield part, decode(bytes(part["payload"]), _content_type(part))


def _page_of(raw: Mapping[str, Any]) -> tuple[str, str]:
    """The item's page and its address; empty where it could not be fetched."""
    return next(((html, str(part["url"])) for part, html in _parts(raw, "article_page")), ("", ""))


def _content_type(row: Mapping[str, Any]) -> str:
    """The media type with its charset, as the server declared it."""
    declared = json.loads(row.get("response_headers") or "{}").get("content-type")
    return _text_of(declared) or str(row["media_type"])


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _identity(raw: Mapping[str, Any], canonical: str) -> str:
    return canonical or f"item:{raw['source_id']}:{raw['item_id']}"


def with_title(title: str, text: str) -> str:
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


def _page_parts(html: str, url: str, raw: Mapping[str, Any]) -> tuple[PageMetadata, str, int]:
    """A page's metadata, main text and visible characters, from one tree; of plain text the text itself."""
    known = PageMetadata(canonical_url=canonical_url(url) if url else "")
    if not looks_like_html(html):
        text = normalise(html)
        return known, text, len(text)
    tree = parse_tree(html)
    if tree is None:
        return known, "", 0
    metadata = tree_metadata(tree, url, raw["fetched_at"])
    page = read_page(tree)
    return metadata, page.text, page.visible_characters


def _article(raw: Mapping[str, Any], listing: Listing) -> Draft:
    html, address = _page_of(raw)
    url = address or listing.url or str(raw["url"])
    page, text, visible = _page_parts(html, url, raw)
    text = text or all_text(listing.content)
    title = one_line(listing.title) or page.title
    return Draft(
        identity=_identity(raw, page.canonical_url),
        url=url,
        canonical_url=page.canonical_url,
        title=title,
        author=one_line(listing.author) or page.author,
        publisher=one_line(listing.publisher) or page.publisher,
        text=with_title(title, _enriched(text, all_text(listing.description))),
        published_at=parse_instant(listing.published) or raw["published_at"] or page.published_at,
        visible_characters=visible,
        zone_stated=bool(listing.published or raw["published_at"]) or page.zone_stated,
        language=page.language,
    )


def _feed_item(raw: Mapping[str, Any], entry: Mapping[str, Any]) -> Draft:
    html, _ = _page_of(raw)
    url = _text_of(entry.get("link")) or str(raw["url"])
    page, text, visible = _page_parts(html, url, raw)
    title = all_text(_text_of(entry.get("title"))).replace("\n", " ") or page.title
    text = _enriched(text, all_text(_text_of(entry.get("summary"))))
    return Draft(
        identity=_identity(raw, page.canonical_url),
        url=url,
        canonical_url=page.canonical_url,
        title=title,
        author=one_line(_text_of(entry.get("author"))) or page.author,
        publisher=page.publisher or str(raw["source_name"]),
        text=with_title(title, text),
        published_at=parse_instant(_text_of(entry.get("published"))) or raw["published_at"] or page.published_at,
        visible_characters=visible,
        zone_stated=bool(entry.get("published") or raw["published_at"]) or page.zone_stated,
        language=page.language,
    )


def _page(raw: Mapping[str, Any]) -> Draft:
    html = decode(bytes(raw["payload"]), _content_type(raw))
    page, text, visible = _page_parts(html, str(raw["url"]), raw)
    if _detail(raw).get("filed"):
        text = all_text(html, slides=True)
        visible = len(text)
    return Draft(
        identity=_identity(raw, page.canonical_url),
        url=str(raw["url"]),
        canonical_url=page.canonical_url,
        title=page.title,
        author=page.author,
        publisher=page.publisher,
        text=with_title(page.title, text) if len(text) < SHORT_ARTICLE else text,  # a page has its headline in it
        published_at=page.published_at or raw["published_at"],
        visible_characters=visible,
        zone_stated=page.zone_stated or page.published_at is None,
        language=page.language,
    )


def _filing(raw: Mapping[str, Any], listed: Mapping[str, Any]) -> Draft:
    accession = _text_of(listed.get("accession"))
    try:
        identity = filing_identity(accession)
    except ValueError as error:
        raise UnreadablePayloadError(f"{_item(raw)} names no filing: {error}") from error
    header = parse_header(decode(bytes(raw["payload"]), _content_type(raw)))
    form = _text_of(listed.get("form")) or header.form
    documents = _parts(raw, "filing_document")
    texts = [all_text(html, slides=True) for part, html in documents if _carries_news(_detail(part), form)]
    stated = listed.get("items")
    items = header.items or tuple(str(item) for item in (stated if isinstance(stated, list) else ()))
    company = header.company or _text_of(listed.get("ticker"))
    url = _text_of(listed.get("primary_url")) or str(raw["url"])
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
