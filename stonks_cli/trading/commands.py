"""`stonks trading`: how the engine stands, its switches, its breakers, and what is to be done once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import typer

from stonks_cli.books import LIVE
from stonks_cli.root import OUT, guarded, print_json, print_table
from stonks_cli.trading import configuring, money
from stonks_cli.trading.console import Because, Book, Json, Who, asked, author, opened, report, telling
from stonks_core.errors import BadInputError
from stonks_trading.console import breakers, orders, requests, switches
from stonks_trading.console.author import account_of
from stonks_trading.console.standing import standing
from stonks_trading.fresh_start import WHAT_IT_DOES
from stonks_trading.records import Breaker

app = typer.Typer(no_args_is_help=True, help="The trading engine: how it stands, and what it is told.")
breaker_app = typer.Typer(no_args_is_help=True, help="Breakers: trip the manual one, reset a tripped one.")
app.add_typer(breaker_app, name="breaker")
app.command("config")(configuring.settings_)
app.command("limits")(configuring.limits)
app.command("profit")(money.profit_)
app.command("reserve")(money.reserve_)
Amount = Annotated[str, typer.Option(help="A positive number.")]


@app.command()
@guarded
def status(*, book: Book = LIVE, as_json: Json = False) -> None:
    """Whether the engine trades and why not, switches, tier, breakers, owner, tasks, newest decisions."""
    with opened(book) as stores:
        found = standing(stores.settings, stores.database, datetime.now(UTC))
    if as_json:
        print_json(found)
        return
    for line in _lines(found):
        OUT.print(line, markup=False, highlight=False, soft_wrap=True)
    if found["heartbeats"]:
        beats = {"task": "task", "age_seconds": "seconds ago", "failures": "failures", "last_error": "last error"}
        print_table("Tasks", found["heartbeats"], beats)
    if found["decisions"]:
        columns = {"last_as_of": "at", "ticker": "ticker", "kind": "kind", "outcome": "outcome", "reason": "reason"}
        print_table("Newest decisions", found["decisions"], columns)


def _lines(found: dict[str, Any]) -> list[str]:
    account, lease, entries = found["account"], found["lease"], found["entries"]
    where = f"{found['mode']}{', the sandbox plays the broker' if found['sandbox'] else ''}"
    lines = [f"engine: {where}, tier {found['tier']}{'' if found['auto_tier']['on'] else ' (fixed)'}"]
    held = "holds" if lease and lease["held"] else "held, and holds no more,"
    lines.append(f"owner: {lease['owner']} {held} the lease" if lease else "owner: no daemon has run yet")
    if account:
        lines.append(
            f"account {account['account_id']}: equity ${account['equity']:.2f}, {account['positions']} positions"
        )
    lines.append(f"entries: {'open' if entries['open'] else 'closed, because ' + '; '.join(entries['closed_because'])}")
    for name in ("paused", "kill_switch"):
        if found[name]["on"]:
            told = found[name]
            lines.append(
                f"{name.replace('_', ' ')}: by {told['by']} at {told['at']:%Y-%m-%d %H:%M} UTC: {told['reason']}"
            )
    lines += [f"breaker {one['breaker']}: {one['reason']}; {one['stands']}" for one in found["breakers"]]
    lines += [f"asked: {one['kind']} ({one['reason']}), not done yet" for one in found["requests"]]
    if found["approvals_pending"]:
        lines.append(f"approvals: {found['approvals_pending']} wait; `stonks approvals list` shows them")
    return lines


@app.command()
@guarded
def pause(reason: Because, *, person: Who = "", book: Book = LIVE, as_json: Json = False) -> None:
    """Open no position until resumed; exits and stops go on."""
    _turn("paused", reason, person, book, on=True, as_json=as_json)


@app.command()
@guarded
def resume(reason: Because, *, person: Who = "", book: Book = LIVE, as_json: Json = False) -> None:
    """Let the engine open positions again."""
    _turn("paused", reason, person, book, on=False, as_json=as_json)


@app.command()
@guarded
def kill(reason: Because, *, person: Who = "", book: Book = LIVE, as_json: Json = False) -> None:
    """Stop every new order, exits included; when this returns, none leaves. Cancelling goes on."""
    _turn("kill_switch", reason, person, book, on=True, as_json=as_json)


@app.command()
@guarded
def unkill(reason: Because, *, person: Who = "", book: Book = LIVE, as_json: Json = False) -> None:
    """Let orders go again."""
    _turn("kill_switch", reason, person, book, on=False, as_json=as_json)


def _turn(
    switch: Literal["paused", "kill_switch"], reason: str, person: str, book: str, *, on: bool, as_json: bool
) -> None:
    with telling(book) as (_, connection):
        changed = switches.turn(connection, author(reason, person), switch, on=on)
    name = "paused" if switch == "paused" else "kill switch"
    said = f"{name}: {'on' if on else 'off'}{'' if changed else ', as before'}"
    report({switch: on, "changed": changed}, said, as_json=as_json)


@breaker_app.command("trip")
@guarded
def trip(reason: Because, *, person: Who = "", book: Book = LIVE, as_json: Json = False) -> None:
    """Trip the manual breaker: open buys are cancelled, and nothing but stops trades until it is reset."""
    with telling(book) as (_, connection):
        new = breakers.trip_manual(connection, author(reason, person))
    report(
        {"breaker": "manual", "new": new},
        f"the breaker manual is tripped{'' if new else ', as before'}",
        as_json=as_json,
    )


@breaker_app.command("reset")
@guarded
def reset_breaker(
    breaker: Breaker, reason: Because, *, person: Who = "", book: Book = LIVE, as_json: Json = False
) -> None:
    """Let a tripped breaker close."""
    with telling(book) as (_, connection):
        note = breakers.reset(connection, author(reason, person), breaker)
    report({"breaker": str(breaker), "note": note}, f"the breaker {breaker} is reset. {note}".strip(), as_json=as_json)


@app.command("cancel-all")
@guarded
def cancel_all(reason: Because, *, person: Who = "", book: Book = LIVE, as_json: Json = False) -> None:
    """Have every open order cancelled, exits included."""
    with telling(book) as (_, connection):
        row = requests.ask(connection, author(reason, person), account_of(connection)["account_id"], "cancel_all")
    asked(row, as_json=as_json)


@app.command()
@guarded
def flatten(reason: Because, *, person: Who = "", book: Book = LIVE, as_json: Json = False) -> None:
    """Pause, cancel every open order and sell every position; it stays paused."""
    with telling(book) as (stores, connection):
        row = orders.ask_flatten(connection, author(reason, person), stores.settings)
    asked(row, as_json=as_json)


@app.command()
@guarded
def reset(
    reason: Because,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only told what would be done.")] = False,
    person: Who = "",
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Full paper reset: flat, breakers and tier back, measurements anew. Nothing of the past is deleted."""
    if not yes:
        raise BadInputError(f"the reset {WHAT_IT_DOES}. Say --yes to have it done")
    with telling(book) as (stores, connection):
        row = orders.ask_reset(connection, author(reason, person), stores.settings)
    asked(row, as_json=as_json)


@app.command()
@guarded
def order(
    side: Literal["buy", "sell"],
    ticker: str,
    reason: Because,
    key: Annotated[str, typer.Option(help="Your own name for this order: the same key is the same order.")],
    *,
    notional: Amount = "",
    quantity: Amount = "",
    limit_price: Amount = "",
    valid_minutes: Annotated[int, typer.Option(min=1, max=1440, help="How long it may wait before it leaves.")] = 60,
    person: Who = "",
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Order by hand, through the risk checks and the outbox as every order goes."""
    wanted = orders.OwnOrder(
        ticker.upper(),
        side,
        "limit" if limit_price else "market",
        _amount("--notional", notional),
        _amount("--quantity", quantity),
        _amount("--limit-price", limit_price),
    )
    with telling(book) as (stores, connection):
        valid = timedelta(minutes=valid_minutes)
        row = orders.ask_order(connection, author(reason, person), stores.settings, key, wanted, valid)
    asked(row, as_json=as_json)


def _amount(option: str, given: str) -> Decimal | None:
    try:
        return Decimal(given) if given else None
    except InvalidOperation as error:
        raise BadInputError(f"{option} {given!r} is not a number, such as 25.50") from error
