"""Watchlists, from a shell."""

from typing import Annotated

import typer

from stonks_cli.books import LIVE
from stonks_cli.registry.book import Because, Book, Json, edit_in, opened, report
from stonks_cli.root import guarded, print_json, print_table
from stonks_core.registry import watchlists
from stonks_core.registry.entries import WatchlistEntry, entry

app = typer.Typer(no_args_is_help=True, help="Named groups of companies.")
EVERYTHING = 100_000


@app.command("list")
@guarded
def list_(*, book: Book = LIVE, as_json: Json = False) -> None:
    """The watchlists and who is on them."""
    with opened(book) as stores, stores.database.connection() as connection:
        rows = watchlists.list_watchlists(connection, EVERYTHING)
    if as_json:
        print_json(rows)
    else:
        shown = [{**row, "found": " ".join(row["members"])} for row in rows]
        print_table("Watchlists", shown, {"name": "name", "description": "description", "found": "members"})


@app.command()
@guarded
def add(
    name: str,
    reason: Because,
    *,
    description: Annotated[str, typer.Option()] = "",
    member: Annotated[list[str] | None, typer.Option(help="A ticker; may be given several times.")] = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Make a watchlist."""
    tickers = [ticker.upper() for ticker in member or ()]
    new = entry(WatchlistEntry, {"name": name, "description": description, "members": tickers})
    with opened(book) as stores, edit_in(stores, reason) as edit:
        row = watchlists.add_watchlist(edit, new.name, new.description, new.members)
    report(row, f"the watchlist {row['name']} holds {len(row['members'])}", as_json=as_json)


@app.command()
@guarded
def put(name: str, company: str, reason: Because, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Put a company on a watchlist."""
    with opened(book) as stores, edit_in(stores, reason) as edit:
        row = watchlists.put_member(edit, name, company)
    report(row, f"{row['name']}: {' '.join(row['members'])}", as_json=as_json)


@app.command()
@guarded
def drop(name: str, company: str, reason: Because, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Take a company off a watchlist."""
    with opened(book) as stores, edit_in(stores, reason) as edit:
        row = watchlists.drop_member(edit, name, company, None)
    report(row, f"{row['name']}: {' '.join(row['members'])}", as_json=as_json)


@app.command()
@guarded
def remove(name: str, reason: Because, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Take a watchlist away; its companies stay."""
    with opened(book) as stores, edit_in(stores, reason) as edit:
        watchlists.remove_watchlist(edit, name, None)
    report({"removed": name}, f"the watchlist {name} was removed", as_json=as_json)
