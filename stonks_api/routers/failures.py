"""Items that failed in the pipeline, and asking for another try."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request

from stonks_api.audit import Wish, record
from stonks_api.context import Ctx
from stonks_api.tracing import trace_id_of
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_place, page
from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.stores.postgres import Database

router = APIRouter(prefix="/api/failures", tags=["failures"])
Status = Literal["open", "replay", "resolved", "dismissed", "noted"]


class Failure(Shown):
    """A failed item: where, on what, the sentence, and how often it was tried. One that is `noted` asks nothing of anybody."""

    failure_id: UUID
    stage: str
    item: str
    day: date | None
    error: str
    detail: dict[str, Any]
    attempts: int
    status: Status
    first_at: datetime
    last_at: datetime


def newest_failures(
    database: Database, limit: int, cursor: str = "", status: str | None = "open", stage: str | None = None
) -> Page[Failure]:
    """Failures, the last tried first."""
    at, after = decode_place(cursor)
    rows = database.fetch(
        """
        SELECT failure_id, stage, item, day, error, detail, attempts, status, first_at, last_at FROM failures
        WHERE (%(at)s::timestamptz IS NULL OR (last_at, failure_id) < (%(at)s, %(after)s::uuid))
          AND (%(status)s::text IS NULL OR status = %(status)s) AND (%(stage)s::text IS NULL OR stage = %(stage)s)
        ORDER BY last_at DESC, failure_id DESC LIMIT %(limit)s
        """,
        {"at": at, "after": _uuid(after), "status": status, "stage": stage, "limit": limit + 1},
    )
    return page(Failure, rows, limit, lambda row: (row["last_at"], row["failure_id"]))


def _uuid(after: str | None) -> UUID | None:
    try:
        return UUID(after) if after else None
    except ValueError as error:
        raise BadInputError("the cursor is none of this list: pass `next_cursor` as it was given") from error


@router.get("")
def list_failures(
    ctx: Ctx,
    status: Status | Literal["any"] = "open",
    stage: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Failure]:
    """Failed items, the last tried first; the open ones unless another status, or `any`, is asked for.

    Records of a model's answers that the evidence contract refused stand under `noted`, by document.
    """
    return newest_failures(ctx.database, limit, cursor, None if status == "any" else status, stage)


@router.post("/{failure_id}/replay")
def replay_failure(ctx: Ctx, request: Request, failure_id: UUID, wish: Wish) -> Failure:
    """Ask for another try: the item's stage takes it up at its next run. Asking twice is asking once."""
    with ctx.database.connection() as connection:
        row = connection.execute("SELECT * FROM failures WHERE failure_id = %s FOR UPDATE", (failure_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"there is no failure {failure_id}: GET /api/failures lists those that there are")
        if row["status"] == "resolved":
            raise HTTPException(
                409, f"{row['item']} of stage {row['stage']} succeeded since: there is nothing to replay"
            )
        if row["status"] != "replay":
            connection.execute("UPDATE failures SET status = 'replay' WHERE failure_id = %s", (failure_id,))
            detail = {"stage": row["stage"], "item": row["item"], "was": row["status"]}
            detail["trace_id"] = trace_id_of(request.scope)
            record(connection, "failure_replay", str(failure_id), wish.reason, detail)
        return Failure.model_validate({**row, "status": "replay"})
