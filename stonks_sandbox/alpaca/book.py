"""Cash and positions as the sum of all executions. They are computed, never stored: they cannot disagree."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from stonks_sandbox.alpaca.model import ZERO, Execution


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


def fold(cash: Decimal, executions: Iterable[Execution]) -> Book:
    """The book that starts with `cash` and lives through `executions` in their order."""
    book = Book(cash)
    for execution in executions:
        book = apply(book, execution)
    return book
