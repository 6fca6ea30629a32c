"""Asking whatever listens on a port whether it is our cluster. Its answer counts; process numbers and files
do not.
"""

from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

from stonks_core.stores.embedded.ports import LOOPBACK

_CONNECT_SECONDS = 3


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int


@dataclass(frozen=True)
class Answered:
    """A PostgreSQL let us in and named its cluster."""

    identifier: int


@dataclass(frozen=True)
class Silent:
    """Nothing answers, or not yet: no listener, a server that starts or stops, or no PostgreSQL."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """A PostgreSQL answers and does not let us in with this user and password."""

    reason: str


Reply = Answered | Silent | Refused

_NOT_LET_IN = ("28000", "28P01", "42704")


def connect(address: Address, user: str, password: str, database: str = "postgres") -> psycopg.Connection[TupleRow]:
    """A connection that commits each statement by itself; the password is never sent in the clear."""
    return psycopg.connect(
        host=address.host,
        port=address.port,
        user=user,
        password=password,
        dbname=database,
        connect_timeout=_CONNECT_SECONDS,
        require_auth="scram-sha-256",
        sslmode="disable",
        gssencmode="disable",
        autocommit=True,
    )


def ask(port: int, user: str, password: str) -> Reply:
    """Who answers on a loopback port."""
    try:
        with connect(Address(LOOPBACK, port), user, password) as connection:
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    except psycopg.Error as error:
        reason = str(error).strip()
        if error.sqlstate in _NOT_LET_IN or "password authentication failed" in reason:
            return Refused(reason)
        return Silent(reason)
    # The function returns one row by definition; a signed number stands for the unsigned one of the control
    # file.
    return Answered(int(row[0]) % 2**64) if row else Silent("the server named no cluster")
