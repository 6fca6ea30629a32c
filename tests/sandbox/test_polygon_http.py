"""The Polygon stand-in over real HTTP: shapes, errors, and pages that hold every row exactly once."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from stonks_sandbox.polygon import build_polygon
from stonks_sandbox.world.clock import WallClock
from stonks_sandbox.world.synthetic.world import SyntheticWorld

NOW = datetime(2026, 11, 22, 10, 41, 7, tzinfo=UTC)
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, WallClock(lambda: NOW))


@pytest.fixture(scope="module")
def client(world: SyntheticWorld) -> Iterator[httpx.Client]:
    app = FastAPI()
    app.include_router(build_polygon(world), prefix="/polygon")
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}/polygon"
    with httpx.Client(base_url=base, headers={"Authorization": "Bearer any"}, timeout=20) as connection:
        yield connection
    server.should_exit = True
    thread.join()
    listener.close()


def pages(client: httpx.Client, url: str, **params: str) -> Iterator[dict[str, object]]:
    body = client.get(url, params=params).raise_for_status().json()
    yield body
    while "next_url" in body:
        assert "apiKey" not in body["next_url"]
        body = client.get(body["next_url"]).raise_for_status().json()
        yield body


def rows(client: httpx.Client, url: str, **params: str) -> list[dict[str, object]]:
    return [row for body in pages(client, url, **params) for row in body.get("results", [])]  # type: ignore[attr-defined]


def test_without_a_key_nothing_is_served(client: httpx.Client) -> None:
    base = str(client.base_url).rstrip("/")
    answer = httpx.get(f"{base}/v3/reference/tickers")
    assert answer.status_code == 401
    assert answer.json()["status"] == "ERROR"
    assert "API Key" in answer.json()["error"]
    assert httpx.get(f"{base}/v3/reference/tickers", headers={"Authorization": "Bearer"}).status_code == 401
    assert httpx.get(f"{base}/v3/reference/tickers", params={"apiKey": "x"}).status_code == 200


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_news_pages_hold_every_article_once(client: httpx.Client, world: SyntheticWorld, order: str) -> None:
    params = {"published_utc.gte": "2026-11-20", "published_utc.lt": "2026-11-22T00:00:00Z", "limit": "37"}
    got = rows(client, "/v2/reference/news", order=order, **params)
    start, end = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
    expected = [a.article_id for a in world.articles(start, end) if a.wire and a.kind != "rumour"]
    assert len(got) > 74
    assert [row["id"] for row in got] == (expected if order == "asc" else expected[::-1])
    assert all("insights" not in row for row in got)


def test_news_has_the_vendors_fields_and_filters_by_ticker(client: httpx.Client) -> None:
    some = rows(client, "/v2/reference/news", ticker="LFRG", limit="1000", **{"published_utc.gte": "2026-11-10"})
    assert some
    for row in some:
        assert row["tickers"] == ["LFRG"]
        assert set(row) >= {"id", "publisher", "title", "published_utc", "article_url", "description", "keywords"}
        assert str(row["article_url"]).startswith(str(client.base_url).split("/polygon")[0] + "/web/")
    macro = [
        row
        for row in rows(client, "/v2/reference/news", limit="1000", **{"published_utc.gte": "2026-11-19"})
        if not row["tickers"]
    ]
    assert macro
    assert all("macro" in row["keywords"] for row in macro)  # type: ignore[operator]


def test_news_bounds_are_exact(client: httpx.Client) -> None:
    newest = client.get("/v2/reference/news", params={"limit": 1}).json()["results"][0]
    at = newest["published_utc"]
    for bound, inside in (("gte", True), ("gt", False), ("lte", True), ("lt", False)):
        found = client.get("/v2/reference/news", params={f"published_utc.{bound}": at, "limit": 1000}).json()
        assert (newest["id"] in {row["id"] for row in found["results"]}) is inside


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_aggregate_pages_hold_every_bar_once(client: httpx.Client, sort: str) -> None:
    url = "/v2/aggs/ticker/WELD/range/5/minute/2026-11-20/2026-11-21"
    got = rows(client, url, sort=sort, limit="100")
    stamps = [row["t"] for row in got]
    assert len(stamps) == 2 * 288
    assert stamps == sorted(stamps, reverse=sort == "desc")  # type: ignore[type-var]
    assert len(set(stamps)) == len(stamps)


def test_daily_bars_are_stamped_at_midnight_and_agree_with_grouped(client: httpx.Client) -> None:
    got = rows(client, "/v2/aggs/ticker/WELD/range/1/day/2026-11-18/2026-11-20")
    assert [int(row["t"]) % DAY_MS for row in got] == [0, 0, 0]  # type: ignore[call-overload]
    market = client.get("/v2/aggs/grouped/locale/us/market/stocks/2026-11-20").json()
    assert market["resultsCount"] >= 24
    own = next(row for row in market["results"] if row["T"] == "WELD")
    assert {key: own[key] for key in ("o", "h", "l", "c", "v", "t")} == {
        key: got[-1][key] for key in ("o", "h", "l", "c", "v", "t")
    }
    before = client.get("/v2/aggs/ticker/WELD/prev").json()["results"][0]
    assert datetime.fromtimestamp(before["t"] / 1000, UTC).date() == date(2026, 11, 21)


def test_longer_spans_are_made_of_days(client: httpx.Client) -> None:
    days = rows(client, "/v2/aggs/ticker/SIPS/range/1/day/2026-10-01/2026-10-31")
    month = rows(client, "/v2/aggs/ticker/SIPS/range/1/month/2026-10-01/2026-10-31")
    assert len(month) == 1
    assert month[0]["h"] == max(row["h"] for row in days)  # type: ignore[type-var]
    assert month[0]["v"] == sum(row["v"] for row in days)  # type: ignore[misc]
    odd = rows(client, "/v2/aggs/ticker/SIPS/range/7/minute/1792800000000/1792810000000")
    assert all(int(row["t"]) % 420_000 == 0 for row in odd)  # type: ignore[call-overload]


def test_an_empty_range_has_no_results_at_all(client: httpx.Client) -> None:
    body = client.get("/v2/aggs/ticker/WELD/range/1/day/2027-05-01/2027-05-03").json()
    assert "results" not in body
    assert (body["resultsCount"], body["status"]) == (0, "OK")
    assert "results" not in client.get("/v2/aggs/ticker/NOPE/range/1/day/2026-11-01/2026-11-03").json()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v2/aggs/ticker/WELD/range/1/day/2026-11-20/2026-11-01", "later"),
        ("/v2/aggs/ticker/WELD/range/1/fortnight/2026-11-01/2026-11-20", "timespan"),
        ("/v2/aggs/ticker/WELD/range/x/day/2026-11-01/2026-11-20", "multiplier"),
        ("/v2/aggs/ticker/WELD/range/1/day/yesterday/2026-11-20", "yesterday"),
        ("/v2/aggs/ticker/WELD/range/1/day/2026-11-01/2026-11-20?sort=up", "sort"),
        ("/v2/reference/news?limit=-3", "limit"),
        ("/v2/reference/news?published_utc.gte=soon", "soon"),
        ("/v2/reference/news?cursor=%21%21", "cursor"),
        ("/v2/aggs/grouped/locale/us/market/stocks/1", "date"),
    ],
)
def test_wrong_arguments_are_answered_with_a_sentence(client: httpx.Client, path: str, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_reference_data(client: httpx.Client, world: SyntheticWorld) -> None:
    listed = rows(client, "/v3/reference/tickers", limit="10", active="true")
    assert [row["ticker"] for row in listed] == [company.ticker for company in world.companies()]
    details = client.get("/v3/reference/tickers/LFRG").json()["results"]
    assert details["sic_code"] == "3674"
    assert len(details["cik"]) == 10
    missing = client.get("/v3/reference/tickers/NOPE")
    assert (missing.status_code, missing.json()["status"]) == (404, "NOT_FOUND")
    related = client.get("/v1/related-companies/LFRG").json()
    assert related["stock_symbol"] == "LFRG"
    assert {"ticker": "HARK"} in related["results"]
    assert client.get("/v3/reference/splits").json()["results"] == []
    assert client.get("/v3/reference/dividends").json()["results"] == []


def test_snapshot_and_market_status(client: httpx.Client, world: SyntheticWorld) -> None:
    body = client.get("/v2/snapshot/locale/us/markets/stocks/tickers", params={"tickers": "LFRG,WELD"}).json()
    assert [row["ticker"] for row in body["tickers"]] == ["LFRG", "WELD"]
    row = body["tickers"][0]
    assert row["lastTrade"]["p"] == world.last_price("LFRG")
    assert row["day"]["c"] == row["lastTrade"]["p"]
    assert row["lastQuote"]["p"] < row["lastTrade"]["p"] < row["lastQuote"]["P"]
    assert row["prevDay"]["v"] > 0
    status = client.get("/v1/marketstatus/now").json()
    assert status["market"] == "open"
    server = datetime.fromisoformat(status["serverTime"])
    assert abs(server - NOW) < timedelta(seconds=1)
    assert client.get("/v1/marketstatus/upcoming").json() == []


def test_a_warm_last_price_takes_less_than_a_millisecond(world: SyntheticWorld) -> None:
    world.last_price("GLEE")
    begun = time.process_time()
    for _ in range(200):
        world.last_price("GLEE")
    assert (time.process_time() - begun) / 200 < 0.001
