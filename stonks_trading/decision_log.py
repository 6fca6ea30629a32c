"""Writing decisions and, in the same transaction, the intents of their orders.

A decision to act is one row with its order. A skip that may pass (market closed, no quote yet) is one row per reason,
counted and dated anew when it is met again, so that a night of polling is one line and not five hundred.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from psycopg.types.json import Jsonb

from stonks_core.stores.postgres import Connection
from stonks_trading.broker import orders
from stonks_trading.decide.tranches import ALL_SENT
from stonks_trading.records import Decision, OrderPlan

Kind = Literal["recommendation", "stop", "take_profit", "micro_exit", "trim", "override", "flatten", "protective_stop"]


@dataclass(frozen=True)
class Writer:
    """What every decision of one round shares."""

    account_id: str
    fencing_token: int = 0
    kind: Kind = "recommendation"


@dataclass(frozen=True)
class Written:
    """A decision that is new, with the id of its order where it acts."""

    decision: Decision
    order_id: str | None


def write(
    connection: Connection,
    writer: Writer,
    decisions: Sequence[Decision],
    *,
    valid_until: Mapping[str, datetime] | None = None,
) -> tuple[Written, ...]:
    """Store decisions and intents; what was new. Writing the same again changes nothing.

    `valid_until` is the instant, by recommendation, after which an order that was not placed is let go.
    """
    until = valid_until or {}
    skips = [d for d in decisions if d.outcome == "skip"]
    fresh = _write_skips(connection, writer, skips)
    acts = (_write_act(connection, writer, d, until.get(d.recommendation_id)) for d in decisions if d.outcome == "act")
    return (*(act for act in acts if act is not None), *(Written(d, None) for d in skips if d.decision_id in fresh))


def progress(
    connection: Connection, account_id: str, recommendation_ids: Iterable[str]
) -> tuple[Mapping[str, int], Mapping[str, datetime]]:
    """How far each recommendation is: tranches sent (ALL_SENT where a final decision stands), instant of the last."""
    rows = connection.execute(
        """
        SELECT recommendation_id, bool_or(final) AS done, max(as_of) FILTER (WHERE outcome = 'act') AS last,
            max((trace #>> '{order,tranche}')::int) FILTER (WHERE outcome = 'act') AS tranche
        FROM trading_decisions
        WHERE account_id = %s AND kind = 'recommendation' AND recommendation_id = ANY(%s) AND (final OR outcome = 'act')
        GROUP BY recommendation_id
        """,
        (account_id, list(recommendation_ids)),
    ).fetchall()
    sent = {row["recommendation_id"]: ALL_SENT if row["done"] else row["tranche"] for row in rows}
    return sent, {row["recommendation_id"]: row["last"] for row in rows if row["last"] is not None}


def trace(decision: Decision) -> dict[str, Any]:
    """Everything a decision rests on, for people and for `why`: inputs, every clamp, the order."""
    clamps = [
        {"rule": c.rule, "limit": None if c.limit is None else str(c.limit), "after": str(c.after), "note": c.note}
        for c in decision.clamps
    ]
    return {"inputs": dict(decision.inputs), "clamps": clamps, "order": _plan(decision.order)}


def _plan(plan: OrderPlan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in vars(plan).items()}


def _parameters(writer: Writer, decision: Decision, decision_id: str) -> dict[str, Any]:
    return {
        "decision_id": decision_id,
        "account_id": writer.account_id,
        "recommendation_id": decision.recommendation_id or None,
        "ticker": decision.ticker,
        "kind": writer.kind,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "sentence": decision.sentence,
        "trace": Jsonb(trace(decision)),
        "as_of": decision.as_of,
        "final": decision.final,
        "token": writer.fencing_token,
    }


_INSERT = """
    INSERT INTO trading_decisions AS held (decision_id, account_id, recommendation_id, ticker, kind, outcome, reason,
        sentence, trace, as_of, final, fencing_token, last_as_of)
    VALUES (%(decision_id)s, %(account_id)s, %(recommendation_id)s, %(ticker)s, %(kind)s, %(outcome)s, %(reason)s,
        %(sentence)s, %(trace)s, %(as_of)s, %(final)s, %(token)s, %(as_of)s)
"""


def _write_act(
    connection: Connection, writer: Writer, decision: Decision, valid_until: datetime | None
) -> Written | None:
    if decision.order is None:
        return None
    inserted = connection.execute(
        _INSERT + "ON CONFLICT DO NOTHING", _parameters(writer, decision, decision.decision_id)
    ).rowcount
    if not inserted:
        return None
    order_id = orders.intend(
        connection,
        decision.order,
        decision_id=decision.decision_id,
        account_id=writer.account_id,
        recommendation_id=decision.recommendation_id or None,
        as_of=decision.as_of,
        valid_until=valid_until,
        reference_price=_figure(decision, "price"),
        fencing_token=writer.fencing_token,
        bid=_figure(decision, "bid"),
        ask=_figure(decision, "ask"),
        typical_volume=_figure(decision, "typical_volume"),
    )
    return Written(decision, order_id)


def _figure(decision: Decision, name: str) -> Decimal | None:
    told = decision.inputs.get(name, "")
    return Decimal(told) if told not in {"", "None"} else None


def _write_skips(connection: Connection, writer: Writer, skips: Sequence[Decision]) -> frozenset[str]:
    """Store skips; the decision ids whose row is new. A passing skip's row is named after its reason too."""
    if not skips:
        return frozenset()
    names = {d.decision_id if d.final else f"{d.decision_id}.{d.reason}": d for d in skips}
    known = connection.execute(
        "SELECT decision_id FROM trading_decisions WHERE decision_id = ANY(%s)", (list(names),)
    ).fetchall()
    before = {row["decision_id"] for row in known}
    with connection.cursor() as cursor:
        cursor.executemany(
            _INSERT
            + """
            ON CONFLICT (decision_id) DO UPDATE SET times = held.times + 1, last_as_of = EXCLUDED.as_of,
                sentence = EXCLUDED.sentence, trace = EXCLUDED.trace
            WHERE NOT held.final AND held.last_as_of < EXCLUDED.as_of
            """,
            [_parameters(writer, decision, name) for name, decision in names.items()],
        )
    return frozenset(decision.decision_id for name, decision in names.items() if name not in before)
