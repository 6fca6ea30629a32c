"""Back from an order: decision, recommendation, trend, evidence, record, quote, document.

An exit that no recommendation asked for (a stop, a take-profit, a trim) carries the chain of the buy that opened its
position as `entry`, and that buy's evidence.
"""

import json
from typing import Any

from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS, TREND_HISTORY
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from stonks_core.why import order as orders
from stonks_core.why.evidence import evidence_of
from stonks_core.why.lookup import Row, first_row, row_near
from stonks_core.why.recommendation import decisions_on, find_recommendation

LONGEST_LIFE = 46  # days: a view of the longest window, 90 days, expires half of that later

Chain = dict[str, Any]


def why_order(database: Database, lake: Lake, order_id: str) -> Chain:
    """The whole chain behind an order, named by its id, its broker's id or an unambiguous beginning of either.

    Keys: `order` (with `fills` and `risk`), `decision` (with its `trace`), `recommendation` and `trend` (None for an
    exit by a level), `evidence` (ranked; each with `quote`, `start`, `end`, `document_id`, `sha256`, `weight`, the
    `records` below its signal, and `verified`: the stored text still has that hash and that quote at that place),
    `exit` and `entry` for an exit by a level, and `gaps`: a sentence for each reference that leads nowhere.

    Raises NotFoundError for an unknown order, BadInputError for an ambiguous beginning.
    """
    return _chain(database, lake, orders.find_order(database, order_id))


def why_recommendation(database: Database, lake: Lake, name: str) -> Chain:
    """The same for a recommendation, named by its id or an unambiguous beginning, whether or not it led to an order.

    `order` is None, and `decisions` holds what the engine decided about it, oldest first, with their orders' ids.
    """
    recommendation = find_recommendation(lake, name)
    decisions = decisions_on(database, recommendation["recommendation_id"])
    return {"order": None, "decisions": decisions, **_below(lake, recommendation)}


def _chain(database: Database, lake: Lake, order: Row) -> Chain:
    decision = orders.decision_of(database, order["decision_id"])
    name = order["order_id"]
    head: Chain = {
        "order": orders.plain(
            {**order, "fills": orders.fills_of(database, name), "risk": orders.risk_of(database, name)}
        ),
        "decision": decision,
    }
    recommendation_id = order["recommendation_id"] or decision["recommendation_id"]
    if recommendation_id and (decision["kind"] == "recommendation" or order["side"] == "buy"):
        return head | _of_recommendation(lake, recommendation_id, decision)
    if order["side"] == "buy":
        gap = f"a person asked for this order ({decision['kind']}): no recommendation stands behind it"
        return head | {"recommendation": None, "trend": None, "evidence": [], "gaps": [gap]}
    return head | _of_exit(database, lake, order, decision)


def _of_recommendation(lake: Lake, recommendation_id: str, decision: Row) -> Chain:
    until = decision["as_of"].date()
    recommendation = row_near(lake, RECOMMENDATIONS, "recommendation_id", recommendation_id, until, LONGEST_LIFE)
    if recommendation is None:
        gap = f"recommendation {recommendation_id} is not in the lake's {LONGEST_LIFE} days up to {until}"
        return {"recommendation": None, "trend": None, "evidence": [], "gaps": [gap]}
    return _below(lake, recommendation)


def _below(lake: Lake, recommendation: Row) -> Chain:
    """What stands below a recommendation that is there."""
    recommendation_id, day = recommendation["recommendation_id"], recommendation["as_of"].date()
    trend = first_row(lake, TREND_HISTORY, "trend_id", recommendation["trend_id"], day, day)
    evidence = evidence_of(lake, recommendation)
    gaps = [f"document {e['document_id']} no longer holds what was quoted" for e in evidence if not e["verified"]]
    gaps += [f"record {e['source_record_id']} is not in the lake" for e in evidence if not e["records"]]
    if trend is None:
        gaps.append(f"trend {recommendation['trend_id']} is not in the lake's history of {day}")
    if not evidence:
        gaps.append(f"recommendation {recommendation_id} has no evidence in the lake")
    return {
        "recommendation": _readable(recommendation),
        "trend": _readable(trend) if trend else None,
        "evidence": evidence,
        "gaps": gaps,
    }


def _of_exit(database: Database, lake: Lake, order: Row, decision: Row) -> Chain:
    bought = orders.entries_of(database, order, decision)
    entry = _chain(database, lake, orders.find_order(database, bought[0])) if bought else None
    inputs = decision["trace"].get("inputs", {})
    levels = ("price", "stop", "take_profit", "cost", "quantity", "opened_at")
    gap = f"no buy of {order['ticker']} was booked that this {decision['kind']} could have left"
    return {
        "recommendation": None,
        "trend": None,
        "exit": {
            "kind": decision["kind"],
            **{name: inputs.get(name) for name in levels},
            "entry_orders": bought,
        },
        "entry": entry,
        "evidence": entry["evidence"] if entry else [],
        "gaps": entry["gaps"] if entry else [gap],
    }


def _readable(row: Row) -> Row:
    return {**row, "input_versions": json.loads(row["input_versions"] or "{}")}
