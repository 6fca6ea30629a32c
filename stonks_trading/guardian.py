"""Stops at rest at the broker, and the alarm for whatever nobody protects.

A stop is an intent like every order, sent by the outbox, a DAY order that dies at the close and is armed again in the
next session. Whatever else a ticker orders makes it go first: `Outbox` cancels it and waits until it is final.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from stonks_core.identifiers import digest
from stonks_core.notifications.notices import leave
from stonks_core.settings import Settings
from stonks_core.stores.postgres import Connection, Database
from stonks_trading import exits
from stonks_trading.broker import orders
from stonks_trading.broker.protocol import OrderState
from stonks_trading.decide import protection
from stonks_trading.decide.protection import Cover, Rest, Resting
from stonks_trading.decision_log import Writer, write
from stonks_trading.engine.lease import Fence
from stonks_trading.records import Decision, OrderPlan, Position
from stonks_trading.situation import Calendar, Observer, Seen, session_ahead
from stonks_trading.vetting import Vetter

ZERO = Decimal(0)
SENT = frozenset({OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})


@dataclass(frozen=True)
class Guarded:
    """What one look did: stops to rest, and positions that nobody protects."""

    rested: tuple[Decision, ...]
    unprotected: tuple[str, ...]


class Guardian:
    """Arms stops and watches over who is protected; `calendar` counts the alarm's patience in session time."""

    def __init__(
        self, settings: Settings, database: Database, observer: Observer, calendar: Calendar, fence: Fence
    ) -> None:
        self._enabled, self._resting = settings.trading_enabled, settings.trading.broker_stops
        self._patience = timedelta(seconds=settings.trading.unprotected_alarm_seconds)
        self._database, self._observer, self._calendar, self._fence = database, observer, calendar, fence

    def look(self, account_id: str, seen: Seen, *, ahead: bool = False) -> Guarded:
        """Rest a stop for each position that can have one, and judge who protects each; alarm where nobody does.

        In session only a stop is rested; between sessions the levels are kept and nothing at the broker could fire.
        `ahead` rests it between sessions too, for the next one: for whoever does not look while that one is under way.
        """
        rested: list[Decision] = []
        bare: list[str] = []
        resting_now = self._enabled and self._resting and (seen.market_open or ahead)
        with self._database.connection() as connection:
            writer = Writer(account_id, self._fence(connection), "protective_stop")
            books = self._observer.portfolio(connection, account_id, seen)
            state = self._observer.state(connection, account_id, seen.as_of)
            vetter = Vetter(connection, account_id, books, {}, state, self._observer.rules)
            live = _live(connection, account_id)
            for ticker, held in sorted(books.positions.items()):
                own = live.get(ticker, ())
                resting = [_resting(row) for row in own if row["purpose"] == "protective_stop"]
                if resting_now and ticker not in state.locked_tickers:
                    found = protection.arrange(held, seen.price(ticker), resting, busy=any(map(_binds, own)))
                    if isinstance(found, Rest):
                        rested += self._rest(connection, writer, vetter, held, found, seen)
                at_broker = sum((_resting(row).left for row in own if _accepted(row)), ZERO)
                cover = protection.cover(held, at_broker, self._unwatched(ticker, seen))
                if self._tell(connection, account_id, held, cover, seen.as_of):
                    bare.append(ticker)
        return Guarded(tuple(rested), tuple(bare))

    def _unwatched(self, ticker: str, seen: Seen) -> str:
        if not self._enabled:
            return "trading is switched off, so that the daemon watches no stop"
        if seen.market_open and not seen.is_fresh(ticker):
            return f"no fresh price of {ticker} is known to watch its stop by"
        return ""

    def _rest(
        self, connection: Connection, writer: Writer, vetter: Vetter, held: Position, rest: Rest, seen: Seen
    ) -> list[Decision]:
        opened = held.opened_at or seen.as_of
        earlier = _earlier(connection, writer.account_id, held.ticker, opened)
        if _too_soon(earlier, seen.as_of):
            return []
        for order_id in rest.drop:
            row = orders.locked(connection, order_id)
            if row is not None and row.state is OrderState.INTENDED:
                orders.move(connection, row, OrderState.CANCELED, seen.as_of, "engine", "another stop takes its place")
        plan = OrderPlan(
            held.ticker,
            "sell",
            "stop",
            quantity=rest.quantity,
            stop_price=rest.stop_price,
            purpose="protective_stop",
        )
        decision = Decision(
            decision_id=digest(
                "protective stop", writer.account_id, held.ticker, opened.isoformat(), held.quantity, len(earlier)
            ),
            recommendation_id=exits.opened_by(connection, writer.account_id, held.ticker),
            ticker=held.ticker,
            outcome="act",
            reason="protective_stop",
            sentence=rest.sentence,
            as_of=seen.as_of,
            order=plan,
            inputs=exits.inputs_of(held, seen.price(held.ticker)) | seen.quoted(held.ticker),
        )
        closes = session_ahead(self._calendar, seen.as_of).close
        written = write(connection, writer, [decision], valid_until={decision.recommendation_id: closes})
        for new in written:
            vetter.vet(new)
        return [new.decision for new in written]

    def _tell(self, connection: Connection, account_id: str, held: Position, cover: Cover, as_of: datetime) -> bool:
        """Store who protects a position; the alarm goes once a position was bare for longer than the patience."""
        row = connection.execute(
            "SELECT unprotected_since, alarmed FROM positions WHERE account_id = %s AND ticker = %s FOR UPDATE",
            (account_id, held.ticker),
        ).fetchone()
        since = (row["unprotected_since"] if row else None) or as_of
        alarmed = bool(row and row["alarmed"])
        bare = cover.by == "none"
        if bare and not alarmed and self._in_session(since, as_of) >= self._patience:
            key = f"unprotected {account_id} {held.ticker} {since.isoformat()}"
            leave(connection, as_of, "critical", f"{held.ticker} is unprotected", cover.sentence, key)
            alarmed = True
        elif alarmed and not bare:
            leave(connection, as_of, "info", f"{held.ticker} is protected again", cover.sentence)
        connection.execute(
            """
            UPDATE positions SET protection = %(by)s, protection_note = %(sentence)s, unprotected_since = %(since)s,
                alarmed = %(alarmed)s
            WHERE account_id = %(account_id)s AND ticker = %(ticker)s
                AND (protection, protection_note, unprotected_since, alarmed)
                    IS DISTINCT FROM (%(by)s, %(sentence)s, %(since)s::timestamptz, %(alarmed)s)
            """,
            {
                "by": cover.by,
                "sentence": cover.sentence,
                "since": since if bare else None,
                "alarmed": alarmed and bare,
                "account_id": account_id,
                "ticker": held.ticker,
            },
        )
        return bare

    def _in_session(self, since: datetime, until: datetime) -> timedelta:
        """How much of a stretch of time the market was open."""
        day = timedelta(days=1)
        sessions = self._calendar.sessions_between((since - day).date(), (until + day).date())
        spans = (min(s.close, until) - max(s.open, since) for s in sessions)
        return sum((span for span in spans if span > timedelta(0)), timedelta(0))


def _live(connection: Connection, account_id: str) -> Mapping[str, Sequence[dict[str, Any]]]:
    """Each ticker's orders that are not final."""
    rows = connection.execute(
        """
        SELECT order_id, ticker, side, purpose, state, quantity, filled_quantity, stop_price FROM orders
        WHERE account_id = %s AND state NOT IN ('filled', 'canceled', 'expired', 'rejected') ORDER BY intended_at, order_id
        """,
        (account_id,),
    ).fetchall()
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["ticker"], []).append(row)
    return found


def _resting(row: Mapping[str, Any]) -> Resting:
    return Resting(
        row["order_id"], row["quantity"] - row["filled_quantity"], row["stop_price"], OrderState(row["state"]) in SENT
    )


def _accepted(row: Mapping[str, Any]) -> bool:
    return row["purpose"] == "protective_stop" and row["state"] in {"accepted", "partially_filled"}


def _binds(row: Mapping[str, Any]) -> bool:
    """Whether an order keeps a stop from resting: any other sell, and a buy that may be at the broker.

    A buy that is still an intent does not: it may wait for a person's approval, and makes the stop go when it is sent.
    """
    if row["purpose"] == "protective_stop":
        return False
    return row["side"] == "sell" or OrderState(row["state"]) in SENT


def _earlier(
    connection: Connection, account_id: str, ticker: str, opened_at: datetime
) -> Sequence[tuple[str, datetime | None]]:
    """State and end of this holding's protective stops, oldest first; one that never left for a change of shares is no refusal."""
    rows = connection.execute(
        """
        SELECT CASE WHEN o.broker_code = %s THEN 'canceled' ELSE o.state END AS state, o.final_at
        FROM orders o JOIN trading_decisions d USING (decision_id)
        WHERE o.account_id = %s AND o.ticker = %s AND o.purpose = 'protective_stop' AND d.as_of >= %s
        ORDER BY d.as_of, o.order_id
        """,
        (orders.QUANTITY_CHANGED, account_id, ticker, opened_at),
    ).fetchall()
    return [(row["state"], row["final_at"]) for row in rows]


def _too_soon(earlier: Sequence[tuple[str, datetime | None]], as_of: datetime) -> bool:
    """Whether the newest stops were refused, and the last of them too lately to ask again."""
    refused = 0
    while refused < len(earlier) and earlier[-1 - refused][0] == "rejected":
        refused += 1
    last = earlier[-1][1] if refused else None
    return last is not None and as_of - last < exits.pause_after(refused)
