"""Signals, bars and impact records as tables, from the few columns that a test cares about."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from stonks_assets.pipeline import Pipeline
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import IMPACT_RECORDS, MARKET_SNAPSHOTS, SIGNALS
from stonks_core.stores.postgres import Database
from tests.assets.aggregation.steps import fill, made_pipeline

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
Maker = Callable[..., pa.Table]


@pytest.fixture(scope="session")
def signals() -> Maker:
    def make(*rows: dict[str, Any]) -> pa.Table:
        filled = []
        for number, given in enumerate(rows):
            row = {"ticker": "AAA", "layer": "company", "hours": 1.0, **given}
            hours = row.pop("hours")
            published = row.pop("published_at", None) or NOW - timedelta(hours=hours)
            name = row.pop("id", f"{number:04d}")
            day = published.date().isoformat()
            document = row.get("document_id", f"{published:%Y%m%d}-{name}")
            filled.append(
                {
                    "day": day,
                    "signal_id": f"s{name}",
                    "source_record_id": f"r{name}",
                    "document_id": document,
                    "cluster_id": document,
                    "origin_signal_id": f"s{name}",
                    "sentiment": 1.0,
                    "impact": 1.0,
                    "confidence": 1.0,
                    "novelty": 1.0,
                    "credibility": 1.0,
                    "catalyst": "other",
                    "duration": "",
                    "published_at": published,
                    "available_at": published,
                    **row,
                }
            )
        return pa.Table.from_pylist(filled, schema=SIGNALS.schema)

    return make


@pytest.fixture(scope="session")
def daily_bars() -> Maker:
    def make(closes: dict[str, Sequence[float | None]], first: datetime, **extra: Any) -> pa.Table:
        """One daily bar per close, sessions on consecutive days from `first` (its close); None leaves a bar out."""
        rows = []
        for ticker, prices in closes.items():
            for offset, price in enumerate(prices):
                end = first + timedelta(days=offset)
                if price is not None:
                    rows.append(
                        {
                            "day": end.date().isoformat(),
                            "ticker": ticker,
                            "span": "1d",
                            "start_at": end - timedelta(hours=6, minutes=30),
                            "end_at": end,
                            "feed": "sandbox",
                            "open": price,
                            "high": price,
                            "low": price,
                            "close": price,
                            "volume": 1000.0,
                            "vwap": None,
                            "raw_sha256": "0" * 64,
                            "published_at": end,
                            "available_at": end + timedelta(minutes=1),
                            **extra,
                        }
                    )
        return pa.Table.from_pylist(rows, schema=MARKET_SNAPSHOTS.schema)

    return make


@pytest.fixture(scope="session")
def impacts() -> Maker:
    def make(*rows: dict[str, Any]) -> pa.Table:
        filled = []
        for number, row in enumerate(rows):
            published = row["published_at"]
            document = row.get("document_id", f"{published:%Y%m%d}-{number:04d}")
            filled.append(
                {
                    "day": published.date().isoformat(),
                    "impact_id": f"i{number:04d}",
                    "document_id": document,
                    "cluster_id": document,
                    "ticker": "AAA",
                    "sentiment": 0.5,
                    "impact": 0.8,
                    "catalyst": "product_launch",
                    "horizon": "days",
                    "confidence": 0.9,
                    "credibility": 0.6,
                    "quote": "It happened.",
                    "quote_start": 0,
                    "quote_end": 12,
                    "document_sha256": "0" * 64,
                    "available_at": published + timedelta(minutes=1),
                    **row,
                }
            )
        return pa.Table.from_pylist(filled, schema=IMPACT_RECORDS.schema)

    return make


@pytest.fixture
def pipeline(lake: Lake, database: Database) -> Pipeline:
    return made_pipeline(lake, database)


@pytest.fixture
def filled(pipeline: Pipeline, impacts: Maker, daily_bars: Maker) -> Pipeline:
    return fill(pipeline, impacts, daily_bars)
