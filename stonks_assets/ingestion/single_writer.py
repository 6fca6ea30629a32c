"""One ingestion of a source type at a time, over all processes: a cycle and a command do not fetch the same twice.

A session's lock in PostgreSQL, on a connection of its own: it is let go when the block ends, and by the server when the
process dies or its machine is gone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.rows import dict_row

from stonks_core.errors import TransientError
from stonks_core.stores.postgres import Database, Row
from stonks_core.vocabulary import SourceType

PROBES = "-c timezone=UTC -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
"""A holder whose machine is gone is noticed after a minute."""


@dataclass(frozen=True)
class Turn:
    """Whether the source type is ours to ingest; `reason` says who has it where it is not."""

    had: bool
    reason: str = ""


@contextmanager
def single_writer(database: Database, source_type: SourceType, who: str = "stonks") -> Iterator[Turn]:
    """The turn to ingest a source type, for the time of the block, without waiting for it.

    Ask which sources are due inside the block: whoever had the turn before has asked them. `who` is what others are told.
    Raises TransientError when PostgreSQL does not answer.
    """
    try:
        connection = psycopg.connect(
            database.url,
            autocommit=True,
            connect_timeout=10,
            row_factory=dict_row,
            application_name=f"{who}: ingests {source_type}"[:63],
            options=PROBES,
        )
    except psycopg.OperationalError as error:
        raise TransientError(
            f"PostgreSQL database {database.name} gave no turn to ingest {source_type}: {error}"
        ) from error
    with connection:
        name = f"ingest:{source_type}"
        row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS had", (name,)).fetchone()
        yield Turn(True) if row and row["had"] else Turn(False, _holder(connection, name, source_type))


def _holder(connection: psycopg.Connection[Row], name: str, source_type: SourceType) -> str:
    row = connection.execute(
        """
        SELECT a.pid, a.application_name, a.backend_start FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (l.classid::bigint << 32) | l.objid::bigint = hashtextextended(%s, 0)
        """,
        (name,),
    ).fetchone()
    if row is None:
        return f"{source_type} was being ingested by another process a moment ago: what it brought is there"
    return (
        f"{source_type} is being ingested by another process since {row['backend_start']:%H:%M:%S} UTC "
        f"({row['application_name']}, PostgreSQL session {row['pid']}): its items will be there when it ends"
    )
