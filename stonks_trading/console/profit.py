"""Both profits of an account, in all and sale by sale: as the broker's prices give it, and as `decide.conservative` does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from stonks_core.stores.postgres import Connection, Row
from stonks_trading.decide import fees

_NEW_YORK = ZoneInfo("America/New_York")


def totals(connection: Connection, account_id: str, at: datetime) -> dict[str, Any]:
    """Realised and unrealised profit and fees, dollars, once for each of the two; and the fees' rates in force at `at`.

    Unrealised is what is held at its last price; a position without a price counts as worth its cost.
    """
    row = connection.execute(
        """
        SELECT
            COALESCE(sum(f.realised_pnl), 0) AS realised, COALESCE(sum(f.conservative_pnl), 0) AS worse,
            COALESCE(sum(f.fee), 0) AS fees, COALESCE(sum(f.conservative_fee), 0) AS worse_fees,
            count(*) FILTER (WHERE f.side = 'sell') AS sales,
            (SELECT COALESCE(sum(quantity * (COALESCE(price, cost) - cost)), 0) FROM positions WHERE account_id = %(id)s)
                AS unrealised,
            (SELECT COALESCE(sum(quantity * (COALESCE(price, cost) - conservative_cost)), 0) FROM positions
                WHERE account_id = %(id)s) AS worse_unrealised
        FROM fills f WHERE f.account_id = %(id)s
        """,
        {"id": account_id},
    ).fetchone()
    sums = row or {}
    return {
        "sales": sums["sales"],
        "broker": _profit(sums["realised"], sums["unrealised"], sums["fees"]),
        "conservative": _profit(sums["worse"], sums["worse_unrealised"], sums["worse_fees"]),
        "rates": rates(at),
    }


def sales(
    connection: Connection, account_id: str, limit: int, before: int | None = None, ticker: str | None = None
) -> Sequence[Row]:
    """Each sale (one execution) with both of its prices, fees and profits, newest first, of ids below `before`."""
    return connection.execute(
        """
        SELECT f.fill_id AS id, f.executed_at AS at, f.ticker, f.order_id, o.purpose, f.quantity, f.price,
            f.conservative_price, f.fee, f.conservative_fee, f.realised_pnl, f.conservative_pnl,
            f.realised_pnl - f.conservative_pnl AS difference
        FROM fills f JOIN orders o USING (order_id)
        WHERE f.account_id = %(id)s AND f.side = 'sell' AND (%(before)s::bigint IS NULL OR f.fill_id < %(before)s)
            AND (%(ticker)s::text IS NULL OR f.ticker = %(ticker)s)
        ORDER BY f.fill_id DESC LIMIT %(limit)s
        """,
        {"id": account_id, "before": before, "ticker": ticker, "limit": limit},
    ).fetchall()


def rates(at: datetime) -> list[dict[str, Any]]:
    """The fees of a sale at an instant: what each is taken of, its rate and cap, since when, and who says so."""
    day = at.astimezone(_NEW_YORK).date()
    named = (
        ("section_31", "dollar of proceeds", fees.in_force(fees.SECTION_31, day)),
        ("trading_activity_fee", "share", fees.in_force(fees.TRADING_ACTIVITY, day)),
    )
    return [
        {"fee": name, "of_each": of, "rate": row.rate, "cap": row.cap, "since": row.since, "source": row.source}
        for name, of, row in named
    ]


def _profit(realised: Any, unrealised: Any, taken: Any) -> dict[str, Any]:
    return {"realised": realised, "unrealised": unrealised, "total": realised + unrealised, "fees": taken}
