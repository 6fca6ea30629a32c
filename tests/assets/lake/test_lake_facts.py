"""The twelve facts over real stores: exactly what the stores say of a day, names filled in, and nothing changed by a second run."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stonks_assets.lake.step import STAGES
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.registry.attachments import set_competitor
from stonks_core.registry.companies import rename_company
from stonks_core.registry.editing import Author, editing
from stonks_core.registry.entries import Rivalry
from stonks_core.settings import load_settings
from stonks_core.stores.lake import fact_tables as facts
from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.gold_tables import TREND_PROJECTIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, DOCUMENTS, IMPACT_RECORDS, MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database
from tests.api import story

DAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 22, 0, tzinfo=UTC)
DAYS = {
    facts.FACT_GLOBAL_EVENT: date(2026, 3, 3),
    facts.FACT_MACRO_IMPACT: date(2026, 3, 3),
    facts.FACT_COMPETITIVE_SIGNAL: date(2026, 3, 2),
    facts.FACT_COMPETITOR_RELATIONSHIP: date(2099, 1, 1),  # entered when the test runs
}


EARLIER = datetime(2026, 2, 20, 15, tzinfo=UTC)


@pytest.fixture
def pipeline(database: Database, lake: Lake) -> Pipeline:
    story.tell_lake(lake)
    story.tell_database(database)
    bar = {"ticker": "ACME", "span": "1d", "feed": "sandbox", "close": 10.5, "vwap": None}
    lake.merge(MARKET_SNAPSHOTS, [story.row(MARKET_SNAPSHOTS, "2026-03-04", **bar)])
    story.decide(database, "dec-held", "override", None, "", story.AS_OF)
    for name, shares, price in (("held-1", 2, 9), ("held-2", 2, 11)):
        story.order(database, name, "dec-held", None, purpose="override", notional=1, intended_at=EARLIER)
        story.fill(database, name, "buy", shares, price, EARLIER)
    projection = {"projection_id": "p", "ticker": "BOLT", "window": "7d", "slope": 0.1, "points": 4}
    lake.merge(TREND_PROJECTIONS, [story.row(TREND_PROJECTIONS, "2026-03-04", **projection)])
    database.execute(
        "INSERT INTO portfolio_snapshots VALUES (%s, %s, %s, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0.01, 0.1, 0.2, 1, 'moderate')",
        (story.ACCOUNT, DAY, story.AS_OF),
    )
    return Pipeline(load_settings({}), lake, database, ManualClock(NOW))


def day_of(fact: LakeTable) -> date:
    return DAYS.get(fact, DAY)


def held(pipeline: Pipeline, fact: LakeTable, day: date | None = None) -> list[dict[str, Any]]:
    wanted = day or day_of(fact)
    return pipeline.lake.read(fact, days=(wanted, wanted)).to_pylist()


@pytest.mark.parametrize("fact", facts.FACT_TABLES, ids=lambda fact: fact.name)
def test_a_fact_is_published_once_with_the_companys_name(pipeline: Pipeline, fact: LakeTable) -> None:
    day = day_of(fact)
    as_of = datetime.now(UTC) if fact is facts.FACT_COMPETITOR_RELATIONSHIP else NOW
    report = STAGES[fact](pipeline, day, as_of)
    rows = held(pipeline, fact)
    assert report.written == {fact.name: len(rows)}
    assert rows
    names = {"ACME": "Acme Corp.", "BOLT": "Bolt <Industries>"}
    for row in rows:
        assert row["day"] == day.isoformat()
        if "company" in row:
            assert row["company"] == names[row["ticker"]]
    version = pipeline.lake.version(fact)
    assert STAGES[fact](pipeline, day, as_of).written == {fact.name: 0}
    assert pipeline.lake.version(fact) == version
    assert held(pipeline, fact) == rows


def test_every_fact_has_its_stage() -> None:
    assert set(STAGES) == set(facts.FACT_TABLES)
    assert len(STAGES) == 12


def test_an_empty_day_stays_empty_and_makes_no_commit(pipeline: Pipeline) -> None:
    for fact, stage in STAGES.items():
        version = pipeline.lake.version(fact)
        assert stage(pipeline, date(2001, 1, 1), NOW).written == {fact.name: 0}
        assert pipeline.lake.version(fact) == version


def test_a_company_that_is_not_registered_has_no_name(pipeline: Pipeline) -> None:
    lost = story.row(MARKET_SNAPSHOTS, "2026-03-04", ticker="GONE", span="1d", feed="sandbox", vwap=None)
    pipeline.lake.merge(MARKET_SNAPSHOTS, [lost])
    STAGES[facts.FACT_MARKET_SNAPSHOT](pipeline, DAY, NOW)
    assert {row["ticker"]: row["company"] for row in held(pipeline, facts.FACT_MARKET_SNAPSHOT)} == {
        "ACME": "Acme Corp.",
        "GONE": "",
    }


def test_a_pair_is_published_once_as_it_held_under_the_names_of_its_day(pipeline: Pipeline) -> None:
    fact = facts.FACT_COMPETITOR_RELATIONSHIP
    now = datetime.now(UTC)
    author = Author("tester", "because of the test")
    with editing(pipeline.database, author, now) as edit:
        set_competitor(edit, "BOLT", "ACME", Rivalry(strength=0.2), 1)
        rename_company(edit, "ACME", "ACM", None, 1)
    day = now.date() + timedelta(days=1)
    STAGES[fact](pipeline, day, now + timedelta(days=3))
    assert [(r["ticker"], r["competitor"], r["strength"]) for r in held(pipeline, fact, day)] == [("BOLT", "ACM", 0.2)]


def test_nothing_that_was_not_known_yet_is_published(pipeline: Pipeline) -> None:
    later = story.document("20260304-later", "later", available_at=NOW + timedelta(minutes=1))
    pipeline.lake.merge(DOCUMENTS, [later])
    STAGES[facts.FACT_DOCUMENT](pipeline, DAY, NOW)
    assert [row["document_id"] for row in held(pipeline, facts.FACT_DOCUMENT)] == [story.NEWS]
    STAGES[facts.FACT_DOCUMENT](pipeline, DAY, NOW + timedelta(hours=1))
    assert len(held(pipeline, facts.FACT_DOCUMENT)) == 2


def test_an_order_that_moved_on_is_published_as_it_stands(pipeline: Pipeline) -> None:
    stage, fact = STAGES[facts.FACT_TRADE_ORDER], facts.FACT_TRADE_ORDER
    stage(pipeline, DAY, NOW)
    assert {row["order_id"]: row["state"] for row in held(pipeline, fact)}[story.OPEN] == "accepted"
    pipeline.database.execute(
        "UPDATE orders SET state = 'filled', filled_quantity = 2, filled_average_price = 10 WHERE order_id = %s",
        (story.OPEN,),
    )
    assert stage(pipeline, DAY, NOW).written == {fact.name: 3}
    moved = next(row for row in held(pipeline, fact) if row["order_id"] == story.OPEN)
    assert (moved["state"], moved["filled_quantity"], moved["recommendation_id"]) == ("filled", 2.0, "rec-gone")
    assert len(held(pipeline, fact)) == 3


def test_orders_and_fills_stand_on_their_own_day_in_utc(pipeline: Pipeline) -> None:
    story.decide(pipeline.database, "dec-night", "override", None, "", story.AS_OF)
    midnight = datetime(2026, 3, 5, tzinfo=UTC)
    last = midnight - timedelta(microseconds=1)
    for name, at in (("before", last), ("after", midnight)):
        story.order(pipeline.database, name, "dec-night", None, purpose="override", notional=1, intended_at=at)
        story.fill(pipeline.database, name, "buy", 1, 1, at)
    for fact in (facts.FACT_TRADE_ORDER, facts.FACT_TRADE_FILL):
        for day in (DAY, date(2026, 3, 5)):
            STAGES[fact](pipeline, day, NOW + timedelta(days=1))
        assert "before" in {row["order_id"] for row in held(pipeline, fact, DAY)}
        assert {row["order_id"] for row in held(pipeline, fact, date(2026, 3, 5))} == {"after"}


def test_a_past_days_positions_do_not_know_todays_trades(pipeline: Pipeline) -> None:
    fact, stage = facts.FACT_POSITIONS_SNAPSHOT, STAGES[facts.FACT_POSITIONS_SNAPSHOT]
    stage(pipeline, DAY, NOW)
    before = held(pipeline, fact)
    story.order(pipeline.database, "later", "dec-held", None, purpose="override", notional=1, intended_at=NOW)
    story.fill(pipeline.database, "later", "sell", 4, 12, datetime(2026, 3, 6, tzinfo=UTC))
    assert stage(pipeline, DAY, NOW + timedelta(days=9)).written == {fact.name: 0}
    assert held(pipeline, fact) == before
    stage(pipeline, date(2026, 3, 6), NOW + timedelta(days=9))
    assert held(pipeline, fact, date(2026, 3, 6)) == []


def test_the_facts_agree_with_the_stores_by_sql(pipeline: Pipeline) -> None:
    for fact, stage in STAGES.items():
        stage(pipeline, day_of(fact), NOW)
    sql = LakeSql(pipeline.lake, (*facts.FACT_TABLES, IMPACT_RECORDS, DOCUMENT_INTELLIGENCE))
    (read,) = sql.rows(
        "SELECT f.*, i.quote AS wanted FROM fact_document_extraction f JOIN impact_records i USING (impact_id)"
    )
    assert read["quote"] == read["wanted"] == story.QUOTE
    assert (read["model"], read["company"]) == ("stonks-rules", "Acme Corp.")
    (sums,) = sql.rows("SELECT sum(realised_pnl) AS pnl, sum(quantity * price) AS traded FROM fact_trade_fill")
    wanted = pipeline.database.fetch_one(
        "SELECT sum(realised_pnl)::float AS pnl, sum(quantity * price)::float AS traded FROM fills WHERE executed_at > %s",
        (EARLIER,),
    )
    assert sums == wanted
    (position,) = sql.rows("SELECT ticker, quantity, cost, market_value, unrealised_pnl FROM fact_positions_snapshot")
    assert position == {"ticker": "ACME", "quantity": 4.0, "cost": 10.0, "market_value": 42.0, "unrealised_pnl": 2.0}
    (pnl,) = sql.rows("SELECT equity, reserve, drawdown, tier FROM fact_pnl_snapshot")
    assert pnl == {"equity": 4.0, "reserve": 2.0, "drawdown": 0.1, "tier": "moderate"}
    sql.close()
