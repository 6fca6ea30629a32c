"""The seed list of public feeds: complete, each once, each an address that pages may be fetched from."""

import httpx
import pytest

from stonks_assets.ingestion.feeds import read_feed
from stonks_assets.ingestion.politeness import origin_of
from stonks_assets.ingestion.public_feeds import PUBLIC_FEEDS, PublicFeed
from stonks_assets.ingestion.web import RssNewsAdapter
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import WrittenWeb, ask_for


@pytest.mark.parametrize("feed", PUBLIC_FEEDS, ids=lambda feed: feed.publisher)
def test_a_public_feed_can_be_asked(feed: PublicFeed) -> None:
    assert httpx.URL(feed.url).scheme == "https"
    assert httpx.URL(feed.url).port is None
    assert 0.5 <= feed.credibility <= 1
    text = "<rss><channel><item><title>t</title><guid>1</guid></item></channel></rss>"
    assert read_feed(text.encode(), feed.url) is not None
    asked, _ = ask_for(SourceType.MACRO_NEWS, config=feed.config)
    (item,) = RssNewsAdapter(WrittenWeb({feed.url: httpx.Response(200, text=text)}).fetcher()).fetch(asked)
    assert item.item_id == f"{feed.url}!1"


def test_no_feed_stands_twice() -> None:
    assert (
        len({feed.url for feed in PUBLIC_FEEDS}) == len({feed.publisher for feed in PUBLIC_FEEDS}) == len(PUBLIC_FEEDS)
    )
    assert {feed.kind for feed in PUBLIC_FEEDS} == {"macro", "news"}
    assert all(origin_of(feed.url) for feed in PUBLIC_FEEDS)
