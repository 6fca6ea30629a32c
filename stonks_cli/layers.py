"""`stonks layers`: which signal layers count, and switching them."""

from dataclasses import asdict
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from stonks_cli.books import LIVE
from stonks_cli.registry.book import Because, Book, Json, opened, report
from stonks_cli.root import OUT, guarded, print_json, print_table
from stonks_core.audit import OPERATOR, Reason
from stonks_core.errors import BadInputError
from stonks_core.layers import layer_states, switch_layer, switchings
from stonks_core.stores.opening import Stores
from stonks_core.vocabulary import Layer

app = typer.Typer(no_args_is_help=True, help="The signal layers: which count, why, what fails, and switching them.")
STATES = {
    "layer": "layer", "state": "state", "weight": "weight", "says": "by", "updated_at": "since (UTC)", "reason": "why",
    "failures_in_a_row": "failed in a row",
}  # fmt: skip
SWITCHED = {"at": "when (UTC)", "actor": "who", "action": "what", "reason": "why"}
Which = Annotated[Layer, typer.Argument(help="macro or competitive; the company layer is the base.")]


@app.command("list")
@guarded
def list_(*, book: Book = LIVE, as_json: Json = False) -> None:
    """The layers as they stand."""
    with opened(book) as stores:
        rows = _rows(stores)
    if as_json:
        print_json(rows)
        return
    print_table("Signal layers", [{**row, "state": "on" if row["enabled"] else "off"} for row in rows], STATES)
    for row in rows:
        if row["alert"]:
            OUT.print(str(row["alert"]), style="red", markup=False, highlight=False, soft_wrap=True)


@app.command()
@guarded
def on(layer: Which, reason: Because, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Let a layer count again, from the next cycle on.

    Macro counts with the events that came in meanwhile. Competitive propagates from now on, and what came in meanwhile is
    propagated within minutes by the sensor `unpropagated_news`.
    """
    _switch(layer, reason, book, enabled=True, as_json=as_json)


@app.command()
@guarded
def off(layer: Which, reason: Because, *, book: Book = LIVE, as_json: Json = False) -> None:
    """Leave a layer out, from the next cycle on; what it has is kept.

    Macro events go on being classified; to competitors nothing is propagated.
    """
    _switch(layer, reason, book, enabled=False, as_json=as_json)


@app.command()
@guarded
def history(layer: Which, *, book: Book = LIVE, as_json: Json = False) -> None:
    """When a layer was switched, by whom and why."""
    with opened(book) as stores:
        rows = switchings(stores.database, layer, 200)
    if as_json:
        print_json(rows)
    else:
        print_table(f"Switchings of the {layer} layer", rows, SWITCHED)


def _switch(layer: Layer, reason: str, book: str, *, enabled: bool, as_json: bool) -> None:
    try:
        because = TypeAdapter(Reason).validate_python(reason)
    except ValidationError as error:
        raise BadInputError(f"--reason {reason[:40]!r} is none: say why in 3 to 500 characters") from error
    with opened(book) as stores:
        with stores.database.connection() as connection:
            switch_layer(connection, layer, enabled=enabled, actor=OPERATOR, reason=because)
        rows = _rows(stores)
    sentence = f"the {layer} layer is {'on' if enabled else 'off'} from the next cycle on"
    report(rows, sentence, as_json=as_json)


def _rows(stores: Stores) -> list[dict[str, object]]:
    return [asdict(state) for state in layer_states(stores.database, stores.settings.signals)]
