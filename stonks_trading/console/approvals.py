"""Approvals reviewed by people. A yes takes effect only when the engine has checked the order against fresh prices."""

from datetime import timedelta
from uuid import UUID

from stonks_core.errors import ConflictError, NotFoundError
from stonks_core.stores.postgres import Connection, Row
from stonks_trading.console.author import Author

APPROVAL = """
    SELECT a.approval_id, a.order_id, a.status, a.reason, a.requested_at, a.expires_at, a.reviewed_by, a.review_reason,
           a.reviewed_at, a.recheck, a.rechecked_at, a.recheck_evaluation_id, o.ticker, o.side, o.type, o.purpose,
           o.notional, o.quantity, o.limit_price, o.reference_price, o.state AS order_state, o.reason AS order_reason,
           o.recommendation_id, o.decision_id, o.valid_until
    FROM approval_requests a JOIN orders o USING (order_id)
"""


def find(connection: Connection, approval_id: UUID) -> Row:
    """One approval with its order; NotFoundError."""
    row = connection.execute(APPROVAL + "WHERE a.approval_id = %s", (approval_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no approval {approval_id}: GET /risk/approvals lists them")
    return row


def stands(row: Row) -> str:
    """How an approval stands, in a sentence."""
    if row["status"] == "pending":
        return "It waits for a person."
    if row["status"] != "approved":
        return f"It was {row['status']}: the order does not leave."
    return {
        "": "Approved; the engine checks it against fresh prices before it leaves.",
        "eligible": f"Approved and checked against fresh prices; the order is {row['order_state']}.",
        "refused": f"Approved, but it did not pass the checks at fresh prices: {row['order_reason']}",
        "lapsed": "Approved, but it could not be checked against fresh prices in time: the order does not leave.",
    }[row["recheck"]]


def review(connection: Connection, author: Author, approval_id: UUID, *, approve: bool) -> Row:
    """Approve or reject what waits. ConflictError for what was reviewed before, or came too late."""
    held = connection.execute(
        "SELECT status, reviewed_by, expires_at FROM approval_requests WHERE approval_id = %s FOR UPDATE",
        (approval_id,),
    ).fetchone()
    if held is None:
        return find(connection, approval_id)
    if held["status"] != "pending":
        by = f" by {held['reviewed_by']}" if held["reviewed_by"] else ""
        raise ConflictError(f"the approval {approval_id} was {held['status']}{by} already")
    if held["expires_at"] <= author.at:
        raise ConflictError(f"the approval {approval_id} could be given until {held['expires_at']:%Y-%m-%d %H:%M} UTC")
    status = "approved" if approve else "rejected"
    connection.execute(
        """
        UPDATE approval_requests SET status = %s, reviewed_by = %s, review_reason = %s, reviewed_at = %s
        WHERE approval_id = %s
        """,
        (status, author.name, author.reason, author.at, approval_id),
    )
    row = find(connection, approval_id)
    detail = {"approval_id": str(approval_id), "ticker": row["ticker"], "side": row["side"]}
    author.record(connection, f"order_{status}", row["order_id"], detail)
    return row


def expire(connection: Connection, author: Author, older_than: timedelta | None = None) -> list[Row]:
    """Let go of what nobody reviewed in time, and where wanted of all that waits longer than given; what that was."""
    before = author.at - older_than if older_than is not None else None
    rows = connection.execute(
        """
        UPDATE approval_requests SET status = 'expired'
        WHERE status = 'pending' AND (expires_at <= %(at)s OR requested_at <= %(before)s)
        RETURNING approval_id, order_id
        """,
        {"at": author.at, "before": before},
    ).fetchall()
    for row in rows:
        author.record(connection, "order_expired", row["order_id"], {"approval_id": str(row["approval_id"])})
    return [find(connection, row["approval_id"]) for row in rows]
