"""The ingestion stage: ask every active source of one type for a day, and commit what is new to the raw table.

A source that fails is on record (`ingestion_runs`, `source_states`) and harms no other; what had been fetched before it
failed is kept.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pyarrow.dataset as ds

from stonks_assets.ingestion.cadence import (
    MOST_FAILURES,
    due_sources,
    failures_in_a_row,
    next_attempt,
    polling_interval,
)
from stonks_assets.ingestion.protocol import Adapter, Ask, RawItem
from stonks_assets.ingestion.sources import adapter_for
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.errors import PermanentError, StonksError, TransientError
from stonks_core.identifiers import sha256_bytes
from stonks_core.registry.universe import Source, Universe
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.vocabulary import SourceType

LOG = logging.getLogger(__name__)
SETTLING = timedelta(hours=6)
LATENCY = timedelta(seconds=60)
BATCH = 200
FEED_MEMORY = timedelta(days=30)  # a feed names its entries again on each of the days that they stand in it
VERSIONED = frozenset({SourceType.BROKER})  # the same item comes again with other bytes


class SourcesDownError(StonksError):
    """Every source of a type failed; the asset fails with their sentences."""


@dataclass
class _Tally:
    seen: int = 0
    new: int = 0
    reported: list[str] = field(default_factory=list)


def ingest(pipeline: Pipeline, source_type: SourceType, day: date, as_of: datetime) -> StepReport:
    """Bring one source type's items of a feed day as far as `as_of`; see `ingest_days`."""
    return ingest_days(pipeline, source_type, (day,), as_of)


def ingest_days(
    pipeline: Pipeline, source_type: SourceType, days: Sequence[date], as_of: datetime, *, due_only: bool = False
) -> StepReport:
    """Bring one source type's items of some feed days as far as `as_of`; with `due_only` from the sources that are due.

    Raises SourcesDownError when at least one source failed and none succeeded; what came before it failed is kept.
    """
    universe = pipeline.universe(as_of)
    sources = universe.sources_of(source_type)
    if due_only:
        due = due_sources(pipeline.database, pipeline.clock.now())
        sources = tuple(s for s in sources if s.source_id in due)
    errors: dict[str, str] = {}
    new = reported = 0
    for source in sources:
        with adapter_for(pipeline, source) as adapter:
            for day in days:
                tally, error = _ask_source(pipeline, adapter, source, universe, day, as_of)
                new, reported = new + tally.new, reported + len(tally.reported)
                if error:
                    errors[source.source_id] = f"{source.name}: {error}"
                    break  # the other days would fail alike, and count as failures of their own
    if errors and len(errors) == len(sources):
        span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
        raise SourcesDownError(f"no {source_type} source could be read for {span}: " + "; ".join(errors.values()))
    table = raw_table(source_type)
    return StepReport(
        {table.name: new}, failed=reported + len(errors), figures={"sources": len(sources), "down": len(errors)}
    )


def _ask_source(
    pipeline: Pipeline, adapter: Adapter, source: Source, universe: Universe, day: date, as_of: datetime
) -> tuple[_Tally, str]:
    started, tally = pipeline.clock.now(), _Tally()
    known = frozenset() if source.source_type in VERSIONED else _known(pipeline, source.source_type, day)
    report = partial(_report, pipeline, source, day, tally)
    ask = Ask(source, day, as_of, universe, known, report)
    error, error_class, newest = "", "", source.last_published_at
    batch: list[RawItem] = []
    try:
        for item in adapter.fetch(ask):
            tally.seen += 1
            batch.append(item)
            newest = max(filter(None, (newest, item.published_at)), default=None)
            if len(batch) >= BATCH:
                tally.new += _commit(pipeline, source, day, batch)
                batch = []
    except TransientError as failure:
        error, error_class = str(failure), "transient"
    except PermanentError as failure:
        error, error_class = str(failure), "permanent"
    tally.new += _commit(pipeline, source, day, batch)
    if error:
        LOG.warning("source %s (%s) failed for %s: %s", source.name, source.source_type, day, error)
    _record_run(pipeline, source, day, tally, error, error_class, started, newest)
    return tally, error


def _known(pipeline: Pipeline, source_type: SourceType, day: date) -> frozenset[str]:
    first = day - FEED_MEMORY if source_type is SourceType.WEB_SCRAPE else day
    rows = pipeline.lake.read(raw_table(source_type), days=(first, day), columns=["item_id"])
    return frozenset(rows["item_id"].to_pylist())


def _commit(pipeline: Pipeline, source: Source, day: date, items: list[RawItem]) -> int:
    if not items:
        return 0
    rows = [_row(source, day, item) for item in items]
    table = raw_table(source.source_type)
    if source.source_type in VERSIONED:
        shas = [row["sha256"] for row in rows]
        held = pipeline.lake.read(table, days=(day, day), columns=["sha256"], where=ds.field("sha256").isin(shas))
        rows = [row for row in rows if row["sha256"] not in set(held["sha256"].to_pylist())]
    return pipeline.lake.merge(table, rows).inserted


def _row(source: Source, day: date, item: RawItem) -> dict[str, object]:
    backfilled = item.fetched_at > datetime.combine(day + timedelta(days=1), time(), UTC) + SETTLING
    published = item.published_at or item.fetched_at
    return {
        "day": day.isoformat(),
        "item_id": item.item_id,
        "sha256": sha256_bytes(item.payload),
        "source_id": source.source_id,
        "source_type": source.source_type.value,
        "source_name": source.name,
        "ticker": item.ticker or None,
        "kind": item.kind,
        "url": item.url,
        "http_status": item.http_status,
        "response_headers": json.dumps(dict(item.response_headers), sort_keys=True),
        "media_type": item.media_type,
        "payload": item.payload,
        "credibility": source.credibility,
        "published_at": item.published_at,
        "fetched_at": item.fetched_at,
        "available_at": published + LATENCY if backfilled else item.fetched_at,
        "backfilled": backfilled,
    }


def _report(pipeline: Pipeline, source: Source, day: date, tally: _Tally, item: str, sentence: str) -> None:
    tally.reported.append(sentence)
    LOG.info("item %s of source %s: %s", item, source.name, sentence)
    pipeline.failures.record(f"ingest:{source.source_type}", item, sentence, pipeline.clock.now(), day=day)


def _record_run(
    pipeline: Pipeline,
    source: Source,
    day: date,
    tally: _Tally,
    error: str,
    error_class: str,
    started: datetime,
    newest: datetime | None,
) -> None:
    finished = pipeline.clock.now()
    failures = failures_in_a_row(pipeline.database, source.source_id) + 1 if error else 0
    values = {
        "source": source.source_id, "day": day, "status": "failed" if error else "succeeded", "seen": tally.seen,
        "new": tally.new, "error": error, "class": error_class, "started": started, "finished": finished,
        "newest": newest, "failures": failures, "parked": failures >= MOST_FAILURES,
        "next": next_attempt(finished, polling_interval(source.source_type, source.config), failures),
    }  # fmt: skip
    with pipeline.database.connection() as connection:
        connection.execute(
            """
            INSERT INTO ingestion_runs (source_id, day, status, items_seen, items_new, error, error_class, started_at, finished_at)
            VALUES (%(source)s, %(day)s, %(status)s, %(seen)s, %(new)s, %(error)s, %(class)s, %(started)s, %(finished)s)
            """,
            values,
        )
        connection.execute(
            """
            INSERT INTO source_states (source_id, failures_in_a_row, last_success_at, last_attempt_at, last_error,
                                       next_attempt_at, parked)
            VALUES (%(source)s, %(failures)s, CASE WHEN %(error)s = '' THEN %(finished)s::timestamptz END,
                    %(finished)s, %(error)s, %(next)s, %(parked)s)
            ON CONFLICT (source_id) DO UPDATE SET
                failures_in_a_row = excluded.failures_in_a_row,
                last_success_at = COALESCE(excluded.last_success_at, source_states.last_success_at),
                last_attempt_at = excluded.last_attempt_at, last_error = excluded.last_error,
                next_attempt_at = excluded.next_attempt_at, parked = excluded.parked
            """,
            values,
        )
        connection.execute(
            "UPDATE sources SET last_published_at = GREATEST(last_published_at, %(newest)s) WHERE source_id = %(source)s",
            values,
        )
