"""Splits and dividends in what is computed: contexts, abnormal returns, outcomes and the positions' fact."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from stonks_assets.aggregation.market import contexts
from stonks_assets.lake.step import publish_positions_snapshot
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.prices.adjusting import adjusted
from stonks_core.prices.sessions import sessions
from stonks_core.settings import load_settings
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.fact_tables import FACT_POSITIONS_SNAPSHOT
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import Window
from tests.api import story

FIRST = datetime(2026, 1, 1, 21, tzinfo=UTC)
DAY = timedelta(days=1)
CLOSES = [100.0 + (n % 5) for n in range(30)]
AS_OF = FIRST + 29 * DAY + timedelta(hours=1)


def actions(*rows: dict[str, Any]) -> pa.Table:
    blank = {f.name: None for f in CORPORATE_ACTIONS.schema}
    plain = {"provider": "polygon", "action_id": "a", "terms": "", "raw_sha256": "0", "currency": "USD"}
    filled = [{**blank, **plain, **row, "day": row["ex_date"], "published_at": row["available_at"]} for row in rows]
    return pa.Table.from_pylist(filled, schema=CORPORATE_ACTIONS.schema)


def split(offset: int, ratio: float, **more: Any) -> dict[str, Any]:
    day = (FIRST + offset * DAY).date().isoformat()
    known = FIRST + offset * DAY - timedelta(hours=7)
    return {
        "ticker": "AAA",
        "kind": "split",
        "ex_date": day,
        "split_from": 1.0,
        "split_to": ratio,
        "available_at": known,
        **more,
    }


def test_the_context_of_a_ticker_that_split_is_that_of_one_that_did_not(daily_bars):
    raw = [close * 10 if n < 25 else close for n, close in enumerate(CLOSES)]
    since = {Window.WEEK: AS_OF - 7 * DAY, Window.MONTH: AS_OF - 28 * DAY}
    bars = daily_bars({"AAA": raw}, FIRST)
    volumes = pa.array([100.0 if n < 25 else 1000.0 for n in range(30)])
    bars = bars.set_column(bars.column_names.index("volume"), "volume", volumes)
    found = contexts(adjusted(bars, actions(split(25, 10)), AS_OF), AS_OF, ["AAA"], since, 252)["AAA"]
    plain = contexts(daily_bars({"AAA": CLOSES}, FIRST), AS_OF, ["AAA"], since, 252)["AAA"]
    assert found.reference_price == plain.reference_price
    assert found.volatility == pytest.approx(plain.volatility, rel=1e-12)
    assert found.volume_ratio == pytest.approx(plain.volume_ratio, rel=1e-12)
    assert found.returns == pytest.approx(plain.returns, rel=1e-12)


def test_a_dividend_is_in_returns_and_not_in_the_price(daily_bars):
    bars = daily_bars({"AAA": [100.0, 98.0], "BBB": [50.0, 50.0]}, FIRST)
    paid = split(1, 1, kind="dividend", cash_amount=2.0)
    found = adjusted(bars, actions(paid), AS_OF)
    context = contexts(found, AS_OF, ["AAA"], {Window.DAY: FIRST + timedelta(hours=1)}, 252)["AAA"]
    assert context.reference_price == 98.0
    assert context.returns[Window.DAY] == pytest.approx(0.0)
    market = sessions(found, AS_OF, ["AAA", "BBB"])
    assert market.forward(1)[0].tolist() == pytest.approx([0.0, 0.0])
    assert market.abnormal(1)[0].tolist() == pytest.approx([0.0, 0.0])


def test_a_snapshot_is_the_newest_price_and_no_session(daily_bars):
    bars = daily_bars({"AAA": CLOSES}, FIRST)
    running = FIRST + 30 * DAY - timedelta(hours=3)
    shot = daily_bars({"AAA": [200.0]}, FIRST + 30 * DAY, span="snapshot", end_at=running, available_at=running)
    at = running + timedelta(minutes=1)
    both = adjusted(pa.concat_tables([bars, shot]), actions(), at)
    found = contexts(both, at, ["AAA"], {}, 252)["AAA"]
    plain = contexts(bars, at, ["AAA"], {}, 252)["AAA"]
    assert found.reference_price == 200.0
    assert (found.volatility, found.volume_ratio) == (plain.volatility, plain.volume_ratio)
    assert sessions(both, at, ["AAA"]).days == sessions(bars, at, ["AAA"]).days


def test_a_position_is_told_in_the_shares_of_its_day(lake: Lake, database: Database) -> None:
    story.tell_database(database)
    bought = datetime(2026, 2, 20, 15, tzinfo=UTC)
    story.decide(database, "dec-held", "override", None, "", story.AS_OF)
    story.order(database, "held-1", "dec-held", None, purpose="override", notional=1, intended_at=bought)
    story.fill(database, "held-1", "buy", 2, 90, bought)
    database.execute("DELETE FROM fills WHERE order_id <> 'held-1'")
    for day, close in (("2026-02-24", 100.0), ("2026-02-25", 10.5)):
        bar = {"ticker": "ACME", "span": "1d", "feed": "sandbox", "close": close, "vwap": None}
        known = datetime.fromisoformat(f"{day}T21:01:00+00:00")
        lake.merge(MARKET_SNAPSHOTS, [story.row(MARKET_SNAPSHOTS, day, **bar, end_at=known, available_at=known)])
    known = datetime(2026, 2, 25, 14, 30, tzinfo=UTC)
    row = split(0, 10.0, ticker="ACME", ex_date="2026-02-25", available_at=known)
    lake.merge(CORPORATE_ACTIONS, actions(row))
    pipeline = Pipeline(load_settings({}), lake, database, ManualClock(story.AS_OF))
    for day, shares, cost, price in (("2026-02-24", 2, 90, 100.0), ("2026-02-25", 20, 9, 10.5)):
        at = datetime.fromisoformat(f"{day}T22:00:00+00:00")
        publish_positions_snapshot(pipeline, at.date(), at)
        (held,) = lake.read(FACT_POSITIONS_SNAPSHOT, days=(at.date(), at.date())).to_pylist()
        assert (held["quantity"], held["cost"], held["price"]) == (shares, cost, price)
        assert Decimal(str(held["market_value"])) == Decimal(str(shares * price))
