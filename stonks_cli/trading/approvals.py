"""`stonks approvals`: orders that wait for a person, from a shell."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from stonks_cli.books import LIVE
from stonks_cli.root import guarded, print_json, print_table
from stonks_cli.trading.console import Because, Book, Json, Who, author, opened, report, telling
from stonks_core.errors import BadInputError
from stonks_core.identifiers import uuid_or_none
from stonks_trading.console import approvals

app = typer.Typer(no_args_is_help=True, help="Orders that wait for a person: list, approve, reject, let go.")
Person = Annotated[str, typer.Option("--person", help="Who decides; it goes on record.")]


@app.command("list")
@guarded
def list_(
    *,
    status: Annotated[str, typer.Option(help="pending, approved, rejected, expired, or any.")] = "pending",
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Approvals, newest first."""
    with opened(book) as stores:
        rows = stores.database.fetch(
            approvals.APPROVAL
            + "WHERE %(status)s = 'any' OR a.status = %(status)s ORDER BY a.requested_at DESC, a.approval_id LIMIT 1000",
            {"status": status},
        )
    told = [{**row, "found": approvals.stands(row), "size": _size(row)} for row in rows]
    if as_json:
        print_json(told)
        return
    columns = {"approval_id": "approval", "side": "side", "ticker": "ticker", "size": "size", "expires_at": "until"}
    print_table("Approvals", told, {**columns, "found": "how it stands"})


@app.command()
@guarded
def approve(approval: str, reason: Because, person: Person, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Agree to an order; it leaves when the engine has checked it against fresh prices."""
    _review(approval, reason, person, book, yes=True, as_json=as_json)


@app.command()
@guarded
def reject(approval: str, reason: Because, person: Person, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Refuse an order; it never leaves."""
    _review(approval, reason, person, book, yes=False, as_json=as_json)


@app.command()
@guarded
def expire(
    reason: Because,
    *,
    older_than_minutes: Annotated[
        int, typer.Option(min=0, help="Also all that waits longer; 0: only what is over.")
    ] = 0,
    person: Who = "",
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Let go of what nobody reviewed in time."""
    older = timedelta(minutes=older_than_minutes) if older_than_minutes else None
    with telling(book) as (_, connection):
        rows = approvals.expire(connection, author(reason, person), older)
    report(rows, f"{len(rows)} approvals were let go", as_json=as_json)


def _review(approval: str, reason: str, person: str, book: str, *, yes: bool, as_json: bool) -> None:
    name = uuid_or_none(approval)
    if not isinstance(name, UUID):
        raise BadInputError(f"{approval!r} is no approval's id: `stonks approvals list` shows them")
    if not person.strip():
        raise BadInputError("--person is empty: say who decides")
    with telling(book) as (_, connection):
        row = approvals.review(connection, author(reason, person), name, approve=yes)
    told = {**row, "stands": approvals.stands(row)}
    report(told, f"{row['side']} of {row['ticker']}, order {row['order_id']}: {told['stands']}", as_json=as_json)


def _size(row: dict[str, Any]) -> str:
    return f"${row['notional']:.2f}" if row["notional"] is not None else f"{row['quantity'].normalize():f} shares"
