"""The pipeline toggle: every sensor asks it first, a person sets it, and it is kept in PostgreSQL."""

from psycopg.types.json import Jsonb

from stonks_core.stores.postgres import Database

PIPELINE = "pipeline_enabled"


def pipeline_enabled(database: Database) -> bool:
    """Whether sensors may ask for runs."""
    row = database.fetch_one("SELECT value FROM pipeline_control WHERE key = %s", (PIPELINE,))
    return bool(row["value"]) if row else True


def initialise_toggle(database: Database, *, default_off: bool) -> None:
    """Set the toggle on the first boot only: off where PIPELINE_DEFAULT_OFF says so."""
    database.execute(
        "INSERT INTO pipeline_control (key, value) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (PIPELINE, Jsonb(not default_off)),
    )


def set_pipeline(database: Database, *, enabled: bool, actor: str, reason: str) -> None:
    """Switch the pipeline, on record."""
    with database.connection() as connection:
        connection.execute(
            """
            INSERT INTO pipeline_control (key, value, updated_by) VALUES (%(key)s, %(value)s, %(actor)s)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_by = excluded.updated_by, updated_at = now()
            """,
            {"key": PIPELINE, "value": Jsonb(enabled), "actor": actor},
        )
        connection.execute(
            "INSERT INTO audit_events (actor, action, subject, reason) VALUES (%s, %s, 'pipeline', %s)",
            (actor, "pipeline_enabled" if enabled else "pipeline_disabled", reason),
        )
