"""The data's health: may new positions be opened, why not, what every check found, and how that changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from fastapi import APIRouter

from stonks_api.context import Context, Ctx
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_place, page
from stonks_core.errors import BadInputError
from stonks_core.health import store
from stonks_core.health.report import Report, report

router = APIRouter(prefix="/api/health/data", tags=["status"])


class Reason(Shown):
    """What is wrong, of which table, by which check."""

    subject: str
    check: str
    sentence: str


class Check(Shown):
    """What a check found last: `problem` is empty where it holds, `blocks` says why a failure closes the door."""

    subject: str
    check_name: str
    severity: Literal["warn", "error"]
    blocks: str
    problem: str
    days: list[str]
    checked_at: datetime
    changed_at: datetime


class DataHealth(Shown):
    """Whether new positions may be opened now; exits always may. `because` says why not, as the engine is told it.

    `gate` is false where DATA_HEALTH_GATE lets nothing close the door. `refused_records` counts what models said and
    documents do not bear out, by clause of the evidence contract; that is no failure.
    """

    entries_open: bool
    because: str
    gate: bool
    judged_at: datetime | None
    changed_at: datetime | None
    reasons: list[Reason]
    warnings: list[Reason]
    checks: list[Check]
    refused_records: dict[str, int]


class Change(Shown):
    """A verdict that was another than the one before it."""

    id: int
    as_of: datetime
    entries_open: bool
    reasons: list[Reason]
    warnings: list[Reason]


def health_of(ctx: Context) -> Report:
    """The report at the present instant."""
    with ctx.database.connection() as connection:
        return report(connection, ctx.settings.data_health, ctx.clock.now())


@router.get("")
def get_data_health(ctx: Ctx) -> DataHealth:
    """May new positions be opened? With the reasons, the warnings and the newest result of every check."""
    found = health_of(ctx)
    plain: Mapping[str, object] = {
        **vars(found),
        "reasons": [vars(reason) for reason in found.reasons],
        "warnings": [vars(warning) for warning in found.warnings],
    }
    return DataHealth.model_validate(dict(plain))


@router.get("/history")
def list_changes(ctx: Ctx, limit: Limit = 50, cursor: Cursor = "") -> Page[Change]:
    """How the verdict changed, the newest change first."""
    at, after = decode_place(cursor)
    if after is not None and not after.isdecimal():
        raise BadInputError("the cursor is none of this list: pass `next_cursor` as it was given")
    with ctx.database.connection() as connection:
        rows = store.history(connection, limit + 1, (at, after))
    return page(Change, rows, limit, lambda row: (row["as_of"], row["id"]))
