"""Forward returns over real sessions, against figures that others worked out from the same prices."""

import csv
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from stonks_core.prices.sessions import sessions
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS


@pytest.fixture(scope="module")
def market(shared_data):
    rows = []
    for path in sorted((shared_data / "replay" / "prices_csv").glob("*.csv")):
        with path.open() as opened:
            for line in csv.DictReader(opened):
                end = datetime.fromisoformat(line["date"][:10]).replace(hour=21, tzinfo=UTC)
                row = {"day": line["date"][:10], "ticker": path.stem.split("_")[0], "span": "1d", "feed": "polygon"}
                row |= {name: float(line[name]) for name in ("open", "high", "low", "close", "volume")}
                row |= {"start_at": end - timedelta(hours=7), "end_at": end, "published_at": end, "available_at": end}
                rows.append({**row, "vwap": None, "raw_sha256": "0"})
    table = pa.Table.from_pylist(rows, schema=MARKET_SNAPSHOTS.schema)
    return sessions(table, datetime(2025, 1, 1, tzinfo=UTC), sorted(set(table["ticker"].to_pylist())))


@pytest.mark.parametrize(("horizon", "name"), [(1, "fwd1d"), (5, "fwd5d"), (20, "fwd20d")])
def test_forward_returns(market, shared_data, horizon, name):
    forward = market.forward(horizon)
    compared = 0
    with (shared_data / "replay" / "event_returns.csv").open() as opened:
        for line in csv.DictReader(opened):
            wanted, day = line[f"{name}_from_react_close"], line["react_day"]
            column = market.column(line["ticker"])
            if wanted and column is not None and day in market.days:
                got = forward[market.days.index(day), column]
                assert got == pytest.approx(float(wanted), abs=2e-6), (line["ticker"], day)
                compared += 1
    assert compared > 80
