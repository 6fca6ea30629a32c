"""A person's own order, asked for: refused at once where it can never be, else a request that the engine makes an order."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from stonks_core.errors import BadFieldsError, ConflictError
from stonks_core.settings import Settings
from stonks_core.stores.postgres import Connection, Row
from stonks_trading import control, fresh_start
from stonks_trading.broker.orders import order_id_for
from stonks_trading.broker.protocol import Asset, OrderRequest
from stonks_trading.broker.rules import refusals
from stonks_trading.console import requests
from stonks_trading.console.author import Author, account_of
from stonks_trading.console.switches import turn
from stonks_trading.overriding import override_id, plan_of_detail
from stonks_trading.records import Side

OFF = "trading is switched off: set TRADING_ENABLED=true and start the daemon again"


@dataclass(frozen=True)
class OwnOrder:
    """An order by hand: a buy of dollars or shares, or a sell of shares that are held."""

    ticker: str
    side: Side
    type: Literal["market", "limit"]
    notional: Decimal | None = None
    quantity: Decimal | None = None
    limit_price: Decimal | None = None

    def detail(self) -> dict[str, Any]:
        """As it is stored: amounts as texts, the same for the same amount."""
        amounts = {"notional": self.notional, "quantity": self.quantity, "limit_price": self.limit_price}
        texts = {name: None if value is None else f"{value.normalize():f}" for name, value in amounts.items()}
        return {"ticker": self.ticker, "side": self.side, "type": self.type, **texts}


def ask_order(
    connection: Connection, author: Author, settings: Settings, key: str, wanted: OwnOrder, valid_for: timedelta
) -> Row:
    """Ask for an order under the caller's key; the request with the ids that its decision and order have or will have.

    The same key and order is the same request. Raises BadFieldsError for an order that no broker takes or a ticker that
    is not tracked, ConflictError where nothing may leave, where nothing is held to sell, or for a key used otherwise.
    """
    account_id = account_of(connection)["account_id"]
    detail, decision_id = wanted.detail(), override_id(account_id, key)
    order_id = order_id_for(decision_id, plan_of_detail(detail))
    if not requests.known(connection, account_id, key):
        _refuse(connection, settings, account_id, order_id, wanted)
    row = requests.ask(
        connection, author, account_id, "override_order", key=key, detail=detail, valid_until=author.at + valid_for
    )
    return {**row, "decision_id": decision_id, "order_id": order_id}


def ask_reset(connection: Connection, author: Author, settings: Settings) -> Row:
    """Pause and ask for a full paper reset; see `fresh_start.WHAT_IT_DOES`. ConflictError for a live account."""
    account = account_of(connection)
    if settings.broker.mode == "live" or account["mode"] == "live":
        raise ConflictError("the account is live: only a paper account is reset")
    if not settings.trading_enabled:
        raise ConflictError(OFF)
    turn(connection, author, "paused", on=True)
    return requests.ask(connection, author, account["account_id"], "reset", detail={"does": fresh_start.WHAT_IT_DOES})


def ask_flatten(connection: Connection, author: Author, settings: Settings) -> Row:
    """Pause and ask for every position to be left. ConflictError where trading is switched off."""
    if not settings.trading_enabled:
        raise ConflictError(OFF)
    return requests.ask_flatten(connection, author, account_of(connection)["account_id"])


def _refuse(connection: Connection, settings: Settings, account_id: str, order_id: str, wanted: OwnOrder) -> None:
    if not settings.trading_enabled:
        raise ConflictError(OFF)
    if control.switches(connection).get("kill_switch"):
        raise ConflictError("the kill switch is on: no order leaves before it is turned off")
    asset = Asset(wanted.ticker, tradable=True, fractionable=True)
    sent = OrderRequest(
        order_id,
        wanted.ticker,
        wanted.side,
        wanted.type,
        notional=wanted.notional,
        quantity=wanted.quantity,
        limit_price=wanted.limit_price,
    )
    problems = [("order", sentence) for sentence in refusals(sent, asset)]
    known = connection.execute(
        """
        SELECT COALESCE((SELECT quantity FROM positions WHERE account_id = %(account)s AND ticker = %(ticker)s), 0) AS held,
               EXISTS (SELECT 1 FROM companies WHERE ticker = %(ticker)s AND active) AS tracked
        """,
        {"account": account_id, "ticker": wanted.ticker},
    ).fetchone()
    held, tracked = (known["held"], known["tracked"]) if known else (Decimal(0), False)
    if not problems and held <= 0 and not tracked:
        problems.append(("ticker", f"{wanted.ticker} is not tracked: GET /registry/companies lists what is"))
    if problems:
        raise BadFieldsError(problems)
    if wanted.side == "sell" and (wanted.quantity is None or wanted.quantity > held):
        raise ConflictError(
            f"{held.normalize():f} shares of {wanted.ticker} are held: no more than those can be sold, by quantity"
        )
