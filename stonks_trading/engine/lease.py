"""The one owner of the trading engine: a lease row with a fencing token, by the database's clock.

Whoever holds the lease may write; every transaction of the order path checks that it still does, in itself, so that a
daemon that slept through its lease commits nothing. The token only grows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stonks_core.errors import StonksError
from stonks_core.stores.postgres import Connection, Database

LEASE = "trading"
TTL_SECONDS = 15.0

Fence = Callable[[Connection], int]
"""Called inside a transaction: this owner's fencing token, or LeaseLostError."""


class LeaseLostError(StonksError):
    """Another owner has the engine; what was under way was not committed."""


@dataclass(frozen=True)
class Held:
    """The lease is ours."""

    token: int


@dataclass(frozen=True)
class HeldByOther:
    """Somebody else has it, and for how long at least."""

    owner: str
    seconds_left: float


def no_fence(connection: Connection) -> int:
    """For whoever is alone with its database: a replay, a test."""
    del connection
    return 0


class Lease:
    """One owner's claim. `owner` must differ between processes."""

    def __init__(self, database: Database, owner: str, *, name: str = LEASE, ttl_seconds: float = TTL_SECONDS) -> None:
        self.owner, self.name, self.ttl_seconds = owner, name, ttl_seconds
        self._database = database
        self._token = 0

    def acquire(self) -> Held | HeldByOther:
        """Take the lease when it is free or has run out; a new owner gets a new, higher token."""
        row = self._database.fetch_one(
            """
            INSERT INTO engine_lease AS held (name, owner, fencing_token, acquired_at, heartbeat_at, expires_at)
            VALUES (%(name)s, %(owner)s, 1, now(), now(), now() + %(ttl)s * interval '1 second')
            ON CONFLICT (name) DO UPDATE SET owner = EXCLUDED.owner, fencing_token = held.fencing_token + 1,
                acquired_at = now(), heartbeat_at = now(), expires_at = EXCLUDED.expires_at
            WHERE held.expires_at < now() OR held.owner = EXCLUDED.owner
            RETURNING fencing_token
            """,
            {"name": self.name, "owner": self.owner, "ttl": self.ttl_seconds},
        )
        if row:
            self._token = row["fencing_token"]
            return Held(self._token)
        other = self._database.fetch_one(
            "SELECT owner, extract(epoch FROM expires_at - now())::float AS left FROM engine_lease WHERE name = %s",
            (self.name,),
        )
        return HeldByOther(other["owner"], max(0.0, other["left"])) if other else self.acquire()

    def renew(self) -> bool:
        """Say that we live; False when the lease is no longer ours."""
        return bool(
            self._database.execute(
                """
                UPDATE engine_lease SET heartbeat_at = now(), expires_at = now() + %s * interval '1 second'
                WHERE name = %s AND owner = %s AND fencing_token = %s
                """,
                (self.ttl_seconds, self.name, self.owner, self._token),
            )
        )

    def release(self) -> None:
        """Give the lease back, so that the next owner need not wait for it to run out."""
        self._database.execute(
            """
            UPDATE engine_lease SET expires_at = now() - interval '1 second'
            WHERE name = %s AND owner = %s AND fencing_token = %s
            """,
            (self.name, self.owner, self._token),
        )

    def fence(self, connection: Connection) -> int:
        """The token, with the lease row held until the transaction ends; LeaseLostError when it is not ours any more."""
        row = connection.execute(
            """
            SELECT fencing_token FROM engine_lease
            WHERE name = %s AND owner = %s AND fencing_token = %s AND expires_at >= now() FOR SHARE
            """,
            (self.name, self.owner, self._token),
        ).fetchone()
        if row is None:
            raise LeaseLostError(
                f"{self.owner} no longer holds the lease {self.name!r} (token {self._token}): another daemon trades; "
                "nothing was written"
            )
        return self._token
