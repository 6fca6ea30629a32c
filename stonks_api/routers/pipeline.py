"""The pipeline toggle: whether sensors may ask for runs. Switching it is an operator's act, on record."""

from datetime import datetime

from fastapi import APIRouter, Request
from psycopg.types.json import Jsonb

from stonks_api.audit import Wish, record
from stonks_api.context import Ctx
from stonks_api.tracing import trace_id_of
from stonks_api.wire import Shown
from stonks_core.audit import OPERATOR
from stonks_core.stores.postgres import Database

router = APIRouter(prefix="/api/pipeline", tags=["pipeline"])
KEY = "pipeline_enabled"


class Toggle(Shown):
    """Whether the pipeline runs, and who said so when; it runs where nobody ever said."""

    enabled: bool
    updated_by: str | None = None
    updated_at: datetime | None = None


class ToggleWish(Wish):
    """What the pipeline shall do, and why."""

    enabled: bool


def toggle_of(database: Database) -> Toggle:
    """The toggle as it stands."""
    row = database.fetch_one(
        "SELECT value, updated_by, updated_at FROM pipeline_control WHERE key = %(key)s", {"key": KEY}
    )
    return Toggle.model_validate({**row, "enabled": bool(row["value"])}) if row else Toggle(enabled=True)


@router.get("/toggle")
def get_toggle(ctx: Ctx) -> Toggle:
    """Whether sensors may ask for runs."""
    return toggle_of(ctx.database)


@router.put("/toggle")
def put_toggle(ctx: Ctx, request: Request, wish: ToggleWish) -> Toggle:
    """Switch the pipeline on or off. What runs goes on; off, no sensor asks for more."""
    with ctx.database.connection() as connection:
        before = connection.execute("SELECT value FROM pipeline_control WHERE key = %s FOR UPDATE", (KEY,)).fetchone()
        connection.execute(
            """
            INSERT INTO pipeline_control (key, value, updated_by) VALUES (%(key)s, %(value)s, %(actor)s)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_by = excluded.updated_by, updated_at = now()
            """,
            {"key": KEY, "value": Jsonb(wish.enabled), "actor": OPERATOR},
        )
        action = "pipeline_enabled" if wish.enabled else "pipeline_disabled"
        detail = {"was": before["value"] if before else None, "trace_id": trace_id_of(request.scope)}
        record(connection, action, "pipeline", wish.reason, detail)
    return toggle_of(ctx.database)
