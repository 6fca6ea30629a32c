"""RSS 0.9x, 1.0 and 2.0 and Atom: the entries of a feed, each with its exact bytes. Pure.

A feed is read by expat, which counts bytes; it may define no entities. One whose XML is broken is read entry by entry
as far as its entries are whole, and says so in `Feed.broken`.
"""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin
from xml.parsers import expat

from lxml import etree

from stonks_core.errors import PermanentError

MOST_ENTRIES = 10_000
_ROOT = re.compile(rb"<(?:[A-Za-z]+:)?(rss|feed|RDF)[\s>]")
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_DECLARED = re.compile(rb"""^<\?xml[^>]*\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_WORLDWIDE = re.compile(r"(?:https?://|urn:|tag:)", re.IGNORECASE)
_OPENING = re.compile(rb"<(item|entry)(?=[\s>])")
_STANDING = frozenset({"amp", "lt", "gt", "quot", "apos"})
_FIELDS: Mapping[str, str] = {
    "title": "title", "link": "link", "guid": "id", "id": "id", "description": "summary", "summary": "summary",
    "encoded": "content", "content": "content", "pubDate": "published", "published": "published", "issued": "published",
    "updated": "updated", "modified": "updated", "date": "updated", "creator": "author", "author": "author",
}  # fmt: skip
"""What an entry's child elements are called, in whatever namespace, by our names."""


_SPACES = frozenset(
    {
        "", "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/", "http://www.w3.org/2005/Atom",
        "http://purl.org/atom/ns#", "http://purl.org/dc/elements/1.1/", "http://purl.org/rss/1.0/modules/content/",
    }
)  # fmt: skip
_PREFIXES = frozenset({"", "dc", "content", "atom", "rss"})
_ABOUT = "http://www.w3.org/1999/02/22-rdf-syntax-ns# about"


@dataclass(frozen=True)
class Entry:
    """One entry: what it says, and the bytes that it says it with. `name` is unique to it, within all feeds.

    `entry_id` is its own id, which feeds may give to several entries.
    """

    name: str
    entry_id: str
    title: str
    link: str
    summary: str
    published: str
    author: str
    content: bytes

    @property
    def at(self) -> datetime | None:
        """When it says that it was published, aware UTC."""
        return instant(self.published)

    def said(self) -> dict[str, str]:
        """What it says, by name."""
        return {
            "title": self.title, "link": self.link, "summary": self.summary, "published": self.published,
            "author": self.author,
        }  # fmt: skip


@dataclass(frozen=True)
class Feed:
    """A feed's entries, each once, the oldest first and the undated last; `broken` says what is wrong with its XML."""

    entries: tuple[Entry, ...]
    broken: str = ""


def read_feed(content: bytes, url: str, charset: str = "") -> Feed | None:
    """The feed in a body; None where it is none. `url` is where it came from, `charset` what the transport declared.

    Raises PermanentError for a feed that defines entities or has more than ten thousand entries.
    """
    plain = content.replace(b"\0", b"") if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else content
    if not _ROOT.search(plain[:4000]) or re.match(rb"\s*<(?:!doctype\s+)?html", plain[:200], re.IGNORECASE):
        return None
    if _ENTITY.search(plain):
        raise PermanentError(f"{url} is a feed that defines entities, and was left")
    declared = bool(_DECLARED.search(content)) or content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"))
    broken = ""
    try:
        found = _Reader(content, url, "" if declared else charset).entries
    except (expat.ExpatError, LookupError, ValueError) as error:
        broken, found = str(error), list(_tolerant(content, url, charset))
    return Feed(_named(found, url), broken)


def instant(text: str) -> datetime | None:
    """A feed's stamp, by mail's form or ISO's; without a zone it is taken as UTC. None where it is no stamp."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            stamp = read(text.strip().replace("Z", "+00:00") if read is datetime.fromisoformat else text)
            return stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        except (ValueError, TypeError, OverflowError):
            continue
    return None


@dataclass
class _Found:
    """An entry while it is read: its children's text by our names, the first one that says something."""

    begin: int
    fields: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    def take(self, name: str, text: str) -> None:
        known = _FIELDS.get(name)
        if known and text.strip():
            self.fields.setdefault(known, text.strip())

    def take_link(self, attributes: Mapping[str, str]) -> None:
        """Atom's link: the alternate one, else the first."""
        if href := attributes.get("href", "").strip():
            if attributes.get("rel", "alternate") == "alternate":
                self.fields.setdefault("link", href)
            self.fields.setdefault("any link", href)


class _Reader:
    """Entries by expat: `CurrentByteIndex` says where each begins and ends."""

    def __init__(self, content: bytes, url: str, charset: str) -> None:
        self.entries: list[_Found] = []
        self._content, self._url = content, url
        self._depth, self._entry_depth = 0, 0
        self._text: list[str] = []
        self._child = ""
        self._entry: _Found | None = None
        self._parser = expat.ParserCreate(charset or None, namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append
        self._parser.EntityDeclHandler = self._entity
        self._parser.Parse(content, True)

    def _entity(self, *_: object) -> None:
        raise PermanentError(f"{self._url} is a feed that defines entities, and was left")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        name = _local(tag)
        if self._entry is None:
            if name in {"item", "entry"}:
                self._entry, self._entry_depth = _Found(self._parser.CurrentByteIndex), self._depth
                self._entry.take("id", attributes.get(_ABOUT, ""))
        elif self._depth == self._entry_depth + 1:
            self._child = name
            self._text.clear()
            if name == "link":
                self._entry.take_link(attributes)
        elif self._child == "author" and name == "name":
            self._text.clear()

    def _end(self, tag: str) -> None:
        name = _local(tag)
        if self._entry is not None and self._depth == self._entry_depth:
            end = self._content.find(b">", self._parser.CurrentByteIndex) + 1
            self._entry.content = self._content[self._entry.begin : end].rstrip(b"\0")
            self.entries.append(self._entry)
            self._entry = None
            _bounded(len(self.entries), self._url)
        elif self._entry is not None and self._depth == self._entry_depth + 1:
            self._entry.take(name, "".join(self._text))
            self._child = ""
        elif self._child == "author" and name == "name" and self._entry is not None:
            self._entry.take("author", "".join(self._text))
        if self._entry is None:
            self._text.clear()
        self._depth -= 1


def _local(tag: str) -> str:
    """An element's name, empty where it is of a namespace that says other things by the same names."""
    space, _, name = tag.rpartition(" ")
    return name if space in _SPACES else ""


def _tolerant(content: bytes, url: str, charset: str) -> Iterator[_Found]:
    """The whole entries of a feed whose XML is broken: from tag to tag, each read for itself as far as it goes."""
    declared = _DECLARED.search(content)
    encoding = declared.group(1).decode() if declared else charset or "utf-8"
    at, count = 0, 0
    while opening := _OPENING.search(content, at):
        begin, closing = opening.start(), b"</%s>" % opening.group(1)
        end = content.find(closing, begin)
        if end < 0:
            return
        at = end + len(closing)
        found = _Found(begin, content=content[begin:at])
        _read_tolerantly(found, encoding)
        count += 1
        _bounded(count, url)
        yield found


def _read_tolerantly(found: _Found, encoding: str) -> None:
    try:
        text = found.content.decode(encoding, errors="replace")
    except LookupError:
        text = found.content.decode("utf-8", errors="replace")
    text = _NAMED.sub(lambda m: m[0] if m[1] in _STANDING else html.unescape(m[0]), text)
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(text.encode(), parser)
    for child in root if root is not None else ():
        if not isinstance(child.tag, str):
            continue
        prefix, _, name = child.tag.rpartition("}")[2].rpartition(":")
        name = name if prefix in _PREFIXES else ""
        if name == "link":
            found.take_link({str(k): str(v) for k, v in child.attrib.items()})
        author = child.findtext("{*}name") if name == "author" else None
        found.take(name, author or "".join(str(part) for part in child.itertext()))


def _bounded(count: int, url: str) -> None:
    if count > MOST_ENTRIES:
        raise PermanentError(f"{url} is a feed of more than {MOST_ENTRIES:,} entries, and was left")


def _named(found: list[_Found], url: str) -> tuple[Entry, ...]:
    """The entries under names of their own, each once."""
    links = {id(entry): _absolute(entry.fields.get("link") or entry.fields.get("any link", ""), url) for entry in found}
    seen: dict[str, set[str]] = {}
    for entry in found:
        seen.setdefault(entry.fields.get("id", ""), set()).add(links[id(entry)])
    entries: dict[str, Entry] = {}
    for each in found:
        said, link = each.fields, links[id(each)]
        entry_id = said.get("id", "")
        summary = said.get("summary") or said.get("content", "")
        published = said.get("published") or said.get("updated", "")
        title = said.get("title", "")
        if not (title or link or summary):
            continue
        name = _name(entry_id if len(seen[entry_id]) == 1 else "", link, f"{title}\n{published}\n{summary}", url)
        entries.setdefault(
            name, Entry(name, entry_id, title, link, summary, published, said.get("author", ""), each.content)
        )
    last = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(entries.values(), key=lambda entry: entry.at or last))


def _name(entry_id: str, link: str, words: str, url: str) -> str:
    """The id where the feed gives one to this entry alone, else the link, else a hash of what it says.

    An id that is no address and no URN is unique within its feed only.
    """
    if entry_id:
        return entry_id if _WORLDWIDE.match(entry_id) else f"{url}!{entry_id}"
    return link or f"{url}!{hashlib.sha256(words.encode()).hexdigest()[:24]}"


def _absolute(link: str, url: str) -> str:
    try:
        return urljoin(url, link) if link else ""
    except ValueError:
        return ""
