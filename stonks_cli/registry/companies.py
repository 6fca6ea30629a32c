"""The companies of the registry: list, show, add, rename, change, delist, remove."""

from typing import Annotated, Any

import typer

from stonks_cli.books import LIVE
from stonks_cli.registry.book import AsOf, Because, Book, Json, Since, edit_in, opened, present, report
from stonks_cli.root import OUT, guarded, print_json, print_table
from stonks_core.registry import attachments, companies
from stonks_core.registry.entries import CompanyChange, NewCompany, entry
from stonks_core.registry.references import NAMING, mentions
from stonks_core.stores.lake.duck import LakeSql

app = typer.Typer(
    no_args_is_help=True, help="Who is tracked, and what hangs on them: read it, edit it, import and export it."
)
COLUMNS = {
    "ticker": "ticker",
    "legal_name": "legal name",
    "sector": "sector",
    "cik": "CIK",
    "exchange": "exchange",
    "state": "state",
}
STATES = {"ticker": "ticker", "legal_name": "legal name", "sector": "sector", "valid_from": "from", "valid_to": "to"}
EVERYTHING = 1_000_000
Sector = Annotated[str | None, typer.Option(help="One of the eleven GICS sectors.")]
Text = Annotated[str | None, typer.Option()]
Cik = Annotated[int | None, typer.Option(help="The SEC's number of the company.")]


@app.command("list")
@guarded
def list_(
    *,
    sector: Sector = None,
    watchlist: Annotated[str | None, typer.Option(help="Only the members of this watchlist.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of the ticker or legal name.")] = None,
    delisted: Annotated[bool, typer.Option("--delisted", help="Those that are tracked no more.")] = False,
    as_of: AsOf = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """The companies, by ticker."""
    with opened(book) as stores, stores.database.connection() as connection:
        rows = companies.list_companies(
            connection, present(as_of), EVERYTHING, sector=sector, delisted=delisted, watchlist=watchlist, search=search
        )
    if as_json:
        print_json(rows)
    else:
        print_table(f"Companies ({len(rows)})", [{**row, "state": _state(row)} for row in rows], COLUMNS)


@app.command()
@guarded
def show(company: str, *, as_of: AsOf = None, book: Book = LIVE, as_json: Json = False) -> None:
    """One company, by ticker or id: what it was called and was, its aliases, exposure and competitors."""
    at = present(as_of)
    with opened(book) as stores, stores.database.connection() as connection:
        row = companies.company(connection, company, at, then=as_of is not None)
        name = row["company_id"]
        history = companies.company_states(connection, name)
        exposure = attachments.exposure_of(connection, name, at)
        competitors = attachments.competitors_of(connection, name, at)
    if as_json:
        print_json({**row, "history": history, "exposure": exposure, "competitors": competitors})
        return
    OUT.print(
        f"{row['ticker']}, {row['legal_name']} ({_state(row)}), id {name}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    OUT.print(
        f"also called: {', '.join(row['aliases']) or 'nothing else'}", markup=False, highlight=False, soft_wrap=True
    )
    print_table("History (UTC)", [{**state, **_bounds(state)} for state in history], STATES)
    print_table(
        "Competitors", competitors, {"competitor": "ticker", "relationship": "relationship", "strength": "strength"}
    )
    held = exposure or {}
    OUT.print(
        f"exposure ({held.get('basis', 'the default of its sector')}): {held.get('revenue_by_region', '')} "
        f"{held.get('commodity_sensitivity', '')} {held.get('supply_chain_regions', '')}".strip(),
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command()
@guarded
def add(
    ticker: str,
    legal_name: str,
    reason: Because,
    *,
    sector: Sector = None,
    industry: Text = None,
    cik: Cik = None,
    exchange: Text = None,
    effective_from: Since = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Track a company from now on, or from when you say."""
    given = _given(sector=sector, industry=industry, cik=cik, exchange=exchange)
    new = entry(NewCompany, {"ticker": ticker.upper(), "legal_name": legal_name, **given})
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        made = companies.add_company(edit, new)
    report(made, f"{made['ticker']} is tracked, id {made['company_id']}", as_json=as_json)


@app.command()
@guarded
def change(
    company: str,
    reason: Because,
    *,
    sector: Sector = None,
    industry: Text = None,
    cik: Cik = None,
    exchange: Text = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether it is in the universe.")] = None,
    effective_from: Since = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Change what is given of a company."""
    given = _given(sector=sector, industry=industry, cik=cik, exchange=exchange, active=active)
    wanted = entry(CompanyChange, given)
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        held = companies.change_company(edit, company, wanted, None)
    report(held, f"{held['ticker']} is at version {held['version']}", as_json=as_json)


@app.command()
@guarded
def rename(
    company: str,
    ticker: str,
    reason: Because,
    *,
    legal_name: Annotated[str | None, typer.Option(help="The legal name, where it changes too.")] = None,
    effective_from: Since = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Give a company another ticker; it stays the same company."""
    checked = entry(NewCompany, {"ticker": ticker.upper(), "legal_name": legal_name if legal_name is not None else "-"})
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        name = checked.legal_name if legal_name is not None else None
        held = companies.rename_company(edit, company, checked.ticker, name, None)
    report(held, f"{company.upper()} is now {held['ticker']}, {held['legal_name']}", as_json=as_json)


@app.command()
@guarded
def delist(
    company: str, reason: Because, *, effective_from: Since = None, book: Book = LIVE, as_json: Json = False
) -> None:
    """Track a company no longer; its history stays, its own sources are switched off."""
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        held = companies.delist_company(edit, company, None)
    report(held, f"{held['ticker']} is tracked no more; its history stays", as_json=as_json)


@app.command()
@guarded
def remove(company: str, reason: Because, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Take out a company that nothing refers to, as if it had never been there."""
    with opened(book) as stores:
        with stores.database.connection() as connection:
            tickers = companies.tickers_ever(connection, company)
        elsewhere = mentions(LakeSql(stores.lake, NAMING), tickers)
        with edit_in(stores, reason) as edit:
            companies.remove_company(edit, company, None, elsewhere)
    report({"removed": company}, f"{company} was removed", as_json=as_json)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _state(row: Any) -> str:
    if row["delisted"]:
        return f"delisted {row['valid_to']:%Y-%m-%d}"
    return "tracked" if row["active"] else "inactive"


def _bounds(state: Any) -> dict[str, str]:
    return {
        "valid_from": f"{state['valid_from']:%Y-%m-%d %H:%M}" if state["valid_from"] else "always",
        "valid_to": f"{state['valid_to']:%Y-%m-%d %H:%M}" if state["valid_to"] else "now",
    }
