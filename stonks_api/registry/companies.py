"""Companies of the registry: listed as of an instant, added, changed, renamed, delisted, removed."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from stonks_api.context import Context, Ctx
from stonks_api.registry.edits import AsOf, Deleted, EditWish, VersionedWish, edit_by, instant, part_of
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_cursor, page
from stonks_core.registry import attachments, companies
from stonks_core.registry.entries import CompanyChange, Entry, Name, NewCompany, Ticker
from stonks_core.registry.references import mentions
from stonks_core.stores.postgres import Row

router = APIRouter(prefix="/registry/companies", tags=["registry"])


class CompanyState(Shown):
    """What a company was between two instants; null bounds are open."""

    ticker: str
    legal_name: str
    sector: str
    industry: str
    cik: int | None
    exchange: str
    active: bool
    valid_from: datetime | None
    valid_to: datetime | None


class RegistryCompany(CompanyState):
    """A company as it stood at the instant; `version` is that of its newest state."""

    company_id: str
    aliases: list[str]
    delisted: bool
    version: int


class Profile(Shown):
    """What a company is exposed to."""

    revenue_by_region: dict[str, Any]
    commodity_sensitivity: dict[str, Any]
    supply_chain_regions: list[Any]
    basis: str
    version: int
    valid_from: datetime | None
    valid_to: datetime | None


class RegistryCompanyDetail(RegistryCompany):
    """A company with its whole history and its exposure at the instant."""

    history: list[CompanyState]
    exposure: Profile | None


class NewCompanyWish(EditWish, NewCompany):
    """A company to be tracked, and why."""


class CompanyChangeWish(VersionedWish, CompanyChange):
    """What changes of a company, and why; what is not given stays. The ticker changes by a rename."""


class RenameWish(VersionedWish, Entry):
    """Another ticker, legal name or both, and why."""

    ticker: Ticker | None = None
    legal_name: Name | None = None


@router.get("")
def list_registry_companies(
    ctx: Ctx,
    as_of: AsOf = None,
    sector: Annotated[str | None, Query(max_length=60)] = None,
    active: bool | None = None,
    state: Annotated[Literal["tracked", "delisted", "any"], Query(description="delisted: by the instant")] = "tracked",
    watchlist: Annotated[
        str | None, Query(max_length=200, description="members of this watchlist, by its name")
    ] = None,
    search: Annotated[str | None, Query(max_length=100, description="part of the ticker or legal name")] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[RegistryCompany]:
    """Companies by ticker, as they stood at an instant, under the names of that instant."""
    place = decode_cursor(cursor, 2)
    with ctx.database.connection() as connection:
        rows = companies.list_companies(
            connection,
            instant(ctx, as_of),
            limit + 1,
            after=(place[0], place[1]) if place else None,
            sector=sector,
            active=active,
            delisted=None if state == "any" else state == "delisted",
            watchlist=watchlist,
            search=search,
        )
    return page(RegistryCompany, rows, limit, lambda row: (row["ticker"], row["company_id"]))


@router.post("", status_code=201)
def post_company(ctx: Ctx, request: Request, wish: NewCompanyWish) -> RegistryCompanyDetail:
    """Track another company."""
    with edit_by(ctx, request, wish.reason, wish.effective_from) as edit:
        made = companies.add_company(edit, part_of(wish, NewCompany))
    return _detail(ctx, made["company_id"])


@router.get("/{company}")
def get_registry_company(ctx: Ctx, company: str, as_of: AsOf = None) -> RegistryCompanyDetail:
    """One company by its ticker or id; with `as_of` the one that had the ticker then."""
    return _detail(ctx, company, as_of)


@router.patch("/{company}")
def patch_company(ctx: Ctx, request: Request, company: str, wish: CompanyChangeWish) -> RegistryCompanyDetail:
    """Change what is given. A company that is set inactive has its own sources switched off."""
    with edit_by(ctx, request, wish.reason, wish.effective_from) as edit:
        held = companies.change_company(edit, company, part_of(wish, CompanyChange), wish.version)
    return _detail(ctx, held["company_id"])


@router.post("/{company}/rename")
def rename(ctx: Ctx, request: Request, company: str, wish: RenameWish) -> RegistryCompanyDetail:
    """Give it another ticker, legal name or both; it stays the same company, and its old name stays in its history."""
    with edit_by(ctx, request, wish.reason, wish.effective_from) as edit:
        held = companies.rename_company(edit, company, wish.ticker, wish.legal_name, wish.version)
    return _detail(ctx, held["company_id"])


@router.post("/{company}/delist")
def delist(ctx: Ctx, request: Request, company: str, wish: VersionedWish) -> RegistryCompanyDetail:
    """Track it no longer. Its history stays; its ticker may be another company's afterwards."""
    with edit_by(ctx, request, wish.reason, wish.effective_from) as edit:
        held = companies.delist_company(edit, company, wish.version)
    return _detail(ctx, held["company_id"])


@router.delete("/{company}", status_code=204)
def delete_company(ctx: Ctx, request: Request, company: str, asked: Deleted) -> None:
    """Take out a company that nothing refers to, as if it had never been there."""
    with ctx.database.connection() as connection:
        tickers = companies.tickers_ever(connection, company)
    elsewhere = mentions(ctx.sql, tickers)
    with edit_by(ctx, request, asked.reason) as edit:
        companies.remove_company(edit, company, asked.version, elsewhere)


def _detail(ctx: Context, company: str, as_of: datetime | None = None) -> RegistryCompanyDetail:
    at = instant(ctx, as_of)
    with ctx.database.connection() as connection:
        row: Row = companies.company(connection, company, at, then=as_of is not None)
        history = companies.company_states(connection, row["company_id"])
        exposure = attachments.exposure_of(connection, row["company_id"], at)
    return RegistryCompanyDetail.model_validate({**row, "history": history, "exposure": exposure})
