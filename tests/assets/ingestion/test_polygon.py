"""Polygon: pages that stay on our own address, and articles of the asked day."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from stonks_assets.ingestion.polygon import (
    MACRO_WORDS,
    MacroNewsAdapter,
    PolygonClient,
    PolygonNewsAdapter,
)
from stonks_assets.ingestion.protocol import RawItem
from stonks_core.errors import PermanentError, TransientError
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import NOON, WrittenWeb, ask_for

BASE = "https://api.vendor.example"
NEWS = f"{BASE}/v2/reference/news"


def article(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "title": f"About {name}",
        "published_utc": "2026-03-10T09:00:00Z",
        "article_url": f"https://press.example/{name}",
        "tickers": ["AAA"],
        "keywords": [],
        "insights": [{"sentiment": "positive"}],
        **more,
    }


def news(
    *articles: Any, web: WrittenWeb | None = None, adapter: type[PolygonNewsAdapter] = PolygonNewsAdapter, **ask: Any
) -> tuple[list[RawItem], dict[str, str], WrittenWeb]:
    web = web or WrittenWeb()
    if articles:
        web.pages[NEWS] = httpx.Response(200, json={"results": list(articles)})
    fetcher = web.fetcher(attempts=1)
    asked, reports = ask_for(SourceType.NEWS_API, **ask)
    return list(adapter(PolygonClient(fetcher, BASE), fetcher).fetch(asked)), reports.told, web


def pages(web: WrittenWeb, base: str = BASE) -> list[str]:
    found = PolygonClient(web.fetcher(attempts=1), base).pages("/v2/reference/news", {"limit": 1})
    return [result["id"] for _, results in found for result in results]


def test_an_article_comes_verbatim_with_its_page() -> None:
    listed = (
        b'{"status": "OK", "results": [ {"title":"\\u00e9", "id" : "z"} ,\n' + json.dumps(article("a")).encode() + b"]}"
    )
    web = WrittenWeb({
        "https://press.example/a": httpx.Response(200, content=b"<p>whole\xe9</p>"),
        NEWS: httpx.Response(200, content=listed),
    })  # fmt: skip
    (item,), told, _ = news(web=web)
    assert (item.item_id, item.kind, item.url) == ("a", "article", "https://press.example/a")
    assert item.published_at == datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert item.payload == json.dumps(article("a")).encode()
    (page,) = item.parts
    assert (page.name, page.kind, page.answer.content) == ("page", "article_page", b"<p>whole\xe9</p>")
    assert page.answer.url == "https://press.example/a"
    assert set(told) == {"z"}


def test_the_day_is_asked_for_as_far_as_the_instant() -> None:
    _, _, web = news(article("a"), ticker="AAA")
    params = web.asked[0].url.params
    assert params["published_utc.gte"] == "2026-03-10T00:00:00Z"
    assert params["published_utc.lt"] == "2026-03-10T12:00:01Z"
    assert (params["order"], params["sort"], params["ticker"]) == ("asc", "published_utc", "AAA")
    _, _, web = news(article("a"), as_of=NOON + timedelta(days=3))
    assert web.asked[0].url.params["published_utc.lt"] == "2026-03-11T00:00:00Z"


def test_an_article_whose_page_is_gone_keeps_its_description() -> None:
    (item,), told, _ = news(article("a", description="short"))
    assert item.parts == ()
    assert json.loads(item.payload)["description"] == "short"
    assert "its description stands in" in told["a"]


def test_a_young_article_waits_for_a_page_that_may_come() -> None:
    web = WrittenWeb({"https://press.example/a": httpx.Response(503)})
    young, old = article("a", published_utc="2026-03-10T11:50:00Z"), article("b", published_utc="2026-03-10T11:45:00Z")
    items, told, _ = news(young, {**old, "article_url": "https://press.example/a"}, web=web)
    assert [item.item_id for item in items] == ["b"]
    assert "left for the next poll" in told["a"]
    assert "answered 503" in told["a"]
    assert "its description stands in" in told["b"]
    items, told, _ = news(young)
    assert [item.item_id for item in items] == ["a"], "a page that is gone is not waited for"


def test_an_empty_page_may_come_whole_the_next_time() -> None:
    web = WrittenWeb({"https://press.example/a": httpx.Response(200)})
    items, told, _ = news(article("a", published_utc="2026-03-10T11:50:00Z"), web=web)
    assert items == []
    assert "answered 200 with an empty body" in told["a"]


def test_an_article_without_an_address_is_taken_as_it_is() -> None:
    (item,), told, web = news(article("a", article_url=None))
    assert (item.url, item.answer.url) == ("", NEWS)
    assert told == {}
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"id": None}, {"id": ""}, {"published_utc": None}, {"published_utc": "soon"}, {"published_utc": "2026-03-10T09:00:00"},
        {"published_utc": "0001-01-01T00:00:00+14:00"},
    ],
)  # fmt: skip
def test_an_article_without_name_or_time_is_reported_and_the_rest_goes_on(broken: dict[str, Any]) -> None:
    items, told, _ = news(article("a", **broken), article("b", article_url=""))
    assert [item.item_id for item in items] == ["b"]
    (sentence,) = told.values()
    assert "without id or published_utc was left: 'About a'" in sentence


def test_only_news_of_the_day_about_companies_that_are_tracked_and_not_known() -> None:
    items, told, _ = news(
        article("known"),
        article("other", tickers=["ZZZ"]),
        article("none", tickers=[]),
        article("later", published_utc="2026-03-10T12:00:00.5Z"),
        article("yesterday", published_utc="2026-03-09T23:59:59Z"),
        article("offset", published_utc="2026-03-10T07:00:00-02:00", article_url=""),
        known=frozenset({"known"}),
    )
    assert [(item.item_id, item.published_at) for item in items] == [("offset", datetime(2026, 3, 10, 9, tzinfo=UTC))]
    assert told == {}


@pytest.mark.parametrize(
    ("tickers", "keywords", "kept"),
    [
        ([], [], True),
        (None, None, True),
        (["AAA"], ["inflation"], False),
        (["AAA", "BBB", "CCC", "DDD"], ["Inflation"], True),
        (["AAA", "BBB", "CCC", "DDD"], ["gadgets"], False),
    ],
)
def test_macro_news_is_about_the_world(tickers: list[str] | None, keywords: list[str] | None, kept: bool) -> None:
    items, _, _ = news(article("a", tickers=tickers, keywords=keywords, article_url=""), adapter=MacroNewsAdapter)
    assert bool(items) is kept
    assert "inflation" in MACRO_WORDS


def test_pages_are_followed_under_our_own_address() -> None:
    following = {
        f"{BASE}/v2/reference/news?cursor=2": httpx.Response(
            200, json={"results": [{"id": "b"}], "next_url": "https://evil.example/v2/reference/news?cursor=3"}
        ),
        f"{BASE}/v2/reference/news?cursor=3": httpx.Response(200, json={"results": [{"id": "c"}]}),
        NEWS: httpx.Response(200, json={"results": [{"id": "a"}], "next_url": f"{BASE}/v2/reference/news?cursor=2"}),
    }
    web = WrittenWeb(following)
    assert pages(web) == ["a", "b", "c"]
    assert {request.url.host for request in web.asked} == {"api.vendor.example"}


def test_a_path_before_the_interface_stays_in_the_address() -> None:
    base = "http://127.0.0.1:4000/polygon"
    web = WrittenWeb({
        f"{base}/v2/reference/news?cursor=2": httpx.Response(200, json={}),
        f"{base}/v2/reference/news": httpx.Response(200, json={"next_url": f"{base}/v2/reference/news?cursor=2"}),
    })  # fmt: skip
    assert pages(web, base) == []
    assert web.urls[-1] == f"{base}/v2/reference/news?cursor=2"


def test_pages_in_a_circle_end_in_an_error() -> None:
    page = httpx.Response(200, json={"results": [], "next_url": f"{BASE}/v2/reference/news?cursor=2"})
    with pytest.raises(TransientError, match="pages in a circle"):
        pages(WrittenWeb({NEWS: page}))


def test_a_next_page_that_is_no_address_of_the_interface_is_refused() -> None:
    with pytest.raises(PermanentError, match="is no address of its interface"):
        pages(WrittenWeb({NEWS: httpx.Response(200, json={"next_url": "https://evil.example/steal"})}))


@pytest.mark.parametrize("body", ["[]", '{"results": {"a": 1}}', '{"results": ["a"]}', '"text"', "{cut", "3"])
def test_what_is_no_answer_of_polygon_s_is_an_error_and_never_empty(body: str) -> None:
    with pytest.raises(TransientError):
        news(web=WrittenWeb({NEWS: httpx.Response(200, text=body)}))
