"""A broker in memory that keeps the `Broker` promises: fills when told to, fails when told to."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

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
        return BrokerClock(self.now, is_open=True)

    def asset(self, ticker: str) -> Asset | None:
        return Asset(ticker, tradable=True, fractionable=True) if ticker in self.prices else None

    def positions(self) -> Sequence[BrokerPosition]:
        self.step("positions")
        held: dict[str, Decimal] = {}
        for e in self.done:
            held[e.ticker] = held.get(e.ticker, ZERO) + (e.quantity if e.side == "buy" else -e.quantity)
        return [BrokerPosition(t, q, self.prices[t], self.prices[t], q) for t, q in sorted(held.items()) if q != 0]

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
        if request.ticker not in self.prices:
            return Refused("42210000", "no such asset")
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
        self.step("submit.after")
        return InDoubt("the answer was lost") if self.lose_answer else order

    def find(self, client_order_id: str) -> BrokerOrder | None:
        self.step("find")
        return self.placed.get(client_order_id)

    def order(self, broker_order_id: str) -> BrokerOrder | None:
        return next((o for o in self.placed.values() if o.broker_order_id == broker_order_id), None)

    def cancel(self, broker_order_id: str) -> bool:
        order = self.order(broker_order_id)
        if order is None or order.state.final:
            return False
        self.placed[order.client_order_id] = replace(order, state=OrderState.CANCELED, status="canceled")
        return True

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
            if not order.state.final:
                self.fill(order.client_order_id)


NOON = datetime(2026, 5, 4, 16, 0, tzinfo=UTC)  # a Monday, in session in New York
