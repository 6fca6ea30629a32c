"""What is put on record of each asking of a source: the run, the source's state with its next time, its watermark."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from psycopg.types.json import Jsonb

from stonks_assets.ingestion.cadence import (
    MOST_FAILURES,
    failures_in_a_row,
    next_attempt,
    polling_interval,
    tell_of_parking,
)
from stonks_assets.pipeline import Pipeline
from stonks_core.registry.universe import Source


@dataclass(frozen=True)
class Run:
    """One source asked for one feed day. `error` is empty where it answered; `newest` is its newest publication.

    `asked_pause` is how long the vendor asked to be left alone, `memory` what the adapter wants to find again at the next asking.
    """

    source: Source
    day: date
    started_at: datetime
    finished_at: datetime
    seen: int
    new: int
    newest: datetime | None
    error: str = ""
    error_class: str = ""
    asked_pause: timedelta = timedelta(0)
    memory: Mapping[str, str] = field(default_factory=dict)


def memory_of(pipeline: Pipeline, source: Source) -> Mapping[str, str]:
    """What the adapter remembered when the source last answered."""
    row = pipeline.database.fetch_one("SELECT memory FROM source_states WHERE source_id = %s", (source.source_id,))
    return dict(row["memory"]) if row else {}


def record(pipeline: Pipeline, run: Run) -> None:
    """Put a run on record; a source that has failed too often in a row is parked."""
    failures = failures_in_a_row(pipeline.database, run.source.source_id) + 1 if run.error else 0
    values = {
        "source": run.source.source_id, "day": run.day, "status": "failed" if run.error else "succeeded",
        "seen": run.seen, "new": run.new, "error": run.error, "class": run.error_class, "started": run.started_at,
        "finished": run.finished_at, "newest": run.newest, "failures": failures, "parked": failures >= MOST_FAILURES,
        "memory": Jsonb({} if run.error else dict(run.memory)),
        "next": next_attempt(
            run.finished_at,
            polling_interval(run.source.source_type, run.source.config),
            failures,
            run.asked_pause,
        ),
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
                                       next_attempt_at, parked, memory)
            VALUES (%(source)s, %(failures)s, CASE WHEN %(error)s = '' THEN %(finished)s::timestamptz END,
                    %(finished)s, %(error)s, %(next)s, %(parked)s, %(memory)s)
            ON CONFLICT (source_id) DO UPDATE SET
                failures_in_a_row = excluded.failures_in_a_row,
                last_success_at = COALESCE(excluded.last_success_at, source_states.last_success_at),
                last_attempt_at = excluded.last_attempt_at, last_error = excluded.last_error,
                next_attempt_at = excluded.next_attempt_at, parked = excluded.parked,
                memory = source_states.memory || excluded.memory
            """,
            values,
        )
        connection.execute(
            "UPDATE sources SET last_published_at = GREATEST(last_published_at, %(newest)s) WHERE source_id = %(source)s",
            values,
        )
        tell_of_parking(connection, run.source.source_id, failures, run.error, run.finished_at)
