"""Order rows: the intent, every step of an order's life, and what is not finished. All SQL about `orders` stands here.

Every function works on the caller's connection, so that what belongs together is committed together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from psycopg.types.json import Jsonb

from stonks_core.identifiers import digest
from stonks_core.stores.postgres import Connection, Row
from stonks_trading.broker.protocol import BrokerOrder, OrderRequest, OrderState, TimeInForce
from stonks_trading.records import OrderPlan, OrderType, Purpose, Side

Source = Literal["engine", "rest", "stream", "operator"]

QUANTITY_CHANGED = "quantity_changed"
"""The code of a sell that never left, because other shares are held now than it was meant for."""

_ACCEPTED_ON = frozenset(
    {OrderState.PARTIALLY_FILLED, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED}
)
_SENT = _ACCEPTED_ON | {OrderState.ACCEPTED}
NEXT: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.INTENDED: frozenset(
        {OrderState.SUBMITTING, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED}
    ),
    OrderState.SUBMITTING: _SENT | {OrderState.UNKNOWN},
    OrderState.UNKNOWN: _SENT | {OrderState.SUBMITTING},
    OrderState.ACCEPTED: _ACCEPTED_ON,
    OrderState.PARTIALLY_FILLED: _ACCEPTED_ON - {OrderState.PARTIALLY_FILLED},
}


@dataclass(frozen=True)
class OrderRow:
    """An order in our books."""

    order_id: str
    account_id: str
    decision_id: str
    recommendation_id: str | None
    ticker: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    purpose: Purpose
    tranche: int
    tranches: int
    micro: bool
    notional: Decimal | None
    quantity: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    reference_price: Decimal | None
    state: OrderState
    broker_order_id: str | None
    filled_quantity: Decimal
    filled_average_price: Decimal | None
    broker_filled_quantity: Decimal
    attempts: int
    intended_at: datetime
    valid_until: datetime | None
    attempted_at: datetime | None
    submitted_at: datetime | None
    cancel_asked_at: datetime | None

    def request(self) -> OrderRequest:
        """The order as it is sent: our id is the client order id."""
        return OrderRequest(
            client_order_id=self.order_id,
            ticker=self.ticker,
            side=self.side,
            type=self.type,
            time_in_force=self.time_in_force,
            notional=self.notional,
            quantity=self.quantity,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
        )


_COLUMNS = ", ".join(f"o.{field.name}" for field in fields(OrderRow))


def order_id_for(decision_id: str, plan: OrderPlan) -> str:
    """The id of the one order that a decision's plan can become, whoever derives it and however often."""
    return f"so-{digest(decision_id, plan.purpose, plan.side, plan.tranche)}"


def intend(
    connection: Connection,
    plan: OrderPlan,
    *,
    decision_id: str,
    account_id: str,
    recommendation_id: str | None,
    as_of: datetime,
    valid_until: datetime | None = None,
    reference_price: Decimal | None = None,
    fencing_token: int = 0,
    bid: Decimal | None = None,
    ask: Decimal | None = None,
    typical_volume: Decimal | None = None,
) -> str | None:
    """Write an order's intent; its id, or None when this decision, or this tranche of the recommendation, has one.

    `bid`, `ask` and `typical_volume` (shares a session) are what the decision saw: see `decide.conservative`.
    """
    order_id = order_id_for(decision_id, plan)
    written = connection.execute(
        """
        INSERT INTO orders (order_id, account_id, decision_id, recommendation_id, ticker, side, type, purpose, tranche,
            tranches, micro, notional, quantity, limit_price, stop_price, reference_price, fencing_token, intended_at,
            valid_until, updated_at, bid, ask, typical_volume)
        VALUES (%(order_id)s, %(account_id)s, %(decision_id)s, %(recommendation_id)s, %(ticker)s, %(side)s, %(type)s,
            %(purpose)s, %(tranche)s, %(tranches)s, %(micro)s, %(notional)s, %(quantity)s, %(limit_price)s,
            %(stop_price)s, %(reference_price)s, %(fencing_token)s, %(as_of)s, %(valid_until)s, %(as_of)s,
            %(bid)s, %(ask)s, %(typical_volume)s)
        ON CONFLICT DO NOTHING
        """,
        {
            **{field.name: getattr(plan, field.name) for field in fields(plan)},
            "order_id": order_id,
            "account_id": account_id,
            "decision_id": decision_id,
            "recommendation_id": recommendation_id,
            "reference_price": reference_price,
            "fencing_token": fencing_token,
            "as_of": as_of,
            "valid_until": valid_until,
            "bid": bid,
            "ask": ask,
            "typical_volume": typical_volume,
        },
    ).rowcount
    if not written:
        return None
    note(connection, order_id, as_of, "intended", "engine", state_to=OrderState.INTENDED)
    return order_id


def locked(connection: Connection, order_id: str) -> OrderRow | None:
    """An order, locked until the transaction ends; None when there is none."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM orders o WHERE o.order_id = %s FOR UPDATE", (order_id,)
    ).fetchone()
    return _order(row) if row else None


def locked_by_broker_id(connection: Connection, account_id: str, broker_order_id: str) -> OrderRow | None:
    """An order by the broker's id, locked; None when no order of ours carries it."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM orders o WHERE o.account_id = %s AND o.broker_order_id = %s FOR UPDATE",
        (account_id, broker_order_id),
    ).fetchone()
    return _order(row) if row else None


def in_states(connection: Connection, account_id: str, states: Sequence[OrderState]) -> list[OrderRow]:
    """The account's orders in these states, oldest intent first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM orders o WHERE o.account_id = %s AND o.state = ANY(%s) ORDER BY o.intended_at, o.order_id",
        (account_id, [str(state) for state in states]),
    ).fetchall()
    return [_order(row) for row in rows]


def to_watch(connection: Connection, account_id: str) -> list[OrderRow]:
    """Orders at the broker that can still fill, and final ones of whose fills we have not booked all."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM orders o WHERE o.account_id = %s AND (
            o.state IN ('accepted', 'partially_filled')
            OR (o.broker_order_id IS NOT NULL AND o.broker_filled_quantity > o.filled_quantity))
        ORDER BY o.intended_at, o.order_id
        """,
        (account_id,),
    ).fetchall()
    return [_order(row) for row in rows]


def move(
    connection: Connection,
    order: OrderRow,
    to: OrderState,
    at: datetime,
    source: Source,
    reason: str = "",
    *,
    code: str = "",
    sent: bool = False,
    token: int = 0,
) -> bool:
    """Take a locked order to another state; False, and nothing done, where it cannot go there any more.

    `sent` counts an attempt. A repeated `submitting` is allowed: it is the same intent, tried again.
    """
    if to not in NEXT.get(order.state, frozenset()) and not (sent and to is order.state):
        return False
    connection.execute(
        """
        UPDATE orders SET state = %(to)s, updated_at = %(at)s, reason = CASE WHEN %(reason)s = '' THEN reason ELSE %(reason)s END,
            broker_code = CASE WHEN %(code)s = '' THEN broker_code ELSE %(code)s END,
            attempts = attempts + %(sent)s::int, attempted_at = CASE WHEN %(sent)s THEN %(at)s ELSE attempted_at END,
            fencing_token = GREATEST(fencing_token, %(token)s),
            final_at = CASE WHEN %(final)s THEN %(at)s ELSE final_at END
        WHERE order_id = %(order_id)s
        """,
        {
            "to": str(to),
            "at": at,
            "reason": reason,
            "code": code,
            "sent": sent,
            "token": token,
            "final": to.final,
            "order_id": order.order_id,
        },
    )
    note(connection, order.order_id, at, str(to), source, order.state, to, reason)
    return True


def learn(connection: Connection, order: OrderRow, told: BrokerOrder, at: datetime, source: Source) -> None:
    """Take over what the broker says about a locked order. News that is older than what we know changes nothing."""
    connection.execute(
        """
        UPDATE orders SET broker_order_id = COALESCE(broker_order_id, %(broker_order_id)s),
            submitted_at = COALESCE(submitted_at, %(submitted_at)s),
            broker_filled_quantity = GREATEST(broker_filled_quantity, %(filled)s),
            updated_at = GREATEST(updated_at, %(at)s)
        WHERE order_id = %(order_id)s
        """,
        {
            "broker_order_id": told.broker_order_id,
            "submitted_at": told.submitted_at or at,
            "filled": told.filled_quantity,
            "at": at,
            "order_id": order.order_id,
        },
    )
    word = "" if told.status in {str(told.state), "new"} else f"the broker says {told.status}"
    move(connection, order, told.state, at, source, word)


def note(
    connection: Connection,
    order_id: str,
    at: datetime,
    event: str,
    source: Source,
    state_from: str = "",
    state_to: str = "",
    text: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """One line of an order's life."""
    connection.execute(
        """
        INSERT INTO order_events (order_id, at, event, source, state_from, state_to, note, detail)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (order_id, at, event, source, str(state_from), str(state_to), text, Jsonb(dict(detail or {}))),
    )


def _order(row: Row) -> OrderRow:
    return OrderRow(**{**row, "state": OrderState(row["state"])})
