"""Web pages and feeds as sources: the entries of RSS and Atom feeds with their pages, or single pages."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta

from stonks_assets.ingestion.feeds import Entry, Feed, read_feed
from stonks_assets.ingestion.http import Answer, Fetcher, Validators
from stonks_assets.ingestion.protocol import Ask, RawItem, RawPart
from stonks_core.errors import PermanentError, TransientError

PAGE_PATIENCE = timedelta(days=1)
"""How long after its publication an entry waits for a page that does not come; then its summary stands in."""


class WebScrapeAdapter:
    """Reads `config.url` of its source: a feed's entries, or the page itself. `pages` minds the manners."""

    def __init__(self, pages: Fetcher) -> None:
        self._pages = pages

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """Entries of the feed that are not known, or the page where its bytes are new. Feeds know no past days."""
        answer = changed(self._pages, ask)
        if answer is None:
            return
        feed = read_feed(answer.content, answer.place, answer.charset)
        if feed is not None:
            yield from new_entries(self._pages, feed, answer, ask)
            return
        item_id = f"{answer.url}#{hashlib.sha256(answer.content).hexdigest()[:16]}"
        if not ask.known([item_id]):
            yield RawItem(item_id, "page", answer, ticker=ask.source.ticker)
        hold(ask, answer)


class RssNewsAdapter:
    """News and macro sources whose `config.provider` is `rss`: the feed at `config.url`."""

    def __init__(self, pages: Fetcher) -> None:
        self._pages = pages

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """Entries of the feed that are not known; PermanentError where the address answers with something else."""
        answer = changed(self._pages, ask)
        if answer is None:
            return
        feed = read_feed(answer.content, answer.place, answer.charset)
        if feed is None:
            raise PermanentError(
                f"{answer.url} is no RSS or Atom feed but {answer.media_type}: give source {ask.source.name} the "
                "address of a feed"
            )
        yield from new_entries(self._pages, feed, answer, ask)


def changed(pages: Fetcher, ask: Ask) -> Answer | None:
    """What `config.url` answers; None where that is what it answered before, or where a past day is asked for."""
    url = str(ask.source.config.get("url") or "")
    if not url:
        raise PermanentError(f"source {ask.source.name} has no config.url: give it the address of a page or feed")
    if ask.day != ask.as_of.date():
        return None  # what a page said on another day cannot be asked for
    answer = pages.get(url, validators=held(ask, url))
    return None if answer.unchanged else answer


def held(ask: Ask, url: str) -> Validators:
    """The validators that were remembered of an address."""
    try:
        kept = json.loads(ask.memory.get(f"validators {url}", "{}"))
        return Validators(str(kept.get("etag", "")), str(kept.get("last_modified", "")))
    except (ValueError, AttributeError):
        return Validators()


def hold(ask: Ask, answer: Answer) -> None:
    """Remember an answer's validators. Ask for it when everything that the answer holds has been yielded."""
    found = answer.validators
    value = json.dumps({"etag": found.etag, "last_modified": found.last_modified}) if found else "{}"
    ask.remember(f"validators {answer.url}", value)


def new_entries(pages: Fetcher, feed: Feed, answer: Answer, ask: Ask) -> Iterator[RawItem]:
    """The entries that are not known, with their pages. Validators are held only where nothing was left for later."""
    if feed.broken:
        ask.report(
            answer.url, f"the feed's XML is broken ({feed.broken}): its {len(feed.entries)} whole entries were read"
        )
    known, whole = ask.known([entry.name for entry in feed.entries]), not feed.broken
    for entry in feed.entries:
        if entry.name in known:
            continue
        if entry.at is not None and entry.at > ask.as_of:
            whole = False
            continue
        try:
            page = _page(pages, entry, ask)
        except TransientError as error:
            ask.report(entry.name, f"the entry waits for its page, which may come with the next poll: {error}")
            whole = False
            continue
        whole = whole and (page is not None or not entry.link)
        yield RawItem(
            entry.name,
            "feed_item",
            answer.slice(entry.content),
            published_at=entry.at,
            ticker=ask.source.ticker,
            url=entry.link,
            detail={"entry": entry.said(), **({"broken": feed.broken} if feed.broken else {})},
            parts=(RawPart("page", "article_page", page),) if page else (),
        )
    if whole:
        hold(ask, answer)


def _page(pages: Fetcher, entry: Entry, ask: Ask) -> Answer | None:
    """The entry's page; None where it has none or will not come, which is reported: its summary stands in.

    Raises TransientError for the page of a young entry that may be there at the next poll.
    """
    if not entry.link:
        return None
    try:
        return pages.get(entry.link)
    except (TransientError, PermanentError) as error:
        young = entry.at is not None and ask.as_of - entry.at < PAGE_PATIENCE
        if young and isinstance(error, TransientError):
            raise
        ask.report(entry.name, f"the entry's page could not be read, its summary stands in: {error}")
        return None
