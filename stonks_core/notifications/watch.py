"""Watching the trading daemon from outside: a lease that ran out, or a task that no longer beats, is told to people."""

from datetime import datetime, timedelta

from stonks_core.notifications import notices
from stonks_core.stores.postgres import Database

GRACE = timedelta(seconds=60)
"""How long after its lease ran out a daemon counts as dead: one that is restarted is back sooner."""
SILENT = timedelta(minutes=15)
"""How long a task of a living daemon may go without a beat, where its rounds are not further apart than usual."""
GIVEN_BACK = timedelta(seconds=10)
"""A lease runs a quarter of a minute from its last heartbeat; one that ended sooner after it was given back."""
WATCHED = ("decisions", "stops", "sync")


def watch_engine(database: Database, now: datetime, silent_after: timedelta = SILENT) -> str:
    """Leave a critical notice when the daemon that traded has died or hangs, once for each time, and one when it is back.

    Answers a sentence on how it is. A daemon that gave its lease back was stopped by somebody, which is no alarm.
    """
    lease = database.fetch_one("SELECT owner, heartbeat_at, expires_at FROM engine_lease")
    if lease is None:
        return "no daemon trades, and none was lost"
    since = lease["expires_at"]
    if since - lease["heartbeat_at"] < GIVEN_BACK:
        return f"no daemon trades: {lease['owner']} was stopped and gave its lease back"
    if since + GRACE < now:
        sentence = (
            f"The trading daemon {lease['owner']} was last heard of at {lease['heartbeat_at']:%Y-%m-%d %H:%M:%S} UTC. "
            "Nothing is decided and no stop is watched until it runs again: look at its log, and start it with `stonks up`."
        )
        _leave(database, now, "critical", "the trading daemon died", sentence, f"engine-died:{since.isoformat()}")
        return sentence
    silent = database.fetch(
        "SELECT task, beat_at FROM engine_heartbeats WHERE task = ANY(%s) AND owner = %s AND beat_at < %s ORDER BY task",
        (list(WATCHED), lease["owner"], now - silent_after),
    )
    for row in silent:
        sentence = (
            f"The task {row['task']} of the trading daemon {lease['owner']} has not finished a round since "
            f"{row['beat_at']:%Y-%m-%d %H:%M:%S} UTC: look at its log, and restart it."
        )
        key = f"engine-silent:{row['task']}:{row['beat_at'].isoformat()}"
        _leave(database, now, "critical", f"the trading daemon's task {row['task']} hangs", sentence, key)
    _all_clear(database, now, lease["owner"])
    return f"the trading daemon {lease['owner']} lives" + (f", but {len(silent)} of its tasks hang" if silent else "")


def _all_clear(database: Database, now: datetime, owner: str) -> None:
    last = database.fetch_one(
        """
        SELECT dedupe_key FROM notifications
        WHERE channel = 'screen' AND dedupe_key LIKE 'engine-died:%%' AND at > %(since)s ORDER BY id DESC LIMIT 1
        """,
        {"since": now - timedelta(days=7)},
    )
    if last is not None:
        sentence = f"The trading daemon runs again, as {owner}."
        _leave(database, now, "warning", "the trading daemon is back", sentence, f"engine-back:{last['dedupe_key']}")


def _leave(database: Database, now: datetime, severity: notices.Severity, subject: str, body: str, key: str) -> None:
    with database.connection() as connection:
        notices.leave(connection, now, severity, subject, body, key)
