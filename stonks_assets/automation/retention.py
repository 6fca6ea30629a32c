"""Until when rows are old enough to be forgotten. Pure: days to keep in, cut-offs out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

HOUSEKEEPING_DAYS: Mapping[str, int] = {
    "rate_limits": 1,
    "ingestion_runs": 90,
    "failures": 90,
    "notifications": 90,
    "data_health_history": 90,
    "pipeline_control": 90,
}
"""Bookkeeping that grows and that nobody sets: slots, attempts, what was resolved, noted, judged or shown, marks of past days."""
LAKE_TABLES = ("competitive_signals", "macro_impacts", "recommendations", "recommendation_evidence")
DATABASE_TABLES = (
    *("trading_decisions", "risk_evaluations", "order_events", "audit_events"),
    *("model_performance_metrics", "agent_performance_log"),
)


@dataclass(frozen=True)
class Cutoffs:
    """Rows of PostgreSQL from before an instant and rows of the lake of days before a day may go, by table."""

    instants: Mapping[str, datetime]
    days: Mapping[str, date]


def cutoffs(kept: Mapping[str, int], now: datetime) -> Cutoffs:
    """The cut-offs at an instant, from the days that each table's rows are kept.

    A lake row of the day that the cut-off names is kept whole: what a window reads back so many days from any instant
    of today stays. Evidence goes with its recommendation or later, never before it.
    """
    instants = {name: now - timedelta(days=kept[name]) for name in DATABASE_TABLES}
    instants |= {name: now - timedelta(days=days) for name, days in HOUSEKEEPING_DAYS.items()}
    days = {name: now.date() - timedelta(days=kept[name]) for name in LAKE_TABLES}
    days["recommendation_evidence"] = min(days["recommendation_evidence"], days["recommendations"])
    return Cutoffs(instants, days)
