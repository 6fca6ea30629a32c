"""Polygon's market: bars as traded of closed sessions, corporate actions ahead of them, snapshots in between."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from stonks_assets.ingestion.entitlements import ASKED_AGAIN, Entitlements
from stonks_assets.ingestion.polygon import PolygonClient
from stonks_assets.ingestion.polygon_market import PolygonMarketAdapter
from stonks_assets.ingestion.protocol import RawItem
from stonks_core.calendar import MarketCalendar
from stonks_core.clock import ManualClock
from stonks_core.errors import PermanentError, TransientError
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import NOON, TODAY, WrittenWeb, ask_for

BASE = "https://api.vendor.example"
GROUPED = f"{BASE}/v2/aggs/grouped/locale/us/market/stocks/2026-03-10"
SPLITS, DIVIDENDS = f"{BASE}/v3/reference/splits", f"{BASE}/v3/reference/dividends"
SNAPSHOTS = f"{BASE}/v2/snapshot/locale/us/markets/stocks/tickers"
CALENDAR = MarketCalendar("XNYS")
CLOSE = datetime(2026, 3, 10, 20, tzinfo=UTC)
MIDDAY = datetime(2026, 3, 10, 16, tzinfo=UTC)
NOTHING = httpx.Response(200, json={"status": "OK", "results": []})


@dataclass
class Plan:
    """Entitlements in memory."""

    refusals: list[str] = field(default_factory=list)

    def may_ask(self, subject: str) -> bool:
        return subject not in self.refusals

    def refused(self, subject: str, sentence: str) -> bool:
        self.refusals.append(subject)
        return True

    def granted(self, subject: str) -> None:
        self.refusals = [held for held in self.refusals if held != subject]


def written(**pages: Any) -> WrittenWeb:
    """A vendor that has nothing but the pages given, by the names of their addresses above."""
    known = {"splits": SPLITS, "dividends": DIVIDENDS, "grouped": GROUPED, "snapshots": SNAPSHOTS}
    return WrittenWeb({SPLITS: NOTHING, DIVIDENDS: NOTHING, **{known[name]: page for name, page in pages.items()}})


def fetch(web: WrittenWeb, plan: Plan | None = None, **ask: Any) -> tuple[list[RawItem], dict[str, str]]:
    asked, reports = ask_for(SourceType.MARKET_API, **{"as_of": CLOSE, **ask})
    client = PolygonClient(web.fetcher(attempts=1), BASE)
    adapter = PolygonMarketAdapter(client, CALENDAR, plan or Plan())  # type: ignore[arg-type]
    return list(adapter.fetch(asked)), reports.told


def test_a_closed_session_s_bars_are_one_item_verbatim_and_as_traded() -> None:
    web = written(grouped=httpx.Response(200, text='{"results": [ {"T": "AAA"} ]}'))
    splits, dividends, bars = fetch(web)[0]
    assert [splits.item_id, dividends.item_id] == ["splits:2026-03-10", "dividends:2026-03-10"]
    assert (bars.item_id, bars.kind, bars.published_at) == ("grouped:2026-03-10", "grouped_daily", CLOSE)
    assert bars.payload == b'{"results": [ {"T": "AAA"} ]}'
    assert web.asked[-1].url.params["adjusted"] == "false"


def test_corporate_actions_come_before_the_bars_they_explain_and_ahead_of_their_day() -> None:
    web = written(grouped=httpx.Response(200, json={"results": [{"T": "AAA"}]}))
    fetch(web)
    assert [request.url.path for request in web.asked][:2] == ["/v3/reference/splits", "/v3/reference/dividends"]
    params = web.asked[0].url.params
    assert (params["execution_date.gte"], params["execution_date.lte"]) == ("2026-03-07", "2026-03-17")
    assert web.asked[1].url.params["ex_dividend_date.lte"] == "2026-03-17"
    down = written(splits=httpx.Response(500), grouped=httpx.Response(200, json={"results": [{"T": "AAA"}]}))
    with pytest.raises(TransientError):
        fetch(down)
    assert GROUPED not in down.urls


def test_pages_of_actions_are_kept_together_or_not_at_all() -> None:
    second = f"{SPLITS}?cursor=2"
    first = httpx.Response(200, json={"results": [{"id": "a"}], "next_url": second})
    web = written(splits=first)
    web.pages[second] = httpx.Response(200, json={"results": [{"id": "b"}]})
    assert [item.item_id for item in fetch(web, as_of=NOON)[0]][:2] == ["splits:2026-03-10", "splits:2026-03-10:2"]
    web.pages[second] = httpx.Response(500)
    asked, _ = ask_for(SourceType.MARKET_API, as_of=CLOSE)
    adapter = PolygonMarketAdapter(PolygonClient(web.fetcher(attempts=1), BASE), CALENDAR, Plan())  # type: ignore[arg-type]
    with pytest.raises(TransientError):
        next(iter(adapter.fetch(asked)))


def test_past_days_in_a_row_are_asked_for_their_actions_now_and_then() -> None:
    web = written()
    adapter = PolygonMarketAdapter(PolygonClient(web.fetcher(attempts=1), BASE), CALENDAR, Plan())  # type: ignore[arg-type]
    days = [session.day for session in CALENDAR.sessions_between(date(2026, 2, 2), date(2026, 3, 9))]
    for day in days:
        web.pages[f"{BASE}/v2/aggs/grouped/locale/us/market/stocks/{day}"] = NOTHING
        list(adapter.fetch(ask_for(SourceType.MARKET_API, day=day, as_of=CLOSE)[0]))
    windows = [r.url.params for r in web.asked if r.url.path == "/v3/reference/splits"]
    assert 1 < len(windows) < len(days) / 3
    for day in days:
        name = day.isoformat()
        assert any(w["execution_date.gte"] <= name <= w["execution_date.lte"] for w in windows), day


@pytest.mark.parametrize("ask", [{"day": date(2026, 3, 8)}, {"day": date(2026, 3, 11)}])
def test_nothing_is_asked_without_a_session_or_ahead_of_time(ask: dict[str, Any]) -> None:
    web = written()
    assert fetch(web, **ask)[0] == []
    assert web.asked == []


def test_nothing_is_asked_twice() -> None:
    web = written()
    known = frozenset({"grouped:2026-03-10", "splits:2026-03-10", "dividends:2026-03-10"})
    assert fetch(web, known=known) == ([], {})
    assert web.asked == []


def test_no_bar_before_the_close_but_a_snapshot_while_the_session_runs() -> None:
    shots = httpx.Response(200, json={"status": "OK", "tickers": []})
    assert [item.kind for item in fetch(written(), as_of=NOON)[0]] == ["splits", "dividends"]
    web = written(snapshots=shots)
    items, _ = fetch(web, as_of=MIDDAY)
    assert [item.kind for item in items] == ["splits", "dividends", "snapshots"]
    assert items[-1].item_id == "snapshots:2026-03-10T16:00:00Z"
    assert web.asked[-1].url.params["tickers"] == "AAA,BBB"
    again, _ = fetch(web, as_of=MIDDAY, known=frozenset(item.item_id for item in items))
    assert again == []


def test_a_plan_without_snapshots_is_told_once_and_is_no_failure(database: Database) -> None:
    refusal = httpx.Response(403, json={"status": "NOT_AUTHORIZED", "message": "You are not entitled to this data."})
    web, clock = written(snapshots=refusal), ManualClock(MIDDAY)
    plan = Entitlements(database, clock, "polygon")
    told = [fetch(web, plan, as_of=MIDDAY)[1] for _ in range(3)]  # type: ignore[arg-type]
    assert "You are not entitled" in told[0]["snapshots"]
    assert told[1:] == [{}, {}]
    assert web.urls.count(f"{SNAPSHOTS}?tickers=AAA%2CBBB") == 1
    clock.advance_to(clock.now() + ASKED_AGAIN)
    assert fetch(web, plan, as_of=MIDDAY)[1] == {}  # type: ignore[arg-type]
    assert web.urls.count(f"{SNAPSHOTS}?tickers=AAA%2CBBB") == 2
    clock.advance_to(clock.now() + ASKED_AGAIN)
    web.pages[SNAPSHOTS] = httpx.Response(200, json={"status": "OK", "tickers": []})
    assert fetch(web, plan, as_of=MIDDAY)[0][-1].kind == "snapshots"  # type: ignore[arg-type]
    assert database.fetch("SELECT key FROM pipeline_control WHERE key LIKE 'not entitled%%'") == []


def test_another_refusal_of_snapshots_is_the_source_s_failure() -> None:
    for page, failure in (
        (httpx.Response(401, json={"error": "Unknown API Key"}), PermanentError),
        (httpx.Response(500), TransientError),
    ):
        with pytest.raises(failure):
            fetch(written(snapshots=page), as_of=MIDDAY)


def test_a_plan_whose_bars_come_later_is_asked_again() -> None:
    words = "Attempted to request today's data before end of day. Please upgrade your plan."
    items, told = fetch(written(grouped=httpx.Response(403, json={"status": "NOT_AUTHORIZED", "message": words})))
    assert [item.kind for item in items] == ["splits", "dividends"]
    assert "asked for again" in told["grouped:2026-03-10"]


def test_a_day_whose_results_are_absent_has_none() -> None:
    items, _ = fetch(written(grouped=httpx.Response(200, json={"status": "OK", "queryCount": 0})))
    assert [item.kind for item in items] == ["splits", "dividends"]


@pytest.mark.parametrize("body", ["[]", '{"results": {"a": 1}}', '{"results": ["a"]}', '"text"', "{cut", "3"])
def test_what_is_no_answer_of_polygon_s_is_an_error_and_never_empty(body: str) -> None:
    with pytest.raises(TransientError):
        fetch(written(grouped=httpx.Response(200, text=body)))


@pytest.mark.parametrize(
    "page",
    [
        httpx.Response(403, json={"status": "NOT_AUTHORIZED", "message": "not entitled"}),
        httpx.Response(401, json={"error": "Unknown API Key"}),
    ],
)
def test_a_refusal_carries_the_vendor_s_words(page: httpx.Response) -> None:
    with pytest.raises(PermanentError, match=r"not entitled|Unknown API Key"):
        fetch(written(grouped=page))


def test_only_the_tickers_that_are_tracked_are_looked_at() -> None:
    shots = httpx.Response(200, json={"status": "OK", "tickers": []})
    web = written(snapshots=shots)
    fetch(web, as_of=MIDDAY, ticker="BBB", day=TODAY)
    assert web.asked[-1].url.params["tickers"] == "BBB"
