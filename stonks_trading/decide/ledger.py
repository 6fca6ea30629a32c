"""From fills to holdings and realised profit, by average cost as Alpaca reckons it.

A buy adds its price to the cost; a sell takes out its share of the cost and realises the rest. Cash, cost and profit
always add up exactly: the cash that fills moved is the profit realised less the cost still held. A split multiplies the
shares and leaves their cost; a rename moves a holding to another ticker; neither moves cash.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from stonks_core.money import NANO_SHARE, shares_down
from stonks_trading.records import Side

ZERO = Decimal(0)


@dataclass(frozen=True)
class Fill:
    """One execution; known by its order and its own id. `fee` is in dollars, at least 0."""

    order_id: str
    execution_id: str
    ticker: str
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime
    fee: Decimal = ZERO


@dataclass(frozen=True)
class Split:
    """From an instant on `ratio` new shares for each old one, less those that the broker paid out in cash."""

    ticker: str
    ratio: Decimal
    at: datetime
    paid_out: Decimal = ZERO


@dataclass(frozen=True)
class Rename:
    """From an instant on the holding of a ticker stands under another."""

    ticker: str
    new_ticker: str
    at: datetime


Adjustment = Split | Rename


@dataclass(frozen=True)
class Holding:
    """Shares held, what they cost in all, and what the trade has realised since its first share."""

    quantity: Decimal = ZERO
    total_cost: Decimal = ZERO
    realised: Decimal = ZERO
    opened_at: datetime | None = None

    @property
    def average_cost(self) -> Decimal:
        """Average entry price, dollars a share; 0 where nothing is held."""
        return self.total_cost / self.quantity if self.quantity else ZERO


@dataclass(frozen=True)
class Realised:
    """Profit (or loss, below 0) of one sell, after fees; `closes` where it sold the last share."""

    fill: Fill
    cost: Decimal
    profit: Decimal
    closes: bool


@dataclass(frozen=True)
class Oversold:
    """A sell of more than is held. It is not booked: something is missing before it, and must be found."""

    fill: Fill
    held: Decimal
    sentence: str


@dataclass(frozen=True)
class ClosedTrade:
    """A round trip from the first share bought to the last one sold."""

    ticker: str
    opened_at: datetime
    closed_at: datetime
    profit: Decimal


@dataclass(frozen=True)
class Book:
    """What a sequence of fills amounts to. `cash` is what they moved: sells less buys less fees."""

    holdings: Mapping[str, Holding] = field(default_factory=dict)
    realised: tuple[Realised, ...] = ()
    closed: tuple[ClosedTrade, ...] = ()
    oversold: tuple[Oversold, ...] = ()
    cash: Decimal = ZERO

    @property
    def profit(self) -> Decimal:
        """Sum of all realised profits, dollars."""
        return sum((r.profit for r in self.realised), ZERO)


def after_buy(holding: Holding, fill: Fill) -> Holding:
    """The holding after a buy: fees belong to the cost."""
    return Holding(
        holding.quantity + fill.quantity,
        holding.total_cost + fill.quantity * fill.price + fill.fee,
        holding.realised,
        holding.opened_at or fill.at,
    )


def after_sell(holding: Holding, fill: Fill) -> tuple[Holding, Realised] | Oversold:
    """The holding after a sell and what it realised, or the refusal where more is sold than held."""
    if fill.quantity > holding.quantity:
        sentence = (
            f"Execution {fill.execution_id} sells {fill.quantity.normalize():f} of {fill.ticker}, but "
            f"{holding.quantity.normalize():f} are held: an earlier fill is missing; reconcile with the broker."
        )
        return Oversold(fill, holding.quantity, sentence)
    left = holding.quantity - fill.quantity
    cost = holding.total_cost if left == 0 else _part(holding, fill.quantity)
    profit = fill.quantity * fill.price - fill.fee - cost
    realised = Realised(fill, cost, profit, closes=left == 0)
    if left == 0:
        return Holding(realised=holding.realised + profit), realised
    return Holding(left, holding.total_cost - cost, holding.realised + profit, holding.opened_at), realised


def after_split(holding: Holding, split: Split) -> Holding:
    """The holding after a split, cut to nine decimals: other shares, the same cost."""
    quantity = max(ZERO, shares_down(holding.quantity * split.ratio) - split.paid_out)
    return replace(holding, quantity=quantity)


def book(fills: Iterable[Fill], adjustments: Iterable[Adjustment] = ()) -> Book:
    """All fills in the order of their instants (buys first within one), each execution once, adjustments in between.

    An adjustment comes before the fills of its instant. Neither the order nor a repetition in the input changes the
    result.
    """
    once = {(f.order_id, f.execution_id): f for f in fills}
    changes = sorted(set(adjustments), key=lambda a: (a.at, a.ticker, isinstance(a, Rename)), reverse=True)
    holdings: dict[str, Holding] = {}
    realised: list[Realised] = []
    closed: list[ClosedTrade] = []
    oversold: list[Oversold] = []
    cash = ZERO
    for fill in sorted(once.values(), key=lambda f: (f.at, f.side, f.ticker, f.order_id, f.execution_id)):
        while changes and changes[-1].at <= fill.at:
            _adjust(holdings, changes.pop())
        holding = holdings.get(fill.ticker, Holding())
        if fill.side == "buy":
            holdings[fill.ticker] = after_buy(holding, fill)
            cash -= fill.quantity * fill.price + fill.fee
            continue
        result = after_sell(holding, fill)
        if isinstance(result, Oversold):
            oversold.append(result)
            continue
        rest, sale = result
        realised.append(sale)
        cash += fill.quantity * fill.price - fill.fee
        if sale.closes:
            profit = rest.realised
            closed.append(ClosedTrade(fill.ticker, holding.opened_at or fill.at, fill.at, profit))
            holdings.pop(fill.ticker, None)
        else:
            holdings[fill.ticker] = rest
    while changes:
        _adjust(holdings, changes.pop())
    return Book(holdings, tuple(realised), tuple(closed), tuple(oversold), cash)


def _adjust(holdings: dict[str, Holding], change: Adjustment) -> None:
    held = holdings.pop(change.ticker, None)
    if held is None:
        return
    if isinstance(change, Split):
        holdings[change.ticker] = after_split(held, change)
        return
    other = holdings.get(change.new_ticker, Holding())
    opened = min((at for at in (held.opened_at, other.opened_at) if at is not None), default=None)
    holdings[change.new_ticker] = Holding(
        held.quantity + other.quantity,
        held.total_cost + other.total_cost,
        held.realised + other.realised,
        opened,
    )


def _part(holding: Holding, quantity: Decimal) -> Decimal:
    """The share of the cost that a part of the shares takes with it, to nine decimals so that sums stay exact."""
    exact = holding.total_cost * quantity / holding.quantity
    return exact.quantize(NANO_SHARE, rounding=ROUND_HALF_EVEN)
