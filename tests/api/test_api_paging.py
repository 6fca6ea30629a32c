"""Walking a list by its cursors gives every item once, in order, whatever the page size and however many share an instant."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stonks_api.context import Context
from stonks_api.lake_query import _spans
from stonks_api.routers.companies import tracked_companies
from stonks_api.routers.decisions import newest_decisions
from stonks_api.routers.documents import newest_documents
from stonks_api.routers.failures import newest_failures
from stonks_api.routers.orders import newest_orders
from stonks_api.routers.recommendations import newest_recommendations
from stonks_api.routers.trends import current_trends
from stonks_api.wire import Page, Shown, decode_cursor, decode_place, encode_cursor, finite, page
from stonks_core.clock import ManualClock
from stonks_core.errors import BadInputError
from stonks_core.settings import load_settings
from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS, TREND_WINDOWS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.registry import PIPELINE_TABLES
from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.stores.postgres import Database
from tests.api import story

COUNT = 23
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def at(number: int) -> datetime:
    """Few instants for many items, some of them microseconds apart."""
    return story.AS_OF + timedelta(microseconds=number % 5)


def walk(read: Callable[[int, str], Page[Any]], limit: int) -> list[Any]:
    found: list[Any] = []
    cursor, pages = "", 0
    while True:
        one = read(limit, cursor)
        assert len(one.items) <= limit
        assert one.items or not found
        found += one.items
        pages += 1
        assert pages <= COUNT + 5
        if one.next_cursor is None:
            return found
        cursor = one.next_cursor


@pytest.fixture
def full(database: Database) -> Database:
    """Many rows of each kind that share few instants."""
    story.tell_database(database)
    for number in range(COUNT):
        story.decide(database, f"d-{number}", "override", None, "", at(number), outcome="act")
        story.order(
            database, f"o-{number:02}", f"d-{number}", None, purpose="override", notional=1, intended_at=at(number)
        )
        database.execute("INSERT INTO companies (ticker, legal_name) VALUES (%s, 'x')", (f"T{number}",))
        database.execute(
            "INSERT INTO failures (stage, item, error, first_at, last_at) VALUES ('s', %s, 'e', %s, %s)",
            (str(number), at(number), at(number)),
        )
    return database


@QUICK
@given(limit=st.integers(1, COUNT + 5))
def test_rows_of_the_database(full: Database, limit: int) -> None:
    orders = [o.order_id for o in walk(lambda n, c: newest_orders(full, n, c), limit)]
    wanted = full.fetch("SELECT order_id FROM orders ORDER BY intended_at DESC, order_id DESC")
    assert orders == [row["order_id"] for row in wanted]
    decisions = [d.decision_id for d in walk(lambda n, c: newest_decisions(full, n, c), limit)]
    assert len(decisions) == len(set(decisions)) == full.fetch("SELECT count(*) FROM trading_decisions")[0]["count"]
    failures = walk(lambda n, c: newest_failures(full, n, c), limit)
    assert {f.item for f in failures} == {str(number) for number in range(COUNT)}
    assert [f.last_at for f in failures] == sorted((f.last_at for f in failures), reverse=True)
    companies = [c.ticker for c in walk(lambda n, c: tracked_companies(full, n, c), limit)]
    assert len(companies) == len(set(companies)) == COUNT + 2


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Many rows of each kind in the lake, on a few days, that share few instants."""
    lake = Lake(LakeLocation(str(tmp_path_factory.mktemp("paging") / "lake")))
    days = ("20260302", "20260303", "20260304")
    names = [f"{days[number % 3]}-{number:02}" for number in range(COUNT)]
    lake.merge(DOCUMENTS, [story.document(name, name, published_at=at(number)) for number, name in enumerate(names)])
    told = []
    for n in range(COUNT):
        as_of = at(n) - timedelta(days=n % 4 * 9)
        row = story.recommendation(f"r-{n:02}", as_of=as_of, action="buy" if n % 2 else "sell")
        told.append({**row, "day": as_of.date().isoformat()})
    lake.merge(RECOMMENDATIONS, told)
    windows = ("intraday", "1d", "7d", "30d", "90d")
    lake.merge(
        TREND_WINDOWS,
        [story.trend(ticker=f"T{n // 5}", window=windows[n % 5], trend_id=str(n)) for n in range(COUNT)],
    )
    sql = LakeSql(lake, PIPELINE_TABLES)
    yield Context(load_settings({}), cast("Database", None), lake, sql, ManualClock(story.AS_OF), "")
    sql.close()


@QUICK
@given(limit=st.integers(1, COUNT + 5))
def test_rows_of_the_lake(reading: Context, limit: int) -> None:
    ctx = reading
    documents = walk(lambda n, c: newest_documents(ctx, n, c), limit)
    order = [(d.document_id[:8], d.published_at, d.document_id) for d in documents]
    assert len(set(order)) == COUNT
    assert order == sorted(order, reverse=True)
    one_day = walk(lambda n, c: newest_documents(ctx, n, c, day=date(2026, 3, 3)), limit)
    assert {d.document_id for d in one_day} == {
        d.document_id for d in documents if d.document_id.startswith("20260303")
    }
    told = walk(lambda n, c: newest_recommendations(ctx, n, c), limit)
    assert [r.recommendation_id for r in told] == [
        r.recommendation_id for r in sorted(told, key=lambda r: (r.as_of, r.recommendation_id), reverse=True)
    ]
    assert len({r.recommendation_id for r in told}) == COUNT
    trends = [(t.ticker, t.window) for t in walk(lambda n, c: current_trends(ctx, n, c), limit)]
    assert len(set(trends)) == COUNT
    assert trends == sorted(trends)


def test_what_comes_in_between_two_pages_moves_nothing(full: Database) -> None:
    first = newest_orders(full, 10)
    story.decide(full, "d-late", "override", None, "", story.AS_OF)
    story.order(
        full, "late", "d-late", None, purpose="override", notional=1, intended_at=story.AS_OF + timedelta(days=1)
    )
    rest = walk(lambda n, c: newest_orders(full, n, c or first.next_cursor or ""), 10)
    names = [o.order_id for o in (*first.items, *rest)]
    assert len(names) == len(set(names)) == COUNT + 3
    assert "late" not in names


@given(st.datetimes(timezones=st.just(UTC)), st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40))
def test_a_place_survives_its_cursor(instant: datetime, name: str) -> None:
    cursor = encode_cursor(instant, name)
    assert cursor.isascii()
    assert "=" not in cursor
    assert decode_place(cursor) == (instant, name)


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        parts = decode_cursor(text, 2)
    except BadInputError:
        return
    assert parts is None or len(parts) == 2


@given(
    st.recursive(
        st.none() | st.floats() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4)
    )
)
def test_whatever_goes_out_is_json(value: Any) -> None:
    json.dumps(finite({"held": value}), allow_nan=False)


class _One(Shown):
    x: float | None


def test_a_page_without_more_has_no_cursor() -> None:
    assert page(_One, [{"x": float("nan")}], 1, lambda row: (row["x"],)) == Page[_One](items=[_One(x=None)])
    two = page(_One, [{"x": 1.0}, {"x": 2.0}], 1, lambda row: (row["x"],))
    assert json.loads(base64.urlsafe_b64decode((two.next_cursor or "") + "==")) == ["1.0"]


@given(
    days=st.lists(st.dates(date(2020, 1, 1), date(2026, 1, 1)), unique=True, max_size=60),
)
def test_days_are_read_once_newest_first(days: list[date]) -> None:
    falling = sorted(days, reverse=True)
    spans = list(_spans(falling))
    covered = [day for last, first in spans for day in falling if first <= day <= last]
    assert covered == falling
    assert len(spans) <= 4
