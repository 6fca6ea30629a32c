"""Sending intents, each exactly once: mark, send, record; and after any doubt look up before anything else.

The intent was committed with its decision. Before a byte leaves, the order is `submitting` in a committed row that
carries the owner's fencing token; whatever happens then, the next round (or the next process) asks the broker for our
client order id, adopts what it finds, and sends again only what the broker never heard of. The broker refuses a second
order of the same id, so that even a request that was still under way cannot become two.

Every sending stands within a gate: a transaction that the kill switch waits for and that finds the switch off. So no
order, exits included, leaves after the switch was turned on. Cancelling is not sending and passes always.
A protective stop at rest binds the shares that another sell means, and is the opposite of a buy: whatever its ticker
orders next, the next stop included, is sent only once the stop is final and its fills are booked.
"""

import logging
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto

from stonks_core.errors import TransientError
from stonks_core.stores.postgres import Connection, Database
from stonks_trading import control
from stonks_trading.broker import orders, sync, way
from stonks_trading.broker.orders import OrderRow
from stonks_trading.broker.protocol import (
    Asset,
    Broker,
    BrokerOrder,
    InDoubt,
    NotSent,
    OrderState,
    Refused,
    Submitted,
)
from stonks_trading.broker.rules import refusals
from stonks_trading.engine.lease import Fence

log = logging.getLogger(__name__)

GIVE_UP_AFTER = timedelta(seconds=60)  # longer than any request can be under way
CHECK_HOLDS = timedelta(seconds=30)  # how old the prices may be that an approved order was checked against
_EXPIRED = "its validity ended before it was placed"
_CANCELLED = "it was cancelled before it was certain to have arrived"


@dataclass
class Delivery:
    """What one round did, by order id; `held` says why an order waits."""

    sent: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    in_doubt: dict[str, str] = field(default_factory=dict)
    let_go: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)


class _Ready(Enum):
    SEND = auto()
    LEAVE = auto()
    CLEAR = auto()  # a protective stop is in the way


class Outbox:
    """The sender of one account's intents. One thread at a time calls it."""

    def __init__(self, database: Database, broker: Broker, account_id: str, fence: Fence) -> None:
        self._database, self._broker, self._account_id, self._fence = database, broker, account_id, fence
        self._assets: dict[tuple[str, date], Asset | None] = {}

    def deliver(self, as_of: datetime) -> Delivery:
        """Bring every intent and every order in doubt as far as it can go.

        Stops early, saying so, when the broker cannot be reached; raises LeaseLostError and PermanentError.
        """
        delivery = Delivery()
        waiting = (OrderState.INTENDED, OrderState.SUBMITTING, OrderState.UNKNOWN)
        for row in self._rows(waiting):
            try:
                if row.state is OrderState.INTENDED or not self._found(row, as_of, delivery):
                    self._send(row, as_of, delivery)
            except TransientError as error:
                delivery.held[row.order_id] = str(error)
                log.warning("order %s waits: %s", row.order_id, error)
                break
        return delivery

    def resolve(self, as_of: datetime) -> Delivery:
        """Look up every order in doubt and adopt what the broker has; send nothing. For the start, before any decision."""
        delivery = Delivery()
        for row in self._rows((OrderState.SUBMITTING, OrderState.UNKNOWN)):
            self._found(row, as_of, delivery)
        return delivery

    def _rows(self, states: tuple[OrderState, ...]) -> list[OrderRow]:
        with self._database.connection() as connection:
            return orders.in_states(connection, self._account_id, states)

    def _found(self, row: OrderRow, as_of: datetime, delivery: Delivery) -> bool:
        told = self._broker.find(row.order_id)
        if told is None:
            return False
        self._record(row, told, as_of, delivery)
        delivery.adopted.append(row.order_id)
        return True

    def _send(self, row: OrderRow, as_of: datetime, delivery: Delivery) -> None:
        asset = self._asset(row.ticker, as_of)
        with self._database.connection() as gate:
            if not control.may_send(gate):
                delivery.held[row.order_id] = "the kill switch is on"
                return
            ready = self._mark(row, as_of, asset, delivery)
            if ready is _Ready.CLEAR:
                self._clear(row, as_of)
                ready = self._mark(row, as_of, asset, delivery)
            if ready is not _Ready.SEND:
                return
            outcome = self._broker.submit(row.request())
        if isinstance(outcome, InDoubt):
            log.warning("%s", outcome.sentence)
            outcome = self._looked_up(row, outcome)
        self._record(row, outcome, as_of, delivery)

    def _clear(self, row: OrderRow, as_of: datetime) -> None:
        """Cancel the stops in the way and take over what became of them."""
        with self._database.connection() as connection:
            self._fence(connection)
            stops = way.to_cancel(connection, row, as_of)
        for stop in stops:
            sync.cancel_order(self._database, self._broker, stop, as_of, f"it makes way for {row.order_id}")
        sync.sweep(self._database, self._broker, self._account_id, as_of)

    def _looked_up(self, row: OrderRow, doubt: InDoubt) -> Submitted:
        try:
            return self._broker.find(row.order_id) or doubt
        except TransientError as error:
            return InDoubt(f"{doubt.sentence}; and the look-up failed: {error}")

    def _mark(self, row: OrderRow, as_of: datetime, asset: Asset | None, delivery: Delivery) -> _Ready:
        """Commit that the order is about to be sent, or why it is not."""
        with self._database.connection() as connection:
            token = self._fence(connection)
            current = orders.locked(connection, row.order_id)
            if current is None or current.state is not row.state:
                return _Ready.LEAVE  # somebody else (the stream) moved it meanwhile
            if current.cancel_asked_at is not None:
                _let_go(connection, current, OrderState.CANCELED, _CANCELLED, as_of, delivery)
                return _Ready.LEAVE
            held = self._held(connection, current, as_of)
            if held:
                delivery.held[row.order_id] = held
                return _Ready.LEAVE
            if current.valid_until is not None and current.valid_until <= as_of:
                _let_go(connection, current, OrderState.EXPIRED, _EXPIRED, as_of, delivery)
                return _Ready.LEAVE
            problem = self._problem(connection, current, asset, as_of)
            if problem:
                return self._refuse(connection, current, problem, "before_sending", as_of, delivery)
            ready = self._way(connection, current, as_of, delivery)
            if ready is _Ready.SEND:
                orders.move(connection, current, OrderState.SUBMITTING, as_of, "engine", sent=True, token=token)
        return ready

    def _way(self, connection: Connection, order: OrderRow, as_of: datetime, delivery: Delivery) -> _Ready:
        """Whether the ticker's other orders let an intent pass. What left before has passed."""
        blocked = way.blocked(connection, order) if order.state is OrderState.INTENDED else None
        if blocked is not None:
            delivery.held[order.order_id] = blocked.sentence
            return _Ready.CLEAR if blocked.by_stop else _Ready.LEAVE
        delivery.held.pop(order.order_id, None)
        changed = way.quantity_changed(connection, order) if order.state is OrderState.INTENDED else ""
        if changed:
            return self._refuse(connection, order, changed, orders.QUANTITY_CHANGED, as_of, delivery)
        return _Ready.SEND

    @staticmethod
    def _refuse(
        connection: Connection, order: OrderRow, why: str, code: str, as_of: datetime, delivery: Delivery
    ) -> _Ready:
        orders.move(connection, order, OrderState.REJECTED, as_of, "engine", why, code=code)
        delivery.refused[order.order_id] = why
        return _Ready.LEAVE

    @staticmethod
    def _held(connection: Connection, order: OrderRow, as_of: datetime) -> str:
        """Why an order waits where it is; empty when it may go."""
        if order.side == "buy" and order.purpose != "override" and control.switches(connection).get("paused"):
            return "the engine is paused"
        untried = order.state is OrderState.INTENDED
        if order.side == "buy" and not untried and control.tripped(connection, order.account_id, as_of):
            return "a breaker is tripped, and the broker never heard of it"
        row = connection.execute(
            "SELECT status, recheck, rechecked_at FROM approval_requests WHERE order_id = %s", (order.order_id,)
        ).fetchone()
        if row and row["status"] == "pending":
            return "waits for an operator's approval"
        if untried and row and row["status"] == "approved" and row["recheck"] != "lapsed":
            fresh = row["rechecked_at"] is not None and as_of - row["rechecked_at"] < CHECK_HOLDS
            return "" if fresh else "approved, and waits to be checked against fresh prices"
        return ""

    def _problem(self, connection: Connection, order: OrderRow, asset: Asset | None, as_of: datetime) -> str:
        """Why an order that has not left yet must not leave; empty when it may. In doubt it may: that is the look-up's."""
        if order.state is not OrderState.INTENDED:
            return ""
        row = connection.execute(
            "SELECT status, recheck, review_reason FROM approval_requests WHERE order_id = %s", (order.order_id,)
        ).fetchone()
        if row and row["status"] in {"rejected", "expired"}:
            return f"its approval was {row['status']}: {row['review_reason'] or 'nobody answered in time'}"
        if row and row["recheck"] == "lapsed":
            return "its approval lapsed: it could not be checked against fresh prices in time"
        tripped = control.tripped(connection, self._account_id, as_of) if order.side == "buy" else frozenset()
        if tripped:
            return f"a breaker tripped before it was sent: {', '.join(sorted(tripped))}"
        return "; ".join(refusals(order.request(), asset))

    def _record(self, row: OrderRow, outcome: Submitted, as_of: datetime, delivery: Delivery) -> None:
        with self._database.connection() as connection:
            current = orders.locked(connection, row.order_id)
            if current is None:
                return
            if isinstance(outcome, BrokerOrder):
                orders.learn(connection, current, outcome, as_of, "rest")
                delivery.sent.append(row.order_id)
            elif isinstance(outcome, Refused):
                orders.move(connection, current, OrderState.REJECTED, as_of, "rest", outcome.message, code=outcome.code)
                delivery.refused[row.order_id] = outcome.message
            elif isinstance(outcome, NotSent | InDoubt):
                orders.move(connection, current, OrderState.UNKNOWN, as_of, "rest", outcome.sentence)
                delivery.in_doubt[row.order_id] = outcome.sentence

    def _asset(self, ticker: str, as_of: datetime) -> Asset | None:
        key = (ticker, as_of.date())
        if key not in self._assets:
            self._assets[key] = self._broker.asset(ticker)
        return self._assets[key]


def _let_go(
    connection: Connection, order: OrderRow, to: OrderState, why: str, as_of: datetime, delivery: Delivery
) -> None:
    """Let an order go that nobody wants any more: at once when it never left, else after every doubt is over."""
    if order.attempted_at is not None and as_of - order.attempted_at < GIVE_UP_AFTER:
        delivery.in_doubt[order.order_id] = f"{why}, and it is not certain yet that it never arrived"
        return
    orders.move(connection, order, to, as_of, "engine", why)
    delivery.let_go.append(order.order_id)
