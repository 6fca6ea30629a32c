"""What the commands print of the stores: orders, the chain of reasons behind one, what came in and what was recommended."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.panel import Panel
from rich.tree import Tree

from stonks_cli.root import OUT, print_table
from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import DOCUMENTS, IMPACT_RECORDS
from stonks_core.stores.opening import Stores

SHORT = 11
ORDER_COLUMNS = {
    "order_id": "order", "ticker": "ticker", "side": "side", "purpose": "for", "state": "state", "filled_quantity": "filled",
    "filled_average_price": "at $", "profit": "profit $", "conservative_profit": "cautious $",
    "decided_as_of": "as of (UTC)",
}  # fmt: skip


def orders_of(book: str, stores: Stores) -> list[dict[str, Any]]:
    """A book's orders, oldest first, as plain values; a sell with the profit it realised, by both reckonings."""
    rows = stores.database.fetch(
        """
        SELECT o.order_id, o.broker_order_id, o.ticker, o.side, o.type, o.purpose, o.state, o.reason,
               o.notional::float, o.quantity::float, o.filled_quantity::float, o.filled_average_price::float,
               o.decision_id, o.recommendation_id, o.intended_at, d.as_of AS decided_as_of,
               f.profit::float, f.conservative_profit::float
        FROM orders o LEFT JOIN trading_decisions d USING (decision_id)
        LEFT JOIN (SELECT order_id, sum(realised_pnl) AS profit, sum(conservative_pnl) AS conservative_profit FROM fills
                   WHERE side = 'sell' GROUP BY order_id) f USING (order_id)
        ORDER BY o.intended_at, o.order_id
        """
    )
    return [{"book": book, **row} for row in rows]


def print_orders(orders: list[dict[str, Any]]) -> None:
    """The orders as a table per book; an order is named by the beginning of its id, which every command takes."""
    if not orders:
        OUT.print("no order yet: `stonks up` or `stonks demo` makes some")
    for book, found in groupby(orders, key=lambda order: str(order["book"])):
        print_table(f"Orders, book {book}", [{**o, "order_id": o["order_id"][:SHORT]} for o in found], ORDER_COLUMNS)


def came_in(stores: Stores) -> dict[str, Any]:
    """Counts of what the pipeline holds, and the newest recommendations with their best evidence."""
    tables = (DOCUMENTS, IMPACT_RECORDS, TREND_WINDOWS, RECOMMENDATIONS, RECOMMENDATION_EVIDENCE)
    sql = LakeSql(stores.lake, tables)
    try:
        counts = sql.rows(
            "SELECT source_type, document_type, count(*) AS documents, count(DISTINCT cluster_id) AS stories, "
            "avg(quality_score) AS quality FROM documents GROUP BY ALL ORDER BY ALL"
        )
        recommended = sql.rows(
            """
            SELECT r.recommendation_id, r.as_of, r.ticker, r.window, r.action, r.mode, r.risk_class, r.score, r.confidence,
                   e.quote, e.document_id, r.thesis
            FROM recommendations r
            LEFT JOIN recommendation_evidence e ON e.recommendation_id = r.recommendation_id AND e.rank = 1
            WHERE r.action IN ('buy', 'sell') ORDER BY r.as_of DESC, r.strength * r.confidence DESC LIMIT 15
            """
        )
    finally:
        sql.close()
    return {"documents": counts, "recommendations": recommended}


def print_came_in(report: Mapping[str, Any]) -> None:
    """The same as tables."""
    print_table(
        "What came in",
        report["documents"],
        {
            "source_type": "source",
            "document_type": "type",
            "documents": "documents",
            "stories": "stories",
            "quality": "quality",
        },
    )
    print_table(
        "What was recommended, and the best reason",
        report["recommendations"],
        {"ticker": "ticker", "window": "window", "action": "action", "mode": "mode", "score": "score",
         "confidence": "confidence", "quote": "because"},
    )  # fmt: skip


def print_why(chain: Mapping[str, Any]) -> None:
    """The chain behind an order or a recommendation, from there down to the sentences."""
    order, recommendation, trend = chain["order"], chain.get("recommendation") or {}, chain.get("trend") or {}
    if order:
        decision = chain.get("decision") or {}
        tree = Tree(f"[bold]order {order['order_id']}[/bold]: {order['side']} {order['ticker']}, {order['state']}")
        step = tree.add(f"decision {decision.get('decision_id', '?')}: {escape(str(decision.get('sentence', '')))}")
    else:
        tree = step = Tree("[bold]no order asked about[/bold]; what was decided and what it rests on:")
        for decision in chain["decisions"]:
            led = f", order {decision['order_id']}" if decision["order_id"] else ""
            tree.add(f"decision {decision['decision_id']}{led}: {escape(str(decision['sentence']))}")
    if recommendation:
        step = step.add(
            f"recommendation {recommendation['recommendation_id']}: {recommendation['action']} {recommendation['ticker']} "
            f"({recommendation['window']}), confidence {recommendation['confidence']:.2f}, as of {recommendation['as_of']}"
        )
    if trend:
        step = step.add(
            f"trend {trend['trend_id']}: {trend['direction']}, score {trend['score']:+.2f}, strength {trend['strength']:.2f}, "
            f"contradiction {trend['contradiction']:.2f}"
        )
    for evidence in chain["evidence"]:
        mark = "" if evidence.get("verified", True) else " [red](the stored text no longer matches)[/red]"
        leaf = step.add(
            f"{evidence['rank']}. {evidence['stance']}, weight {evidence['weight']:.3f}, {evidence['layer']} layer, "
            f"{escape(str(evidence.get('publisher') or ''))} {escape(str(evidence.get('title') or ''))}{mark}"
        )
        leaf.add(Panel(escape(evidence["quote"]), expand=False))
        span = f"characters {evidence['start']} to {evidence['end']}"
        leaf.add(f"document {evidence['document_id']}, {span}, sha256 {evidence['sha256'][:16]}…")
    OUT.print(tree)
