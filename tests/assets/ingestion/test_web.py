"""Web sources: feeds and single pages, asked conditionally, and entries whose pages do not come."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from stonks_assets.ingestion.protocol import RawItem
from stonks_assets.ingestion.web import RssNewsAdapter, WebScrapeAdapter
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
    named = {"feed": "feed.xml", "one": "1", "two": "2"}
    answers = {name: httpx.Response(200, text=page) if isinstance(page, str) else page for name, page in pages.items()}
    return WrittenWeb({f"{SITE}/{named[name]}": page for name, page in answers.items()})


def fetch(web: WrittenWeb, *, url: str = FEED, **ask: Any) -> tuple[list[RawItem], dict[str, str]]:
    asked, reports = ask_for(SourceType.WEB_SCRAPE, config={"url": url} if url else {}, **ask)
    return list(WebScrapeAdapter(web.fetcher(attempts=1)).fetch(asked)), reports.told


@pytest.mark.parametrize("feed", [RSS, ATOM])
def test_entries_come_with_their_pages(feed: str) -> None:
    items, told = fetch(site(feed=feed, one=HTML, two=HTML))
    first, second = sorted(items[:2], key=lambda item: item.item_id)
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
    assert [item.item_id for item in items[:2]] == [f"{SITE}/1", f"{SITE}/2"]
    assert [item.published_at for item in items[1:]] == [None, None]
    assert "its summary stands in" in told[f"{SITE}/2"]
    assert items[2].item_id.startswith(f"{FEED}!")
    assert items[2].payload == b"<item><title>Only a title</title></item>"
    assert items[2].answer.url == FEED


def test_known_and_announced_entries_are_left() -> None:
    web = site(feed=RSS, one=HTML, two=HTML)
    known = frozenset(item.item_id for item in fetch(web)[0][1:])
    web.asked.clear()
    items, _ = fetch(web, known=known, as_of=datetime(2026, 3, 10, 11, 29, tzinfo=UTC))
    assert items == []
    assert web.urls == [FEED]


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


def test_a_source_without_an_address_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"source the source has no config\.url"):
        fetch(WrittenWeb(), url="")


@pytest.mark.parametrize("page", [httpx.Response(500), httpx.ConnectError("down")])
def test_a_feed_that_is_down_raises_and_is_never_empty(page: httpx.Response | Exception) -> None:
    with pytest.raises(TransientError):
        fetch(site(feed=page))


def test_a_broken_feed_is_read_as_far_as_it_goes_and_reported() -> None:
    items, told = fetch(site(feed=RSS[: RSS.index("<title>Two")], one=HTML))
    assert [item.item_id for item in items] == [f"{SITE}/1"]
    assert "the feed's XML is broken" in told[FEED]
    assert "broken" in items[0].detail


def test_a_news_source_s_address_must_be_a_feed() -> None:
    web = site(feed=RSS, one=HTML, two=HTML)
    asked, _ = ask_for(SourceType.MACRO_NEWS, config={"url": FEED, "provider": "rss"})
    assert [item.kind for item in RssNewsAdapter(web.fetcher()).fetch(asked)] == ["feed_item"] * 3
    asked, _ = ask_for(SourceType.MACRO_NEWS, config={"url": f"{SITE}/1", "provider": "rss"})
    with pytest.raises(PermanentError, match="is no RSS or Atom feed but text/html"):
        list(RssNewsAdapter(web.fetcher()).fetch(asked))


# Asked conditionally.


def remembering(web: WrittenWeb, memory: dict[str, str], **more: Any) -> list[RawItem]:
    asked, _ = ask_for(SourceType.WEB_SCRAPE, config={"url": more.pop("url", FEED)}, **more)
    kept: dict[str, str] = {}
    asked = replace(asked, memory=memory, remember=kept.__setitem__)
    items = list(WebScrapeAdapter(web.fetcher(attempts=1)).fetch(asked))
    memory |= kept  # as the step does, once all is committed
    return items


def versioned(content: str, tag: str) -> Callable[[httpx.Request], httpx.Response]:
    def page(request: httpx.Request) -> httpx.Response:
        if request.headers.get("if-none-match") == tag:
            return httpx.Response(304, headers={"etag": tag})
        return httpx.Response(200, text=content, headers={"etag": tag})

    return page


@pytest.mark.parametrize("url", [FEED, f"{SITE}/page"])
def test_what_is_unchanged_is_not_read_again(url: str) -> None:
    web = site(one=HTML, two=HTML)
    web.pages |= {FEED: versioned(RSS, '"1"'), f"{SITE}/page": versioned("<p>page</p>", '"1"')}
    memory: dict[str, str] = {}
    assert remembering(web, memory, url=url)
    web.asked.clear()
    assert remembering(web, memory, url=url) == []
    assert [request.headers["if-none-match"] for request in web.asked] == ['"1"']
    web.pages[url] = versioned(RSS, '"2"')
    assert remembering(web, memory, url=url)
    assert '\\"2\\"' in memory[f"validators {url}"]


def test_nothing_is_remembered_of_a_feed_that_still_has_something_to_bring() -> None:
    web = site(one=HTML, two=HTML)
    for feed, more in (
        (RSS, {"as_of": NOON - timedelta(hours=1)}),  # an entry of the future
        (RSS[:-20], {}),  # cut
    ):
        web.pages[FEED] = versioned(feed, '"1"')
        memory: dict[str, str] = {}
        remembering(web, memory, **more)
        assert memory == {}
    web.pages |= {FEED: versioned(RSS, '"1"'), f"{SITE}/1": httpx.Response(404)}
    remembering(web, memory)
    assert memory == {}


def test_a_kill_before_the_commit_loses_nothing() -> None:
    web = site(one=HTML, two=HTML)
    web.pages[FEED] = versioned(RSS, '"1"')
    asked, _ = ask_for(SourceType.WEB_SCRAPE, config={"url": FEED})
    kept: dict[str, str] = {}
    items = WebScrapeAdapter(web.fetcher()).fetch(replace(asked, remember=kept.__setitem__))
    next(iter(items))
    assert kept == {}


def test_a_young_entry_waits_for_its_page_and_an_old_one_does_not() -> None:
    web = site(feed=RSS, one=httpx.Response(503), two=HTML)
    items, told = fetch(web)
    assert f"{SITE}/1" not in {item.item_id for item in items}
    assert "waits for its page" in told[f"{SITE}/1"]
    later = NOON + timedelta(days=1)
    items, told = fetch(web, day=later.date(), as_of=later)
    assert {item.item_id: len(item.parts) for item in items}[f"{SITE}/1"] == 0
    assert "its summary stands in" in told[f"{SITE}/1"]


def test_memory_that_is_none_does_no_harm() -> None:
    web = site(feed=RSS, one=HTML, two=HTML)
    for kept in ("nothing", "[]", "3", '{"etag": null}'):
        assert remembering(web, {f"validators {FEED}": kept})
