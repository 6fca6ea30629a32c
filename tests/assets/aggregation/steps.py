"""The stores, rows and calls that the tests of the four steps share."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE, TREND_HISTORY, TREND_PROJECTIONS, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
    MARKET_SNAPSHOTS,
    SIGNALS,
)

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
SESSION_CLOSE = datetime(2026, 1, 1, 21, 0, tzinfo=UTC)


def made_pipeline(lake, database) -> Pipeline:
    settings = load_settings({"MARKET_CALENDAR": "24/7"})
    with database.connection() as connection:
        for ticker in ("AAA", "BBB", "CCC"):
            connection.execute("INSERT INTO companies (ticker, legal_name) VALUES (%s, %s)", (ticker, f"{ticker} Inc"))
        connection.execute(
            """
            INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength)
            SELECT a.company_id, b.company_id, 'direct_competitor', 0.9 FROM companies a, companies b
            WHERE a.ticker = 'AAA' AND b.ticker = 'BBB'
            """
        )
    return Pipeline(settings, lake, database, ManualClock(NOW))


def macro_rows(*rows):
    return pa.Table.from_pylist(
        [
            {
                "day": DAY.isoformat(),
                "macro_impact_id": f"m{n}",
                "event_id": f"e{n}",
                "document_id": f"20260310-macro{n}",
                "cluster_id": f"20260310-macro{n}",
                "ticker": "AAA",
                "geo": 0.5,
                "sector": 0.0,
                "commodity": 0.0,
                "exposure": 0.3,
                "impact": 0.3,
                "sentiment": -0.5,
                "duration": "medium",
                "confidence": 0.8,
                "credibility": 0.6,
                "published_at": NOW - timedelta(hours=2),
                "available_at": NOW - timedelta(hours=2),
                **row,
            }
            for n, row in enumerate(rows)
        ],
        schema=MACRO_IMPACTS.schema,
    )


def contents(lake, *tables):
    return {table.name: sorted(lake.read(table).to_pylist(), key=str) for table in tables}


def run_all(pipeline, as_of=NOW, day=DAY):
    pipeline.clock.advance_to(max(pipeline.clock.now(), as_of))
    return [
        step(pipeline, day, as_of)
        for step in (
            materialise_competitive_signals,
            materialise_signals,
            materialise_trends,
            materialise_projections,
        )
    ]


ALL = (COMPETITIVE_SIGNALS, SIGNALS, TREND_WINDOWS, TREND_HISTORY, TREND_EVIDENCE, TREND_PROJECTIONS)


def fill(pipeline, impacts, daily_bars):
    pipeline.lake.merge(
        IMPACT_RECORDS,
        impacts(
            {"published_at": NOW - timedelta(hours=3), "impact": 0.9, "document_id": "20260310-a"},
            {"published_at": NOW - timedelta(hours=2), "ticker": "CCC", "document_id": "20260310-c"},
        ),
    )
    pipeline.lake.merge(MACRO_IMPACTS, macro_rows({}))
    closes = {"AAA": [100 + n for n in range(69)], "BBB": [50.0] * 69}
    pipeline.lake.merge(MARKET_SNAPSHOTS, daily_bars(closes, SESSION_CLOSE))
    return pipeline
