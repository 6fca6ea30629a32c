"""The market data face of the Alpaca stand-in, asked by the vendor's own client."""

from datetime import timedelta
from typing import Any

import httpx
from alpaca.data.enums import DataFeed
from alpaca.data.historical.news import NewsClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import (
    NewsRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

from tests.sandbox.alpaca_served import KEYS, Server
from tests.sandbox.test_alpaca_scripted_world import NOON


def test_market_data_by_the_vendors_client(running: Server) -> None:
    data = StockHistoricalDataClient("k", "s", url_override=running.data)
    running.at(62)
    both = ["AAA", "BBB", "ZZZ"]
    quotes: Any = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=both, feed=DataFeed.IEX))
    assert sorted(quotes) == ["AAA", "BBB"]
    assert (quotes["AAA"].bid_price, quotes["AAA"].ask_price) == (99.99, 100.01)
    assert quotes["AAA"].timestamp == NOON + timedelta(seconds=62)
    trades: Any = data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="AAA"))
    assert trades["AAA"].price == 100
    latest: Any = data.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="AAA"))
    assert latest["AAA"].timestamp == NOON + timedelta(seconds=60)
    shots: Any = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=["BBB"]))
    assert shots["BBB"].daily_bar.close == 50
    request = StockBarsRequest(
        symbol_or_symbols=["AAA", "BBB"],
        timeframe=TimeFrame(1, TimeFrameUnit.Minute),
        start=NOON - timedelta(minutes=1),
        end=NOON + timedelta(minutes=1),
    )
    bars: Any = data.get_stock_bars(request)
    assert {symbol: len(rows) for symbol, rows in bars.data.items()} == {"AAA": 3, "BBB": 3}
    assert bars["AAA"][0].volume == 12e6


def test_bars_page_through_symbols(running: Server) -> None:
    running.at(62)
    query = {"symbols": "BBB,AAA", "timeframe": "1Min", "start": "2026-03-04T11:59:00Z", "limit": "2"}
    pages, token = [], None
    while True:
        answer = httpx.get(
            f"{running.data}/v2/stocks/bars", headers=KEYS, params={**query, **({"page_token": token} if token else {})}
        ).json()
        pages.append({symbol: len(rows) for symbol, rows in answer["bars"].items()})
        token = answer["next_page_token"]
        if token is None:
            break
    assert pages == [{"AAA": 2}, {"AAA": 1, "BBB": 1}, {"BBB": 2}]
    single = httpx.get(f"{running.data}/v2/stocks/AAA/bars", headers=KEYS, params={**query, "sort": "desc"}).json()
    assert single["symbol"] == "AAA"
    assert [row["t"] for row in single["bars"]] == ["2026-03-04T12:01:00Z", "2026-03-04T12:00:00Z"]
    for wrong in ({"timeframe": "7Fortnight"}, {"feed": "nope"}, {"page_token": "bm9wZQ=="}, {"symbols": ""}):
        answer = httpx.get(f"{running.data}/v2/stocks/bars", headers=KEYS, params={**query, **wrong})
        assert answer.status_code == 400, wrong


def test_news_by_the_vendors_client(running: Server) -> None:
    news = NewsClient("k", "s", url_override=running.data)
    found: Any = news.get_news(NewsRequest(symbols="AAA", start=NOON - timedelta(hours=3), limit=50))
    assert [article.headline for article in found["news"]] == ["Title 1", "Title 2", "Title 3"]
    assert found["news"][0].content == ""
    assert found["news"][0].url == f"http://127.0.0.1:{running.port}/web/n/1"
    first = httpx.get(f"{running.data}/v1beta1/news", headers=KEYS, params={"limit": 3, "sort": "asc"}).json()
    assert [row["headline"] for row in first["news"]] == ["Title 4", "Title 3", "Title 2"]
    rest = httpx.get(
        f"{running.data}/v1beta1/news",
        headers=KEYS,
        params={"limit": 3, "sort": "asc", "page_token": first["next_page_token"], "include_content": "true"},
    ).json()
    assert [(row["headline"], row["content"]) for row in rest["news"]] == [("Title 1", "<p>x</p>")]
    assert rest["next_page_token"] is None
