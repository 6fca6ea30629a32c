"""What a document says about itself: title, author, publisher, canonical address, publication time, language. Pure."""

import html
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from stonks_assets.parsing.filings import NEW_YORK
from stonks_assets.parsing.html import looks_like_html, parse_tree
from stonks_assets.parsing.identity import canonical_url, same_site
from stonks_assets.parsing.linked_data import stated_articles
from stonks_assets.parsing.text import one_line
from stonks_assets.parsing.words import STOP_WORDS

UNKNOWN = "und"  # a language that nobody could tell
LONGEST = 300  # characters of a title or a name
_TITLE_KEYS = ("og:title", "twitter:title", "headline", "dc.title", "dcterms.title", "parsely-title")
_AUTHOR_KEYS = (
    *("author", "article:author", "dc.creator", "dcterms.creator", "byl", "sailthru.author", "parsely-author"),
    *("og:article:author", "article:author_name", "citation_author"),
)
_PUBLISHER_KEYS = ("og:site_name", "publisher", "dc.publisher", "dcterms.publisher", "application-name", "source")
_TIME_KEYS = (
    *("article:published_time", "og:published_time", "article:published", "datepublished", "date", "pubdate"),
    *("publishdate", "publish-date", "publish_date", "pub_date", "published_time", "originalpublicationdate"),
    *("dc.date", "dc.date.issued", "dcterms.date", "dcterms.created", "dcterms.issued", "parsely-pub-date"),
    *(
        "sailthru.date",
        "article.published",
        "rnews:datepublished",
        "citation_publication_date",
        "cxenseparse:recs:publishtime",
    ),
)
_ZONE = re.compile(r":\d{2}(?:\.\d+)?\s*(?:Z|[+-]\d{2}(?::?\d{2})?)$|\b(?:UTC|GMT|E[SD]?T)$", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PRINTED = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?([A-Za-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})"
    r"(?:,?\s+(?:at\s+)?(\d{1,2}):(\d{2})(?::\d{2})?\s*([ap]\.?m\.?)?\s*(UTC|GMT|E[SD]?T)?)?",
    re.IGNORECASE,
)
_BY = re.compile(r"^\s*(?:view all posts\s+)?by:?\s+", re.IGNORECASE)
_LIST = re.compile(r"\s*[,;]\s*(?:and\s+)?")
_AFTER_NAME = re.compile(
    r"\s*(?:\||•|\bUpdated\b|\bPublished\b|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\d{1,2}:\d\d|\S+@\S+).*$"
)
_NO_TITLES = frozenset({"document", "untitled", "untitled document", "home", "title", "index", "loading..."})
_SITE_LAST = re.compile(r"(?P<title>.{8,}?)\s+(?:\||-|–|—|::|»|•)\s+(?P<site>[^|–—»•]{2,60})", re.DOTALL)
_SITE_FIRST = re.compile(
    r"(?P<site>[^|»•]{2,60}?)\s+(?:\||::|»|•)\s+(?P<title>.{8,})", re.DOTALL
)  # a dash may follow a subject
_DAY_IN_PATH = re.compile(r"/((?:19|20)\d\d)[/-](\d\d)[/-](\d\d)(?=[/-])")
_LATIN_WORD = re.compile(r"[^\W\d_]+")
_LEAST_SHARE = 0.08  # of a text's words that are small words of its language
_SAMPLE = 20_000


@dataclass(frozen=True)
class PageMetadata:
    """What a page says about itself; what it does not say is empty or None.

    `published_at` is aware UTC; `zone_stated` tells whether the stamp named its zone or was taken as UTC.
    """

    title: str = ""
    author: str = ""
    publisher: str = ""
    canonical_url: str = ""
    published_at: datetime | None = None
    zone_stated: bool = False
    language: str = ""


def page_metadata(page: str, url: str = "", not_after: datetime | None = None) -> PageMetadata:
    """The metadata of a page fetched from `url`; see `tree_metadata`."""
    tree = parse_tree(page) if looks_like_html(page) else None
    return PageMetadata() if tree is None else tree_metadata(tree, url, not_after)


def tree_metadata(tree: HtmlElement, url: str = "", not_after: datetime | None = None) -> PageMetadata:
    """The metadata of a whole page's tree: JSON-LD first, then meta elements, then what is marked in the text.

    A canonical address on another site is not believed: a page could take another document's name with it. Nor is
    a publication time after `not_after`, the moment of the fetch.
    """
    metas = _metas(tree)
    linked: Mapping[str, Any] = next(stated_articles(tree), {})
    publisher = _first(_names(linked.get("publisher")), *_all(metas, _PUBLISHER_KEYS))
    named = tree.findtext(".//title") or ""
    headings = (
        linked.get("headline"),
        *_all(metas, _TITLE_KEYS),
        _heading(tree),
        "" if named.strip().lower() in _NO_TITLES else named,
    )
    address = _canonical(tree, metas, url)
    published, zone_stated = _published(tree, metas, linked, address, not_after)
    return PageMetadata(
        title=without_site(_first(*headings), publisher, url),
        author=_persons(_author(tree, metas, linked), publisher, url),
        publisher=publisher,
        canonical_url=address,
        published_at=published,
        zone_stated=zone_stated,
        language=_stated_language(tree, metas, linked),
    )


def without_site(title: str, publisher: str, url: str = "") -> str:
    """A title without the site's name at an end: `Orion beats | Example Wire` from Example Wire is `Orion beats`."""
    for found in (_SITE_LAST.fullmatch(title), _SITE_FIRST.fullmatch(title)):
        if found is not None and _is_site(found["site"], publisher, url):
            return found["title"]
    return title


def _is_site(name: str, publisher: str, url: str) -> bool:
    labels = urlsplit(url).netloc.split(".")[:-1]
    known = {_squeezed(publisher), *(_squeezed(label) for label in labels)} - {"", "www"}
    return any(_squeezed(name) in {one, f"the{one}", f"{one}com"} for one in known)


def _squeezed(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def _published(
    tree: HtmlElement, metas: Mapping[str, str], linked: Mapping[str, Any], address: str, not_after: datetime | None
) -> tuple[datetime | None, bool]:
    """The first publication time that is one and does not lie after the fetch, and whether it names its zone.

    Where the page states none, the day that stands in its address, as `/2026/03/02/`.
    """
    day = _DAY_IN_PATH.search(urlsplit(address).path)
    dated = "-".join(day.groups()) if day else ""
    marked = tree.xpath(
        '//*[@itemprop="datePublished"]/@content | //*[@itemprop="datePublished"]/@datetime | //time[@pubdate]/@datetime'
    )
    times = [*tree.xpath("//article//time/@datetime")[:1], *tree.xpath("//time/@datetime")[:1]]
    for stamp in (
        linked.get("datePublished"),
        *_all(metas, _TIME_KEYS),
        *marked,
        *times,
        linked.get("dateCreated"),
        dated,
    ):
        instant = parse_instant(str(stamp)) if stamp else None
        if instant and (not_after is None or instant <= not_after):
            return instant, _ZONE.search(str(stamp).strip()) is not None
    return None, False


def _author(tree: HtmlElement, metas: Mapping[str, str], linked: Mapping[str, Any]) -> str:
    """The authors' names, joined by commas; an address or a handle is no name."""
    marked = tree.xpath('//*[@itemprop="author"]//*[@itemprop="name"] | //*[@itemprop="author"] | //a[@rel="author"]')
    bylines = tree.xpath('//*[contains(concat(" ", normalize-space(@class), " "), " byline ")]')
    candidates = [_names(linked.get("author")), *_all(metas, _AUTHOR_KEYS), _names(linked.get("creator"))]
    candidates += [element.get("content") or element.text_content() for element in marked[:3]]
    candidates += [line for element in bylines[:3] if _BY.match(line := one_line(element.text_content()))]
    for candidate in candidates:
        name = _BY.sub("", one_line(candidate or ""))
        name = _AFTER_NAME.sub("", name).strip(" ,;|")
        if name and len(name) <= LONGEST and not name.startswith(("http://", "https://", "@", "www.", "/")):
            return name
    return ""


def _persons(names: str, publisher: str, url: str) -> str:
    """A list of authors without addresses and, behind a person, without the site's own name."""
    listed = [name for name in _LIST.split(names) if name and "://" not in name]
    return ", ".join([name for name in listed if not _is_site(name, publisher, url)] or listed)


def _stated_language(tree: HtmlElement, metas: Mapping[str, str], linked: Mapping[str, Any]) -> str:
    """The ISO 639-1 code that the page states for itself, empty where it states none."""
    root = tree.get("lang") or tree.get("xml:lang")
    for stated in (root, linked.get("inLanguage"), metas.get("og:locale"), metas.get("content-language")):
        if isinstance(stated, str) and (found := re.match(r"\s*([A-Za-z]{2})(?:[-_]|\s*$)", stated)):
            return found.group(1).lower()
    return ""


def parse_instant(stamp: str) -> datetime | None:
    """A time as aware UTC: ISO 8601, RFC 2822, or a date as English pages print it; None for anything else.

    A time without a zone is taken as UTC.
    """
    stamp = stamp.strip()
    instant = next((read for way in (_iso, _mail, _printed) if (read := way(stamp)) is not None), None)
    if instant is None:
        return None
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _iso(stamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$)|\s+(?=Z$)", "", stamp))
    except ValueError:
        return None


def _mail(stamp: str) -> datetime | None:
    try:
        return parsedate_to_datetime(stamp)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _printed(stamp: str) -> datetime | None:
    """`March 2, 2026, 10:30 a.m. ET` and the like; the zones are those of American and British pages."""
    found = _PRINTED.fullmatch(stamp)
    if found is None:
        return None
    month, day, year, hour, minute, half, zone = found.groups()
    try:
        number = _MONTHS.index(month[:3].lower()) + 1
        hours = int(hour or 0) % (12 if half else 24) + (12 if half and half[0].lower() == "p" else 0)
        read = datetime(int(year), number, int(day), hours, int(minute or 0), tzinfo=UTC)
    except ValueError:
        return None
    return read.replace(tzinfo=NEW_YORK if zone and zone.upper().startswith("E") else UTC)


def detect_language(text: str) -> str:
    """ISO 639-1 code of the language whose small words are most frequent, `und` where none is frequent enough."""
    tokens = Counter(_LATIN_WORD.findall(text[:_SAMPLE].lower()))
    total = tokens.total()
    if not total:
        return UNKNOWN
    shares = {language: sum(tokens[word] for word in small) / total for language, small in sorted(STOP_WORDS.items())}
    best = max(shares, key=lambda language: (shares[language], language == "en"))
    return best if shares[best] >= _LEAST_SHARE else UNKNOWN


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
        if isinstance(value, str) and (line := one_line(html.unescape(value))):  # stated once more escaped than read
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


def _names(value: object) -> str:
    """The names of persons or organisations, each once; an address is no name."""
    entries = value if isinstance(value, list) else [value]
    names = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries]
    flat = [one for name in names for one in (name if isinstance(name, list) else [name])]
    said = [one_line(html.unescape(name)) for name in flat if isinstance(name, str)]
    return ", ".join(dict.fromkeys(name for name in said if name and not name.startswith(("http://", "https://"))))
