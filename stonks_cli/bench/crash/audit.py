"""The books held against the broker: what was placed twice, lost, orphaned, or does not add up."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

from stonks_cli.bench.crash.scene import Scene
from stonks_core.stores.postgres import Database, Row
from stonks_trading.broker.protocol import Execution

CENT = Decimal("0.01")


def audit(scene: Scene) -> tuple[dict[str, object], Sequence[str]]:
    """Counts of both sides, and a sentence for everything that is wrong. Call it when nothing is under way."""
    database = scene.database
    placed, executions = scene.direct.orders(), scene.direct.executions()
    ours = {row["order_id"]: row for row in database.fetch("SELECT * FROM orders")}
    booked = database.fetch("SELECT f.*, o.broker_order_id FROM fills f JOIN orders o USING (order_id)")
    wrong = [
        *_orders(ours, placed),
        *_fills(booked, executions),
        *_decisions(database, scene.given),
        *_sums(scene),
        *_alarms(database),
    ]
    names = Counter(order["client_order_id"] for order in placed)
    told = {(e.broker_order_id, e.cumulative_quantity) for e in executions}
    known = Counter((row["broker_order_id"], row["cumulative_quantity"]) for row in booked)
    outcomes = database.fetch(
        """
        SELECT outcome || ': ' || reason AS outcome, count(*) AS n FROM trading_decisions
        WHERE kind = 'recommendation' GROUP BY 1 ORDER BY 1
        """
    )
    return {
        "recommendations": scene.given,
        **{f"decided {row['outcome']}": row["n"] for row in outcomes},
        "orders at the broker": len(placed),
        "executions": len(executions),
        "orders placed twice": sum(count - 1 for count in names.values()),
        "orphans": len(names.keys() - ours.keys()),
        "fills lost": len(told - known.keys()),
        "fills booked twice": sum(count - 1 for count in known.values()),
        "positions open": len(scene.direct.positions()),
    }, wrong


def _orders(ours: Mapping[str, Row], placed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    at_broker = {order["client_order_id"]: order for order in placed}
    if len(at_broker) != len(placed):
        yield f"{len(placed) - len(at_broker)} orders were placed twice under one client order id"
    for name in at_broker.keys() - ours.keys():
        yield f"the order {name} at the broker is none of ours"
    for name, row in ours.items():
        told = at_broker.get(name)
        if (told is None) != (row["broker_order_id"] is None):
            yield f"the order {name} ({row['state']}) is known to only one side"
        elif told is not None and told["id"] != row["broker_order_id"]:
            yield f"the order {name} has another id at the broker"
        elif told is not None and Decimal(told["filled_qty"]) != row["filled_quantity"]:
            yield f"the order {name} filled {told['filled_qty']} at the broker and {row['filled_quantity']} by our books"
        if row["state"] in {"intended", "submitting", "unknown"}:
            yield f"the order {name} was left behind as {row['state']}"


def _fills(booked: Sequence[Row], executions: Sequence[Execution]) -> Iterator[str]:
    told = Counter((e.broker_order_id, e.quantity, e.price) for e in executions)
    known = Counter((row["broker_order_id"], row["quantity"], row["price"]) for row in booked)
    for execution in (told - known).elements():
        yield f"an execution was lost: {execution}"
    for execution in (known - told).elements():
        yield f"an execution was booked that the broker does not have: {execution}"


def _decisions(database: Database, given: int) -> Iterator[str]:
    rows = database.fetch(
        """
        SELECT recommendation_id, count(*) FILTER (WHERE final) AS final,
            count(*) FILTER (WHERE outcome = 'act') AS acts, string_agg(kind || ' ' || outcome || ' ' || reason, ', ') AS told
        FROM trading_decisions WHERE kind = 'recommendation' GROUP BY 1
        """
    )
    if len(rows) != given:
        yield f"{given} recommendations were given and {len(rows)} decided"
    for row in rows:
        if row["acts"] > 1 or row["final"] > 1:
            yield f"the recommendation {row['recommendation_id']} was decided twice: {row['told']}"
    for row in database.fetch("SELECT decision_id FROM orders GROUP BY 1 HAVING count(*) > 1"):
        yield f"the decision {row['decision_id']} has more than one order"


def _sums(scene: Scene) -> Iterator[str]:
    database = scene.database
    held = {row["ticker"]: row["quantity"] for row in database.fetch("SELECT * FROM positions WHERE quantity <> 0")}
    if held != scene.direct.positions():
        yield f"positions differ: ours {held}, the broker's {scene.direct.positions()}"
    if any(quantity < 0 for quantity in held.values()):
        yield f"a short position: {held}"
    ledgers = {
        "cash": database.fetch("SELECT amount, balance FROM cash_ledger ORDER BY id"),
        "reserve": database.fetch("SELECT amount, balance FROM reserve_pool_ledger ORDER BY id"),
    }
    for name, rows in ledgers.items():
        totals = accumulate(row["amount"] for row in rows)
        for row, total in zip(rows, totals, strict=True):
            if row["balance"] != total:
                yield f"the {name} ledger says {row['balance']} where its rows add up to {total}"
    last = database.fetch_one("SELECT balance FROM cash_ledger ORDER BY id DESC LIMIT 1")
    if last is None or abs(last["balance"] - scene.direct.cash()) >= CENT:
        yield f"cash differs: ours {last and last['balance']}, the broker's {scene.direct.cash()}"
    invented = database.fetch("SELECT amount FROM cash_ledger WHERE trigger = 'broker_adjustment'")
    if invented:
        yield f"cash was taken over from the broker {len(invented)} times: {[str(r['amount']) for r in invented]}"


def _alarms(database: Database) -> Iterator[str]:
    for row in database.fetch("SELECT ticker, lock_reason FROM positions WHERE lock_reason <> ''"):
        yield f"{row['ticker']} is locked: {row['lock_reason']}"
    rows = database.fetch(
        """
        SELECT p.ticker, p.quantity, COALESCE(sum(o.quantity - o.filled_quantity), 0) AS resting
        FROM positions p LEFT JOIN orders o ON o.ticker = p.ticker AND o.account_id = p.account_id
            AND o.purpose = 'protective_stop' AND o.state IN ('accepted', 'partially_filled')
        WHERE p.quantity > 0 GROUP BY 1, 2 HAVING COALESCE(sum(o.quantity - o.filled_quantity), 0) <> p.quantity
        """
    )
    for row in rows:
        yield f"{row['ticker']}: {row['quantity']} held, {row['resting']} protected by stops at the broker"
