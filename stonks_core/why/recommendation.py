"""A recommendation by its id or an unambiguous beginning, wherever in the lake it stands, and why it was given."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow.compute as pc

from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from stonks_core.why.lookup import Row, first_row
from stonks_core.why.order import plain

_SPAN = 46  # days read at once, newest first
NAMES_SHOWN = 4


def find_recommendation(lake: Lake, name: str) -> Row:
    """The recommendation whose id is `name`, or the only one whose id begins with it.

    Raises NotFoundError when there is none, BadInputError when several begin so.
    """
    wanted = name.strip()
    if not wanted:
        raise BadInputError("a recommendation's id is needed: GET /api/recommendations lists them")
    begun: list[Row] = []
    for days in _spans(lake):
        held = lake.read(RECOMMENDATIONS, days=days, columns=["day", "recommendation_id"])
        begun += held.filter(pc.starts_with(held["recommendation_id"], wanted)).to_pylist()
        if exact := [row for row in begun if row["recommendation_id"] == wanted]:
            begun = exact
            break
    if not begun:
        raise NotFoundError(f"there is no recommendation {wanted[:60]!r}: GET /api/recommendations lists them")
    if len(begun) > 1:
        names = ", ".join(row["recommendation_id"] for row in begun[:NAMES_SHOWN])
        more = " and others" if len(begun) > NAMES_SHOWN else ""
        raise BadInputError(f"{wanted!r} begins the ids of several recommendations ({names}{more}): give more of it")
    day = date.fromisoformat(begun[0]["day"])
    row = first_row(lake, RECOMMENDATIONS, "recommendation_id", begun[0]["recommendation_id"], day, day)
    if row is None:
        raise NotFoundError(f"recommendation {wanted!r} was deleted while it was looked for")
    return row


def decisions_on(database: Database, recommendation_id: str) -> list[Row]:
    """What the engine decided about a recommendation, with whole traces, oldest first."""
    rows = database.fetch(
        """
        SELECT d.decision_id, d.account_id, d.ticker, d.kind, d.outcome, d.reason, d.sentence, d.trace, d.as_of, d.final,
               o.order_id
        FROM trading_decisions d LEFT JOIN orders o USING (decision_id)
        WHERE d.recommendation_id = %s AND d.kind = 'recommendation' ORDER BY d.as_of, d.decision_id
        """,
        (recommendation_id,),
    )
    return [plain(row) for row in rows]


def _spans(lake: Lake) -> Iterator[tuple[date, date]]:
    """The days that the table has, newest first, some weeks at a time."""
    days: Sequence[Any] = sorted(
        {date.fromisoformat(part["day"]) for part in lake.ensure(RECOMMENDATIONS).partitions()}, reverse=True
    )
    while days:
        first = days[0] - timedelta(days=_SPAN)
        yield max(first, days[-1]), days[0]
        days = [day for day in days if day < first]
