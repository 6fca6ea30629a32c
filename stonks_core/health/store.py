"""Where results and the verdict are kept: one row for each check, one for the verdict, and a history of its changes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from stonks_core.health.verdict import Reason, Result, Severity, Stored, Verdict, closed_because, said_at
from stonks_core.stores.postgres import Connection, Database, Row

CHANNEL = "stonks_data_health"
"""NOTIFY on it says that the door was opened or closed, or that it is closed for other reasons."""

_UPSERT = """
    INSERT INTO data_health_checks AS held (subject, check_name, severity, blocks, problem, days, checked_at, changed_at)
    VALUES (%(subject)s, %(check)s, %(severity)s, %(blocks)s, %(problem)s, %(days)s, %(at)s, %(at)s)
    ON CONFLICT (subject, check_name) DO UPDATE SET severity = excluded.severity,
        blocks = excluded.blocks, problem = excluded.problem, days = excluded.days,
        checked_at = excluded.checked_at,
        changed_at = CASE WHEN (held.problem = '') = (excluded.problem = '') THEN held.changed_at ELSE excluded.checked_at END
    WHERE held.checked_at <= excluded.checked_at AND held.breached_at <= excluded.checked_at
"""


def keep_results(database: Database, results: Iterable[Result]) -> None:
    """Keep what whole checks found. One that began before a newer result, or before a breach was seen, changes nothing."""
    _write(database, _UPSERT, results)


def add_breaches(database: Database, breaches: Iterable[Result]) -> None:
    """Keep what a look at some rows found besides. It cannot tell that a check holds, so it never says so.

    The days of an earlier finding stay, and so does the time of the last whole check: only that one clears a breach.
    """
    _write(
        database,
        """
        INSERT INTO data_health_checks AS held
            (subject, check_name, severity, blocks, problem, days, checked_at, breached_at, changed_at)
        VALUES (%(subject)s, %(check)s, %(severity)s, %(blocks)s, %(problem)s, %(days)s, %(at)s, %(at)s, %(at)s)
        ON CONFLICT (subject, check_name) DO UPDATE SET problem = excluded.problem, breached_at = excluded.breached_at,
            days = ARRAY(SELECT DISTINCT unnest(held.days || excluded.days) ORDER BY 1),
            changed_at = CASE WHEN held.problem = '' THEN excluded.changed_at ELSE held.changed_at END
        """,
        breaches,
    )


def _write(database: Database, statement: Any, results: Iterable[Result]) -> None:
    values = [
        {**vars(r), "days": list(r.days), "at": r.checked_at, "severity": r.severity.value}
        for r in sorted(results, key=lambda r: r.name)  # in one order everywhere, so that writers never deadlock
    ]
    if values:
        with database.connection() as connection, connection.cursor() as cursor:
            cursor.executemany(statement, values)


def results(connection: Connection) -> list[Result]:
    """The newest result of each check."""
    return [
        Result(
            row["subject"],
            row["check_name"],
            row["problem"],
            row["checked_at"],
            days=tuple(row["days"]),
            severity=Severity(row["severity"]),
            blocks=row["blocks"],
        )
        for row in check_rows(connection)
    ]


def check_rows(connection: Connection) -> list[Row]:
    """The newest result of each check with when it last changed between holding and not, by table and check."""
    return connection.execute(
        """
        SELECT subject, check_name, severity, blocks, problem, days, checked_at, changed_at FROM data_health_checks
        ORDER BY subject, check_name
        """
    ).fetchall()


def keep_verdict(connection: Connection, verdict: Verdict) -> bool:
    """Keep a verdict; whether it differs from the last in being open or in which checks speak against it.

    A change goes into the history, wakes the daemon and leaves people a notification. A verdict that is older than the
    one that stands changes nothing.
    """
    held = connection.execute("SELECT * FROM data_health_verdict FOR UPDATE").fetchone()
    if held is not None and held["as_of"] > verdict.as_of:
        return False
    changed = held is None or _named(held["reasons"]) != _named(_plain(verdict.reasons))
    values = {
        "at": verdict.as_of,
        "open": verdict.entries_open,
        "reasons": Jsonb(_plain(verdict.reasons)),
        "warnings": Jsonb(_plain(verdict.warnings)),
        "changed": changed,
    }
    connection.execute(
        """
        INSERT INTO data_health_verdict AS held (as_of, entries_open, reasons, warnings, changed_at)
        VALUES (%(at)s, %(open)s, %(reasons)s, %(warnings)s, %(at)s)
        ON CONFLICT (id) DO UPDATE SET as_of = excluded.as_of, entries_open = excluded.entries_open,
            reasons = excluded.reasons, warnings = excluded.warnings,
            changed_at = CASE WHEN %(changed)s THEN excluded.as_of ELSE held.changed_at END
        """,
        values,
    )
    if changed:
        connection.execute(
            """
            INSERT INTO data_health_history (as_of, entries_open, reasons, warnings)
            VALUES (%(at)s, %(open)s, %(reasons)s, %(warnings)s)
            """,
            values,
        )
        connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, "open" if verdict.entries_open else "closed"))
        if held is not None and held["entries_open"] != verdict.entries_open:
            _tell(connection, verdict)
    return changed


def _tell(connection: Connection, verdict: Verdict) -> None:
    severity, subject = (
        ("info", "new positions may be opened again") if verdict.entries_open else ("warning", "no new positions")
    )
    body = (
        closed_because(Stored(verdict), verdict.as_of, timedelta(0))
        or "every check of the data's health that blocks holds"
    )
    connection.execute(
        "INSERT INTO notifications (at, severity, subject, body) VALUES (%s, %s, %s, %s)",
        (verdict.as_of, severity, f"data health: {subject}", body),
    )


def stored(connection: Connection) -> Stored:
    """The verdict that stands, and what a person has switched off."""
    row = connection.execute("SELECT * FROM data_health_verdict").fetchone()
    toggle = connection.execute("SELECT * FROM pipeline_control WHERE key = 'pipeline_enabled'").fetchone()
    off = toggle is not None and not toggle["value"]
    return Stored(
        _verdict(row) if row else None,
        f"the pipeline was switched off by {toggle['updated_by']} at {said_at(toggle['updated_at'])}, so that nothing new is "
        "read: switch it on with PUT /api/pipeline/toggle"
        if off and toggle
        else "",
    )


def door(connection: Connection, as_of: datetime, patience: timedelta) -> str:
    """Why the stored verdict lets nobody open a position at `as_of`; empty where one may."""
    return closed_because(stored(connection), as_of, patience)


def changed_at(connection: Connection) -> datetime | None:
    """Since when the verdict has been what it is; None before the first."""
    row = connection.execute("SELECT changed_at FROM data_health_verdict").fetchone()
    return row["changed_at"] if row else None


def history(connection: Connection, limit: int, before: tuple[Any, Any] = (None, None)) -> list[Row]:
    """The changes of the verdict, the newest first."""
    return connection.execute(
        """
        SELECT id, as_of, entries_open, reasons, warnings FROM data_health_history
        WHERE %(at)s::timestamptz IS NULL OR (as_of, id) < (%(at)s, %(id)s::bigint)
        ORDER BY as_of DESC, id DESC LIMIT %(limit)s
        """,
        {"at": before[0], "id": before[1], "limit": limit},
    ).fetchall()


def refused_records(connection: Connection) -> Mapping[str, int]:
    """How many records the evidence contract refused, by its clause, of the documents whose notes are kept."""
    rows = connection.execute(
        """
        SELECT clause.key AS reason, sum(clause.value::int)::int AS records
        FROM failures f, jsonb_each_text(COALESCE(f.detail -> 'counts', '{}')) clause
        WHERE f.stage = 'refused_records' AND f.status IN ('noted', 'replay') GROUP BY 1 ORDER BY 2 DESC, 1
        """
    ).fetchall()
    return {row["reason"]: row["records"] for row in rows}


def _plain(reasons: Sequence[Reason]) -> list[dict[str, str]]:
    return [{"subject": r.subject, "check": r.check, "sentence": r.sentence} for r in reasons]


def _named(reasons: Sequence[Mapping[str, str]]) -> set[tuple[str, str]]:
    return {(reason["subject"], reason["check"]) for reason in reasons}


def _verdict(row: Row) -> Verdict:
    reasons, warnings = (tuple(Reason(**reason) for reason in row[name]) for name in ("reasons", "warnings"))
    return Verdict(row["as_of"], reasons, warnings)
