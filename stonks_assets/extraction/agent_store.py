"""The log of how agents fared, what they have spent of late, and the readings of shadows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from stonks_assets.extraction.agents import AgentConfig, Performance
from stonks_assets.extraction.budgets import HOUR, Spent
from stonks_core.stores.postgres import Database


def log_performance(database: Database, entries: Sequence[Performance], at: datetime) -> None:
    """Add to `agent_performance_log`."""
    if not entries:
        return
    rows = [
        (
            *(entry.config.agent, entry.config.variant, entry.config.shadow, entry.config.model, entry.document_id),
            *(entry.ok, entry.recorded, entry.latency_ms, entry.prompt_tokens, entry.output_tokens),
            *(entry.kept, entry.dropped, entry.error, at),
        )
        for entry in entries
    ]
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO agent_performance_log (agent, variant, shadow, model, document_id, ok, recorded, latency_ms,
                prompt_tokens, output_tokens, kept, dropped, error, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            rows,
        )


def spent_lately(database: Database, agent: str, now: datetime) -> list[Spent]:
    """What an agent's variants spent in the hour before `now`, by the log."""
    rows = database.fetch(
        """
        SELECT variant, at, sum(prompt_tokens + output_tokens) AS tokens FROM agent_performance_log
        WHERE agent = %s AND at > %s AND at <= %s GROUP BY variant, at
        """,
        (agent, now - HOUR, now),
    )
    return [Spent(row["variant"], int(row["tokens"]), row["at"]) for row in rows if row["tokens"]]


def failures_in_a_row(database: Database, agent: str, most: int) -> tuple[int, str]:
    """How many of an agent's newest attempts failed, at most so many, over all cycles, shadows aside; and the last error."""
    newest = database.fetch(
        "SELECT ok, error FROM agent_performance_log WHERE agent = %s AND NOT shadow ORDER BY id DESC LIMIT %s",
        (agent, most),
    )
    streak = next((n for n, row in enumerate(newest) if row["ok"]), len(newest))
    return streak, newest[0]["error"] if streak else ""


@dataclass(frozen=True)
class ShadowReading:
    """What a shadow found in a document: kept apart, for comparison only."""

    config: AgentConfig
    document_id: str
    day: date
    status: str
    found: Sequence[dict[str, Any]]
    refused: int
    error: str
    model_digest: str
    answer_key: str


def keep_shadow_reading(database: Database, reading: ShadowReading, at: datetime) -> None:
    """Write or replace a shadow's reading in `shadow_readings`."""
    config = reading.config
    database.execute(
        """
        INSERT INTO shadow_readings (agent, variant, config_hash, document_id, day, model, model_digest, answer_key,
            status, found, refused, error, read_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (agent, variant, config_hash, document_id) DO UPDATE SET model_digest = excluded.model_digest,
            answer_key = excluded.answer_key, status = excluded.status, found = excluded.found,
            refused = excluded.refused, error = excluded.error, read_at = excluded.read_at
        """,
        (
            *(config.agent, config.variant, config.hash, reading.document_id, reading.day, config.model),
            *(reading.model_digest, reading.answer_key, reading.status, Jsonb(list(reading.found))),
            *(reading.refused, reading.error[:1000], at),
        ),
    )


def shadow_read(database: Database, config: AgentConfig, day: date) -> frozenset[str]:
    """The documents of a day that a shadow, as it is set up now, has read."""
    rows = database.fetch(
        """
        SELECT document_id FROM shadow_readings
        WHERE agent = %s AND variant = %s AND config_hash = %s AND day = %s
        """,
        (config.agent, config.variant, config.hash, day),
    )
    return frozenset(row["document_id"] for row in rows)
