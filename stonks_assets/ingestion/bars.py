"""Market snapshots: bars read out of the raw market payloads, one row per ticker, span, stretch and feed."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.ingestion.bar_shapes import BadBar, daily_bars, snapshots
from stonks_assets.ingestion.market_asks import BARS, GROUPED, SNAPSHOTS
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.calendar import Session
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.vocabulary import SourceType

RAW = raw_table(SourceType.MARKET_API)
STAGE = "market_snapshots"
_READERS = {GROUPED: daily_bars, BARS: daily_bars, SNAPSHOTS: snapshots}


def materialise_market_snapshots(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Read the bars of a day's raw payloads that have not been read; a bar that cannot be one is a failure of its own."""
    session = pipeline.calendar.session(day)
    written = failed = 0
    for raw in unread(pipeline, day, as_of) if session else ():
        rows: list[dict[str, object]] = []
        for found in _bars(raw, session) if session else ():
            if isinstance(found, BadBar):
                item = f"{raw['kind']}:{day.isoformat()}:{found.ticker}"
                pipeline.failures.record(STAGE, item, found.sentence, pipeline.clock.now(), day=day)
                failed += 1
            else:
                rows.append(found)
        written += pipeline.lake.merge(MARKET_SNAPSHOTS, rows).inserted
    return StepReport({MARKET_SNAPSHOTS.name: written}, failed=failed)


def unread(pipeline: Pipeline, day: date, as_of: datetime) -> list[dict[str, Any]]:
    """The day's raw rows of bars and snapshots that no bar was read from yet, as they were known at `as_of`."""
    columns = ["sha256", "kind"]
    listed = pipeline.lake.read(RAW, days=(day, day), as_of=as_of, columns=columns).to_pylist()
    done = set(pipeline.lake.read(MARKET_SNAPSHOTS, days=(day, day), columns=["raw_sha256"])["raw_sha256"].to_pylist())
    wanted = sorted({row["sha256"] for row in listed if row["kind"] in _READERS} - done)
    if not wanted:
        return []
    named = ds.field("sha256").isin(pa.array(wanted, pa.string()))
    rows: list[dict[str, Any]] = pipeline.lake.read(RAW, days=(day, day), as_of=as_of, where=named).to_pylist()
    return sorted(rows, key=lambda row: (row["fetched_at"], row["item_id"]))


def _bars(raw: Mapping[str, Any], session: Session) -> Iterator[dict[str, object] | BadBar]:
    try:
        body = json.loads(raw["payload"])
    except ValueError as error:
        yield BadBar("?", f"the payload {raw['item_id']} is no JSON: {error}")
        return
    if not isinstance(body, dict):
        yield BadBar("?", f"the payload {raw['item_id']} is no object: {str(body)[:120]}")
        return
    yield from _READERS[raw["kind"]](body, raw, session)
