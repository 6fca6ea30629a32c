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
from sqlalchemy.exc import OperationalError

from stonks_core.errors import PermanentError, TransientError
from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import dsn

_LOCK = 7_206_417_001
_SECONDS = 10
_REFUSALS = ("authentication failed", "no pg_hba.conf entry", "no password supplied", "permission denied")


def ensure_database(postgres: Postgres, database: str) -> bool:
    """Create a database when it is missing; whether it had to be. Needs the right to create one, or one that exists.

    Raises TransientError where the server does not answer, PermanentError where it refuses us.
    """
    try:
        psycopg.connect(dsn(postgres, database), connect_timeout=_SECONDS).close()
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise _failure(postgres, error) from error
    else:
        return False
    try:
        with psycopg.connect(dsn(postgres, "postgres"), autocommit=True, connect_timeout=_SECONDS) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return False  # another starter was first
    except psycopg.OperationalError as error:
        raise _failure(postgres, error) from error
    return True


def migrate(postgres: Postgres, database: str) -> None:
    """Bring the application's schema to the newest revision. Safe to run by several processes at once, and again.

    Raises as `ensure_database`; a revision is whole or not there.
    """
    ensure_database(postgres, database)
    engine = create_engine(dsn(postgres, database, "postgresql+psycopg"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        raise _failure(postgres, error.orig or error) from error
    finally:
        engine.dispose()


def _failure(postgres: Postgres, error: BaseException) -> TransientError | PermanentError:
    what, why = f"PostgreSQL on {postgres.host}:{postgres.port}", " ".join(str(error).split())
    if any(refusal in why for refusal in _REFUSALS):
        return PermanentError(
            f"{what} refuses user {postgres.user!r}: {why}; check POSTGRES_USER and POSTGRES_PASSWORD"
        )
    return TransientError(f"{what} does not answer: start it, or correct POSTGRES_*; `stonks doctor` looks ({why})")
