"""The schema of PostgreSQL, as Alembic revisions; `migrate` brings a database to the newest one.

Tables that `services.md`-style deployments keep in PostgreSQL and that are Delta tables here: documents,
document_company_mentions, document_intelligence, document_impact_records (impact_records), global_events,
macro_impact_records (macro_impacts), competitive_signal_records (competitive_signals), trend_windows, trend_history,
trend_evidence, trend_projections, recommendations, recommendation_evidence and market_snapshots.
"""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import create_engine

from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import dsn

_LOCK = 7_206_417_001


def ensure_database(postgres: Postgres, database: str) -> bool:
    """Create a database when it is missing; whether it had to be. Needs the right to create one, or one that exists."""
    try:
        psycopg.connect(dsn(postgres, database), connect_timeout=10).close()
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise
    else:
        return False
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True, connect_timeout=10) as connection:
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return False  # another starter was first
    return True


def migrate(postgres: Postgres, database: str) -> None:
    """Bring the application's schema to the newest revision. Safe to run by several processes at once, and again."""
    ensure_database(postgres, database)
    engine = create_engine(dsn(postgres, database, "postgresql+psycopg"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
