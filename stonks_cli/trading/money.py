"""`stonks trading profit` and `reserve`: where the account's money came from and went."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from stonks_cli.books import LIVE
from stonks_cli.root import OUT, guarded, print_json, print_table
from stonks_cli.trading.console import Book, Json, telling
from stonks_trading.console import profit, reserve
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
        print_table("Movements", [_plain(row) for row in rows], columns)


@guarded
def profit_(*, ticker: str = "", limit: Rows = 20, book: Book = LIVE, as_json: Json = False) -> None:
    """Both profits, as the broker tells them and conservatively, in all and for the newest sales."""
    with telling(book) as (_, connection):
        account_id = account_id_of(connection)
        found = profit.totals(connection, account_id, datetime.now(UTC))
        rows = profit.sales(connection, account_id, limit, ticker=ticker.upper() or None)
    if as_json:
        print_json({**found, "newest_sales": rows})
        return
    for name in ("broker", "conservative"):
        told = found[name]
        OUT.print(
            f"{name}: ${told['total']:.2f} in all, ${told['realised']:.2f} by {found['sales']} sales, "
            f"${told['unrealised']:.2f} on what is held; ${told['fees']:.4f} of fees",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    for rate in found["rates"]:
        most = "" if rate["cap"] is None else f", at most ${rate['cap']}"
        OUT.print(
            f"{rate['fee']}: ${rate['rate']:f} of each {rate['of_each']}{most}, since {rate['since']} ({rate['source']})",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    if rows:
        columns = {
            "at": "at", "ticker": "ticker", "quantity": "shares", "price": "at $", "conservative_price": "cautious $",
            "realised_pnl": "profit $", "conservative_pnl": "cautious profit $", "conservative_fee": "fees $",
        }  # fmt: skip
        print_table("Newest sales", [_plain(row) for row in rows], columns)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Amounts as numbers that a table rounds."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
