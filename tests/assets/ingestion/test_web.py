"""Web sources: RSS and Atom, single pages, robots.txt, and feeds that are broken or hostile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.protocol import RawItem
from stonks_assets.ingestion.web import WebScrapeAdapter, feed_entries
from stonks_core.errors import PermanentError, TransientError
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import NOON, WrittenWeb, ask_for

SITE = "https://blog.example"
FEED = f"{SITE}/feed.xml"
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>t</title>
<item><title>One</title><link>https://blog.example/1</link><description>first</description>
<pubDate>Tue, 10 Mar 2026 07:30:00 -0400</pubDate><dc:creator>Ada</dc:creator></item>
<item><title>Two</title><link>/2</link><pubDate>not a date</pubDate></item>
<item><title>Only a title</title></item><item></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>One</title>
<link rel="self" href="https://blog.example/self"/><link href="https://blog.example/1"/>
<updated>2026-03-10T11:30:00Z</updated><author><name>Ada</name></author><summary>first</summary></entry>
<entry><title>Two</title><link rel="alternate" href="2"/><published>2026-03-10T10:00:00+02:00</published></entry></feed>"""
HTML = httpx.Response(200, text="<p>page</p>", headers={"content-type": "text/html; charset=utf-8"})


def site(**pages: str | httpx.Response | Exception) -> WrittenWeb:
    named = {"feed": "feed.xml", "robots": "robots.txt", "one": "1", "two": "2"}
    answers = {name: httpx.Response(200, text=page) if isinstance(page, str) else page for name, page in pages.items()}
    return WrittenWeb({f"{SITE}/{named[name]}": page for name, page in answers.items()})


def fetch(web: WrittenWeb, *, url: str = FEED, **ask: Any) -> tuple[list[RawItem], dict[str, str]]:
    asked, reports = ask_for(SourceType.WEB_SCRAPE, config={"url": url} if url else {}, **ask)
    return list(WebScrapeAdapter(web.fetcher(attempts=1)).fetch(asked)), reports.told


@pytest.mark.parametrize("feed", [RSS, ATOM])
def test_entries_come_with_their_pages(feed: str) -> None:
    items, told = fetch(site(feed=feed, one=HTML, two=HTML))
    first, second = items[0], items[1]
    assert (first.item_id, first.kind, first.url) == (f"{SITE}/1", "feed_item", f"{SITE}/1")
    assert first.published_at == datetime(2026, 3, 10, 11, 30, tzinfo=UTC)
    assert [(part.kind, part.answer.content) for part in first.parts] == [("article_page", b"<p>page</p>")]
    entry = first.detail["entry"]
    assert isinstance(entry, dict)
    assert (entry["title"], entry["summary"], entry["author"]) == ("One", "first", "Ada")
    assert second.item_id == f"{SITE}/2"
    assert told == {}


def test_an_entry_without_link_or_page_is_taken_by_its_title() -> None:
    items, told = fetch(site(feed=RSS, one=HTML))
    assert [item.item_id for item in items] == [f"{SITE}/1", f"{SITE}/2", "Only a title"]
    assert [item.published_at for item in items[1:]] == [None, None]
    assert "its summary stands in" in told[f"{SITE}/2"]
    assert items[2].answer.url == FEED


def test_known_and_announced_entries_are_left() -> None:
    web = site(feed=RSS, one=HTML, two=HTML)
    items, _ = fetch(
        web, known=frozenset({f"{SITE}/2", "Only a title"}), as_of=datetime(2026, 3, 10, 11, 29, tzinfo=UTC)
    )
    assert items == []
    assert web.urls == [f"{SITE}/robots.txt", FEED]


def test_a_feed_knows_no_past_days() -> None:
    web = site(feed=RSS)
    assert fetch(web, day=NOON.date() - timedelta(days=1)) == ([], {})
    assert web.asked == []


def test_a_page_is_an_item_per_its_bytes() -> None:
    web = WrittenWeb({f"{SITE}/page": HTML})
    (item,), _ = fetch(web, url=f"{SITE}/page")
    assert (item.kind, item.answer.media_type, item.published_at) == ("page", "text/html", None)
    assert item.payload == b"<p>page</p>"
    assert item.item_id.startswith(f"{SITE}/page#")
    assert fetch(web, url=f"{SITE}/page", known=frozenset({item.item_id})) == ([], {})


def test_robots_are_honoured_and_asked_once() -> None:
    web = site(
        feed=RSS, one=HTML, two=HTML, robots="User-agent: *\nDisallow: /1\n\nUser-agent: StonksOracle\nDisallow: /2"
    )
    items, told = fetch(web)
    assert [len(item.parts) for item in items[:2]] == [1, 0]
    assert f"{SITE}/2 was left: robots.txt of {SITE} asks not to fetch it" in told[f"{SITE}/2"]
    assert web.urls.count(f"{SITE}/robots.txt") == 1
    assert f"{SITE}/2" not in web.urls


def test_a_feed_that_robots_forbid_is_refused() -> None:
    with pytest.raises(PermanentError, match="asks not to fetch it"):
        fetch(site(feed=RSS, robots="User-agent: *\nDisallow: /"))


def test_robots_that_cannot_be_read_now_are_not_taken_as_leave() -> None:
    with pytest.raises(TransientError, match=r"robots\.txt answered 503"):
        fetch(site(feed=RSS, robots=httpx.Response(503)))


def test_a_source_without_an_address_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"source the source has no config\.url"):
        fetch(WrittenWeb(), url="")


@pytest.mark.parametrize("page", [httpx.Response(500), httpx.ConnectError("down")])
def test_a_feed_that_is_down_raises_and_is_never_empty(page: httpx.Response | Exception) -> None:
    with pytest.raises(TransientError):
        fetch(site(feed=page))


@pytest.mark.parametrize("feed", ["<rss><channel><item></channel></rss>", "<feed", RSS[:200]])
def test_broken_feeds_may_be_whole_next_time(feed: str) -> None:
    with pytest.raises(TransientError, match="is a feed whose XML is broken"):
        fetch(site(feed=feed))


def test_a_feed_that_defines_entities_is_left() -> None:
    bomb = '<!DOCTYPE rss [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><rss><channel><item><title>&b;</title></item></channel></rss>'
    with pytest.raises(PermanentError, match="defines entities, and was left"):
        fetch(site(feed=bomb))
    outside = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&x;</title></item></channel></rss>'
    with pytest.raises(PermanentError, match="defines entities"):
        fetch(site(feed=outside))


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ("Tue, 10 Mar 2026 07:30:00 GMT", datetime(2026, 3, 10, 7, 30, tzinfo=UTC)),
        ("Tue, 10 Mar 2026 07:30:00 -0000", datetime(2026, 3, 10, 7, 30, tzinfo=UTC)),
        ("2026-03-10T07:30:00", datetime(2026, 3, 10, 7, 30, tzinfo=UTC)),
        ("2026-03-10T09:30:00+02:00", datetime(2026, 3, 10, 7, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_stamps_of_many_kinds(stamp: str, instant: datetime | None) -> None:
    feed = f"<rss><channel><item><title>t</title><pubDate>{stamp}</pubDate></item></channel></rss>"
    (item,), _ = fetch(site(feed=feed))
    assert item.published_at == instant


def test_what_is_no_feed_has_no_entries() -> None:
    assert feed_entries(Answer(FEED, 200, {}, b"<html><body>hello</body></html>", NOON)) is None
    assert feed_entries(Answer(FEED, 200, {}, b"<rss><channel></channel></rss>", NOON)) == []
