"""The fact stages: each makes a day of one fact table hold exactly what the stores say of that day."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, LiteralString

import pyarrow.dataset as ds

from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.prices.adjusting import DAILY, Actions, in_todays_shares
from stonks_core.prices.reading import read_actions, read_bars
from stonks_core.stores.lake import fact_tables as facts
from stonks_core.stores.lake.gold_tables import TREND_PROJECTIONS
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    DOCUMENT_INTELLIGENCE,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
    MARKET_SNAPSHOTS,
)
from stonks_core.stores.lake.tables import LakeTable

Rows = Iterable[Mapping[str, Any]]
LAST_CLOSE_WITHIN = timedelta(days=7)
Stage = Callable[[Pipeline, date, datetime], StepReport]

ORDERS: LiteralString = """
    SELECT order_id, account_id, decision_id, recommendation_id, ticker, side, type, purpose, state, notional::float,
           quantity::float, filled_quantity::float, filled_average_price::float, intended_at, updated_at AS available_at
    FROM orders WHERE intended_at >= %(start)s AND intended_at < %(end)s
"""
FILLS: LiteralString = """
    SELECT order_id, execution_id, ticker, side, quantity::float, price::float, fee::float, realised_pnl::float,
           executed_at, booked_at AS available_at
    FROM fills WHERE executed_at >= %(start)s AND executed_at < %(end)s
"""
FILLS_UNTIL: LiteralString = """
    SELECT account_id, ticker, side, quantity, price, realised_pnl, executed_at
    FROM fills WHERE executed_at < %(end)s ORDER BY executed_at, fill_id
"""
PNL: LiteralString = """
    SELECT account_id, cash::float, reserve::float, equity::float, realised_pnl::float, unrealised_pnl::float, daily_return,
           drawdown, heat, open_positions, tier, taken_at AS available_at
    FROM portfolio_snapshots WHERE session = %(day)s
"""
COMPETITORS: LiteralString = """
    SELECT a.ticker, b.ticker AS competitor, r.relationship, r.strength, r.strength >= 0.5 AS major,
           GREATEST(r.created_at, r.valid_from) AS available_at
    FROM competitor_relationships r
    JOIN company_history a ON a.company_id = r.company_id AND a.valid_from < %(end)s AND %(end)s <= a.valid_to
    JOIN company_history b ON b.company_id = r.competitor_id AND b.valid_from < %(end)s AND %(end)s <= b.valid_to
    WHERE r.created_at < %(end)s AND r.valid_from < %(end)s AND %(end)s <= r.valid_to
"""


def published_from_lake(fact: LakeTable, source: LakeTable, where: ds.Expression | None = None) -> Stage:
    """A fact that is another table's day, or those rows of it that match, its columns of the same names."""

    def stage(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
        rows = pipeline.lake.read(source, days=(day, day), as_of=as_of, where=where).to_pylist()
        return _publish(pipeline, fact, day, as_of, rows)

    return stage


def published_from_database(fact: LakeTable, query: LiteralString) -> Stage:
    """A fact that PostgreSQL knows; the query is given the day and its bounds."""

    def stage(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
        start = datetime.combine(day, time(), UTC)
        rows = pipeline.database.fetch(query, {"day": day, "start": start, "end": start + timedelta(days=1)})
        return _publish(pipeline, fact, day, as_of, rows)

    return stage


def publish_document_extraction(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Impact records with the model that read them."""
    read_by = {
        row["document_id"]: row
        for row in pipeline.lake.read(
            DOCUMENT_INTELLIGENCE, days=(day, day), columns=["document_id", "model", "agent", "variant"]
        ).to_pylist()
    }
    unknown = {"model": "", "agent": "", "variant": ""}
    rows = [
        {**{k: read_by.get(row["document_id"], unknown)[k] for k in unknown}, **row}
        for row in pipeline.lake.read(IMPACT_RECORDS, days=(day, day), as_of=as_of).to_pylist()
    ]
    return _publish(pipeline, facts.FACT_DOCUMENT_EXTRACTION, day, as_of, rows)


def publish_positions_snapshot(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """The positions that the fills up to the day's end leave, at the day's closes: a past day comes out as it was.

    Both are in the shares of that day: a fill before a split is told in the shares that it has become.
    """
    end = min(datetime.combine(day, time(), UTC) + timedelta(days=1), as_of)
    fills = pipeline.database.fetch(FILLS_UNTIL, {"end": end})
    if not fills:
        return _publish(pipeline, facts.FACT_POSITIONS_SNAPSHOT, day, as_of, [])
    tickers, lake = {fill["ticker"] for fill in fills}, pipeline.lake
    splits = read_actions(lake, (fills[0]["executed_at"].date(), day), as_of, tickers=tickers)
    bars = read_bars(lake, (day - LAST_CLOSE_WITHIN, day), as_of, tickers=tickers).select(["ticker", "close"])
    closes = {bar["ticker"]: bar["close"] for bar in bars.to_pylist()}
    rows = []
    for held in held_after(_in_shares(fill, splits) for fill in fills):
        price = closes.get(held["ticker"])
        rows.append(
            {
                **held,
                "price": price,
                "market_value": None if price is None else held["quantity"] * price,
                "unrealised_pnl": None if price is None else held["quantity"] * (price - held["cost"]),
            }
        )
    return _publish(pipeline, facts.FACT_POSITIONS_SNAPSHOT, day, as_of, rows)


def _in_shares(fill: Mapping[str, Any], splits: Mapping[str, Actions]) -> Mapping[str, Any]:
    own = splits.get(fill["ticker"], Actions())
    traded_on = fill["executed_at"].date().isoformat()
    quantity, price = in_todays_shares(fill["quantity"], fill["price"], traded_on, own)
    return {**fill, "quantity": quantity, "price": price}


def held_after(fills: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What fills, oldest first, leave open by account and ticker: quantity, average cost, realised profit, newest change."""
    books: dict[tuple[str, str], dict[str, Any]] = {}
    for fill in fills:
        fresh = {"quantity": Decimal(0), "cost": Decimal(0), "realised_pnl": Decimal(0)}
        book = books.setdefault((fill["account_id"], fill["ticker"]), fresh)
        if fill["side"] == "buy":
            held = book["quantity"] + fill["quantity"]
            book["cost"] = (book["quantity"] * book["cost"] + fill["quantity"] * fill["price"]) / held
            book["quantity"] = held
        else:
            book["quantity"] -= fill["quantity"]
        book["realised_pnl"] += fill["realised_pnl"]
        book["available_at"] = fill["executed_at"]
    return [
        {
            "account_id": account,
            "ticker": ticker,
            **{name: float(book[name]) for name in ("quantity", "cost", "realised_pnl")},
            "available_at": book["available_at"],
        }
        for (account, ticker), book in sorted(books.items())
        if book["quantity"] != 0
    ]


def _publish(pipeline: Pipeline, fact: LakeTable, day: date, as_of: datetime, rows: Rows) -> StepReport:
    names = {ticker: company.legal_name for ticker, company in pipeline.universe(as_of).companies.items()}
    columns = [column.name for column in fact.columns]
    shaped = [
        {"day": day.isoformat(), **{c: names.get(row["ticker"], "") if c == "company" else row[c] for c in columns}}
        for row in rows
    ]
    held = pipeline.lake.read(fact, days=(day, day)).to_pylist()
    if _ordered(fact, held) == _ordered(fact, shaped):
        return StepReport({fact.name: 0})
    return StepReport({fact.name: pipeline.lake.replace_day(fact, day, shaped).inserted})


def _ordered(fact: LakeTable, rows: Rows) -> list[list[Any]]:
    keyed = sorted(rows, key=lambda row: tuple(str(row[name]) for name in fact.key))
    return [[row[c.name] for c in fact.columns] for row in keyed]


STAGES: Mapping[LakeTable, Stage] = {
    facts.FACT_DOCUMENT: published_from_lake(facts.FACT_DOCUMENT, DOCUMENTS),
    facts.FACT_DOCUMENT_EXTRACTION: publish_document_extraction,
    facts.FACT_MARKET_SNAPSHOT: published_from_lake(
        facts.FACT_MARKET_SNAPSHOT, MARKET_SNAPSHOTS, ds.field("span") == DAILY
    ),
    facts.FACT_TRADE_ORDER: published_from_database(facts.FACT_TRADE_ORDER, ORDERS),
    facts.FACT_TRADE_FILL: published_from_database(facts.FACT_TRADE_FILL, FILLS),
    facts.FACT_POSITIONS_SNAPSHOT: publish_positions_snapshot,
    facts.FACT_PNL_SNAPSHOT: published_from_database(facts.FACT_PNL_SNAPSHOT, PNL),
    facts.FACT_GLOBAL_EVENT: published_from_lake(facts.FACT_GLOBAL_EVENT, GLOBAL_EVENTS),
    facts.FACT_MACRO_IMPACT: published_from_lake(facts.FACT_MACRO_IMPACT, MACRO_IMPACTS),
    facts.FACT_TREND_PROJECTION: published_from_lake(facts.FACT_TREND_PROJECTION, TREND_PROJECTIONS),
    facts.FACT_COMPETITOR_RELATIONSHIP: published_from_database(facts.FACT_COMPETITOR_RELATIONSHIP, COMPETITORS),
    facts.FACT_COMPETITIVE_SIGNAL: published_from_lake(facts.FACT_COMPETITIVE_SIGNAL, COMPETITIVE_SIGNALS),
}
