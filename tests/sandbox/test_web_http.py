"""The web stand-in: pages, the feed of rumours, validators and compression."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from stonks_sandbox.web import build_web
from stonks_sandbox.world.clock import WallClock
from stonks_sandbox.world.instants import iso_utc
from stonks_sandbox.world.protocol import Article
from stonks_sandbox.world.synthetic.world import SyntheticWorld

NOW = datetime(2026, 11, 22, 10, 41, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, WallClock(lambda: NOW))


@pytest.fixture(scope="module")
def client(world: SyntheticWorld) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(build_web(world), prefix="/web")
    with TestClient(app) as connection:
        yield connection


@pytest.fixture(scope="module")
def article(world: SyntheticWorld) -> Article:
    return next(row for row in world.articles(NOW - timedelta(days=1), NOW) if row.kind == "news" and row.author)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.canonical = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        row = dict(attrs)
        self.tags.add(tag)
        if tag == "meta" and (name := row.get("property") or row.get("name")):
            self.meta[name] = row.get("content") or ""
        if tag == "link" and row.get("rel") == "canonical":
            self.canonical = row.get("href") or ""


def test_page_carries_metadata_and_boilerplate(client: TestClient, article: Article) -> None:
    answer = client.get(f"/web/{article.path}")
    assert answer.status_code == 200
    reader = _Reader()
    reader.feed(answer.text)
    assert reader.meta["og:title"] == article.title
    assert reader.meta["author"] == article.author
    assert reader.meta["article:published_time"] == iso_utc(article.published_at)
    assert reader.canonical == f"http://testserver/web/{article.path}"
    assert {"nav", "article", "footer", "aside"} <= reader.tags
    assert "Advertisement" in answer.text


def test_page_is_not_sent_twice(client: TestClient, article: Article) -> None:
    first = client.get(f"/web/{article.path}")
    for header in (
        {"If-None-Match": first.headers["etag"]},
        {"If-None-Match": f'W/{first.headers["etag"]}, "x"'},
        {"If-Modified-Since": first.headers["last-modified"]},
    ):
        again = client.get(f"/web/{article.path}", headers=header)
        assert again.status_code == 304
        assert again.content == b""
    for header in (
        {"If-None-Match": '"x"'},
        {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"},
        {"If-Modified-Since": "nonsense"},
        {"If-None-Match": '"x"', "If-Modified-Since": first.headers["last-modified"]},
    ):
        assert client.get(f"/web/{article.path}", headers=header).status_code == 200


def test_page_is_compressed_for_those_who_can(client: TestClient, article: Article) -> None:
    packed = client.get(f"/web/{article.path}", headers={"Accept-Encoding": "gzip"})
    plain = client.get(f"/web/{article.path}", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])


def test_feed_lists_what_no_wire_carries(client: TestClient, world: SyntheticWorld) -> None:
    channel = ET.fromstring(client.get("/web/feed.xml").content).find("channel")  # noqa: S314
    assert channel is not None
    got = [item.findtext("guid") for item in channel.findall("item")]
    expected = [row for row in world.articles(NOW - timedelta(days=2), NOW) if not row.wire]
    assert got == [row.article_id for row in reversed(expected)][: len(got)]
    assert {row.kind for row in expected} >= {"news", "rumour"}
    link = str(channel.findall("item")[0].findtext("link"))
    assert client.get(link).status_code == 200


def test_robots_and_missing_pages(client: TestClient, world: SyntheticWorld) -> None:
    assert "Disallow: /web/account/" in client.get("/web/robots.txt").text
    later = SyntheticWorld(7, WallClock(lambda: NOW + timedelta(days=1)))
    unborn = later.articles(NOW + timedelta(minutes=1), NOW + timedelta(days=1))[0]
    for path in (unborn.path, "", "a/b", "../x", "tickertape-daily/2026/13/41/x.html"):
        assert client.get(f"/web/{path}").status_code == 404
    del world
