"""When a source is asked again: its polling interval after a success, a growing pause after failures.

After ten failures in a row a source is parked, which people are told, and asked no more until it is un-parked or
somebody asks for it by hand.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from stonks_core.registry.source_state import alert_parked, settle_alert
from stonks_core.stores.postgres import Connection, Database
from stonks_core.vocabulary import SourceType

POLLING_SECONDS: Mapping[SourceType, int] = {
    SourceType.MARKET_API: 300,
    SourceType.NEWS_API: 300,
    SourceType.FILINGS_API: 3600,
    SourceType.WEB_SCRAPE: 1800,
    SourceType.BROKER: 30,
    SourceType.MACRO_NEWS: 600,
}
BACKOFF_BASE = timedelta(seconds=60)
BACKOFF_MOST = timedelta(seconds=3600)
MOST_FAILURES = 10
LONGEST = timedelta(days=30)
LONGEST_ASKED = timedelta(days=1)
"""A vendor that asks for a longer pause is asked once a day whether it still does."""


def polling_interval(source_type: SourceType, config: Mapping[str, object]) -> timedelta:
    """The source's own `polling_interval_seconds`, or its type's; from a second to thirty days."""
    seconds = config.get("polling_interval_seconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
        return timedelta(seconds=min(max(1.0, float(seconds)), LONGEST.total_seconds()))
    return timedelta(seconds=POLLING_SECONDS[source_type])


def backoff(failures: int) -> timedelta:
    """The pause after so many failures in a row: 60 s, doubling, at most an hour; nothing after none."""
    return min(BACKOFF_BASE * 2 ** min(failures - 1, MOST_FAILURES), BACKOFF_MOST) if failures > 0 else timedelta(0)


def asked_pause(error: BaseException | None) -> timedelta:
    """The pause that a vendor asked for, where the error carries its Retry-After as `after`, seconds; at most a day."""
    seconds = getattr(error, "after", None)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds > 0:
        return timedelta(0)
    return timedelta(seconds=min(float(seconds), LONGEST_ASKED.total_seconds()))


def next_attempt(finished: datetime, interval: timedelta, failures: int, asked: timedelta = timedelta(0)) -> datetime:
    """When to ask again after an attempt that ended at `finished` and made so many failures in a row.

    A pause that the vendor `asked` for is kept where it is longer than ours.
    """
    return finished + (max(backoff(failures), asked) if failures else interval)


def tell_of_parking(connection: Connection, source_id: str, failures: int, error: str, at: datetime) -> None:
    """After an attempt is on record: tell people of a source that it parked, or settle what they were told."""
    if failures >= MOST_FAILURES:
        alert_parked(connection, source_id, error, at)
    elif not failures:
        settle_alert(connection, source_id, at)


def failures_in_a_row(database: Database, source_id: str) -> int:
    """How often in a row a source has failed."""
    row = database.fetch_one("SELECT failures_in_a_row FROM source_states WHERE source_id = %s", (source_id,))
    return int(row["failures_in_a_row"]) if row else 0


def due_sources(database: Database, now: datetime) -> frozenset[str]:
    """The active sources that may be asked now."""
    rows = database.fetch(
        """
        SELECT s.source_id::text FROM sources s LEFT JOIN source_states t USING (source_id)
        WHERE s.active AND NOT COALESCE(t.parked, false) AND COALESCE(t.next_attempt_at, '-infinity') <= %s
        """,
        (now,),
    )
    return frozenset(row["source_id"] for row in rows)
