"""One settlement, pure: waiting orders and the bars since the last settlement in, changes in order of time out.

Whether a stretch of market is settled in one go or in many, the executions are the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from stonks_sandbox.alpaca.book import Book, apply
from stonks_sandbox.alpaca.fills import Fill, Phase, capacity, fill, match
from stonks_sandbox.alpaca.model import ZERO, Execution, Order, execution_id, floor_qty, is_whole
from stonks_sandbox.world.protocol import Bar

Taken = dict[tuple[str, datetime], Decimal]


@dataclass(frozen=True)
class TapeBar:
    """A bar of a symbol that has begun, with the instants between which it trades."""

    symbol: str
    bar: Bar
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Change:
    """A new state of an order; `event` is its name on the stream, empty where the stream is silent."""

    event: Literal["", "new", "fill", "partial_fill", "canceled", "expired", "replaced", "rejected"]
    order: Order
    at: datetime
    execution: Execution | None = None
    position_qty: Decimal = ZERO


@dataclass(frozen=True)
class Settlement:
    """What happened, the book after it, and per symbol the last bar that is settled for good."""

    changes: tuple[Change, ...]
    book: Book
    marks: dict[str, datetime]


def settle(
    orders: Iterable[Order],
    tape: Sequence[TapeBar],
    book: Book,
    taken: Mapping[tuple[str, datetime], Decimal],
    now: datetime,
    *,
    spread_known: bool,
) -> Settlement:
    """Let every bar of `tape` and every expiry up to `now` act on open `orders` (in order of acceptance).

    `taken` holds the shares that earlier executions took from a bar, by symbol and start of the bar.
    """
    return _Run(orders, book, taken, now, spread_known=spread_known).over(tape)


class _Run:
    """The state of one settlement while it walks through time."""

    def __init__(
        self,
        orders: Iterable[Order],
        book: Book,
        taken: Mapping[tuple[str, datetime], Decimal],
        now: datetime,
        *,
        spread_known: bool,
    ) -> None:
        self._open = {order.id: order for order in orders}
        self._book = book
        self._taken: Taken = dict(taken)
        self._now = now
        self._spread_known = spread_known
        self._changes: list[Change] = []
        self._marks: dict[str, datetime] = {}
        self._done: set[tuple[str, datetime]] = set()

    def over(self, tape: Sequence[TapeBar]) -> Settlement:
        # At one instant a bar ends before orders expire, and orders expire before the next bar opens.
        moments: list[tuple[datetime, int, str, TapeBar | None]] = []
        for item in tape:
            moments.append((item.begins, 2, item.symbol, item))
            if item.ends <= self._now:
                moments.append((item.ends, 0, item.symbol, item))
        ends = ((order.expires_at, order.id) for order in self._open.values())
        moments += [(at, 1, order_id, None) for at, order_id in ends if at is not None and at <= self._now]
        for at, kind, name, due in sorted(moments, key=lambda moment: moment[:3]):
            if due is None:
                self._expire(name, at)
            elif kind == 2:
                self._trade(due, "open", at)
            else:
                self._trade(due, "during", at)
                self._marks[due.symbol] = due.bar.start
        return Settlement(tuple(self._changes), self._book, self._marks)

    def _record(self, change: Change) -> None:
        self._changes.append(change)
        if change.order.is_open:
            self._open[change.order.id] = change.order
        else:
            del self._open[change.order.id]

    def _expire(self, order_id: str, at: datetime) -> None:
        order = self._open.get(order_id)
        if order is not None:
            self._end(order, "expired", at)

    def _end(self, order: Order, status: Literal["expired", "canceled", "rejected"], at: datetime) -> None:
        stamps = {"expired": "expired_at", "canceled": "canceled_at", "rejected": "failed_at"}
        ended = replace(order, status=status, updated_at=at, **{stamps[status]: at})  # type: ignore[arg-type]
        self._record(Change(status, ended, at, position_qty=self._book.qty(order.symbol)))

    def _trade(self, item: TapeBar, phase: Phase, at: datetime) -> None:
        complete = item.ends <= self._now
        for order in [o for o in self._open.values() if o.symbol == item.symbol]:
            done = (order.id, item.bar.start) in self._done
            if done or item.begins <= order.submitted_at:
                continue
            found = match(order, item.bar, phase, spread_known=self._spread_known)
            if found is None:
                continue
            live = order
            if found.triggered and order.triggered_at is None:
                live = replace(order, triggered_at=at, updated_at=at)
                self._record(Change("", live, at))
            if found.price is None:
                continue
            room = capacity(item.bar, self._taken.get((item.symbol, item.bar.start), ZERO))
            filled = fill(live, found.price, room)
            if not filled.completes and not complete:
                return  # its volume is not known yet, and those behind it must not pass it
            self._book_fill(live, filled, item, at)

    def _book_fill(self, order: Order, filled: Fill, item: TapeBar, at: datetime) -> None:
        qty = min(filled.qty, self._affordable(order, filled)) if order.is_buy else filled.qty
        short_of_cash = qty < filled.qty
        if qty > ZERO:
            order = self._execute(order, qty, filled, item, at, completes=filled.completes and not short_of_cash)
        if short_of_cash:
            self._end(order, "canceled" if order.filled_qty else "rejected", at)

    def _affordable(self, order: Order, filled: Fill) -> Decimal:
        qty = floor_qty(self._book.cash / filled.price)
        whole = order.qty is not None and is_whole(order.qty)
        return qty.to_integral_value(rounding=ROUND_DOWN) if whole else qty

    def _execute(
        self, order: Order, qty: Decimal, filled: Fill, item: TapeBar, at: datetime, *, completes: bool
    ) -> Order:
        total = order.filled_qty + qty
        after = replace(
            order,
            status="filled" if completes else "partially_filled",
            filled_qty=total,
            filled_cost=order.filled_cost + qty * filled.price,
            filled_at=at if completes else None,
            updated_at=at,
            qty=total if completes and order.notional is not None else order.qty,
        )
        execution = Execution(
            id=execution_id(order.id, item.bar.start),
            order_id=order.id,
            symbol=order.symbol,
            side=order.side,
            qty=qty,
            price=filled.price,
            bar_start=item.bar.start,
            executed_at=at,
            cum_qty=total,
            leaves_qty=ZERO if completes or after.qty is None else after.qty - total,
            order_status=after.status,
        )
        self._done.add((order.id, item.bar.start))
        self._book = apply(self._book, execution)
        key = (item.symbol, item.bar.start)
        self._taken[key] = self._taken.get(key, ZERO) + qty
        event: Literal["fill", "partial_fill"] = "fill" if completes else "partial_fill"
        self._record(Change(event, after, at, execution, self._book.qty(order.symbol)))
        return after
