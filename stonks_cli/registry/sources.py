"""Sources, from a shell."""

import json
from typing import Annotated, Any

import typer

from stonks_cli.books import LIVE
from stonks_cli.registry.book import Because, Book, Json, edit_in, opened, report
from stonks_cli.root import guarded, print_json, print_table
from stonks_core.errors import BadInputError
from stonks_core.registry import sources
from stonks_core.registry.entries import SourceChange, SourceEntry, entry

app = typer.Typer(no_args_is_help=True, help="Where raw payloads come from, and how each source fared.")
EVERYTHING = 100_000
COLUMNS = {
    "name": "name", "source_type": "type", "ticker": "ticker", "state": "state", "failures_in_a_row": "failures",
    "next_attempt_at": "next (UTC)", "found": "last error",
}  # fmt: skip
Config = Annotated[str | None, typer.Option(help='JSON, such as {"provider": "rss", "url": "https://..."}; all of it.')]
Credibility = Annotated[float | None, typer.Option(help="0 to 1.")]


@app.command("list")
@guarded
def list_(
    *,
    source_type: Annotated[str | None, typer.Option("--type", help="Only this type, such as news_api.")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="Only those that are asked no more.")] = False,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """The sources, each with its state."""
    with opened(book) as stores, stores.database.connection() as connection:
        rows = sources.list_sources(connection, EVERYTHING, source_type=source_type, parked=parked or None)
    if as_json:
        print_json(rows)
    else:
        shown = [{**row, "state": _state(row), "found": row["last_error"]} for row in rows]
        print_table("Sources", shown, COLUMNS)


@app.command()
@guarded
def runs(
    source: str,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """How a source was asked, the last time first."""
    with opened(book) as stores, stores.database.connection() as connection:
        rows = sources.runs_of(connection, sources.source(connection, source)["source_id"], limit)
    if as_json:
        print_json(rows)
    else:
        columns = {"finished_at": "at (UTC)", "day": "day", "status": "status", "items_new": "new", "found": "error"}
        print_table(f"Runs of {source}", [{**row, "found": row["error"]} for row in rows], columns)


@app.command()
@guarded
def add(
    source_type: Annotated[
        str, typer.Argument(help="market_api, news_api, filings_api, web_scrape, broker, macro_news")
    ],
    name: str,
    reason: Because,
    *,
    ticker: Annotated[str, typer.Option(help="The company that it belongs to; none where not given.")] = "",
    config: Config = None,
    credibility: Credibility = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Ask another source from now on."""
    given = {"source_type": source_type, "name": name, "ticker": ticker.upper(), **_given(config, credibility)}
    new = entry(SourceEntry, given)
    with opened(book) as stores, edit_in(stores, reason) as edit:
        row = sources.add_source(edit, new)
    report(row, f"{row['name']} is asked from now on, id {row['source_id']}", as_json=as_json)


@app.command()
@guarded
def update(
    source: str,
    reason: Because,
    *,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    config: Config = None,
    credibility: Credibility = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether it is asked.")] = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Change what is given of a source, named by its id or by a name that only one has."""
    given = _given(config, credibility) | ({"name": name} if name is not None else {})
    change = entry(SourceChange, given | ({"active": active} if active is not None else {}))
    with opened(book) as stores, edit_in(stores, reason) as edit:
        row = sources.change_source(edit, source, change, None)
    report(row, f"{row['name']} is at version {row['version']}", as_json=as_json)


@app.command()
@guarded
def unpark(source: str, reason: Because, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Let a source be asked again at the next opportunity, its failures forgotten."""
    with opened(book) as stores, edit_in(stores, reason) as edit:
        row = sources.unpark_source(edit, source)
    report(row, f"{row['name']} is asked again", as_json=as_json)


@app.command()
@guarded
def remove(source: str, reason: Because, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Take out a source that was never asked."""
    with opened(book) as stores, edit_in(stores, reason) as edit:
        sources.remove_source(edit, source, None)
    report({"removed": source}, f"the source {source} was removed", as_json=as_json)


def _given(config: str | None, credibility: float | None) -> dict[str, Any]:
    given: dict[str, Any] = {} if credibility is None else {"credibility": credibility}
    if config is not None:
        try:
            given["config"] = json.loads(config)
        except ValueError as error:
            raise BadInputError(f"--config {config[:60]!r} is no JSON: {error}") from error
    return given


def _state(row: dict[str, Any]) -> str:
    if not row["active"]:
        return "off"
    return "parked" if row["parked"] else "on"
