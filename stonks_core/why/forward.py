"""Forward from a document: the recommendations that quote it, and the orders that they led to."""

from datetime import timedelta
from typing import Any

import pyarrow.dataset as ds

from stonks_core.errors import NotFoundError
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.stores.postgres import Database
from stonks_core.why.lookup import document_day, first_row
from stonks_core.why.order import plain

LONGEST_MEMORY = timedelta(days=92)  # the longest trend window reads 90 days back, by instants


def orders_of_document(database: Database, lake: Lake, document_id: str) -> list[dict[str, Any]]:
    """The orders that a document moved, newest first: those whose recommendation holds it as evidence.

    A stop that only rested moved nothing.

    Each has the order's own columns and `rank`, `stance`, `weight`, `quote`, `start`, `end` of the document's best
    place in that recommendation. Exits by a level count for the recommendation that opened their position. Raises
    NotFoundError for an unknown document.
    """
    day = document_day(document_id)
    if first_row(lake, DOCUMENTS, "document_id", document_id, day, day) is None:
        raise NotFoundError(f"there is no document {document_id!r} in the lake's day {day}")
    quoted = lake.read(
        RECOMMENDATION_EVIDENCE,
        days=(day, day + LONGEST_MEMORY),
        columns=["recommendation_id", "rank", "stance", "layer", "weight", "quote", "quote_start", "quote_end"],
        where=ds.field("document_id") == document_id,
    ).to_pylist()
    best = {row["recommendation_id"]: row for row in sorted(quoted, key=lambda row: -row["rank"])}
    orders = database.fetch(
        """
        SELECT o.order_id, o.broker_order_id, o.decision_id, o.recommendation_id, o.ticker, o.side, o.purpose, o.state,
               o.notional, o.quantity, o.filled_quantity, o.filled_average_price, o.intended_at, d.sentence
        FROM orders o JOIN trading_decisions d USING (decision_id)
        WHERE o.recommendation_id = ANY(%s) AND (o.purpose <> 'protective_stop' OR o.filled_quantity > 0)
        ORDER BY o.intended_at DESC, o.order_id
        """,
        (list(best),),
    )
    return [plain(order) | _place(best[order["recommendation_id"]]) for order in orders]


def _place(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: row[name] for name in ("rank", "stance", "layer", "weight", "quote")}
    return shown | {"start": row["quote_start"], "end": row["quote_end"]}
