"""What the commands start from: the author of an act, and a connection to the book that it is said to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from stonks_cli.registry.book import Book, Json, opened, report
from stonks_core.audit import Reason
from stonks_core.errors import BadInputError
from stonks_core.stores.opening import Stores
from stonks_core.stores.postgres import Connection
from stonks_trading.console.author import Author

__all__ = ["Because", "Book", "Json", "Who", "asked", "author", "opened", "report", "telling"]
Because = Annotated[str, typer.Option("--reason", help="Why; it goes on record.")]
Who = Annotated[str, typer.Option("--person", help="Who says so; it goes on record.")]


def author(reason: str, person: str = "") -> Author:
    """The operator at this machine, now. BadInputError for a reason that is none."""
    try:
        because = TypeAdapter(Reason).validate_python(reason)
    except ValidationError as error:
        raise BadInputError(f"--reason {reason[:40]!r} is none: say why in 3 to 500 characters") from error
    return Author(because, datetime.now(UTC), person.strip()[:100])


@contextmanager
def telling(book: str) -> Iterator[tuple[Stores, Connection]]:
    """A book's stores and a connection in a transaction of its own."""
    with opened(book) as stores, stores.database.connection() as connection:
        yield stores, connection


def asked(row: Mapping[str, Any], *, as_json: bool) -> None:
    """What was asked for once: the request as JSON, or a sentence."""
    order = f", order {row['order_id']}" if "order_id" in row else ""
    state = f"{row['outcome']}: {row['note']}" if row["outcome"] else "the engine does it at its next round"
    report(dict(row), f"request {row['request_id']} for {row['kind']}{order}: {state}", as_json=as_json)
