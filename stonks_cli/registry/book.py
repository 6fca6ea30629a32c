"""What every `stonks registry` command starts from: the book's database, the operator's reason, and instants in UTC."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from stonks_cli.books import open_books
from stonks_cli.root import OUT, print_json, settings
from stonks_core.audit import OPERATOR, Reason
from stonks_core.errors import BadInputError
from stonks_core.registry.editing import Author, Edit, editing
from stonks_core.stores.migrations import migrate
from stonks_core.stores.opening import Stores

INSTANTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Book = Annotated[str, typer.Option(help="The book whose registry it is: live, demo or a replay's.")]
Because = Annotated[str, typer.Option("--reason", help="Why; it goes on record.")]
AsOf = Annotated[datetime | None, typer.Option("--as-of", formats=INSTANTS, help="As it stood then (UTC); else now.")]
Since = Annotated[
    datetime | None, typer.Option("--effective-from", formats=INSTANTS, help="When it takes effect (UTC); else now.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would change, and change nothing.")]


@contextmanager
def opened(book: str) -> Iterator[Stores]:
    """A book's stores, its schema at the newest revision. Raises NotFoundError where there is no such book."""
    with open_books(settings(), book) as stores:
        found = stores[book]
        migrate(found.settings.postgres, found.settings.database_name)
        yield found


@contextmanager
def edit_in(
    stores: Stores, reason: str, effective_from: datetime | None = None, *, dry_run: bool = False
) -> Iterator[Edit]:
    """An edit by the operator at this machine."""
    try:
        because = TypeAdapter(Reason).validate_python(reason)
    except ValidationError as error:
        raise BadInputError(f"--reason {reason[:40]!r} is none: say why in 3 to 500 characters") from error
    author = Author(OPERATOR, because)
    with editing(stores.database, author, datetime.now(UTC), instant(effective_from), dry_run=dry_run) as edit:
        yield edit


def instant(given: datetime | None) -> datetime | None:
    """What was typed, as an aware instant in UTC."""
    return given.replace(tzinfo=UTC) if given else None


def present(given: datetime | None) -> datetime:
    """The same, or the present where nothing was typed."""
    return instant(given) or datetime.now(UTC)


def report(value: Any, sentence: str, *, as_json: bool) -> None:
    """What came of an edit: the new state as JSON, or a sentence."""
    if as_json:
        print_json(value)
    else:
        OUT.print(sentence, markup=False, highlight=False, soft_wrap=True)


def body_of(path: Path) -> bytes:
    """A file's bytes, or standard input's for `-`. Raises BadInputError for one that cannot be read."""
    try:
        return typer.get_binary_stream("stdin").read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}") from error
