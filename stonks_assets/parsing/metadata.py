"""What a document says about itself: title, author, publisher, canonical address, publication time, language. Pure."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

from lxml.html import HtmlElement

from stonks_assets.parsing.html import looks_like_html, parse_tree
from stonks_assets.parsing.identity import canonical_url, same_site
from stonks_assets.parsing.text import one_line
from stonks_assets.parsing.words import STOP_WORDS

LONGEST = 300  # characters of a title or a name
_TITLE_KEYS = ("og:title", "twitter:title", "headline", "dc.title")
_AUTHOR_KEYS = ("author", "article:author", "dc.creator", "byl", "sailthru.author", "parsely-author")
_PUBLISHER_KEYS = ("og:site_name", "publisher", "dc.publisher", "application-name")
_TIME_KEYS = (
    "article:published_time",
    "datepublished",
    "date",
    "pubdate",
    "dc.date",
    "parsely-pub-date",
    "sailthru.date",
)
_ARTICLE_TYPES = re.compile(r"Article|Posting|Report$")
_LATIN_WORD = re.compile(r"[^\W\d_]+")
_LEAST_SHARE = 0.08  # of a text's words that are small words of its language
_SAMPLE = 20_000


@dataclass(frozen=True)
class PageMetadata:
    """What a page says about itself; what it does not say is empty or None. `published_at` is aware UTC."""

    title: str = ""
    author: str = ""
    publisher: str = ""
    canonical_url: str = ""
    published_at: datetime | None = None


def page_metadata(html: str, url: str = "") -> PageMetadata:
    """The metadata of a page fetched from `url`: JSON-LD first, then meta elements, then the visible heading.

    A canonical address on another site is not believed: a page could take another document's name with it.
    """
    tree = parse_tree(html) if looks_like_html(html) else None
    if tree is None:
        return PageMetadata()
    metas = _metas(tree)
    linked = next(_json_ld_articles(tree), {})
    title = _first(linked.get("headline"), *_all(metas, _TITLE_KEYS), _heading(tree), tree.findtext(".//title"))
    author = _first(_names(linked.get("author")), *_all(metas, _AUTHOR_KEYS))
    publisher = _first(_names(linked.get("publisher")), *_all(metas, _PUBLISHER_KEYS))
    stamps = [linked.get("datePublished"), *_all(metas, _TIME_KEYS), *tree.xpath("//time/@datetime")[:1]]
    instants = (parse_instant(str(stamp)) for stamp in stamps if stamp)
    return PageMetadata(
        title=title,
        author="" if author.startswith(("http://", "https://")) else author,
        publisher=publisher,
        canonical_url=_canonical(tree, metas, url),
        published_at=next((instant for instant in instants if instant), None),
    )


def parse_instant(stamp: str) -> datetime | None:
    """ISO 8601 or RFC 2822 time as aware UTC; a time without a zone is taken as UTC; None for anything else."""
    stamp = stamp.strip()
    try:
        instant = datetime.fromisoformat(stamp)
    except ValueError:
        try:
            instant = parsedate_to_datetime(stamp)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def detect_language(text: str) -> str:
    """ISO 639-1 code of the language whose small words are most frequent, `und` where none is frequent enough."""
    tokens = Counter(_LATIN_WORD.findall(text[:_SAMPLE].lower()))
    total = tokens.total()
    if not total:
        return "und"
    shares = {language: sum(tokens[word] for word in small) / total for language, small in sorted(STOP_WORDS.items())}
    best = max(shares, key=lambda language: (shares[language], language == "en"))
    return best if shares[best] >= _LEAST_SHARE else "und"


def _metas(tree: HtmlElement) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop")
        content = element.get("content")
        if name and content:
            found.setdefault(name.strip().lower(), content)
    return found


def _all(metas: Mapping[str, str], keys: tuple[str, ...]) -> list[str | None]:
    return [metas.get(key) for key in keys]


def _first(*values: object) -> str:
    for value in values:
        if isinstance(value, str) and (line := one_line(value)):
            return line[:LONGEST]
    return ""


def _heading(tree: HtmlElement) -> str | None:
    heading = tree.find(".//h1")
    return None if heading is None else heading.text_content()


def _canonical(tree: HtmlElement, metas: Mapping[str, str], url: str) -> str:
    links = tree.xpath('//link[translate(@rel, "CANONIL", "canonil")="canonical"]/@href')
    for candidate in [*links[:1], metas.get("og:url")]:
        try:
            absolute = canonical_url(urljoin(url, candidate)) if candidate else ""
        except ValueError:
            continue
        if absolute.startswith(("http://", "https://")) and (not url or same_site(absolute, url)):
            return absolute
    return canonical_url(url)


def _json_ld_articles(tree: HtmlElement) -> Iterator[Mapping[str, Any]]:
    """Article objects of the page's JSON-LD; blocks that are not JSON are passed over, as browsers do."""
    for script in tree.iter("script"):
        if (script.get("type") or "").strip().lower() != "application/ld+json" or not script.text:
            continue
        try:
            data = json.loads(script.text)
        except (ValueError, RecursionError):
            continue
        items = data if isinstance(data, list) else [data]
        graphs = [item.get("@graph") for item in items if isinstance(item, dict)]
        items = [*items, *(entry for graph in graphs if isinstance(graph, list) for entry in graph)]
        for item in items:
            if isinstance(item, dict) and _ARTICLE_TYPES.search(str(item.get("@type", ""))):
                yield item


def _names(value: object) -> str:
    entries = value if isinstance(value, list) else [value]
    names = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries]
    return ", ".join(name for name in names if isinstance(name, str) and name)
