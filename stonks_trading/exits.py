"""Leaving positions: stop levels set and trailed, exits that are due, each exit a decision with its order.

The daemon watches the levels and leaves with market orders; stops at rest at the broker are `guardian`'s.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from stonks_core.identifiers import digest
from stonks_core.stores.postgres import Connection
from stonks_trading.broker import adjustments, orders
from stonks_trading.decide import stops
from stonks_trading.decide.tiers import TierLimits
from stonks_trading.decision_log import Kind
from stonks_trading.records import Decision, OrderPlan, Position

_PURPOSE_KIND: Mapping[str, Kind] = {
    "stop": "stop",
    "take_profit": "take_profit",
    "flatten": "flatten",
    "trim": "trim",
}
LONGEST_PAUSE = timedelta(hours=1)


def keep_level(
    connection: Connection,
    account_id: str,
    position: Position,
    price: Decimal,
    atr: Decimal | None,
    limits: TierLimits,
    as_of: datetime,
) -> Position:
    """Set a position's levels when it has none, trail them when the price allows; the position with its levels.

    Without an average true range a new position gets no level: a made-up stop would be worse. `guardian` alarms then.
    """
    if position.opened_at is None:
        return position
    if position.stop is not None and atr is not None:
        return _trail(connection, account_id, position, price, atr, limits, as_of)
    levels = stops.initial_levels(position.cost, atr, limits) if atr is not None else None
    if position.stop is not None or levels is None:
        return position
    connection.execute(
        """
        INSERT INTO position_stop_levels (account_id, ticker, entry, stop, initial_stop, take_profit, atr, highest,
            scale, opened_at, updated_at)
        VALUES (%(account_id)s, %(ticker)s, %(entry)s, %(stop)s, %(stop)s, %(take_profit)s, %(atr)s, %(highest)s,
            1, %(opened_at)s, %(as_of)s)
        ON CONFLICT (account_id, ticker) DO UPDATE SET entry = EXCLUDED.entry, stop = EXCLUDED.stop,
            initial_stop = EXCLUDED.initial_stop, take_profit = EXCLUDED.take_profit, atr = EXCLUDED.atr,
            highest = EXCLUDED.highest, scale = 1, opened_at = EXCLUDED.opened_at, updated_at = EXCLUDED.updated_at
        """,
        {
            "account_id": account_id,
            "ticker": position.ticker,
            "entry": position.cost,
            "stop": levels.stop,
            "take_profit": levels.take_profit,
            "atr": atr,
            "highest": max(price, position.cost),
            "opened_at": position.opened_at,
            "as_of": as_of,
        },
    )
    return _with(position, levels.stop, levels.take_profit)


def _trail(
    connection: Connection,
    account_id: str,
    position: Position,
    price: Decimal,
    atr: Decimal,
    limits: TierLimits,
    as_of: datetime,
) -> Position:
    stop = stops.trailed(position.stop, price, atr, limits) or position.stop
    connection.execute(
        """
        UPDATE position_stop_levels SET stop = GREATEST(stop, %(stop)s), highest = GREATEST(highest, %(price)s),
            atr = %(atr)s, updated_at = %(as_of)s
        WHERE account_id = %(account_id)s AND ticker = %(ticker)s AND (stop < %(stop)s OR highest < %(price)s)
        """,
        {
            "stop": stop,
            "price": price,
            "atr": atr,
            "as_of": as_of,
            "account_id": account_id,
            "ticker": position.ticker,
        },
    )
    return _with(position, stop, position.take_profit)


def exit_decision(
    connection: Connection,
    account_id: str,
    position: Position,
    plan: OrderPlan,
    price: Decimal,
    why: str,
    as_of: datetime,
    market: Mapping[str, str],
) -> Decision | None:
    """The decision to leave (part of) a position now, or None while an earlier attempt is too young to be repeated.

    It is named after the position and the number of attempts before it, so that deciding it twice is one decision. It
    carries the recommendation that opened the position. `market` is what was seen of the ticker, for the trace.
    """
    kind = kind_of(plan)
    opened = position.opened_at or as_of
    earlier = _attempts(connection, account_id, position.ticker, opened)
    if earlier and earlier[-1] is not None and as_of - earlier[-1] < pause_after(len(earlier)):
        return None
    return Decision(
        decision_id=digest("exit", account_id, position.ticker, opened.isoformat(), len(earlier)),
        recommendation_id=opened_by(connection, account_id, position.ticker),
        ticker=position.ticker,
        outcome="act",
        reason=kind,
        sentence=why,
        as_of=as_of,
        order=plan,
        inputs=inputs_of(position, price) | dict(market),
    )


def inputs_of(position: Position, price: Decimal | None) -> dict[str, str]:
    """What a decision about a position rests on, as text for its trace."""
    return {
        "price": "" if price is None else str(price),
        "quantity": str(position.quantity),
        "cost": str(position.cost),
        "stop": str(position.stop),
        "take_profit": str(position.take_profit),
        "opened_at": position.opened_at.isoformat() if position.opened_at else "",
    }


def kind_of(plan: OrderPlan) -> Kind:
    """What kind of decision an exit's plan is."""
    return "micro_exit" if plan.micro else _PURPOSE_KIND.get(plan.purpose, "flatten")


def pause_after(attempts: int) -> timedelta:
    """After refused exits: one minute, two, four, at most an hour."""
    return min(LONGEST_PAUSE, timedelta(minutes=2 ** max(0, attempts - 1)))


def _attempts(connection: Connection, account_id: str, ticker: str, opened_at: datetime) -> Sequence[datetime | None]:
    """When each exit of this holding ended that sold nothing, oldest first; None where it is not over, sold, or was let go
    because the shares had changed.
    """
    rows = connection.execute(
        """
        SELECT CASE WHEN o.state IN ('rejected', 'canceled', 'expired') AND o.filled_quantity = 0
            AND o.broker_code <> %s THEN o.final_at END AS failed_at
        FROM orders o JOIN trading_decisions d USING (decision_id)
        WHERE o.account_id = %s AND o.ticker = %s AND o.side = 'sell'
            AND d.kind NOT IN ('recommendation', 'protective_stop') AND d.as_of >= %s
        ORDER BY d.as_of, o.order_id
        """,
        (orders.QUANTITY_CHANGED, account_id, ticker, opened_at),
    ).fetchall()
    return [row["failed_at"] for row in rows]


def opened_by(connection: Connection, account_id: str, ticker: str) -> str:
    """The recommendation whose buy of the ticker filled last; empty where there is none."""
    row = connection.execute(
        """
        SELECT o.recommendation_id FROM fills f JOIN orders o USING (order_id)
        WHERE f.account_id = %s AND f.ticker = ANY(%s) AND f.side = 'buy' AND o.recommendation_id IS NOT NULL
        ORDER BY f.executed_at DESC, f.fill_id DESC LIMIT 1
        """,
        (account_id, list(adjustments.family(adjustments.applied(connection, account_id), ticker))),
    ).fetchone()
    return row["recommendation_id"] if row else ""


def _with(position: Position, stop: Decimal | None, take_profit: Decimal | None) -> Position:
    return Position(**{**vars(position), "stop": stop, "take_profit": take_profit})
