"""A broker in memory that keeps the `Broker` promises: fills when told to, fails when told to.

Like Alpaca it lets no sell exceed what is held and free, takes no order beside its opposite, and a stop only below the
price; a stop fills only once the price is through it.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from stonks_core.calendar import MarketCalendar
from stonks_core.money import shares_down
from stonks_trading.broker.protocol import (
    Account,
    Asset,
    BrokerClock,
    BrokerOrder,
    BrokerPosition,
    Execution,
    InDoubt,
    OrderRequest,
    OrderState,
    Refused,
    Submitted,
    TradeUpdate,
)
from stonks_trading.records import Quote

ZERO = Decimal(0)


class FakeBroker:
    """`step` is called with the name of each point where a process could die or a wire could break."""

    def __init__(self, now: datetime, cash: str = "1000", prices: Mapping[str, str] | None = None) -> None:
        self.now, self.opening = now, Decimal(cash)
        self.prices = {ticker: Decimal(price) for ticker, price in (prices or {}).items()}
        self.placed: dict[str, BrokerOrder] = {}
        self.requests: dict[str, OrderRequest] = {}
        self.slow_cancels = False  # a cancellation stays asked for until `confirm_cancels`
        self.canceling: list[str] = []
        self.renamed: dict[str, str] = {}
        self.splits: list[tuple[datetime, str, Decimal]] = []
        self.open_hours = MarketCalendar("XNYS")
        self.skew = timedelta(0)  # how far this broker's clock is ahead
        self.done: list[Execution] = []
        self.next_answer: Submitted | None = None  # answered instead of placing
        self.lose_answer = False  # placed, but the answer never arrives
        self.step: Callable[[str], None] = lambda _: None
        self.submitted = 0
        self.account_id = "acc"
        self._ids = itertools.count(1)

    def account(self) -> Account:
        equity = self.cash + sum(p.quantity * (p.price or ZERO) for p in self.positions())
        return Account(self.account_id, "PA1", "ACTIVE", "USD", self.cash, equity, self.cash, None, blocked=False)

    @property
    def cash(self) -> Decimal:
        return self.opening + sum((e.quantity * e.price * (-1 if e.side == "buy" else 1) for e in self.done), ZERO)

    def clock(self) -> BrokerClock:
        self.step("clock")
        now = self.now + self.skew
        return BrokerClock(now, self.open_hours.is_open(now))

    def asset(self, ticker: str) -> Asset | None:
        return Asset(ticker, tradable=True, fractionable=True) if ticker in self.prices else None

    def positions(self) -> Sequence[BrokerPosition]:
        self.step("positions")
        held = {t: self.held(t) for t in sorted({e.ticker for e in self.done} | set(self.renamed.values()))}
        return [
            BrokerPosition(t, q, self.prices[t], self.prices[t], q - self.bound(t)) for t, q in held.items() if q != 0
        ]

    def held(self, ticker: str) -> Decimal:
        """Shares by the executions and the splits between them; what was renamed stands under its new name."""
        events: list[tuple[datetime, int, Decimal]] = [
            (e.at, 0, e.quantity if e.side == "buy" else -e.quantity)
            for e in self.done
            if self.renamed.get(e.ticker, e.ticker) == ticker
        ]
        events += [(at, 1, ratio) for at, of, ratio in self.splits if self.renamed.get(of, of) == ticker]
        quantity = ZERO
        for _, kind, amount in sorted(events):
            quantity = shares_down(quantity * amount) if kind else quantity + amount
        return quantity

    def bound(self, ticker: str) -> Decimal:
        """Shares that open sells hold."""
        open_sells = (o for o in self.placed.values() if not o.state.final and (o.ticker, o.side) == (ticker, "sell"))
        return sum(((o.quantity or ZERO) - o.filled_quantity for o in open_sells), ZERO)

    def split(self, ticker: str, ratio: str) -> None:
        """So many new shares for each old one from now on: the price follows."""
        self.splits.append((self.now, ticker, Decimal(ratio)))
        self.prices[ticker] /= Decimal(ratio)

    def rename(self, old: str, new: str) -> None:
        """The old ticker trades no more; its shares are the new one's."""
        self.renamed[old] = new
        self.prices[new] = self.prices.pop(old)

    def open_orders(self) -> Sequence[BrokerOrder]:
        self.step("open_orders")
        return [o for o in self.placed.values() if not o.state.final]

    def submit(self, request: OrderRequest) -> Submitted:
        self.step("submit.before")
        self.submitted += 1
        if self.next_answer is not None:
            answer, self.next_answer = self.next_answer, None
            return answer
        if request.client_order_id in self.placed:
            return InDoubt("client_order_id must be unique")
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        order = BrokerOrder(
            broker_order_id=f"b{next(self._ids)}",
            client_order_id=request.client_order_id,
            ticker=request.ticker,
            side=request.side,
            state=OrderState.ACCEPTED,
            status="new",
            quantity=request.quantity,
            notional=request.notional,
            filled_quantity=ZERO,
            filled_average_price=None,
            submitted_at=self.now,
            updated_at=self.now,
        )
        self.placed[order.client_order_id] = order
        self.requests[order.client_order_id] = request
        self.step("submit.after")
        return InDoubt("the answer was lost") if self.lose_answer else order

    def _refusal(self, request: OrderRequest) -> Refused | None:
        ticker, price = request.ticker, self.prices.get(request.ticker)
        if price is None:
            return Refused("42210000", "no such asset")
        if any(not o.state.final and o.ticker == ticker and o.side != request.side for o in self.placed.values()):
            return Refused("42210000", "potential wash trade detected. use complex orders")
        if request.stop_price is not None and request.side == "sell" and request.stop_price >= price:
            return Refused("42210000", "stop price must be less than current price")
        free = self.held(ticker) - self.bound(ticker)
        if request.side == "sell" and request.quantity is not None and request.quantity > free:
            return Refused("40310000", "insufficient qty available for order")
        return None

    def find(self, client_order_id: str) -> BrokerOrder | None:
        self.step("find")
        return self.placed.get(client_order_id)

    def order(self, broker_order_id: str) -> BrokerOrder | None:
        return next((o for o in self.placed.values() if o.broker_order_id == broker_order_id), None)

    def cancel(self, broker_order_id: str) -> bool:
        order = self.order(broker_order_id)
        if order is None or order.state.final:
            return False
        self.step("cancel.before")
        if self.slow_cancels:
            self.canceling.append(order.client_order_id)
            return True
        self._end(order.client_order_id, OrderState.CANCELED)
        self.step("cancel.after")
        return True

    def confirm_cancels(self) -> None:
        for name in self.canceling:
            if not self.placed[name].state.final:
                self._end(name, OrderState.CANCELED)
        self.canceling.clear()

    def close_session(self) -> None:
        """The close: every DAY order dies."""
        for name, order in self.placed.items():
            if not order.state.final:
                self._end(name, OrderState.EXPIRED)

    def _end(self, name: str, state: OrderState) -> None:
        self.placed[name] = replace(self.placed[name], state=state, status=str(state), updated_at=self.now)

    def executions(self, after: datetime) -> Sequence[Execution]:
        self.step("executions")
        return [e for e in self.done if e.at > after]

    def quotes(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        found = {t: self.prices[t] for t in tickers if t in self.prices}
        return {t: Quote(t, p - Decimal("0.01"), p + Decimal("0.01"), p, self.now, "fake") for t, p in found.items()}

    def fill(self, client_order_id: str, share: str = "1") -> TradeUpdate:
        """Fill a share of what is left of an order at the ticker's price; the stream's event of it."""
        order = self.placed[client_order_id]
        price = self.prices[order.ticker]
        whole = order.quantity if order.quantity is not None else shares_down((order.notional or ZERO) / price)
        quantity = shares_down((whole - order.filled_quantity) * Decimal(share))
        filled = order.filled_quantity + quantity
        done = filled == whole
        order = replace(
            order,
            filled_quantity=filled,
            filled_average_price=price,
            state=OrderState.FILLED if done else OrderState.PARTIALLY_FILLED,
            status="filled" if done else "partially_filled",
            updated_at=self.now,
        )
        self.placed[client_order_id] = order
        execution = Execution(
            f"x{len(self.done) + 1}", order.broker_order_id, order.ticker, order.side, quantity, price, filled, self.now
        )
        self.done.append(execution)
        return TradeUpdate("fill" if done else "partial_fill", order, execution, self.now)

    def fill_all(self) -> None:
        for order in list(self.placed.values()):
            if not order.state.final and self.triggered(order.client_order_id):
                self.fill(order.client_order_id)

    def triggered(self, client_order_id: str) -> bool:
        """Whether an order fills by itself: a stop once the price is through it, any other at once."""
        stop = self.requests[client_order_id].stop_price
        return stop is None or self.prices[self.placed[client_order_id].ticker] <= stop


NOON = datetime(2026, 5, 4, 16, 0, tzinfo=UTC)  # a Monday, in session in New York
