"""Web pages and feeds: RSS and Atom entries with their pages, or single pages; robots.txt is honoured."""

import hashlib
import json
import urllib.robotparser
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from stonks_assets.ingestion.http import Answer, Fetcher
from stonks_assets.ingestion.protocol import Ask, RawItem, RawPart
from stonks_core.errors import PermanentError, TransientError

AGENT = "StonksOracle"
_ATOM = "{http://www.w3.org/2005/Atom}"


class WebScrapeAdapter:
    """Reads `config.url` of its source: a feed's entries, or the page itself."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._robots: dict[str, urllib.robotparser.RobotFileParser] = {}

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """Entries of the feed that are not known, or the page where its bytes are new. Feeds know no past days."""
        url = str(ask.source.config.get("url") or "")
        if not url:
            raise PermanentError(f"source {ask.source.name} has no config.url: give it the address of a page or feed")
        if ask.day != ask.as_of.date():
            return  # what a page said on another day cannot be asked for
        answer = self._allowed_get(url)
        entries = feed_entries(answer)
        if entries is None:
            item_id = f"{url}#{hashlib.sha256(answer.content).hexdigest()[:16]}"
            if not ask.known([item_id]):
                yield RawItem(item_id, "page", answer, ticker=ask.source.ticker)
            return
        known = ask.known([_name(entry) for entry in entries])
        for entry in entries:
            published = _stamp(entry["published"])
            if _name(entry) and _name(entry) not in known and (published is None or published <= ask.as_of):
                yield self._entry(entry, published, answer, ask)

    def _entry(self, entry: dict[str, str], published: datetime | None, feed: Answer, ask: Ask) -> RawItem:
        page: Answer | None = None
        if entry["link"]:
            try:
                page = self._allowed_get(entry["link"])
            except (TransientError, PermanentError) as error:
                ask.report(_name(entry), f"the entry's page could not be read, its summary stands in: {error}")
        return RawItem(
            _name(entry),
            "feed_item",
            feed.slice(json.dumps(entry, ensure_ascii=False, sort_keys=True).encode()),
            published_at=published,
            ticker=ask.source.ticker,
            url=entry["link"],
            detail={"entry": entry},
            parts=(RawPart("page", "article_page", page),) if page else (),
        )

    def _allowed_get(self, url: str) -> Answer:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._robots:
            self._robots[origin] = self._rules(origin)
        if not self._robots[origin].can_fetch(AGENT, url):
            raise PermanentError(f"{url} was left: robots.txt of {origin} asks not to fetch it")
        return self._fetcher.get(url)

    def _rules(self, origin: str) -> urllib.robotparser.RobotFileParser:
        rules = urllib.robotparser.RobotFileParser()
        try:
            rules.parse(self._fetcher.get(f"{origin}/robots.txt", may_be_empty=True).text().splitlines())
        except PermanentError:
            rules.parse([])  # no robots.txt, nothing forbidden
        return rules


def _name(entry: dict[str, str]) -> str:
    return entry["link"] or entry["title"]


def feed_entries(answer: Answer) -> list[dict[str, str]] | None:
    """The entries of an RSS or Atom feed; None where the answer is no feed."""
    if b"<rss" not in answer.content[:2000] and b"<feed" not in answer.content[:2000]:
        return None
    try:
        root = fromstring(answer.content)
    except ParseError as error:
        raise TransientError(f"{answer.url} is a feed whose XML is broken: {error}") from error
    except DefusedXmlException as error:
        raise PermanentError(f"{answer.url} is a feed that defines entities, and was left: {error}") from error
    atom = root.findall(f"{_ATOM}entry")
    entries = [_atom(entry) for entry in atom] if atom else [_rss(item) for item in root.iter("item")]
    return [{**entry, "link": urljoin(answer.url, entry["link"]) if entry["link"] else ""} for entry in entries]


def _rss(item: Element) -> dict[str, str]:
    def said(name: str) -> str:
        return (item.findtext(name) or "").strip()

    author = said("author") or said("{http://purl.org/dc/elements/1.1/}creator")
    return {
        "title": said("title"), "link": said("link"), "summary": said("description"), "published": said("pubDate"),
        "author": author,
    }  # fmt: skip


def _atom(entry: Element) -> dict[str, str]:
    links = {link.get("rel", "alternate"): link.get("href", "") for link in entry.findall(f"{_ATOM}link")}
    return {
        "title": (entry.findtext(f"{_ATOM}title") or "").strip(),
        "link": links.get("alternate") or next(iter(links.values()), ""),
        "summary": (entry.findtext(f"{_ATOM}summary") or "").strip(),
        "published": entry.findtext(f"{_ATOM}published") or entry.findtext(f"{_ATOM}updated") or "",
        "author": (entry.findtext(f"{_ATOM}author/{_ATOM}name") or "").strip(),
    }


def _stamp(text: str) -> datetime | None:
    """A feed's stamp, by mail's form or ISO's; without a zone it is taken as UTC. None where it is no stamp."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            stamp = read(text.strip().replace("Z", "+00:00") if read is datetime.fromisoformat else text)
            return stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        except (ValueError, TypeError, OverflowError):
            continue
    return None
