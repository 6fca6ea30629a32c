"""What waits to be done today: sources that are due, documents that no model has read, bars that are missing.

What older days still need is in `recovery`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pyarrow.dataset as ds

from stonks_assets.automation.recovery import active_agents, model_rests
from stonks_assets.extraction.macro_step import STAGE as CLASSIFICATION
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, EVENT_CLASSIFIER
from stonks_assets.partitions import SETTLING
from stonks_assets.pipeline import Pipeline
from stonks_core.prices.adjusting import DAILY
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, DOCUMENTS, GLOBAL_EVENTS, MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.vocabulary import DocumentType

FIRST_LOOK = timedelta(days=2)
FIRST_LOOK_AT_A_RECORDING = timedelta(days=45)
"""How far back the first cycle looks; a recording has filings alone, a few a month for each company."""
HISTORIES = (timedelta(days=35), timedelta(days=120))
"""How far back bars are fetched: first what stops need, then what correlations need. Patterns grow with the records."""
ASKED_AGAIN = timedelta(hours=1)
STATEMENTS_EVERY = timedelta(minutes=30)


@dataclass(frozen=True)
class Work:
    """Why a cycle is wanted, from which day on, and (when none is) when the next source is due."""

    reasons: tuple[str, ...]
    first_day: date
    next_due: str


def work_waiting(pipeline: Pipeline, now: datetime) -> Work:
    """The work of a cycle at an instant: today's, and yesterday's too until its feeds have settled.

    The very first cycle looks further back.
    """
    today = now.date()
    settled = now >= datetime.combine(today, time(), UTC) + SETTLING
    first_day = today if settled else today - timedelta(days=1)
    rows = pipeline.database.fetch(
        """
        SELECT s.name, t.last_success_at,
               CASE WHEN isfinite(t.next_attempt_at) THEN t.next_attempt_at END AS next_attempt_at
        FROM sources s LEFT JOIN source_states t USING (source_id)
        WHERE s.active AND s.source_type <> 'broker' AND NOT COALESCE(t.parked, false)
        ORDER BY COALESCE(t.next_attempt_at, '-infinity')
        """
    )
    if not rows:
        return Work((), today, "no active source: fill the registry first")
    if all(row["last_success_at"] is None and row["next_attempt_at"] is None for row in rows):
        back = FIRST_LOOK_AT_A_RECORDING if pipeline.settings.sandbox.recorded else FIRST_LOOK
        return Work(("first look at all sources",), today - back, "")
    due = [row["name"] for row in rows if row["next_attempt_at"] is None or row["next_attempt_at"] <= now]
    reasons = [f"due: {', '.join(due)}"] if due else []
    if not model_rests(pipeline, now):
        active, days = active_agents(pipeline), (first_day, today)
        if DOCUMENT_EXTRACTOR in active and (waiting := _unread_documents(pipeline, days)):
            reasons.append(f"{waiting} documents wait for extraction")
        if EVENT_CLASSIFIER in active and (waiting := _unread_reports(pipeline, days)):
            reasons.append(f"{waiting} macro reports wait for classification")
    following = min((row["next_attempt_at"] for row in rows if row["next_attempt_at"]), default=None)
    next_due = f"the next source is due at {following:%H:%M:%S} UTC" if following else "no source has a next time"
    return Work(tuple(reasons), first_day, next_due)


def _unread_documents(pipeline: Pipeline, days: tuple[date, date]) -> int:
    return len(_parsed(pipeline, days, macro=False) - _named(pipeline, DOCUMENT_INTELLIGENCE, days))


def _unread_reports(pipeline: Pipeline, days: tuple[date, date]) -> int:
    """Macro reports without an event, but for those that the classifier has answered to no use: they have none to come."""
    given_up = pipeline.database.fetch(
        """
        SELECT item FROM failures
        WHERE stage = %s AND status <> 'resolved' AND (detail ->> 'terminal')::boolean AND day BETWEEN %s AND %s
        """,
        (CLASSIFICATION, *days),
    )
    waiting = _parsed(pipeline, days, macro=True) - {row["item"] for row in given_up}
    return len(waiting - _named(pipeline, GLOBAL_EVENTS, days))


def _parsed(pipeline: Pipeline, days: tuple[date, date], *, macro: bool) -> set[str]:
    is_macro = ds.field("document_type") == DocumentType.MACRO_EVENT.value
    wanted = (is_macro if macro else ~is_macro) & (ds.field("status") == "parsed")
    return _named(pipeline, DOCUMENTS, days, wanted)


def _named(
    pipeline: Pipeline, table: LakeTable, days: tuple[date, date], where: ds.Expression | None = None
) -> set[str]:
    return set(pipeline.lake.read(table, days=days, columns=["document_id"], where=where)["document_id"].to_pylist())


def statements_due(pipeline: Pipeline, now: datetime) -> bool:
    """Whether a broker may be asked for its statements and has given none for half an hour.

    Never before another source has been asked: the first cycle of a new system is in more of a hurry.
    """
    row = pipeline.database.fetch_one(
        """
        WITH standing AS (
            SELECT s.source_type = 'broker' AS broker, COALESCE(t.last_attempt_at, t.last_success_at) AS asked_at,
                   NOT COALESCE(t.parked, false) AND COALESCE(t.next_attempt_at, '-infinity') <= %(now)s
                   AND COALESCE(t.last_success_at, '-infinity') <= %(since)s AS due
            FROM sources s LEFT JOIN source_states t USING (source_id) WHERE s.active
        )
        SELECT COALESCE(bool_or(asked_at IS NOT NULL) FILTER (WHERE NOT broker), true)
               AND COALESCE(bool_or(due) FILTER (WHERE broker), false) AS due
        FROM standing
        """,
        {"now": now, "since": now - STATEMENTS_EVERY},
    )
    return bool(row and row["due"])


def history_gap(pipeline: Pipeline, now: datetime) -> tuple[date, date] | None:
    """The first and last past session without bars in the nearest stretch that has one; None where none is to be asked."""
    today = now.date()
    held = pipeline.lake.read(
        MARKET_SNAPSHOTS, days=(today - HISTORIES[-1], today), columns=["day"], where=ds.field("span") == DAILY
    )
    days = {date.fromisoformat(day) for day in held["day"].to_pylist()}
    for reach in HISTORIES:
        sessions = [s.day for s in pipeline.calendar.sessions_between(today - reach, today) if s.close <= now]
        missing = sorted(set(sessions) - days)
        if missing and not _asked_lately(pipeline, missing[0], now):
            return missing[0], missing[-1]
    return None


def _asked_lately(pipeline: Pipeline, day: date, now: datetime) -> bool:
    """Whether a day's bars were asked for within the hour, in vain: a source need not reach back as far as we would."""
    row = pipeline.database.fetch_one(
        """
        SELECT max(r.finished_at) AS at FROM ingestion_runs r JOIN sources s USING (source_id)
        WHERE s.source_type = 'market_api' AND r.day = %s
        """,
        (day,),
    )
    return bool(row and row["at"] and now - row["at"] < ASKED_AGAIN)
