"""Doing what operators asked for once: cancel, flatten, reset, a manual order.

A request is gone on with at every round until it is done; each step may be done again, so that a process that dies in
the middle leaves the rest to the next one. What is cancelled is what was there when the engine began with it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from stonks_core.errors import BadInputError, PermanentError
from stonks_core.notifications.notices import leave
from stonks_core.settings import Settings
from stonks_core.stores.postgres import Connection, Database, Row
from stonks_trading import control, fresh_start, quotebook
from stonks_trading.broker import sync
from stonks_trading.broker.protocol import Broker
from stonks_trading.decision_log import Writer, write
from stonks_trading.engine.lease import Fence
from stonks_trading.leaving import Leaver
from stonks_trading.overriding import as_decision
from stonks_trading.portfolio import held_tickers
from stonks_trading.situation import Calendar, Observer, Seen, session_ahead
from stonks_trading.vetting import Vetter

OFF = "trading is switched off (TRADING_ENABLED): nothing was ordered"


class Obeyer:
    """Goes on with the open requests of an account."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        broker: Broker,
        observer: Observer,
        leaver: Leaver,
        calendar: Calendar,
        fence: Fence,
    ) -> None:
        self._settings, self._database, self._broker, self._calendar = settings, database, broker, calendar
        self._observer, self._leaver, self._fence = observer, leaver, fence
        self._does: Mapping[str, Callable[[str, Row, datetime], int]] = {
            "cancel_all": self._cancel,
            "cancel_entries": self._cancel,
            "flatten": self._flatten,
            "reset": self._flatten,
            "override_order": self._order,
        }

    def obey(self, account_id: str, as_of: datetime) -> Mapping[str, int]:
        """Go on with every open request, oldest first; by kind, how many orders were cancelled or given."""
        rows = self._database.fetch(
            "SELECT * FROM engine_requests WHERE account_id = %s AND done_at IS NULL ORDER BY asked_at, request_id",
            (account_id,),
        )
        done: dict[str, int] = {}
        for row in rows:
            with self._database.connection() as connection:
                self._fence(connection)
                begun = connection.execute(
                    """
                    UPDATE engine_requests SET began_at = COALESCE(began_at, %s)
                    WHERE request_id = %s AND done_at IS NULL RETURNING *
                    """,
                    (as_of, row["request_id"]),
                ).fetchone()
            if begun is not None:
                done[row["kind"]] = done.get(row["kind"], 0) + self._does[row["kind"]](account_id, begun, as_of)
        return done

    def _cancel(self, account_id: str, row: Row, as_of: datetime) -> int:
        asked, doubtful = self._cancelled(account_id, row, as_of)
        if not doubtful:
            self._finish(row, as_of, "done", f"every open order{_only(row)} from before it was asked to be cancelled")
        return asked

    def _cancelled(self, account_id: str, row: Row, as_of: datetime) -> tuple[int, int]:
        """Ask for the cancellation of what was there; how many that is, and of how many nobody knows yet where they are."""
        return sync.cancel_all(
            self._database,
            self._broker,
            account_id,
            as_of,
            began_at=row["began_at"],
            entries_only=row["kind"] == "cancel_entries",
            but="flatten" if row["kind"] in {"flatten", "reset"} else "",
            why=f"an operator asked for {row['kind']}: {row['reason']}",
        )

    def _flatten(self, account_id: str, row: Row, as_of: datetime) -> int:
        if not self._settings.trading_enabled:
            self._finish(row, as_of, "refused", OFF)
            return 0
        if row["kind"] == "reset" and self._settings.broker.mode == "live":
            self._finish(row, as_of, "refused", "a live account is never reset")
            return 0
        _, doubtful = self._cancelled(account_id, row, as_of)
        sync.sweep(self._database, self._broker, account_id, as_of)
        seen = self._seen(account_id, as_of)
        left = self._leaver.everything(account_id, seen, f"an operator asked for {row['kind']}: {row['reason']}")
        if not left and not doubtful:
            with self._database.connection() as connection:
                self._fence(connection)
                if not held_tickers(connection, account_id) and not _under_way(connection, account_id, row):
                    self._when_flat(connection, account_id, row, seen)
        return len(left)

    def _when_flat(self, connection: Connection, account_id: str, row: Row, seen: Seen) -> None:
        note = "no position is open"
        if row["kind"] == "reset":
            day = session_ahead(self._calendar, seen.as_of).day
            books = self._observer.portfolio(connection, account_id, seen)
            tier = self._settings.trading.risk_tier
            note = fresh_start.begin_anew(connection, account_id, books, day, tier, row["asked_by"], row["reason"])
        _finished(connection, row, seen.as_of, "done", note)

    def _order(self, account_id: str, row: Row, as_of: datetime) -> int:
        if not self._settings.trading_enabled:
            self._finish(row, as_of, "refused", OFF)
            return 0
        if row["valid_until"] is not None and row["valid_until"] <= as_of:
            self._finish(row, as_of, "refused", "the engine came to it after its validity had ended")
            return 0
        try:
            return self._give(account_id, row, as_of)
        except (BadInputError, PermanentError) as error:  # of this order alone: what else was asked goes on
            self._finish(row, as_of, "refused", str(error))
            return 0

    def _give(self, account_id: str, row: Row, as_of: datetime) -> int:
        ticker = str(row["detail"]["ticker"])
        seen = self._seen(account_id, as_of, ticker)
        with self._database.connection() as connection:
            writer = Writer(account_id, self._fence(connection), "override")
            books = self._observer.portfolio(connection, account_id, seen)
            state = self._observer.state(connection, account_id, as_of)
            open_tickers = sorted({*books.positions, *books.pending_buys})
            views = {name: seen.view(name, open_tickers) for name in {*open_tickers, ticker}}
            decision = as_decision(account_id, row, views[ticker].quote, as_of)
            written = write(connection, writer, [decision], valid_until={"": row["valid_until"]})
            vetter = Vetter(connection, account_id, books, views, state, self._observer.rules_at(seen))
            verdicts = [vetter.vet(new) for new in written]
            refused = [reason for verdict in verdicts if verdict for reason in verdict.reasons]
            said = " ".join(refused) or "given to the outbox"
            _finished(connection, row, as_of, "refused" if refused else "done", said)
        return len(written)

    def _seen(self, account_id: str, as_of: datetime, *more: str) -> Seen:
        with self._database.connection() as connection:
            held = held_tickers(connection, account_id)
        seen = self._observer.seen({*held, *more}, as_of)
        quotebook.keep(self._database, seen.quotes)
        return seen

    def _finish(self, row: Row, as_of: datetime, outcome: str, note: str) -> None:
        with self._database.connection() as connection:
            self._fence(connection)
            _finished(connection, row, as_of, outcome, note)


def _under_way(connection: Connection, account_id: str, row: Row) -> bool:
    """Whether an order from before the request, or one of its own, could still fill."""
    found = connection.execute(
        """
        SELECT 1 FROM orders WHERE account_id = %s AND (intended_at <= %s OR purpose = 'flatten')
            AND state NOT IN ('filled', 'canceled', 'expired', 'rejected') LIMIT 1
        """,
        (account_id, row["began_at"]),
    ).fetchone()
    return found is not None


def _finished(connection: Connection, row: Row, as_of: datetime, outcome: str, note: str) -> None:
    connection.execute(
        "UPDATE engine_requests SET done_at = %s, outcome = %s, note = %s WHERE request_id = %s AND done_at IS NULL",
        (as_of, outcome, note, row["request_id"]),
    )
    detail: dict[str, Any] = {"request_id": str(row["request_id"]), "note": note}
    control.audit(connection, as_of, f"{row['kind']}_{outcome}", "engine", row["reason"], detail)
    if outcome == "refused":
        leave(connection, as_of, "warning", f"{row['kind']} was refused", note)


def _only(row: Row) -> str:
    return " to buy" if row["kind"] == "cancel_entries" else ""
