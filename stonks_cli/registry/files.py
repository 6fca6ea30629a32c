"""The registry to and from files, and the SEC's list of tickers."""

import sys
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from stonks_cli.books import LIVE
from stonks_cli.registry.book import AsOf, Because, Book, DryRun, Json, Since, body_of, edit_in, opened, present
from stonks_cli.root import OUT, guarded, print_json, print_table
from stonks_core.errors import BadInputError
from stonks_core.registry.edgar_tickers import import_tickers, read_tickers
from stonks_core.registry.entries import is_ticker
from stonks_core.registry.importing import apply, rows_of
from stonks_core.registry.transfer import TABLES, TableName, read_csv, read_json, to_csv, to_json

TableOption = Annotated[str, typer.Option("--table", help=f"One of {', '.join(TABLES)}; a CSV needs it.")]
FILE = Annotated[Path, typer.Argument(help="FILE.csv or FILE.json; - for standard input or output, as JSON.")]
SHOWN = 40


@guarded
def export(file: FILE, *, table: TableOption = "", as_of: AsOf = None, book: Book = LIVE) -> None:
    """Write the registry to a file that can be imported: one table as CSV, one or all as JSON."""
    kind, name = _kind(file), _table(table)
    _require_table(kind, name)
    with opened(book) as stores, stores.database.connection() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        rows = {one: rows_of(connection, one, present(as_of)) for one in ([name] if name else TABLES)}
    text = to_csv(name, rows[name]) if kind == "csv" and name else to_json(rows)
    if str(file) == "-":
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise BadInputError(f"{file} cannot be written: {error.strerror}") from error
    OUT.print(f"{file}: {', '.join(f'{len(held)} {one}' for one, held in rows.items())}", soft_wrap=True)


@guarded
def import_(
    file: FILE,
    reason: Because,
    *,
    table: TableOption = "",
    effective_from: Since = None,
    dry_run: DryRun = False,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Add what is new in a file and change what differs, all of it or nothing; what is not in it stays."""
    kind, name = _kind(file), _table(table)
    _require_table(kind, name)
    body = body_of(file)
    tables = read_csv(name, body) if kind == "csv" and name else read_json(body, name)
    with opened(book) as stores, edit_in(stores, reason, effective_from, dry_run=dry_run) as edit:
        done = [one.told() for one in apply(edit, tables)]
    lines = sum(len(found) for found in tables.values())
    if as_json:
        print_json({"dry_run": dry_run, "lines": lines, "changed": len(done), "items": done})
        return
    if done:
        shown = [{**one, "found": ", ".join(one["changes"])} for one in done[:SHOWN]]
        print_table("Changes", shown, {"table": "table", "key": "what", "action": "action", "found": "fields"})
    would = "would change" if dry_run else "changed"
    OUT.print(f"{len(done)} of {lines} lines {would} something, the others say what holds already", soft_wrap=True)


@guarded
def import_edgar(
    reason: Because,
    file: Annotated[
        Path | None, typer.Argument(help="company_tickers.json; fetched from EDGAR where not given.")
    ] = None,
    *,
    ticker: Annotated[list[str] | None, typer.Option(help="Track this one too; several times.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Track every one of them.")] = False,
    dry_run: DryRun = False,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Take CIKs and names from the SEC's list for those who lack them, and track the tickers that are asked for."""
    wanted = [one.upper() for one in ticker or ()]
    if bad := [one for one in wanted if not is_ticker(one)]:
        raise BadInputError(f"--ticker {bad[0][:20]!r} is no ticker")
    with opened(book) as stores:
        if file is None:
            from stonks_cli.registry.edgar import fetched_tickers  # noqa: PLC0415 - the assets load slowly

            body = fetched_tickers(stores)
        else:
            body = body_of(file)
        filers = read_tickers(body)
        with edit_in(stores, reason, dry_run=dry_run) as edit:
            done = import_tickers(edit, filers, wanted, everyone=everyone).told()
    if as_json:
        print_json({"dry_run": dry_run, **done})
        return
    for other in done["differing"][:SHOWN]:
        OUT.print(f"{other['ticker']} is written in another way by EDGAR: {other}", markup=False, soft_wrap=True)
    would = "would be " if dry_run else ""
    OUT.print(f"of {done['listed']} listed: {len(done['added'])} {would}added, {len(done['filled'])} {would}filled in")


def _kind(file: Path) -> Literal["csv", "json"]:
    suffix = file.suffix.lower()
    if str(file) == "-" or suffix == ".json":
        return "json"
    if suffix == ".csv":
        return "csv"
    raise BadInputError(f"{file} is neither FILE.csv nor FILE.json: its ending says what it holds")


def _table(name: str) -> TableName | None:
    if name and name not in TABLES:
        raise BadInputError(f"--table {name!r} is none of {', '.join(TABLES)}")
    return cast("TableName", name) if name else None


def _require_table(kind: str, name: TableName | None) -> None:
    if kind == "csv" and name is None:
        raise BadInputError(f"a CSV holds one table: name it with --table, one of {', '.join(TABLES)}")
