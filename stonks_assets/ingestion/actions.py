"""Corporate actions: splits and dividends read out of the raw market payloads, under their ex-dates."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.ingestion.action_shapes import BadAction, corporate_actions
from stonks_assets.ingestion.market_asks import DIVIDENDS, SPLITS
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.calendar import MarketCalendar
from stonks_core.errors import BadInputError
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.vocabulary import SourceType

RAW = raw_table(SourceType.MARKET_API)
STAGE = "corporate_actions"
KINDS = (SPLITS, DIVIDENDS)
CLOSED_FOR = timedelta(days=14)
"""Longer than a market stays closed: a session follows an ex-date within it."""
Row = dict[str, Any]


def materialise_corporate_actions(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Read the splits and dividends of a day's raw payloads; one that cannot be one is a failure of its own.

    Rows stand under their ex-date, whatever day was asked. What is held already is left as it is, with the instant at
    which it was first known.
    """
    kinds = ds.field("kind").isin(pa.array(KINDS, pa.string()))
    raws = pipeline.lake.read(RAW, days=(day, day), as_of=as_of, where=kinds).to_pylist()
    rows: dict[tuple[str, ...], Row] = {}
    failed = 0
    for raw in sorted(raws, key=lambda raw: (raw["fetched_at"], raw["item_id"])):
        for found in _actions(raw, pipeline.calendar):
            if isinstance(found, BadAction):
                item = f"{raw['kind']}:{day.isoformat()}:{found.ticker}"
                pipeline.failures.record(STAGE, item, found.sentence, pipeline.clock.now(), day=day)
                failed += 1
            else:
                rows.setdefault(_key(found), found)
    fresh = _not_held(pipeline, rows)
    written = pipeline.lake.merge(CORPORATE_ACTIONS, fresh).inserted if fresh else 0
    return StepReport({CORPORATE_ACTIONS.name: written}, failed=failed, figures={"listed": len(rows)})


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in CORPORATE_ACTIONS.key)


def _not_held(pipeline: Pipeline, rows: Mapping[tuple[str, ...], Row]) -> list[Row]:
    if not rows:
        return []
    days = sorted(date.fromisoformat(row["day"]) for row in rows.values())
    held = pipeline.lake.read(CORPORATE_ACTIONS, days=(days[0], days[-1]), columns=list(CORPORATE_ACTIONS.key))
    known = {_key(row) for row in held.to_pylist()}
    return [row for key, row in rows.items() if key not in known]


def _actions(raw: Mapping[str, Any], calendar: MarketCalendar) -> Iterator[Row | BadAction]:
    try:
        body = json.loads(raw["payload"])
    except ValueError as error:
        yield BadAction("?", f"the payload {raw['item_id']} is no JSON: {error}")
        return
    if not isinstance(body, dict):
        yield BadAction("?", f"the payload {raw['item_id']} is no object: {str(body)[:120]}")
        return
    for found in corporate_actions(body, raw, raw["kind"]):
        yield found if isinstance(found, BadAction) else _timed(found, raw, calendar)


def _timed(row: Row, raw: Mapping[str, Any], calendar: MarketCalendar) -> Row | BadAction:
    """A row with its clocks: known when fetched, or, where a past day was asked for, as its ex-date's session opened."""
    available = raw["available_at"]
    if raw["backfilled"]:
        ex_date = date.fromisoformat(row["ex_date"])
        try:
            sessions = calendar.sessions_between(ex_date, ex_date + CLOSED_FOR)
        except BadInputError as error:
            return BadAction(row["ticker"], f"the ex-date {ex_date} of {row['ticker']} cannot be placed: {error}")
        if not sessions:
            return BadAction(row["ticker"], f"no session follows the ex-date {ex_date} of {row['ticker']}")
        available = sessions[0].open
    declared = row["declared_on"]
    said = datetime.combine(date.fromisoformat(declared), time(), UTC) if declared else available
    return {**row, "published_at": min(said, available), "available_at": available}
