"""The broker's clock asked, and what follows from it kept in `engine_guards`: a guard that does not hold closes entries."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from stonks_core.clock import Clock
from stonks_core.errors import TransientError
from stonks_core.notifications.notices import Severity, leave
from stonks_core.stores.postgres import Connection, Database
from stonks_trading.broker.protocol import Broker
from stonks_trading.decide.guards import Asked, Guard, clock_guard, session_guard, unanswered
from stonks_trading.situation import Calendar


class Guards:
    """Asks at most once in `FRESH_FOR`; a guard that does not hold is asked about again each time."""

    FRESH_FOR = timedelta(seconds=30)

    def __init__(self, database: Database, broker: Broker, calendar: Calendar, clock: Clock, limit: timedelta) -> None:
        self._database, self._broker, self._calendar, self._clock = database, broker, calendar, clock
        self._limit = limit
        self._held_at: datetime | None = None

    def check(self) -> None:
        """Judge both guards by the broker's clock, and store and tell what changed."""
        now = self._clock.now()
        if self._held_at is not None and timedelta(0) <= now - self._held_at < self.FRESH_FOR:
            return
        verdicts = self._judged()
        with self._database.connection() as connection:
            for verdict in verdicts:
                _store(connection, verdict, now)
        self._held_at = now if all(verdict.holds for verdict in verdicts) else None

    def _judged(self) -> Sequence[Guard]:
        sent = self._clock.now()
        try:
            told = self._broker.clock()
        except TransientError as error:
            return unanswered(str(error))
        asked = Asked(sent, self._clock.now(), told.now, told.is_open)
        around = (self._calendar.is_open(told.now + step) for step in (-self._limit, self._limit))
        return clock_guard(asked, self._limit), session_guard(asked, before=next(around), after=next(around))


def closed_because(connection: Connection) -> str:
    """Why the guards close entries; empty where all of them hold, or none was asked yet."""
    row = connection.execute("SELECT sentence FROM engine_guards WHERE NOT holds ORDER BY guard LIMIT 1").fetchone()
    return str(row["sentence"]) if row else ""


def _store(connection: Connection, verdict: Guard, now: datetime) -> None:
    before = connection.execute(
        "SELECT holds FROM engine_guards WHERE guard = %s FOR UPDATE", (verdict.name,)
    ).fetchone()
    connection.execute(
        """
        INSERT INTO engine_guards AS held (guard, holds, sentence, value, threshold, since, checked_at)
        VALUES (%(guard)s, %(holds)s, %(sentence)s, %(value)s, %(threshold)s, %(now)s, %(now)s)
        ON CONFLICT (guard) DO UPDATE SET holds = EXCLUDED.holds, sentence = EXCLUDED.sentence, value = EXCLUDED.value,
            threshold = EXCLUDED.threshold, checked_at = EXCLUDED.checked_at,
            since = CASE WHEN held.holds = EXCLUDED.holds THEN held.since ELSE EXCLUDED.since END
        """,
        {
            "guard": verdict.name,
            "holds": verdict.holds,
            "sentence": verdict.sentence,
            "value": verdict.value,
            "threshold": verdict.threshold,
            "now": now,
        },
    )
    held = before["holds"] if before else True
    if held != verdict.holds:
        severity: Severity = "info" if verdict.holds else "warning"
        subject = f"the {verdict.name} guard {'holds again' if verdict.holds else 'closes entries'}"
        leave(connection, now, severity, subject, verdict.sentence)
