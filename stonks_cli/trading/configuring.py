"""`stonks trading config` and `limits`: the engine's settings and the risk engine's limits, shown and changed from a shell."""

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer

from stonks_cli.books import LIVE
from stonks_cli.root import guarded, print_json, print_table
from stonks_cli.trading.console import Book, Json, Who, author, telling
from stonks_core.calendar import MarketCalendar
from stonks_core.errors import BadInputError
from stonks_core.vocabulary import RiskTier
from stonks_trading import control, runtime
from stonks_trading.console import config
from stonks_trading.console.author import account_of

Pairs = Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE; may be given several times.")]
Names = Annotated[list[str] | None, typer.Option("--unset", help="Back to the default; several times.")]
Why = Annotated[str, typer.Option("--reason", help="Why; needed for a change, and on record.")]
Auto = Annotated[bool | None, typer.Option("--auto-tier/--fixed-tier", help="Whether the tier adjusts itself.")]


@guarded
def settings_(
    *,
    values: Pairs = None,
    unset: Names = None,
    tier: Annotated[RiskTier | None, typer.Option(help="The risk tier from now on.")] = None,
    auto_tier: Auto = None,
    reason: Why = "",
    person: Who = "",
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """The settings that may change while the engine runs; with --set, --unset or --tier they change at its next round."""
    wanted = config.Wanted(_pairs(values), unset or ())
    with telling(book) as (stores, connection):
        if wanted.values or wanted.unset or tier is not None or auto_tier is not None:
            who = author(reason, person)
            day = MarketCalendar(stores.settings.calendar_name).session_at_or_before(who.at).day
            config.change_trading(connection, who, stores.settings, day, None, wanted, tier=tier, auto_tier=auto_tier)
        trading, unreadable = config.trading_of(connection, stores.settings)
        held, environment = runtime.shown(trading), runtime.shown(stores.settings.trading)
        row = connection.execute("SELECT account_id FROM broker_accounts ORDER BY synced_at DESC LIMIT 1").fetchone()
        now = control.current_tier(connection, row["account_id"] if row else "", stores.settings.trading.risk_tier)
    rows = [{"name": name, "value": held[name], "environment": environment[name]} for name in held]
    if as_json:
        print_json({"risk_tier": str(now), "settings": rows, "unreadable": unreadable})
        return
    print_table(f"Settings, tier {now}", rows, {"name": "name", "value": "value", "environment": "environment"})
    if unreadable:
        raise BadInputError(unreadable)


@guarded
def limits(
    *,
    values: Pairs = None,
    unset: Names = None,
    reason: Why = "",
    person: Who = "",
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """The limits that orders are checked against; with --set or --unset they change for the next order."""
    wanted = config.Wanted(_pairs(values), unset or ())
    with telling(book) as (stores, connection):
        if wanted.values or wanted.unset:
            config.change(connection, author(reason, person), "risk.", None, wanted)
        tier = control.current_tier(connection, account_of(connection)["account_id"], stores.settings.trading.risk_tier)
        plain, held, unreadable = config.limits_of(connection, stores.settings, tier)
    rows = [{"name": name, "value": _plain(value), "default": _plain(getattr(plain, name))}
            for name, value in vars(held).items() if name != "quotes"]  # fmt: skip
    ages = [_plain(one.quotes.max_age) for one in (held, plain)]
    rows.append({"name": "quote_max_age_seconds", "value": ages[0], "default": ages[1]})
    if as_json:
        print_json({"tier": str(tier), "limits": rows, "unreadable": unreadable})
        return
    print_table(f"Limits, tier {tier}", rows, {"name": "name", "value": "value", "default": "default"})
    if unreadable:
        raise BadInputError(unreadable)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, Decimal) else value


def _pairs(given: Sequence[str] | None) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in given or ():
        name, equals, text = pair.partition("=")
        try:
            found[name] = json.loads(text)
        except ValueError as error:
            raise BadInputError(f"--set {pair!r} is not NAME=VALUE, such as max_open_positions=5") from error
        if not equals or isinstance(found[name], list | dict):
            raise BadInputError(f"--set {pair!r} is not NAME=VALUE, such as max_open_positions=5")
    return found
