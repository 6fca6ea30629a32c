"""Market snapshots: bars read out of the raw market payloads, one row per ticker, span, start and feed."""

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pyarrow.dataset as ds

from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.calendar import Session
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.vocabulary import SourceType

RAW = raw_table(SourceType.MARKET_API)
STAGE = "market_snapshots"


def materialise_market_snapshots(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Read the bars of a day's raw payloads that have not been read; a row that cannot be one is a failure of its own."""
    raws = pipeline.lake.read(RAW, days=(day, day), as_of=as_of, where=ds.field("kind") == "grouped_daily").to_pylist()
    done = set(pipeline.lake.read(MARKET_SNAPSHOTS, days=(day, day), columns=["raw_sha256"])["raw_sha256"].to_pylist())
    session = pipeline.calendar.session(day)
    written = failed = 0
    for raw in raws:
        if raw["sha256"] in done or session is None:
            continue
        rows: list[dict[str, object]] = []
        problems: list[str] = []
        for result in json.loads(raw["payload"]).get("results") or ():
            row = daily_bar(result, raw, session, _feed(pipeline, raw))
            if isinstance(row, str):
                problems.append(row)
            else:
                rows.append(row)
        for problem in problems:
            pipeline.failures.record(
                STAGE, f"{raw['item_id']}:{problem}"[:200], str(problem), pipeline.clock.now(), day=day
            )
        written += pipeline.lake.merge(MARKET_SNAPSHOTS, rows).inserted
        failed += len(problems)
    return StepReport({MARKET_SNAPSHOTS.name: written}, failed=failed)


def daily_bar(
    result: Mapping[str, Any], raw: Mapping[str, Any], session: Session, feed: str
) -> dict[str, object] | str:
    """The row of one grouped result, or the sentence that says why it is none."""
    try:
        ticker = str(result["T"])
        prices = {
            name: float(result[key]) for name, key in (("open", "o"), ("high", "h"), ("low", "l"), ("close", "c"))
        }
        volume = float(result["v"])
        vwap = None if result.get("vw") is None else float(result["vw"])
    except (KeyError, TypeError, ValueError) as error:
        return f"a bar of {session.day} lacks a part or has one that is no number ({error!r}): {str(result)[:120]}"
    if not all(math.isfinite(p) and p > 0 for p in prices.values()) or not 0 <= volume < math.inf:
        return f"the bar of {ticker} on {session.day} has a price that is not above zero or a negative volume: {prices}"
    return {
        "day": session.day.isoformat(),
        "ticker": ticker,
        "span": "1d",
        "start_at": session.open,
        "end_at": session.close,
        "feed": feed,
        **prices,
        "volume": volume,
        "vwap": vwap,
        "raw_sha256": raw["sha256"],
        "published_at": session.close,
        "available_at": raw["available_at"],
    }


def _feed(pipeline: Pipeline, raw: Mapping[str, Any]) -> str:
    if pipeline.settings.sandboxed["market_data"]:
        return "sandbox"
    return "polygon_delayed" if json.loads(raw["payload"]).get("status") == "DELAYED" else "polygon"
