"""What waits to be done: sources that are due, documents not extracted yet, bars that are missing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stonks_assets.pipeline import Pipeline
from stonks_core.stores.lake.pipeline_tables import DOCUMENT_INTELLIGENCE, DOCUMENTS, MARKET_SNAPSHOTS

FIRST_LOOK = timedelta(days=3)
HISTORY = timedelta(days=60)
ASKED_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class Work:
    """Why a cycle is wanted, from which day on, and (when none is) when the next source is due."""

    reasons: tuple[str, ...]
    first_day: date
    next_due: str


def work_waiting(pipeline: Pipeline, now: datetime) -> Work:
    """The work of a cycle at an instant. The very first cycle looks three days back."""
    today = now.date()
    rows = pipeline.database.fetch(
        """
        SELECT s.name, t.next_attempt_at, t.last_success_at
        FROM sources s LEFT JOIN source_states t USING (source_id)
        WHERE s.active AND s.source_type <> 'broker' AND NOT COALESCE(t.parked, false)
        ORDER BY COALESCE(t.next_attempt_at, '-infinity')
        """
    )
    if not rows:
        return Work((), today, "no active source: fill the registry first")
    if all(row["last_success_at"] is None and row["next_attempt_at"] is None for row in rows):
        return Work(("first look at all sources",), today - FIRST_LOOK, "")
    due = [row["name"] for row in rows if row["next_attempt_at"] is None or row["next_attempt_at"] <= now]
    reasons = [f"due: {', '.join(due)}"] if due else []
    if waiting := _unread_documents(pipeline, today):
        reasons.append(f"{waiting} documents wait for extraction")
    following = min((row["next_attempt_at"] for row in rows if row["next_attempt_at"]), default=None)
    next_due = f"the next source is due at {following:%H:%M:%S} UTC" if following else "no source has a next time"
    return Work(tuple(reasons), today, next_due)


def _unread_documents(pipeline: Pipeline, today: date) -> int:
    days = (today, today)
    documents = pipeline.lake.read(DOCUMENTS, days=days, columns=["document_id", "status", "document_type"]).to_pylist()
    wanted = {d["document_id"] for d in documents if d["status"] == "parsed" and d["document_type"] != "macro_event"}
    read = set(pipeline.lake.read(DOCUMENT_INTELLIGENCE, days=days, columns=["document_id"])["document_id"].to_pylist())
    return len(wanted - read)


def history_gap(pipeline: Pipeline, now: datetime) -> tuple[date, date] | None:
    """The first and last past session within sixty days that has no bars; None where there is no gap to ask for now."""
    today = now.date()
    sessions = [s.day for s in pipeline.calendar.sessions_between(today - HISTORY, today) if s.close <= now]
    held = pipeline.lake.read(MARKET_SNAPSHOTS, days=(today - HISTORY, today), columns=["day"])
    missing = sorted(set(sessions) - {date.fromisoformat(day) for day in held["day"].to_pylist()})
    if not missing:
        return None
    row = pipeline.database.fetch_one(
        """
        SELECT max(r.finished_at) AS at FROM ingestion_runs r JOIN sources s USING (source_id)
        WHERE s.source_type = 'market_api' AND r.day = %s
        """,
        (missing[0],),
    )
    if row and row["at"] and now - row["at"] < ASKED_AGAIN:
        return None
    return missing[0], missing[-1]
