"""Sources: their configuration, how each fared, its runs, and taking a parked one up again."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from stonks_api.audit import Wish
from stonks_api.context import Ctx
from stonks_api.registry.edits import Deleted, VersionedWish, edit_by, part_of
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_cursor, decode_place, page
from stonks_core.registry import sources
from stonks_core.registry.entries import SourceChange, SourceEntry
from stonks_core.vocabulary import SourceType

router = APIRouter(prefix="/registry/sources", tags=["registry"])


class RegistrySource(Shown):
    """A source and how it fared; `ticker` is empty where it belongs to no company."""

    source_id: str
    source_type: str
    name: str
    ticker: str
    config: dict[str, Any]
    credibility: float
    active: bool
    last_published_at: datetime | None
    version: int
    parked: bool
    failures_in_a_row: int
    last_error: str
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None


class SourceRun(Shown):
    """One time that a source was asked for a day."""

    run_id: str
    day: date
    status: str
    items_seen: int
    items_new: int
    error: str
    error_class: str
    started_at: datetime
    finished_at: datetime


class SourceWish(Wish, SourceEntry):
    """A source to be asked, and why."""


class SourceChangeWish(VersionedWish, SourceChange):
    """What changes of a source, and why; `config` is replaced as a whole."""


@router.get("")
def list_sources(
    ctx: Ctx,
    source_type: SourceType | None = None,
    ticker: Annotated[str | None, Query(max_length=12)] = None,
    active: bool | None = None,
    parked: bool | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[RegistrySource]:
    """Sources by type and name, each with its state."""
    place = decode_cursor(cursor, 3)
    with ctx.database.connection() as connection:
        rows = sources.list_sources(
            connection,
            limit + 1,
            after=(place[0], place[1], place[2]) if place else None,
            source_type=source_type.value if source_type else None,
            ticker=ticker.upper() if ticker else None,
            active=active,
            parked=parked,
        )
    return page(RegistrySource, rows, limit, lambda row: (row["source_type"], row["name"], row["source_id"]))


@router.post("", status_code=201)
def post_source(ctx: Ctx, request: Request, wish: SourceWish) -> RegistrySource:
    """Ask another source from now on."""
    with edit_by(ctx, request, wish.reason) as edit:
        return RegistrySource.model_validate(sources.add_source(edit, part_of(wish, SourceEntry)))


@router.get("/{source}")
def get_source(ctx: Ctx, source: str) -> RegistrySource:
    """One source by its id, or by a name that only one has."""
    with ctx.database.connection() as connection:
        return RegistrySource.model_validate(sources.source(connection, source))


@router.patch("/{source}")
def patch_source(ctx: Ctx, request: Request, source: str, wish: SourceChangeWish) -> RegistrySource:
    """Change what is given, from now on."""
    with edit_by(ctx, request, wish.reason) as edit:
        row = sources.change_source(edit, source, part_of(wish, SourceChange), wish.version)
    return RegistrySource.model_validate(row)


@router.delete("/{source}", status_code=204)
def delete_source(ctx: Ctx, request: Request, source: str, asked: Deleted) -> None:
    """Take out a source that was never asked; one that was is switched off instead."""
    with edit_by(ctx, request, asked.reason) as edit:
        sources.remove_source(edit, source, asked.version)


@router.post("/{source}/unpark")
def unpark(ctx: Ctx, request: Request, source: str, wish: Wish) -> RegistrySource:
    """Let it be asked again at the next opportunity, its failures forgotten."""
    with edit_by(ctx, request, wish.reason) as edit:
        return RegistrySource.model_validate(sources.unpark_source(edit, source))


@router.get("/{source}/runs")
def list_runs(ctx: Ctx, source: str, limit: Limit = 50, cursor: Cursor = "") -> Page[SourceRun]:
    """How it was asked, the last time first."""
    place = decode_place(cursor)
    with ctx.database.connection() as connection:
        source_id = sources.source(connection, source)["source_id"]
        rows = sources.runs_of(connection, source_id, limit + 1, place)
    return page(SourceRun, rows, limit, lambda row: (row["finished_at"], row["run_id"]))
