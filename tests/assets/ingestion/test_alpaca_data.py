"""Alpaca's data: bars as traded of what is tracked, news verbatim, pages by token, and a key that goes nowhere else."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from stonks_assets.ingestion.alpaca_data import AlpacaDataClient, AlpacaMarketAdapter
from stonks_assets.ingestion.alpaca_news import AlpacaNewsAdapter
from stonks_assets.ingestion.market_asks import SYMBOLS
from stonks_assets.ingestion.protocol import RawItem
from stonks_core.calendar import MarketCalendar
from stonks_core.errors import PermanentError, TransientError
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import NOON, TODAY, WrittenWeb, ask_for, universe
from tests.assets.ingestion.test_polygon_market import Plan

BASE = "https://data.vendor.example"
BARS, ACTIONS = f"{BASE}/v2/stocks/bars", f"{BASE}/v1/corporate-actions"
SNAPSHOTS, NEWS = f"{BASE}/v2/stocks/snapshots", f"{BASE}/v1beta1/news"
CALENDAR = MarketCalendar("XNYS")
CLOSE = datetime(2026, 3, 10, 20, tzinfo=UTC)
MIDDAY = datetime(2026, 3, 10, 16, tzinfo=UTC)
BAR = {"t": "2026-03-10T04:00:00Z", "o": 1, "h": 2, "l": 1, "c": 2, "v": 5}


def written(**pages: Any) -> WrittenWeb:
    """A vendor that has nothing but the pages given, by the names of their addresses above."""
    known = {"bars": BARS, "actions": ACTIONS, "snapshots": SNAPSHOTS, "news": NEWS}
    nothing = {
        ACTIONS: httpx.Response(200, json={"corporate_actions": {}, "next_page_token": None}),
        BARS: httpx.Response(200, json={"bars": {}, "next_page_token": None}),
        SNAPSHOTS: httpx.Response(200, json={}),
        NEWS: httpx.Response(200, json={"news": [], "next_page_token": None}),
    }
    return WrittenWeb({**nothing, **{known[name]: page for name, page in pages.items()}})


def market(
    web: WrittenWeb, plan: Plan | None = None, feed: str = "iex", **ask: Any
) -> tuple[list[RawItem], dict[str, str]]:
    asked, reports = ask_for(SourceType.MARKET_API, **{"as_of": CLOSE, **ask})
    client = AlpacaDataClient(web.fetcher(attempts=1), BASE)
    adapter = AlpacaMarketAdapter(client, CALENDAR, feed, plan or Plan())  # type: ignore[arg-type]
    return list(adapter.fetch(asked)), reports.told


def paging(pages: list[Any], tokens: list[str]) -> Any:
    """A vendor's answer whose page depends on its token."""

    def answer(request: httpx.Request) -> httpx.Response:
        token = request.url.params.get("page_token")
        place = 0 if token is None else tokens.index(token) + 1
        return httpx.Response(200, json={**pages[place], "next_page_token": [*tokens, None][place]})

    return answer


def test_bars_are_asked_as_traded_and_kept_verbatim_under_their_feed() -> None:
    text = '{"bars": {"AAA": [ {"t": "2026-03-10T04:00:00Z", "o": 1.50} ]}, "next_page_token": null}'
    web = written(bars=httpx.Response(200, text=text))
    splits, dividends, bars = market(web)[0]
    assert (splits.item_id, dividends.item_id, bars.item_id) == (
        "splits:2026-03-10", "dividends:2026-03-10", "bars:iex:2026-03-10",
    )  # fmt: skip
    assert (bars.kind, bars.payload, bars.published_at) == ("stock_bars", text.encode(), CLOSE)
    params = web.asked[-1].url.params
    assert (params["adjustment"], params["timeframe"], params["feed"]) == ("raw", "1Day", "iex")
    assert (params["symbols"], params["start"], params["end"]) == (
        "AAA,BBB", "2026-03-10T00:00:00Z", "2026-03-10T23:59:59Z",
    )  # fmt: skip
    assert "feed=iex" in bars.url
    assert "AAA" not in bars.url


def test_actions_are_asked_by_type_as_far_as_they_are_processed() -> None:
    web = written()
    market(web)
    splits, dividends = (r.url.params for r in web.asked[:2])
    assert splits["types"] == "forward_split,reverse_split,stock_dividend"
    assert dividends["types"] == "cash_dividend"
    assert (splits["start"], splits["end"]) == ("2026-03-07", "2026-05-16")


def test_pages_follow_their_tokens_and_are_items_of_one_name() -> None:
    web = written(bars=paging([{"bars": {"AAA": [BAR]}}, {"bars": {"BBB": [BAR]}}], ["next"]))
    items, _ = market(web)
    assert [item.item_id for item in items[2:]] == ["bars:iex:2026-03-10", "bars:iex:2026-03-10:2"]


def test_a_token_that_comes_again_ends_in_an_error() -> None:
    page = httpx.Response(200, json={"bars": {}, "next_page_token": "same"})
    with pytest.raises(TransientError, match="pages in a circle"):
        market(written(bars=page))


def test_many_tickers_are_asked_in_portions() -> None:
    over = universe(**{f"T{n:03d}": None for n in range(SYMBOLS + 5)})
    web = written(bars=httpx.Response(200, json={"bars": {"T000": [BAR]}}))
    items, _ = market(web, over=over)
    asked = [r.url.params["symbols"].split(",") for r in web.asked if r.url.path == "/v2/stocks/bars"]
    assert sorted(name for names in asked for name in names) == sorted(over.companies)
    assert max(map(len, asked)) == SYMBOLS
    assert [item.item_id for item in items if item.kind == "stock_bars"] == [
        "bars:iex:2026-03-10",
        "bars:iex:2026-03-10:2",
    ]


def test_a_day_without_any_bar_has_no_item_and_is_asked_again() -> None:
    assert [item.kind for item in market(written())[0]] == ["splits", "dividends"]


@pytest.mark.parametrize("ask", [{"day": date(2026, 3, 8)}, {"day": date(2026, 3, 11)}, {"over": universe()}])
def test_nothing_is_asked_without_a_session_a_ticker_or_ahead_of_time(ask: dict[str, Any]) -> None:
    web = written()
    assert market(web, **ask)[0] == []
    assert web.asked == []


def test_nothing_is_asked_twice_and_another_feed_is_another_item() -> None:
    known = frozenset({"bars:iex:2026-03-10", "splits:2026-03-10", "dividends:2026-03-10"})
    web = written(bars=httpx.Response(200, json={"bars": {"AAA": [BAR]}}))
    assert market(web, known=known)[0] == []
    assert [item.item_id for item in market(web, feed="sip", known=known)[0]] == ["bars:sip:2026-03-10"]


def test_snapshots_while_the_session_runs() -> None:
    items, _ = market(written(snapshots=httpx.Response(200, json={"AAA": {"dailyBar": BAR}})), as_of=MIDDAY)
    assert (items[-1].item_id, items[-1].kind) == ("snapshots:2026-03-10T16:00:00Z", "snapshots")
    assert "feed=iex" in items[-1].url


def test_a_plan_without_a_feed_s_snapshots_is_told_once() -> None:
    words = {"message": "subscription does not permit querying recent SIP data"}
    web, plan = written(snapshots=httpx.Response(403, json=words)), Plan()
    told = [market(web, plan, "sip", as_of=MIDDAY)[1] for _ in range(2)]
    assert "does not permit" in told[0]["snapshots"]
    assert told[1] == {}
    assert plan.refusals == ["snapshots sip"]


@pytest.mark.parametrize("page", ["bars", "actions", "snapshots"])
@pytest.mark.parametrize("body", ["[]", "3", '"x"', "{cut", ""])
def test_what_is_no_answer_of_alpaca_s_is_an_error_and_never_empty(page: str, body: str) -> None:
    with pytest.raises(TransientError):
        market(written(**{page: httpx.Response(200, text=body)}), as_of=MIDDAY if page == "snapshots" else CLOSE)


# News.


def article(number: int, **more: Any) -> dict[str, Any]:
    stamp = "2026-03-10T09:00:00Z"
    shown = {"headline": f"About {number}", "summary": "s", "content": "<p>x</p>", "author": "A", "source": "wire"}
    return {
        **shown, "id": number, "created_at": stamp, "updated_at": stamp, "symbols": ["AAA"],
        "url": f"https://press.example/{number}", **more,
    }  # fmt: skip


def news(*articles: Any, **ask: Any) -> tuple[list[RawItem], dict[str, str], WrittenWeb]:
    web = written(news=httpx.Response(200, json={"news": list(articles), "next_page_token": None}))
    asked, reports = ask_for(SourceType.NEWS_API, **ask)
    return list(AlpacaNewsAdapter(AlpacaDataClient(web.fetcher(attempts=1), BASE)).fetch(asked)), reports.told, web


def test_a_news_item_is_its_own_bytes() -> None:
    spelled = '{"id": 7, "headline": "A\\u00e9", "created_at": "2026-03-10T09:00:00Z", "symbols":["AAA"], "n": 1.50}'
    web = written(news=httpx.Response(200, text='{"news": [ ' + spelled + ' ], "next_page_token": null}'))
    asked, _ = ask_for(SourceType.NEWS_API)
    (item,) = AlpacaNewsAdapter(AlpacaDataClient(web.fetcher(), BASE)).fetch(asked)
    assert item.payload == spelled.encode()
    assert (item.item_id, item.kind, item.answer.url) == ("7", "article", NEWS)


def test_the_day_is_asked_for_with_its_content_as_far_as_the_instant() -> None:
    _, _, web = news()
    params = web.asked[0].url.params
    assert (params["start"], params["end"]) == ("2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z")
    assert (params["sort"], params["include_content"], params["symbols"]) == ("asc", "true", "AAA,BBB")
    _, _, web = news(as_of=NOON + timedelta(days=3))
    assert web.asked[0].url.params["end"] == "2026-03-11T06:00:00Z"
    _, _, web = news(as_of=NOON - timedelta(days=1))
    assert web.asked == []


def test_only_news_of_the_day_about_what_is_tracked_and_once() -> None:
    items, told, _ = news(
        article(1), article(1), article(2, symbols=["ZZZ"]), article(3, symbols=None),
        article(4, created_at="2026-03-09T23:59:59Z"), article(5, updated_at="2026-03-10T12:00:01Z"), article(6),
        known=frozenset({"6"}),
    )  # fmt: skip
    assert [item.item_id for item in items] == ["1"]
    assert told == {}


def test_a_changed_item_is_of_the_instant_of_its_change() -> None:
    (item,), _, _ = news(article(1, updated_at="2026-03-10T11:00:00Z"))
    assert item.published_at == datetime(2026, 3, 10, 11, tzinfo=UTC)
    (item,), _, _ = news(article(1, updated_at=None))
    assert item.published_at == datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "broken", [{"id": None}, {"created_at": None}, {"created_at": "soon"}, {"created_at": "2026-03-10T09:00:00"}]
)
def test_an_item_without_name_or_time_is_reported_and_the_rest_goes_on(broken: dict[str, Any]) -> None:
    items, told, _ = news(article(1, **broken), article(2))
    assert [item.item_id for item in items] == ["2"]
    (sentence,) = told.values()
    assert "without id, created_at or updated_at" in sentence


def test_an_item_that_is_no_object_is_reported_too() -> None:
    items, told, _ = news(3, article(2))
    assert [item.item_id for item in items] == ["2"]
    assert list(told) == ["?"]


@pytest.mark.parametrize("body", ['{"news": {"a": 1}}', '{"news": 3}', "[]", "{cut", b"\xff\xfe{}"])
def test_what_is_no_list_of_news_is_an_error(body: Any) -> None:
    web = written(news=httpx.Response(200, content=body))
    asked, _ = ask_for(SourceType.NEWS_API)
    with pytest.raises(TransientError):
        list(AlpacaNewsAdapter(AlpacaDataClient(web.fetcher(attempts=1), BASE)).fetch(asked))


@pytest.mark.parametrize(("status", "failure"), [(401, PermanentError), (403, PermanentError), (429, TransientError)])
def test_a_refusal_carries_the_vendor_s_words(status: int, failure: type[Exception]) -> None:
    page = httpx.Response(status, json={"message": "so it is"})
    for ask in (lambda: market(written(bars=page)), lambda: market(written(actions=page))):
        with pytest.raises(failure, match="so it is"):
            ask()


def test_recorded_news_reads_as_the_adapter_reads_it(shared_data: Any) -> None:
    folder = shared_data / "alpaca" / "alpaca_py_recorded"
    first, second = (
        json.loads((folder / f"historical_news_data__test_get_news{n}.json").read_text()) for n in ("", "_1")
    )
    web = written(news=paging([first, {"news": second["news"]}], [first["next_page_token"]]))
    ask, reports = ask_for(SourceType.NEWS_API, day=date(2024, 11, 7), as_of=NOON, over=universe(CWAN=None, AAPL=None))
    (item,) = AlpacaNewsAdapter(AlpacaDataClient(web.fetcher(), BASE)).fetch(ask)
    assert (item.item_id, json.loads(item.payload)) == ("41799100", second["news"][0])
    assert reports.told == {}
    assert NOON.date() == TODAY
