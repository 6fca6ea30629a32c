"""Cash and positions as the sum of all executions, and of the splits and symbol changes between them.

They are computed, never stored: they cannot disagree.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from stonks_sandbox.alpaca.model import ZERO, Execution, floor_qty
from stonks_sandbox.world.actions import effective
from stonks_sandbox.world.protocol import Action, Split


@dataclass(frozen=True)
class Holding:
    """A long position: shares, and the dollars they cost. A sale takes cost out in proportion to shares."""

    symbol: str
    qty: Decimal
    cost: Decimal

    @property
    def average(self) -> Decimal:
        """Dollars paid a share."""
        return self.cost / self.qty


@dataclass(frozen=True)
class Book:
    """Cash and long positions, by symbol; a position of no shares is absent."""

    cash: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict)

    def qty(self, symbol: str) -> Decimal:
        """Shares held of a symbol, zero where there are none."""
        holding = self.holdings.get(symbol)
        return holding.qty if holding else ZERO


def apply(book: Book, execution: Execution) -> Book:
    """The book after one execution. Raises ValueError where it would leave cash or shares below zero."""
    held = book.holdings.get(execution.symbol, Holding(execution.symbol, ZERO, ZERO))
    if execution.side == "buy":
        cash = book.cash - execution.cost
        after = replace(held, qty=held.qty + execution.qty, cost=held.cost + execution.cost)
    else:
        cash = book.cash + execution.cost
        left = held.qty - execution.qty
        after = replace(held, qty=left, cost=held.cost * left / held.qty if held.qty and left else ZERO)
    if cash < ZERO or after.qty < ZERO:
        raise ValueError(f"execution {execution.id} of order {execution.order_id} overdraws the sandbox account")
    holdings = {**book.holdings, execution.symbol: after}
    if not after.qty:
        del holdings[execution.symbol]
    return Book(cash, holdings)


def acted(book: Book, action: Action) -> Book:
    """The book after a split (other shares, the same cost, cut to nine decimals) or a symbol change. Cash stays."""
    held = book.holdings.get(action.ticker)
    if held is None:
        return book
    rest = {symbol: holding for symbol, holding in book.holdings.items() if symbol != action.ticker}
    if isinstance(action, Split):
        after = replace(held, qty=floor_qty(held.qty * action.ratio))
        return Book(book.cash, {**rest, action.ticker: after} if after.qty else rest)
    there = rest.get(action.new_ticker, Holding(action.new_ticker, ZERO, ZERO))
    return Book(
        book.cash, {**rest, action.new_ticker: replace(there, qty=there.qty + held.qty, cost=there.cost + held.cost)}
    )


def fold(cash: Decimal, executions: Iterable[Execution], actions: Iterable[Action] = ()) -> Book:
    """The book that starts with `cash` and lives through `executions` in their order and `actions` on their days."""
    book, waiting = Book(cash), sorted(actions, key=lambda action: action.day, reverse=True)
    for execution in executions:
        while waiting and effective(waiting[-1]) <= execution.executed_at:
            book = acted(book, waiting.pop())
        book = apply(book, execution)
    while waiting:
        book = acted(book, waiting.pop())
    return book
