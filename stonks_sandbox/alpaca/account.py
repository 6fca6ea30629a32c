"""What the account is worth: positions, equity now and in the past, the account's own JSON. Reads, never changes."""

import bisect
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import partial
from typing import Any

from stonks_sandbox.alpaca.book import Book, Holding, acted, apply
from stonks_sandbox.alpaca.model import ZERO, Execution, Order, asset_id, money, text
from stonks_sandbox.alpaca.rules import available_qty, buying_power
from stonks_sandbox.alpaca.sessions import DAY_SECONDS, Sessions
from stonks_sandbox.alpaca.venue import Venue
from stonks_sandbox.alpaca.wire import EXCHANGES, stamp
from stonks_sandbox.world.actions import effective
from stonks_sandbox.world.protocol import Action, World

CENT = Decimal("0.01")
ACCOUNT_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "stonks-sandbox-account"))


def dollars(value: Decimal) -> str:
    """An amount of money in whole cents, cut and not rounded, so that nothing is promised that is not there."""
    return text(value.quantize(CENT, rounding=ROUND_DOWN))


def ratio(part: Decimal, whole: Decimal) -> str:
    """A quotient with ten decimals, zero where there is nothing to divide by."""
    return text(round(part / whole, 10)) if whole else "0"


class Closes:
    """The closes of one symbol over a stretch of time, each known from the moment its bar was complete."""

    def __init__(self, world: World, sessions: Sessions, symbol: str, instants: Sequence[datetime], step: int) -> None:
        fine = max(step, world.bar_seconds)
        kinds = [(DAY_SECONDS, timedelta(days=14))]
        kinds += [(fine, timedelta(seconds=fine * 2))] if fine < DAY_SECONDS else []
        known = [
            (sessions.bar_ends(bar), -seconds, bar.close)
            for seconds, reach in kinds
            for bar in world.bars(symbol, instants[0] - reach, instants[-1], seconds)
        ]
        self._known = sorted(row for row in known if row[0] <= world.clock.now())
        self._ends = [row[0] for row in self._known]

    def at(self, instant: datetime) -> Decimal | None:
        """The last close known at an instant; None where nothing was traded in the days before."""
        index = bisect.bisect_right(self._ends, instant) - 1
        return money(self._known[index][2]) if index >= 0 else None


def books_at(
    cash: Decimal, executions: Iterable[Execution], instants: Sequence[datetime], actions: Iterable[Action] = ()
) -> list[Book]:
    """The book as it stood at each of the ascending `instants`."""
    done = sorted(executions, key=lambda execution: execution.executed_at)
    steps: list[tuple[datetime, Callable[[Book], Book]]] = [
        *((effective(action), partial(acted, action=action)) for action in actions),
        *((execution.executed_at, partial(apply, execution=execution)) for execution in done),
    ]
    steps.sort(key=lambda step: step[0])
    times = [at for at, _ in steps]
    book, used, books = Book(cash), 0, list[Book]()
    for at in instants:
        until = bisect.bisect_right(times, at)
        for _, step in steps[used:until]:
            book = step(book)
        used = max(used, until)
        books.append(book)
    return books


class Account:
    """The readable face of a venue's account."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def _closes(self, symbol: str, instants: Sequence[datetime], step: int) -> Closes:
        return Closes(self._venue.world, self._venue.sessions, symbol, instants, step)

    def equity_at(self, instants: Sequence[datetime], step: int) -> list[Decimal]:
        """Equity in dollars at ascending past instants that lie about `step` seconds apart.

        Positions count at the last close of a bar of `step` seconds, at cost where there is none.
        """
        books = books_at(self._venue.initial_cash, self._venue.executions, instants, self._venue.acted())
        symbols = sorted({symbol for book in books for symbol in book.holdings})
        closes = {symbol: self._closes(symbol, instants, step) for symbol in symbols}
        return [
            book.cash + sum((h.qty * (closes[h.symbol].at(at) or h.average) for h in book.holdings.values()), ZERO)
            for book, at in zip(books, instants, strict=True)
        ]

    def last_equity(self) -> Decimal:
        """Equity at the close of the last session, the opening balance where the account is younger."""
        closed = self._venue.sessions.closed_by(self._venue.world.clock.now())
        if closed is None or closed.closes <= self._venue.opened_at:
            return self._venue.initial_cash
        return self.equity_at([closed.closes], DAY_SECONDS)[0]

    def _price_now(self, holding: Holding) -> Decimal:
        price = self._venue.world.last_price(holding.symbol)
        return holding.average if price is None else money(price)

    def equity(self) -> Decimal:
        """Cash and positions at the last trades, in dollars."""
        book = self._venue.book
        return book.cash + sum((h.qty * self._price_now(h) for h in book.holdings.values()), ZERO)

    def account_json(self) -> dict[str, Any]:
        """The account; the day-trading fields that the vendor removed in July 2026 are absent."""
        open_orders = self._venue.open_orders()
        book, equity = self._venue.book, self.equity()
        power = dollars(buying_power(book, open_orders))
        return {
            "id": ACCOUNT_ID,
            "account_number": "SANDBOX001",
            "status": "ACTIVE",
            "crypto_status": "INACTIVE",
            "currency": "USD",
            "buying_power": power,
            "regt_buying_power": power,
            "non_marginable_buying_power": power,
            "options_buying_power": "0",
            "options_approved_level": "0",
            "options_trading_level": "0",
            "cash": dollars(book.cash),
            "accrued_fees": "0",
            "portfolio_value": dollars(equity),
            "equity": dollars(equity),
            "last_equity": dollars(self.last_equity()),
            "long_market_value": dollars(equity - book.cash),
            "short_market_value": "0",
            "initial_margin": "0",
            "maintenance_margin": "0",
            "last_maintenance_margin": "0",
            "sma": "0",
            "multiplier": "1",
            "shorting_enabled": False,
            "trading_blocked": False,
            "transfers_blocked": False,
            "account_blocked": False,
            "trade_suspended_by_user": False,
            "created_at": stamp(self._venue.opened_at),
        }

    def positions_json(self) -> list[dict[str, Any]]:
        """All positions, by symbol."""
        open_orders = self._venue.open_orders()
        holdings = sorted(self._venue.book.holdings.values(), key=lambda holding: holding.symbol)
        return [self._position_json(holding, open_orders) for holding in holdings]

    def position_json(self, symbol: str) -> dict[str, Any] | None:
        """One position, or None."""
        return next((row for row in self.positions_json() if row["symbol"] == symbol), None)

    def _position_json(self, holding: Holding, open_orders: Sequence[Order]) -> dict[str, Any]:
        company = self._venue.company(holding.symbol)
        price = self._price_now(holding)
        closed = self._venue.sessions.closed_by(self._venue.world.clock.now())
        lastday = (
            self._closes(holding.symbol, [closed.closes], DAY_SECONDS).at(closed.closes) if closed else None
        ) or price
        value = holding.qty * price
        gain, gain_today = value - holding.cost, holding.qty * (price - lastday)
        figures = {
            "avg_entry_price": text(round(holding.average, 6)),
            "market_value": text(round(value, 6)),
            "cost_basis": text(round(holding.cost, 6)),
            "unrealized_pl": text(round(gain, 6)),
            "unrealized_plpc": ratio(gain, holding.cost),
            "unrealized_intraday_pl": text(round(gain_today, 6)),
            "unrealized_intraday_plpc": ratio(gain_today, holding.qty * lastday),
            "current_price": text(price),
            "lastday_price": text(lastday),
            "change_today": ratio(price - lastday, lastday),
        }
        return {
            "asset_id": asset_id(holding.symbol),
            "symbol": holding.symbol,
            "exchange": EXCHANGES.get(company.exchange, "NASDAQ") if company else "NASDAQ",
            "asset_class": "us_equity",
            "asset_marginable": False,
            "qty": text(holding.qty),
            "qty_available": text(available_qty(self._venue.book, open_orders, holding.symbol)),
            "side": "long",
            **figures,
            "usd": figures,
        }
