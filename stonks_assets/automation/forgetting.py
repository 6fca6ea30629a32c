"""The shell of retention: rows that are old enough and that nothing needs are deleted, a batch at a time.

Kept for good is what the answer to why of an order needs: its decision, risk verdicts, recommendation, evidence and the
records below that; fills, ledgers and every change of an order's state besides. A recommendation that has not expired
may lead to an order yet, and counts as if it had. Each batch is a transaction or a
commit of its own and can be repeated: killed anywhere, the next run goes on.
"""

from collections.abc import Mapping, Set
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from psycopg.types.json import Jsonb

from stonks_assets.automation.retention import Cutoffs
from stonks_assets.pipeline import Pipeline
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS, MACRO_IMPACTS
from stonks_core.stores.lake.tables import UTC_MICROS, LakeTable
from stonks_core.vocabulary import Layer

BATCH = 10_000
FIRST_DAY = date(2020, 1, 1)
LONGEST_LIFE = timedelta(days=46)  # of a recommendation
LONGEST_MEMORY = timedelta(days=92)  # from a record's day to that of a recommendation that rests on it
FORGOTTEN: Mapping[str, str] = {
    "trading_decisions": """r.as_of < %(before)s AND r.last_as_of < %(before)s
        AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.decision_id = r.decision_id)""",
    "risk_evaluations": "r.as_of < %(before)s AND r.order_id IS NULL",
    "order_events": """r.at < %(before)s AND r.state_from = r.state_to
        AND EXISTS (SELECT 1 FROM orders o WHERE o.order_id = r.order_id AND o.final_at < %(before)s)""",
    "audit_events": """r.at < %(before)s
        AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = r.subject)
        AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = r.detail ->> 'order_id')
        AND NOT EXISTS (SELECT 1 FROM approval_requests a WHERE a.approval_id::text = r.subject)""",
    "model_performance_metrics": "r.at < %(before)s",
    "agent_performance_log": "r.at < %(before)s",
    "rate_limits": "r.taken_at < %(before)s",
    "ingestion_runs": "r.finished_at < %(before)s",
    "failures": "r.status IN ('resolved', 'noted') AND r.last_at < %(before)s",
    "data_health_history": "r.as_of < %(before)s",
    "notifications": "r.status <> 'queued' AND r.at < %(before)s",
    "pipeline_control": "starts_with(r.key, 'propagated ') AND r.updated_at < %(before)s",
}
"""By table of PostgreSQL: which of its rows `r` nothing needs that are from before an instant. A dismissed failure stays:
it is what keeps its item from being tried again."""


def rows_to_forget(pipeline: Pipeline, cutoffs: Cutoffs) -> list[str]:
    """The tables of PostgreSQL that have rows to forget."""
    return [
        table
        for table, condition in FORGOTTEN.items()
        if pipeline.database.fetch_one(
            f"SELECT 1 FROM {table} r WHERE {condition} LIMIT 1",
            {"before": cutoffs.instants[table]},
        )
    ]


def forget_rows(pipeline: Pipeline, cutoffs: Cutoffs) -> Mapping[str, int]:
    """Delete what nothing needs from PostgreSQL; how many rows of each table."""
    return {table: _forget(pipeline, table, condition, cutoffs) for table, condition in FORGOTTEN.items()}


def _forget(pipeline: Pipeline, table: str, condition: str, cutoffs: Cutoffs) -> int:
    statement = (
        f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT r.ctid FROM {table} r WHERE {condition} LIMIT {BATCH}))"
    )
    gone = 0
    while True:
        batch = pipeline.database.execute(statement, {"before": cutoffs.instants[table]})
        gone += batch
        if batch < BATCH:
            return gone


def days_to_forget(pipeline: Pipeline, cutoffs: Cutoffs) -> list[str]:
    """The lake's tables that have not been gone through for their cut-off yet: once a day, or when a setting changes."""
    rows = pipeline.database.fetch("SELECT key, value FROM pipeline_control WHERE starts_with(key, 'retention ')")
    done = {row["key"]: row["value"] for row in rows}
    return [name for name, before in cutoffs.days.items() if done.get(_mark(name)) != before.isoformat()]


def forget_recommendations(pipeline: Pipeline, cutoffs: Cutoffs) -> Mapping[str, int]:
    """Delete recommendations that led to no order, then their evidence, so that none is ever without it."""
    protected = _answerable(pipeline)
    tables = (RECOMMENDATIONS, RECOMMENDATION_EVIDENCE)
    return {t.name: _forget_days(pipeline, t, "recommendation_id", cutoffs.days[t.name], protected) for t in tables}


def forget_macro_impacts(pipeline: Pipeline, cutoffs: Cutoffs) -> Mapping[str, int]:
    """Delete macro impacts that no window reads and no order rests on."""
    return _forget_records(pipeline, MACRO_IMPACTS, Layer.MACRO, cutoffs)


def forget_competitive_signals(pipeline: Pipeline, cutoffs: Cutoffs) -> Mapping[str, int]:
    """Delete competitive signals that no window reads and no order rests on."""
    return _forget_records(pipeline, COMPETITIVE_SIGNALS, Layer.COMPETITIVE, cutoffs)


def _forget_records(pipeline: Pipeline, table: LakeTable, layer: Layer, cutoffs: Cutoffs) -> Mapping[str, int]:
    before = cutoffs.days[table.name]
    protected = _shown_by_orders(pipeline, layer, before)
    return {table.name: _forget_days(pipeline, table, table.key[0], before, protected)}


def _answerable(pipeline: Pipeline) -> Set[str]:
    """The recommendations that orders refer to, themselves or through their decisions, and those that still live."""
    rows = pipeline.database.fetch(
        """
        SELECT recommendation_id FROM orders WHERE recommendation_id IS NOT NULL
        UNION
        SELECT d.recommendation_id FROM trading_decisions d JOIN orders o USING (decision_id)
        WHERE d.recommendation_id IS NOT NULL
        """
    )
    now = pipeline.clock.now()
    days = ((now - LONGEST_LIFE).date(), now.date())
    held = pipeline.lake.read(RECOMMENDATIONS, days=days, columns=["recommendation_id", "expires_at"])
    living = held.filter(pc.greater(held["expires_at"], pa.scalar(now, UTC_MICROS)))["recommendation_id"].to_pylist()
    return {row["recommendation_id"] for row in rows} | set(living)


def _shown_by_orders(pipeline: Pipeline, layer: Layer, before: date) -> Set[str]:
    """The records of a layer that the evidence of such recommendations names, as far as they are of days before one."""
    answerable = _answerable(pipeline)
    if not answerable:
        return frozenset()
    columns = ["recommendation_id", "layer", "source_record_id"]
    days = (FIRST_DAY, before + LONGEST_MEMORY)
    evidence = pipeline.lake.read(RECOMMENDATION_EVIDENCE, days=days, columns=columns)
    wanted = pc.and_(
        pc.equal(evidence["layer"], str(layer)),
        pc.is_in(evidence["recommendation_id"], value_set=pa.array(sorted(answerable), pa.string())),
    )
    return set(evidence.filter(wanted)["source_record_id"].to_pylist())


def _forget_days(pipeline: Pipeline, table: LakeTable, key: str, before: date, protected: Set[str]) -> int:
    held = pipeline.lake.read(table, days=(FIRST_DAY, before - timedelta(days=1)), columns=["day", key])
    by_day: dict[str, set[str]] = {}
    for row in held.to_pylist():
        by_day.setdefault(row["day"], set()).add(row[key])
    whole = [day for day, ids in by_day.items() if not ids & protected]
    gone = 0
    if whole:
        listed = ", ".join(f"'{day}'" for day in sorted(whole))
        gone += pipeline.lake.delete(table, f"day IN ({listed})")
    for day, ids in sorted(by_day.items()):
        if kept := ids & protected:
            if ids == kept:
                continue
            named = ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(kept))
            gone += pipeline.lake.delete(table, f"day = '{day}' AND {key} NOT IN ({named})")
    pipeline.database.execute(
        """
        INSERT INTO pipeline_control (key, value, updated_at) VALUES (%(key)s, %(value)s, %(at)s)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
        """,
        {"key": _mark(table.name), "value": Jsonb(before.isoformat()), "at": pipeline.clock.now()},
    )
    return gone


def _mark(table: str) -> str:
    return f"retention {table}"
