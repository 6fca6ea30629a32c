"""The commands that explain and prove: why, recompute, lookahead-audit. Found in whichever book the name stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from stonks_cli.root import guarded, print_json, settings
from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.stores.opening import Stores

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="Leave this document out; may be given more than once.", metavar="DOCUMENT"),
]


@guarded
def why(
    name: Annotated[str, typer.Argument(metavar="ORDER_OR_RECOMMENDATION")],
    without: Without = None,
    *,
    whole_story: Annotated[
        bool, typer.Option("--whole-story", help="Leave out the documents' copies too, whoever published them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Why an order was made, or a recommendation given, down to the sentence; or what it would be without a document.

    Takes an order's id, its beginning, or the broker's or client's id, or a recommendation's id or its beginning.
    """
    from stonks_audit.counterfactual import counterfactual
    from stonks_cli.audit_reports import print_counterfactual
    from stonks_cli.reports import print_why

    with _named(name) as (stores, order_id, recommendation_id):
        if not without:
            chain = _chain(stores, order_id, recommendation_id)
            print_json(chain) if as_json else print_why(chain)
            return
        known = _behind(name, recommendation_id)
        now = datetime.now(UTC)
        done = counterfactual(
            stores.database, stores.lake, stores.settings, known, without, now, whole_story=whole_story
        )
    print_json(done.as_dict()) if as_json else print_counterfactual(done)


@guarded
def recompute(
    recommendation: Annotated[str, typer.Argument(metavar="RECOMMENDATION")], *, as_json: Json = False
) -> None:
    """Compute a recommendation and its trend again and compare with what is stored, byte for byte; exit 1 when it differs."""
    from stonks_audit.recompute import recompute as run
    from stonks_cli.audit_reports import print_recomputed

    with _named(recommendation) as (stores, _, recommendation_id):
        done = run(stores.database, stores.lake, stores.settings, _behind(recommendation, recommendation_id))
    print_json(done.as_dict()) if as_json else print_recomputed(done)
    if not done.equal:
        raise typer.Exit(1)


@guarded
def lookahead_audit(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included.")],
    every: Annotated[
        str, typer.Option(help="Instants: day (each day's end), close (each session's), or hours as 6h.")
    ] = "day",
    tickers: Annotated[
        list[str] | None, typer.Option(help="Compare only this company; may be given more than once.")
    ] = None,
    book: Annotated[str, typer.Option(help="The book to audit: live, demo or a replay's.")] = "live",
    *,
    as_json: Json = False,
) -> None:
    """Prove that nothing computed for an instant was built on what was known later; exit 1 with the differences.

    The last instant is the present where the last day is not over.

    Everything derived is computed anew for each instant, over the whole lake and over a copy that ends there, and with
    rows planted that may not matter. Lake and database are only read.
    """
    from stonks_audit.lookahead.audit import audit
    from stonks_audit.lookahead.instants import instants
    from stonks_cli.audit_reports import print_audited
    from stonks_cli.books import open_books
    from stonks_core.calendar import MarketCalendar

    loaded = settings()
    with open_books(loaded, book) as books, TemporaryDirectory(prefix="stonks-audit-") as folder:
        stores = books[book]
        calendar = MarketCalendar(stores.settings.calendar_name)
        at = instants(first.date(), last.date(), every, calendar, datetime.now(UTC))
        named = frozenset(ticker.upper() for ticker in tickers or ())
        done = audit(stores.settings, stores.database.name, stores.lake, at, Path(folder), tickers=named)
    if done.empty:
        raise NotFoundError(
            f"nothing was known by any of the {len(at)} instants up to {at[-1]:%Y-%m-%d %H:%M} UTC, so nothing is proved: give "
            "days on which the system ran (--to today ends at the present), or leave --tickers out"
        )
    print_json(done.as_dict()) if as_json else print_audited(done)
    if not done.clean:
        raise typer.Exit(1)


@contextmanager
def _named(name: str) -> Iterator[tuple[Stores, str, str]]:
    """The stores of the first book that knows a name, the live one asked first, and the order and recommendation it names.

    An order's recommendation may be empty (a stop's, a person's); a recommendation asked for by its own id has no order.
    """
    from stonks_cli.books import open_books

    with open_books(settings()) as books:
        for stores in books.values():
            found = _ids(stores, name)
            if found is not None:
                yield stores, *found
                return
    raise NotFoundError(f"no book has an order or a recommendation {name}: `stonks orders` lists the orders")


def _ids(stores: Stores, name: str) -> tuple[str, str] | None:
    from stonks_core.why.order import decision_of, find_order
    from stonks_core.why.recommendation import find_recommendation

    try:
        order = find_order(stores.database, name)
    except NotFoundError:
        try:
            return "", str(find_recommendation(stores.lake, name)["recommendation_id"])
        except NotFoundError:
            return None
    behind = order["recommendation_id"] or decision_of(stores.database, order["decision_id"])["recommendation_id"]
    return str(order["order_id"]), str(behind or "")


def _chain(stores: Stores, order_id: str, recommendation_id: str) -> dict[str, Any]:
    from stonks_core.why import why_order, why_recommendation

    if order_id:
        return why_order(stores.database, stores.lake, order_id)
    return why_recommendation(stores.database, stores.lake, recommendation_id)


def _behind(name: str, recommendation_id: str) -> str:
    if not recommendation_id:
        raise BadInputError(f"no recommendation stands behind order {name}: `stonks why {name}` tells what does")
    return recommendation_id
