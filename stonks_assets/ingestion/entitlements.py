"""What a vendor's plan does not include: remembered across processes, told once, asked for again a day later."""

from datetime import timedelta

from psycopg.types.json import Jsonb

from stonks_core.clock import Clock
from stonks_core.errors import PermanentError
from stonks_core.stores.postgres import Database

ASKED_AGAIN = timedelta(days=1)


class Entitlements:
    """One vendor's refusals by subject, such as `snapshots`; kept in `pipeline_control`."""

    def __init__(self, database: Database, clock: Clock, vendor: str) -> None:
        self._database, self._clock, self._vendor = database, clock, vendor

    def may_ask(self, subject: str) -> bool:
        """Whether the vendor has not refused the subject within the day: a plan may have been changed since."""
        row = self._database.fetch_one("SELECT updated_at FROM pipeline_control WHERE key = %s", (self._key(subject),))
        return row is None or self._clock.now() - row["updated_at"] >= ASKED_AGAIN

    def refused(self, subject: str, sentence: str) -> bool:
        """Remember a refusal; whether it is news, and so to be told."""
        row = self._database.fetch_one(
            """
            INSERT INTO pipeline_control (key, value, updated_at) VALUES (%(key)s, %(value)s, %(at)s)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
            RETURNING xmax = 0 AS fresh
            """,
            {"key": self._key(subject), "value": Jsonb({"refused": sentence}), "at": self._clock.now()},
        )
        return bool(row and row["fresh"])

    def granted(self, subject: str) -> None:
        """Forget a refusal: the vendor has answered."""
        self._database.execute("DELETE FROM pipeline_control WHERE key = %s", (self._key(subject),))

    def _key(self, subject: str) -> str:
        return f"not entitled {self._vendor} {subject}"


def is_entitlement(error: PermanentError) -> bool:
    """Whether a refusal is about the plan: both vendors answer 403 to a good key that may not have this."""
    return " answered 403:" in str(error)
