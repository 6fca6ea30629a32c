"""What every adapter promises (`Adapter`), asked of EDGAR and of feeds, over the sandbox's process and recorded answers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from stonks_assets.ingestion.edgar import SECEdgarAdapter
from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.protocol import Adapter, Ask, RawItem
from stonks_assets.ingestion.public_net import PublicOnlyTransport
from stonks_assets.ingestion.web import RssNewsAdapter, WebScrapeAdapter
from stonks_core.clock import ManualClock
from stonks_core.registry.universe import Universe
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import WrittenWeb, ask_for, universe
from tests.assets.ingestion.conftest import SANDBOX_NOW, sandbox_url

__all__ = ["sandbox_url"]
CONTACT = {"User-Agent": "Stonks Oracle tests@stonks.example"}
META = datetime(2025, 12, 19, 22, 0, 37, tzinfo=UTC)  # its header: 2025-12-19 17:00:37 in New York
WWW, DATA = "https://www.sec.gov", "https://data.sec.gov"


@dataclass
class Case:
    """An adapter that begins anew with each run, and what it is asked for."""

    source_type: SourceType
    adapter: Callable[[], Adapter]
    day: date
    as_of: datetime
    over: Universe
    config: dict[str, object]

    def ask(self, **more: object) -> tuple[Ask, dict[str, str]]:
        given: dict[str, object] = {"day": self.day, "as_of": self.as_of, "over": self.over, "config": self.config}
        asked, reports = ask_for(self.source_type, **{**given, **more})  # type: ignore[arg-type]
        return asked, reports.told

    def fetch(self, **more: object) -> list[RawItem]:
        return list(self.adapter().fetch(self.ask(**more)[0]))


def recorded_edgar(folder: Path) -> WrittenWeb:
    """EDGAR's recorded answers under their addresses, and the one list that was not recorded, with the recorded filing."""
    web = WrittenWeb()
    archive = f"{WWW}/Archives/edgar/data/1326801"
    name, accession = "000162828025058337", "0001628280-25-058337"
    stem = "www.sec.gov_Archives_edgar_data_1326801_"
    for url, file in {
        f"{archive}/{name}/{accession}.hdr.sgml": f"{stem}{name}_{accession}.txt",
        f"{archive}/{name}/{accession}-index.html": f"{stem}{accession}-index.html",
        f"{archive}/{name}/meta-20251219.htm": f"{stem}{name}_meta-20251219.htm",
    }.items():
        content = (folder / file).read_bytes()
        web.pages[url] = httpx.Response(
            200, content=content.partition(b"</SEC-HEADER>")[0] if ".sgml" in url else content
        )
    recent = {
        "accessionNumber": [accession],
        "form": ["8-K"],
        "acceptanceDateTime": [META.strftime("%Y-%m-%dT%H:%M:%S.000Z")],
    }
    web.pages[f"{DATA}/submissions/CIK0001326801.json"] = httpx.Response(200, json={"filings": {"recent": recent}})
    feed = next(folder.glob("*browse-edgar*atom")).read_bytes()
    web.pages[f"{WWW}/cgi-bin/browse-edgar"] = httpx.Response(200, content=feed)
    return web


WRITTEN_FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Press Releases</title>
<item><title>Two</title><link>https://publisher.example/2</link>
<guid>2</guid><pubDate>Tue, 10 Mar 2026 11:00:00 GMT</pubDate></item>
<item><title>One</title><link>https://publisher.example/1</link>
<guid>1</guid><pubDate>Tue, 10 Mar 2026 10:00:00 GMT</pubDate></item>
</channel></rss>"""


@pytest.fixture(params=["edgar sandbox", "edgar recorded", "feed sandbox", "news feed sandbox", "feed written"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    which: str = request.param
    today = SANDBOX_NOW.date()
    with ExitStack() as stack:
        if which == "edgar recorded":
            web = recorded_edgar(request.getfixturevalue("shared_data") / "edgar_http")
            yield Case(
                SourceType.FILINGS_API,
                lambda: SECEdgarAdapter(web.fetcher(attempts=1), WWW, DATA),
                META.date(),
                META + timedelta(hours=1),
                universe(META=1326801),
                {},
            )
        elif which == "feed written":
            pages = {f"https://publisher.example/{n}": httpx.Response(200, text=f"<p>{n}</p>") for n in (1, 2)}
            web = WrittenWeb({"https://publisher.example/feed": httpx.Response(200, content=WRITTEN_FEED), **pages})
            config: dict[str, object] = {"url": "https://publisher.example/feed"}
            yield Case(
                SourceType.WEB_SCRAPE, lambda: WebScrapeAdapter(web.fetcher()), today, SANDBOX_NOW, universe(), config
            )
        else:
            url = request.getfixturevalue("sandbox_url")
            clock, pages_only = ManualClock(SANDBOX_NOW), PublicOnlyTransport([url])
            if which == "edgar sandbox":
                fetcher = stack.enter_context(Fetcher(clock, headers=CONTACT))
                tickers = fetcher.get(f"{url}/edgar/www/files/company_tickers.json").json().values()
                over = universe(**{row["ticker"]: row["cik_str"] for row in tickers})
                yield Case(
                    SourceType.FILINGS_API,
                    lambda: SECEdgarAdapter(fetcher, f"{url}/edgar/www", f"{url}/edgar/data"),
                    today - timedelta(days=1),
                    SANDBOX_NOW,
                    over,
                    {},
                )
            else:
                fetcher = stack.enter_context(Fetcher(clock, transport=pages_only))
                kind = WebScrapeAdapter if which == "feed sandbox" else RssNewsAdapter
                source_type = SourceType.WEB_SCRAPE if which == "feed sandbox" else SourceType.MACRO_NEWS
                config = {"url": f"{url}/web/feed.xml", "provider": "rss"}
                yield Case(source_type, lambda: kind(fetcher), today, SANDBOX_NOW, universe(), config)


def test_items_come_verbatim_each_once_with_unique_parts(case: Case) -> None:
    items = case.fetch()
    assert items
    assert len({item.item_id for item in items}) == len(items)
    for item in items:
        assert item.payload
        assert item.kind in {"filing", "feed_item"}
        assert item.answer.status == 200
        assert len({part.name for part in item.parts}) == len(item.parts)
        for answer in (item.answer, *(part.answer for part in item.parts)):
            assert answer.request["method"] == "GET"
            assert answer.request["url"].startswith("http")
            assert answer.at.tzinfo is UTC


def test_nothing_is_of_the_future_and_the_oldest_comes_first(case: Case) -> None:
    items = case.fetch()
    by_ticker: dict[str, list[datetime]] = {}
    for item in items:
        if item.published_at is not None:
            assert item.published_at.tzinfo is UTC
            assert item.published_at <= case.as_of
            if case.source_type is SourceType.FILINGS_API:
                assert item.published_at.date() == case.day
            by_ticker.setdefault(item.ticker, []).append(item.published_at)
    assert all(stamps == sorted(stamps) for stamps in by_ticker.values())


def test_what_is_known_does_not_come_again(case: Case) -> None:
    names = [item.item_id for item in case.fetch()]
    assert case.fetch(known=frozenset(names)) == []
    assert [item.item_id for item in case.fetch(known=frozenset(names[1:]))] == names[:1]


def test_asking_again_brings_the_same(case: Case) -> None:
    assert [(item.item_id, item.payload) for item in case.fetch()] == [
        (item.item_id, item.payload) for item in case.fetch()
    ]


def test_what_was_remembered_of_a_look_makes_the_next_one_empty_or_the_same(case: Case) -> None:
    asked, told = case.ask()
    kept: dict[str, str] = {}
    first = list(case.adapter().fetch(replace(asked, remember=kept.__setitem__)))
    assert told == {}
    known = frozenset(item.item_id for item in first)
    again, _ = case.ask(known=known)
    assert list(case.adapter().fetch(replace(again, memory=kept))) == []


def test_a_day_before_there_was_anything_is_empty_and_no_failure(case: Case) -> None:
    long_ago = date(2000, 1, 3)
    asked, told = case.ask(day=long_ago)
    assert list(case.adapter().fetch(asked)) == []
    assert told == {}
