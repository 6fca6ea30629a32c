"""What hangs on a company: its aliases, its exposure profile and its competitors."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from stonks_api.context import Context, Ctx
from stonks_api.registry.companies import Profile
from stonks_api.registry.edits import AsOf, Deleted, EditWish, VersionedWish, edit_by, instant, part_of
from stonks_api.wire import Shown
from stonks_core.errors import NotFoundError
from stonks_core.registry import attachments
from stonks_core.registry.entries import Entry, Exposure, Name, Rivalry

router = APIRouter(prefix="/registry/companies/{company}", tags=["registry"])


class Alias(Shown):
    """Another name of a company."""

    alias_id: str
    alias: str
    version: int
    valid_from: datetime | None
    valid_to: datetime | None


class Aliases(Shown):
    """The other names of a company at the instant."""

    items: list[Alias]


class Rival(Shown):
    """Whom the company's news may move, under its name of the instant."""

    competitor: str
    competitor_id: str
    legal_name: str
    relationship: str
    strength: float
    version: int
    valid_from: datetime | None
    valid_to: datetime | None


class Rivals(Shown):
    """The competitors of a company at the instant, the strongest first."""

    items: list[Rival]


class Profiles(Shown):
    """Every exposure profile of a company, oldest first."""

    items: list[Profile]


class AliasWish(EditWish, Entry):
    """Another name, and why."""

    alias: Name


class ExposureWish(VersionedWish, Exposure):
    """A company's exposure, and why. `version` 0 says that it has no profile yet."""


class RivalWish(VersionedWish, Rivalry):
    """How the company stands to the other, and why. `version` 0 says that nothing was said before."""


@router.get("/aliases")
def list_aliases(ctx: Ctx, company: str, as_of: AsOf = None) -> Aliases:
    """The other names of a company at an instant."""
    return _aliases(ctx, company, instant(ctx, as_of))


@router.post("/aliases", status_code=201)
def post_alias(ctx: Ctx, request: Request, company: str, wish: AliasWish) -> Aliases:
    """Give it another name; one that it has already stays as it is."""
    with edit_by(ctx, request, wish.reason, wish.effective_from) as edit:
        attachments.add_alias(edit, company, wish.alias)
    return _aliases(ctx, company, ctx.clock.now())


@router.delete("/aliases", status_code=204)
def delete_alias(
    ctx: Ctx, request: Request, company: str, alias: Annotated[str, Query(max_length=200)], asked: Deleted
) -> None:
    """Take a name away, from the instant on."""
    with edit_by(ctx, request, asked.reason, asked.effective_from) as edit:
        attachments.remove_alias(edit, company, alias, asked.version)


@router.get("/exposure")
def get_exposure(ctx: Ctx, company: str, as_of: AsOf = None) -> Profile:
    """What it was exposed to at an instant."""
    return _exposure(ctx, company, instant(ctx, as_of))


@router.get("/exposure/history")
def get_exposure_history(ctx: Ctx, company: str) -> Profiles:
    """Every exposure profile that it has had."""
    with ctx.database.connection() as connection:
        return Profiles.model_validate({"items": attachments.exposure_states(connection, company)})


@router.put("/exposure")
def put_exposure(ctx: Ctx, request: Request, company: str, wish: ExposureWish) -> Profile:
    """Say what it is exposed to, from the instant on."""
    with edit_by(ctx, request, wish.reason, wish.effective_from) as edit:
        attachments.set_exposure(edit, company, part_of(wish, Exposure), wish.version)
    return _exposure(ctx, company, ctx.clock.now())


@router.delete("/exposure", status_code=204)
def delete_exposure(ctx: Ctx, request: Request, company: str, asked: Deleted) -> None:
    """Let the default of its sector hold again, from the instant on."""
    with edit_by(ctx, request, asked.reason, asked.effective_from) as edit:
        attachments.remove_exposure(edit, company, asked.version)


@router.get("/competitors")
def list_competitors(ctx: Ctx, company: str, as_of: AsOf = None) -> Rivals:
    """Whom its news may have moved at an instant."""
    return _rivals(ctx, company, instant(ctx, as_of))


@router.put("/competitors/{competitor}")
def put_competitor(ctx: Ctx, request: Request, company: str, competitor: str, wish: RivalWish) -> Rivals:
    """Say how it stands to another company, from the instant on."""
    with edit_by(ctx, request, wish.reason, wish.effective_from) as edit:
        attachments.set_competitor(edit, company, competitor, part_of(wish, Rivalry), wish.version)
    return _rivals(ctx, company, ctx.clock.now())


@router.delete("/competitors/{competitor}", status_code=204)
def delete_competitor(ctx: Ctx, request: Request, company: str, competitor: str, asked: Deleted) -> None:
    """Say no longer how it stands to another company, from the instant on."""
    with edit_by(ctx, request, asked.reason, asked.effective_from) as edit:
        attachments.remove_competitor(edit, company, competitor, asked.version)


def _aliases(ctx: Context, company: str, at: datetime) -> Aliases:
    with ctx.database.connection() as connection:
        return Aliases.model_validate({"items": attachments.aliases_of(connection, company, at)})


def _rivals(ctx: Context, company: str, at: datetime) -> Rivals:
    with ctx.database.connection() as connection:
        return Rivals.model_validate({"items": attachments.competitors_of(connection, company, at)})


def _exposure(ctx: Context, company: str, at: datetime) -> Profile:
    with ctx.database.connection() as connection:
        row = attachments.exposure_of(connection, company, at)
    if row is None:
        raise NotFoundError(f"{company[:40]} had no exposure profile at {at.isoformat()}: its sector's default holds")
    return Profile.model_validate(row)
