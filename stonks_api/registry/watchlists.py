"""Watchlists: named groups of companies."""

from fastapi import APIRouter, Request
from pydantic import Field

from stonks_api.audit import Wish
from stonks_api.context import Ctx
from stonks_api.registry.edits import Deleted, VersionedWish, edit_by
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_cursor, page
from stonks_core.registry import watchlists
from stonks_core.registry.entries import Entry, Name, Prose, Ticker, WatchlistEntry

router = APIRouter(prefix="/registry/watchlists", tags=["registry"])


class Watchlist(Shown):
    """A watchlist with the tickers of its members that are tracked."""

    watchlist_id: str
    name: str
    description: str
    members: list[str]
    version: int


class WatchlistWish(Wish, WatchlistEntry):
    """A watchlist to be made, and why."""


class WatchlistChangeWish(VersionedWish, Entry):
    """What changes of a watchlist, and why; `members` are all of them."""

    name: Name = "?"
    description: Prose = ""
    members: list[Ticker] = Field(default_factory=list)


@router.get("")
def list_watchlists(ctx: Ctx, limit: Limit = 50, cursor: Cursor = "") -> Page[Watchlist]:
    """Watchlists by name."""
    place = decode_cursor(cursor, 1)
    with ctx.database.connection() as connection:
        rows = watchlists.list_watchlists(connection, limit + 1, place[0] if place else None)
    return page(Watchlist, rows, limit, lambda row: (row["name"],))


@router.post("", status_code=201)
def post_watchlist(ctx: Ctx, request: Request, wish: WatchlistWish) -> Watchlist:
    """Make a watchlist."""
    with edit_by(ctx, request, wish.reason) as edit:
        row = watchlists.add_watchlist(edit, wish.name, wish.description, wish.members)
    return Watchlist.model_validate(row)


@router.get("/{watchlist}")
def get_watchlist(ctx: Ctx, watchlist: str) -> Watchlist:
    """One watchlist by its id or name."""
    with ctx.database.connection() as connection:
        return Watchlist.model_validate(watchlists.watchlist(connection, watchlist))


@router.patch("/{watchlist}")
def patch_watchlist(ctx: Ctx, request: Request, watchlist: str, wish: WatchlistChangeWish) -> Watchlist:
    """Change what is given."""
    wanted = wish.model_dump(include={"name", "description", "members"}, exclude_unset=True)
    with edit_by(ctx, request, wish.reason) as edit:
        return Watchlist.model_validate(watchlists.change_watchlist(edit, watchlist, wanted, wish.version))


@router.delete("/{watchlist}", status_code=204)
def delete_watchlist(ctx: Ctx, request: Request, watchlist: str, asked: Deleted) -> None:
    """Take a watchlist away; its companies stay."""
    with edit_by(ctx, request, asked.reason) as edit:
        watchlists.remove_watchlist(edit, watchlist, asked.version)


@router.put("/{watchlist}/members/{company}")
def put_member(ctx: Ctx, request: Request, watchlist: str, company: str, wish: Wish) -> Watchlist:
    """Put a company on it; twice is once."""
    with edit_by(ctx, request, wish.reason) as edit:
        return Watchlist.model_validate(watchlists.put_member(edit, watchlist, company))


@router.delete("/{watchlist}/members/{company}")
def delete_member(ctx: Ctx, request: Request, watchlist: str, company: str, asked: Deleted) -> Watchlist:
    """Take a company off it; `version` is the watchlist's."""
    with edit_by(ctx, request, asked.reason) as edit:
        return Watchlist.model_validate(watchlists.drop_member(edit, watchlist, company, asked.version))
