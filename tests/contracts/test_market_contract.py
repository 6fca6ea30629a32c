"""What a market or news source promises, asked of both vendors' adapters: over the sandbox's process, and over what the
vendors themselves answered once (recorded answers, served as they are).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from stonks_assets.ingestion.action_shapes import BadAction, corporate_actions
from stonks_assets.ingestion.alpaca_data import AlpacaDataClient, AlpacaMarketAdapter
from stonks_assets.ingestion.alpaca_news import AlpacaNewsAdapter
from stonks_assets.ingestion.bar_shapes import BadBar, daily_bars, snapshots
from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.market_asks import BARS, DIVIDENDS, GROUPED, SNAPSHOTS, SPLITS
from stonks_assets.ingestion.polygon import PolygonClient, PolygonNewsAdapter
from stonks_assets.ingestion.polygon_market import PolygonMarketAdapter
from stonks_assets.ingestion.protocol import Adapter, Ask, RawItem
from stonks_core.calendar import MarketCalendar, Session
from stonks_core.clock import ManualClock
from stonks_core.errors import PermanentError, TransientError
from stonks_core.registry.universe import Company, Source, Universe
from stonks_core.vocabulary import SourceType
from tests.acceptance.stage import Sandbox, sandbox

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, YESTERDAY = NOW.date(), date(2026, 3, 9)
VENDORS = ("polygon", "alpaca")
POLYGON, ALPACA = "https://api.polygon.example", "https://data.alpaca.example"


class Whole:
    """A plan that includes everything."""

    def may_ask(self, subject: str) -> bool:
        return True

    def refused(self, subject: str, sentence: str) -> bool:
        return True

    def granted(self, subject: str) -> None:
        pass


@dataclass
class Case:
    """One vendor: its market and its news, and how a day is asked for."""

    vendor: str
    market: Adapter
    news: Adapter
    calendar: MarketCalendar
    tickers: tuple[str, ...]

    def ask(self, day: date, as_of: datetime, known: frozenset[str] = frozenset()) -> tuple[Ask, dict[str, str]]:
        companies = {ticker: Company(ticker, ticker, ticker, "", "", None) for ticker in self.tickers}
        told: dict[str, str] = {}
        source = Source("s", SourceType.MARKET_API, self.vendor, {}, 0.5, "", None)
        return Ask(
            source, day, as_of, Universe(companies, {}, (), ()), lambda ids: known & set(ids), told.__setitem__
        ), told

    def items(self, adapter: Adapter, day: date, as_of: datetime, **more: Any) -> list[RawItem]:
        return list(adapter.fetch(self.ask(day, as_of, **more)[0]))


def case_over(vendor: str, fetcher: Fetcher, bases: tuple[str, str], calendar: str, tickers: tuple[str, ...]) -> Case:
    sessions, plan = MarketCalendar(calendar), Whole()
    if vendor == "polygon":
        client = PolygonClient(fetcher, bases[0])
        market: Adapter = PolygonMarketAdapter(client, sessions, plan)  # type: ignore[arg-type]
        return Case(vendor, market, PolygonNewsAdapter(client, fetcher), sessions, tickers)
    data = AlpacaDataClient(fetcher, bases[1])
    market = AlpacaMarketAdapter(data, sessions, "iex", plan)  # type: ignore[arg-type]
    return Case(vendor, market, AlpacaNewsAdapter(data), sessions, tickers)


def row_of(item: RawItem) -> dict[str, Any]:
    return {
        "sha256": item.item_id,
        "url": item.url,
        "response_headers": json.dumps(dict(item.answer.safe_headers)),
        "fetched_at": item.answer.at,
        "available_at": item.answer.at,
    }


def bars_in(items: list[RawItem], session: Session) -> list[dict[str, Any]]:
    readers = {GROUPED: daily_bars, BARS: daily_bars, SNAPSHOTS: snapshots}
    found = [
        bar
        for item in items
        if item.kind in readers
        for bar in readers[item.kind](json.loads(item.payload), row_of(item), session)
    ]
    assert not [bar for bar in found if isinstance(bar, BadBar)]
    return [bar for bar in found if not isinstance(bar, BadBar)]


# Over the sandbox's process.


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox(tmp_path_factory.mktemp("market"), NOW) as running:
        yield running


@pytest.fixture(scope="module")
def tickers(played: Sandbox) -> tuple[str, ...]:
    headers = {"Authorization": "Bearer k"}
    answer = httpx.get(f"{played.url}/polygon/v3/reference/tickers?limit=1000", headers=headers)
    return tuple(sorted(row["ticker"] for row in answer.json()["results"]))


@contextmanager
def over_the_sandbox(vendor: str, played: Sandbox, tickers: tuple[str, ...]) -> Iterator[Case]:
    headers = {"Authorization": "Bearer k", "APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
    with Fetcher(ManualClock(NOW), headers=headers, attempts=1) as fetcher:
        yield case_over(vendor, fetcher, (f"{played.url}/polygon", f"{played.url}/alpaca-data"), "24/7", tickers)


@pytest.fixture(params=VENDORS)
def case(request: pytest.FixtureRequest, played: Sandbox, tickers: tuple[str, ...]) -> Iterator[Case]:
    with over_the_sandbox(request.param, played, tickers) as one:
        yield one


def test_a_finished_session_has_a_bar_of_every_ticker(case: Case) -> None:
    session = case.calendar.session(YESTERDAY)
    assert session is not None
    items = case.items(case.market, YESTERDAY, NOW)
    bars = bars_in(items, session)
    assert {bar["ticker"] for bar in bars} >= set(case.tickers)
    assert {(bar["feed"], bar["span"], bar["day"], bar["end_at"]) for bar in bars} == {
        ("sandbox", "1d", YESTERDAY.isoformat(), session.close)
    }
    assert [item.kind for item in items][:2] == [SPLITS, DIVIDENDS]
    assert all(item.published_at is not None and item.published_at <= NOW for item in items)


def test_the_running_session_has_one_snapshot_of_every_ticker_and_no_bar(case: Case) -> None:
    session = case.calendar.session(DAY)
    assert session is not None
    bars = bars_in(case.items(case.market, DAY, NOW), session)
    assert sorted(bar["ticker"] for bar in bars) == sorted(case.tickers)
    assert {bar["span"] for bar in bars} == {"snapshot"}
    assert all(session.open < bar["end_at"] <= NOW for bar in bars)


def test_both_vendors_tell_the_same_bars(played: Sandbox, tickers: tuple[str, ...]) -> None:
    names = ("open", "high", "low", "close", "volume")
    told = []
    for vendor in VENDORS:
        with over_the_sandbox(vendor, played, tickers) as one:
            session = one.calendar.session(YESTERDAY)
            assert session is not None
            bars = bars_in(one.items(one.market, YESTERDAY, NOW), session)
            told.append({bar["ticker"]: [bar[name] for name in names] for bar in bars})
    assert set(told[1]) == set(tickers)
    assert {ticker: told[0][ticker] for ticker in tickers} == told[1]


def test_what_is_known_is_not_brought_again(case: Case) -> None:
    for adapter, day in ((case.market, YESTERDAY), (case.market, DAY), (case.news, DAY)):
        known = frozenset(item.item_id for item in case.items(adapter, day, NOW))
        assert known
        assert case.items(adapter, day, NOW, known=known) == []


def test_news_is_of_the_day_and_not_of_later(case: Case) -> None:
    items = case.items(case.news, DAY, NOW)
    assert items
    assert len({item.item_id for item in items}) == len(items)
    for item in items:
        assert item.kind == "article"
        assert item.published_at is not None
        assert item.published_at.date() == DAY
        assert item.published_at <= NOW
        assert isinstance(json.loads(item.payload), dict)


# Over what the vendors answered.


@pytest.fixture
def recorded(shared_data: Path) -> Callable[[str], bytes]:
    return lambda name: next((shared_data / name.partition("/")[0]).rglob(name.partition("/")[2])).read_bytes()


def served(pages: Mapping[str, bytes | httpx.Response]) -> tuple[Fetcher, list[httpx.Request]]:
    """A fetcher over answers by path (and query, where it is part of the name); what is not among them is a 404."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        page = pages.get(f"{request.url.path}?{request.url.query.decode()}", pages.get(request.url.path))
        if page is None:
            return httpx.Response(404, json={"status": "NOT_FOUND", "message": "no such thing"})
        content = page if isinstance(page, bytes) else page.content
        status = 200 if isinstance(page, bytes) else page.status_code
        return httpx.Response(status, content=content, headers={"content-type": "application/json"})

    transport = httpx.MockTransport(answer)
    return Fetcher(ManualClock(NOW), transport=transport, attempts=1, sleep=lambda _: None), asked


NO_ACTIONS = b'{"status": "OK", "results": [], "corporate_actions": {}, "next_page_token": null}'
EMPTY_DAYS = {
    "polygon": b'{"status": "OK", "queryCount": 0, "adjusted": false}',
    "alpaca": b'{"bars": {}, "next_page_token": null}',
}
PATHS = {"polygon": "/v2/aggs/grouped/locale/us/market/stocks/2026-03-09", "alpaca": "/v2/stocks/bars"}


def over(vendor: str, pages: Mapping[str, bytes | httpx.Response], *tickers: str) -> tuple[Case, list[httpx.Request]]:
    quiet = dict.fromkeys(("/v3/reference/splits", "/v3/reference/dividends", "/v1/corporate-actions"), NO_ACTIONS)
    fetcher, asked = served({**quiet, **pages})
    return case_over(vendor, fetcher, (POLYGON, ALPACA), "XNYS", tickers or ("AAPL",)), asked


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_empty_day_is_no_item_and_no_failure(vendor: str) -> None:
    one, _ = over(vendor, {PATHS[vendor]: EMPTY_DAYS[vendor]})
    assert [item.kind for item in one.items(one.market, YESTERDAY, NOW)] == [SPLITS, DIVIDENDS]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("status", "body", "failure", "words"),
    [
        (401, {"status": "ERROR", "error": "Unknown API Key"}, PermanentError, "Unknown API Key"),
        (401, {"message": "forbidden."}, PermanentError, "forbidden"),
        (
            403,
            {"status": "NOT_AUTHORIZED", "message": "You are not entitled to this data."},
            PermanentError,
            "entitled",
        ),
        (404, {"status": "NotFound", "message": "Ticker not found."}, PermanentError, "Ticker not found"),
        (422, {"message": "invalid feed"}, PermanentError, "invalid feed"),
        (
            429,
            {"status": "ERROR", "error": "You've exceeded the maximum requests per minute"},
            TransientError,
            "exceeded",
        ),
        (429, None, TransientError, "no reason given"),
        (500, None, TransientError, "500"),
    ],
)
def test_a_refusal_is_of_its_class_and_carries_the_vendors_words(
    vendor: str, status: int, body: dict[str, str] | None, failure: type[Exception], words: str
) -> None:
    answer = httpx.Response(status, json=body) if body else httpx.Response(status)
    one, _ = over(vendor, {PATHS[vendor]: answer})
    with pytest.raises(failure, match=words):
        one.items(one.market, YESTERDAY, NOW)
    one, _ = over(vendor, {"/v2/reference/news": answer, "/v1beta1/news": answer})
    with pytest.raises(failure, match=words):
        one.items(one.news, DAY, NOW)


@pytest.mark.parametrize("vendor", VENDORS)
def test_pages_in_a_circle_end_in_an_error(vendor: str) -> None:
    polygon = json.dumps({"results": [], "next_url": f"{POLYGON}/v2/reference/news?cursor=c"}).encode()
    alpaca = b'{"news": [], "bars": {}, "corporate_actions": {}, "next_page_token": "same"}'
    pages = {
        "/v2/reference/news": polygon,
        "/v1beta1/news": alpaca,
        "/v3/reference/splits": polygon,
        "/v1/corporate-actions": alpaca,
    }
    one, _ = over(vendor, pages)
    for adapter in (one.news, one.market):
        with pytest.raises(TransientError, match="in a circle"):
            one.items(adapter, DAY, NOW)


def test_a_next_page_on_another_host_is_not_asked_there() -> None:
    first = json.dumps({"results": [], "next_url": "https://evil.example/v3/reference/splits?cursor=c"}).encode()
    one, asked = over(
        "polygon",
        {
            "/v3/reference/splits": first,
            "/v3/reference/splits?cursor=c": NO_ACTIONS,
            PATHS["polygon"]: EMPTY_DAYS["polygon"],
        },
    )
    one.items(one.market, YESTERDAY, NOW)
    assert {request.url.host for request in asked} == {"api.polygon.example"}
    one, asked = over("polygon", {"/v3/reference/splits": first.replace(b"/v3/reference/splits?cursor=c", b"/steal")})
    with pytest.raises(PermanentError, match="no address of its interface"):
        one.items(one.market, YESTERDAY, NOW)
    assert "evil.example" not in {request.url.host for request in asked}


@pytest.mark.parametrize("status", ["OK", "DELAYED"])
def test_the_recorded_grouped_day(recorded: Callable[[str], bytes], status: str) -> None:
    body = json.loads(recorded("polygon/v2__aggs__grouped__locale__us__market__stocks__{date}.json"))
    one, _ = over("polygon", {PATHS["polygon"]: json.dumps({**body, "status": status}).encode()})
    session = one.calendar.session(YESTERDAY)
    assert session is not None
    bars = bars_in(one.items(one.market, YESTERDAY, NOW), session)
    assert {(bar["ticker"], bar["close"]) for bar in bars} == {("KIMpL", 25.9102), ("TANH", 23.4), ("VSAT", 34.24)}
    assert {bar["feed"] for bar in bars} == {"polygon" if status == "OK" else "polygon_delayed"}


def test_the_recorded_bars_of_several_tickers(recorded: Callable[[str], bytes]) -> None:
    day, as_of = date(2022, 3, 9), datetime(2022, 3, 10, 12, tzinfo=UTC)
    one, _ = over("alpaca", {PATHS["alpaca"]: recorded("alpaca/historical_stock_data__test_multisymbol_get_bars.json")})
    session = one.calendar.session(day)
    assert session is not None
    bars = bars_in(one.items(one.market, day, as_of), session)
    assert {(bar["ticker"], bar["close"], bar["feed"]) for bar in bars} == {
        ("AAPL", 162.95, "iex"),
        ("TSLA", 858.97, "iex"),
    }


def test_the_recorded_snapshots(recorded: Callable[[str], bytes]) -> None:
    at = datetime(2022, 3, 18, 14, 35, tzinfo=UTC)
    one, _ = over("alpaca", {"/v2/stocks/snapshots": recorded("alpaca/historical_stock_data__test_get_snapshot.json")})
    session = one.calendar.session(at.date())
    assert session is not None
    (bar,) = bars_in(one.items(one.market, at.date(), at), session)
    assert (bar["ticker"], bar["close"], bar["volume"]) == ("AAPL", 161.365, 31749988)
    assert bar["end_at"] == datetime(2022, 3, 18, 14, 33, 58, 448432, tzinfo=UTC)
    shots = recorded("polygon/v2__snapshot__locale__us__markets__stocks__tickers.json")
    seen = datetime(2020, 11, 12, 14, 56, tzinfo=UTC)
    one, _ = over("polygon", {"/v2/snapshot/locale/us/markets/stocks/tickers": shots})
    session = one.calendar.session(seen.date())
    assert session is not None
    (bar,) = bars_in(one.items(one.market, seen.date(), seen), session)
    assert (bar["ticker"], bar["close"], bar["end_at"]) == (
        "BCAT",
        20.506,
        datetime(2020, 11, 12, 14, 54, 54, tzinfo=UTC),
    )


def test_the_recorded_news_of_several_pages(recorded: Callable[[str], bytes]) -> None:
    first = json.loads(recorded("polygon/v2__reference__news.json"))
    cursor = httpx.URL(first["next_url"]).query.decode()
    pages = {"/v2/reference/news": json.dumps(first).encode(), f"/v2/reference/news?{cursor}": NO_ACTIONS}
    one, asked = over("polygon", pages, *first["results"][0]["tickers"])
    day = date(2024, 6, 24)
    (item,) = one.items(one.news, day, NOW)
    assert item.item_id == first["results"][0]["id"]
    assert {request.url.host for request in asked if request.url.path == "/v2/reference/news"} == {
        "api.polygon.example"
    }


def test_the_recorded_actions(recorded: Callable[[str], bytes]) -> None:
    splits, paid = (
        recorded("polygon/v3__reference__splits.json"),
        recorded("alpaca/corporate_actions__test_get_corporate_actions_1.json"),
    )
    pages = {
        "/v3/reference/splits": json.dumps({**json.loads(splits), "next_url": None}).encode(),
        "/v1/corporate-actions": paid,
    }
    for vendor, kind, wanted in (
        ("polygon", SPLITS, [("AAPL", "1:4"), ("AAPL", "1:2")]),
        ("alpaca", DIVIDENDS, [("ZMTBY", "0.086928 USD")]),
    ):
        one, _ = over(vendor, {**pages, PATHS[vendor]: EMPTY_DAYS[vendor]})
        (item,) = [item for item in one.items(one.market, YESTERDAY, NOW) if item.kind == kind]
        rows = list(corporate_actions(json.loads(item.payload), row_of(item), kind))
        assert [(row["ticker"], row["terms"]) for row in rows if not isinstance(row, BadAction)] == wanted
