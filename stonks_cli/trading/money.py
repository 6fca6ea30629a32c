"""`stonks trading reserve`: where the account's money went."""

from typing import Annotated

import typer

from stonks_cli.books import LIVE
from stonks_cli.root import OUT, guarded, print_json, print_table
from stonks_cli.trading.console import Book, Json, telling
from stonks_trading.console import reserve
from stonks_trading.console.author import account_id_of

Rows = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many rows at most.")]


@guarded
def reserve_(*, limit: Rows = 20, book: Book = LIVE, as_json: Json = False) -> None:
    """What the reserve pool holds, and its newest movements with their reasons."""
    with telling(book) as (stores, connection):
        account_id = account_id_of(connection)
        found = reserve.pool(connection, stores.settings, account_id)
        rows = reserve.movements(connection, account_id, limit)
    if as_json:
        print_json({**found, "movements": rows})
        return
    OUT.print(
        f"reserve: ${found['balance']:.2f}; {found['siphon_share']:.0%} of each realised profit goes in, what is above "
        f"{found['high_water_share']:.0%} of equity returns, and above a drawdown of {found['emergency_drawdown']:.0%} "
        "it is used",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    if rows:
        columns = {"at": "at", "trigger": "trigger", "amount": "$", "balance": "balance $", "note": "why"}
        print_table("Movements", rows, columns)
