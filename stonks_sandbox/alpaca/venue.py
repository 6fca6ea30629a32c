"""The broker: takes, changes, cancels and settles orders, keeps them in the store and tells the stream.

Every public method first settles what is due, so that no answer is older than the clock. Refusals are values.
Use it from one thread.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from stonks_sandbox.alpaca import rules
from stonks_sandbox.alpaca.book import Book, acted, fold
from stonks_sandbox.alpaca.fills import half_spread
from stonks_sandbox.alpaca.model import (
    ZERO,
    Execution,
    Order,
    Refusal,
    asset_id,
    floor_qty,
    is_whole,
    money,
    refuse,
    text,
)
from stonks_sandbox.alpaca.sessions import sessions_of
from stonks_sandbox.alpaca.settlement import Change, Taken, TapeBar, settle
from stonks_sandbox.alpaca.store import OrderQuery, Store, instant
from stonks_sandbox.world.actions import effective
from stonks_sandbox.world.protocol import Action, Company, Split, World

_NAMES = uuid.UUID("2f4fd3a0-3f0b-58f5-8a0e-9d7c0c6f1d52")
_CHANGEABLE = ("qty", "limit_price", "stop_price", "time_in_force")


class Venue:
    """One account on one world. `publish` receives every change once it is stored."""

    def __init__(
        self,
        world: World,
        store: Store,
        cash: Decimal,
        publish: Callable[[Change], None],
        whole_shares_only: frozenset[str] = frozenset(),
    ) -> None:
        self.world = world
        self.sessions = sessions_of(world.calendar_name)
        self.whole_shares_only = whole_shares_only
        self._store = store
        self._publish = publish
        with store.transaction():
            self.initial_cash = Decimal(store.meta("initial_cash", str(cash)))
            self.opened_at = datetime.fromisoformat(store.meta("opened_at", instant(world.clock.now())))
            self._acted_to = datetime.fromisoformat(store.meta("acted_to", instant(self.opened_at)))
        self.executions: list[Execution] = store.executions()
        self.book: Book = fold(self.initial_cash, self.executions, self.acted())
        self._taken: Taken = {}
        for execution in self.executions:
            self._take(execution)
        self._marks = store.marks()

    def _take(self, execution: Execution) -> None:
        key = (execution.symbol, execution.bar_start)
        self._taken[key] = self._taken.get(key, ZERO) + execution.qty

    # ---- settling

    def settle(self) -> None:
        """Process every fill, expiry and corporate action that is due, in order of time, exactly once."""
        now = self.world.clock.now()
        for day in sorted({effective(a) for a in self.world.actions() if self._acted_to < effective(a) <= now}):
            self._fill(day, before=True)
            self._act([a for a in self.world.actions() if effective(a) == day], day)
        self._fill(now)

    def acted(self) -> list[Action]:
        """The splits and symbol changes that the account has lived through."""
        return [a for a in self.world.actions() if self.opened_at < effective(a) <= self._acted_to]

    def _act(self, actions: Sequence[Action], at: datetime) -> None:
        """Adjust what is held; open orders keep their shares and prices, unless they can be filled no more.

        Those are all orders of a ticker that trades no more, and sells of more shares than a reverse split has left.
        """
        book, orders = self.book, self._store.open_orders()
        ended: list[Order] = []
        for action in actions:
            book = acted(book, action)
            own = [order for order in orders if order.symbol == action.ticker and order not in ended]
            if isinstance(action, Split):
                sells = [order for order in own if not order.is_buy]
                while sells and sum((order.held_qty for order in sells), ZERO) > book.qty(action.ticker):
                    ended.append(sells.pop())
            else:
                ended += own
        ended = [replace(order, status="canceled", canceled_at=at, updated_at=at) for order in ended]
        with self._store.transaction():
            for order in ended:
                self._store.update_order(order)
            self._store.set_meta("acted_to", instant(at))
        self.book, self._acted_to = book, at
        self._announce([Change("canceled", order, at, position_qty=book.qty(order.symbol)) for order in ended])

    def _fill(self, until: datetime, *, before: bool = False) -> None:
        """Settle fills and expiries up to an instant; `before`: no bar that begins with it."""
        orders = self._store.open_orders()
        if not orders:
            return
        symbols = sorted({o.symbol for o in orders})
        tape = [item for symbol in symbols for item in self._tape(symbol, orders, until)]
        if before:
            tape = [item for item in tape if item.begins < until]
        spread_known = self.world.kind == "synthetic"
        result = settle(orders, tape, self.book, self._taken, until, spread_known=spread_known)
        if not result.changes and not result.marks:
            return
        with self._store.transaction():
            self._keep(result.changes)
            for symbol, bar_start in result.marks.items():
                self._store.set_mark(symbol, bar_start)
        self._marks |= result.marks
        self.book = result.book
        self._announce(result.changes)

    def _tape(self, symbol: str, orders: Sequence[Order], now: datetime) -> list[TapeBar]:
        seconds = self.world.bar_seconds
        oldest = min(order.submitted_at for order in orders if order.symbol == symbol)
        start = oldest - timedelta(seconds=seconds)
        mark = self._marks.get(symbol)
        start = max(start, mark) if mark else start
        bars = list(self.world.bars(symbol, start, now, seconds))
        latest = self.world.next_bar(symbol, bars[-1].start if bars else start)
        bars += [latest] if latest else []
        tape = [TapeBar(symbol, b, self.sessions.bar_begins(b), self.sessions.bar_ends(b)) for b in bars]
        return [item for item in tape if item.begins <= now and (mark is None or item.bar.start > mark)]

    def _keep(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._store.update_order(change.order)
            if change.execution:
                self._store.insert_execution(change.execution)

    def _announce(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.execution:
                self.executions.append(change.execution)
                self._take(change.execution)
            if change.event:
                self._publish(change)

    # ---- questions

    def quote(self, symbol: str) -> rules.Quote | None:
        """Last trade, bid and ask of a symbol now, or None where it has not traded yet."""
        price = self.world.last_price(symbol)
        if price is None:
            return None
        last = money(price)
        half = half_spread(last)
        return rules.Quote(last, last - half, last + half, symbol not in self.whole_shares_only)

    def company(self, symbol_or_id: str) -> Company | None:
        """A listed company by ticker or by asset id."""
        found = self.world.company(symbol_or_id.upper())
        if found is not None:
            return found
        return next((c for c in self.world.companies() if asset_id(c.ticker) == symbol_or_id.lower()), None)

    def order(self, order_id: str) -> Order | Refusal:
        """One order by the broker's id."""
        self.settle()
        return self._store.order(order_id) or rules.not_found(f"order not found for {order_id}")

    def order_by_client_id(self, client_order_id: str) -> Order | Refusal:
        """One order by the client's id."""
        self.settle()
        found = self._store.order_by_client_id(client_order_id)
        return found or rules.not_found(f"order not found for {client_order_id}")

    def orders(self, wanted: OrderQuery) -> list[Order]:
        """The orders that a query selects, by time of acceptance."""
        self.settle()
        return self._store.orders(wanted)

    def open_orders(self) -> list[Order]:
        """All orders that can still fill, in the order of acceptance."""
        self.settle()
        return self._store.open_orders()

    # ---- commands

    def submit(self, body: Mapping[str, Any]) -> Order | Refusal:
        """Take an order; the answer is its state before any fill."""
        self.settle()
        ticket = rules.read_ticket(body)
        if isinstance(ticket, Refusal):
            return ticket
        if ticket.client_order_id and self._store.order_by_client_id(ticket.client_order_id):
            return rules.duplicate_client_id()
        order = self._admit(ticket, self._store.open_orders())
        if isinstance(order, Refusal):
            return order
        with self._store.transaction():
            order = self._store.insert_order(order)
        self._announce([Change("new", order, order.submitted_at, position_qty=self.book.qty(order.symbol))])
        return order

    def _admit(self, ticket: rules.Ticket, others: Sequence[Order]) -> Order | Refusal:
        quote = self.quote(ticket.symbol) if self.world.company(ticket.symbol) else None
        if quote is None:
            return refuse(422, rules.UNPROCESSABLE, f'asset "{ticket.symbol}" not found')
        admission = rules.admit(ticket, quote, self.book, others)
        if isinstance(admission, Refusal):
            return admission
        now = self.world.clock.now()
        client_id = ticket.client_order_id or self._fresh_client_id()
        day = ticket.time_in_force == "day"
        intent = ticket.position_intent or ("buy_to_open" if ticket.side == "buy" else "sell_to_close")
        return Order(
            id=str(uuid.uuid5(_NAMES, f"order|{client_id}")),
            seq=0,
            client_order_id=client_id,
            symbol=ticket.symbol,
            side=ticket.side,
            type=ticket.type,
            time_in_force=ticket.time_in_force,
            submitted_at=now,
            updated_at=now,
            expires_at=self.sessions.day_order_expires(now, self.world.bar_seconds) if day else None,
            status="new",
            qty=ticket.qty,
            notional=ticket.notional,
            limit_price=ticket.limit_price,
            stop_price=ticket.stop_price,
            extended_hours=ticket.extended_hours,
            position_intent=intent,
            reserve_price=admission.reserve_price,
            reserve_qty=admission.reserve_qty,
        )

    def _fresh_client_id(self) -> str:
        newest = self._store.orders(OrderQuery("all", limit=1))
        number = newest[0].seq + 1 if newest else 1
        while True:
            name = str(uuid.uuid5(_NAMES, f"client|{number}"))
            if self._store.order_by_client_id(name) is None:
                return name
            number += 1

    def replace_order(self, order_id: str, body: Mapping[str, Any]) -> Order | Refusal:
        """Put a changed order in the place of an open one; `qty` counts the shares that have filled already."""
        old = self.order(order_id)
        if isinstance(old, Refusal):
            return old
        if not old.is_open:
            return rules.already_final(old)
        new = self._replacement(old, body)
        if isinstance(new, Refusal):
            return new
        now = new.submitted_at
        with self._store.transaction():
            new = self._store.insert_order(replace(new, replaces=old.id))
            old = replace(old, status="replaced", replaced_at=now, replaced_by=new.id, updated_at=now)
            self._store.update_order(old)
        held = self.book.qty(new.symbol)
        self._announce([Change("replaced", old, now, position_qty=held), Change("new", new, now, position_qty=held)])
        return new

    def _replacement(self, old: Order, body: Mapping[str, Any]) -> Order | Refusal:
        names = ("symbol", "side", "type", "notional", "extended_hours", "position_intent", *_CHANGEABLE)
        before = {name: getattr(old, name) for name in names}
        after = {name: body[name] for name in (*_CHANGEABLE, "client_order_id") if body.get(name) is not None}
        ticket = rules.read_ticket({**before, **after})
        if isinstance(ticket, Refusal):
            return ticket
        refusal = _replacement_refusal(old, ticket, resized="qty" in after)
        if refusal:
            return refusal
        if ticket.client_order_id and self._store.order_by_client_id(ticket.client_order_id):
            return rules.duplicate_client_id()
        if ticket.qty is None:
            left = replace(ticket, notional=old.remaining_notional)
        else:
            left = replace(ticket, qty=ticket.qty - old.filled_qty)
        return self._admit(left, [order for order in self._store.open_orders() if order.id != old.id])

    def cancel(self, order_id: str) -> Order | Refusal:
        """End an open order."""
        order = self.order(order_id)
        if isinstance(order, Refusal):
            return order
        if not order.is_open:
            return rules.already_final(order)
        now = self.world.clock.now()
        ended = replace(order, status="canceled", canceled_at=now, updated_at=now)
        with self._store.transaction():
            self._store.update_order(ended)
        self._announce([Change("canceled", ended, now, position_qty=self.book.qty(order.symbol))])
        return ended

    def close_position(self, symbol: str, qty: str | None, percentage: str | None) -> Order | Refusal:
        """Sell a position, or so many shares or percent of it, at the market."""
        self.settle()
        held = self.book.qty(symbol)
        if not held:
            return rules.not_found("position does not exist")
        if qty is not None and percentage is not None:
            return refuse(422, rules.MALFORMED, "only one of qty or percentage is accepted")
        wanted = qty if qty is not None else text(held)
        if percentage is not None:
            try:
                share = Decimal(percentage) / 100
            except ArithmeticError:
                return refuse(422, rules.MALFORMED, f"percentage is not a number: {percentage!r}")
            if not ZERO < share <= 1:
                return refuse(422, rules.MALFORMED, "percentage must be above 0 and at most 100")
            part = floor_qty(held * share)
            wanted = text(part.to_integral_value(rounding=ROUND_DOWN) if is_whole(held) else part)
        order = {"symbol": symbol, "side": "sell", "type": "market", "time_in_force": "day", "qty": wanted}
        return self.submit(order)


def _replacement_refusal(old: Order, ticket: rules.Ticket, *, resized: bool) -> Refusal | None:
    if not resized:
        return None
    if old.qty is None or not is_whole(old.qty) or ticket.is_fractional:
        return refuse(422, rules.UNPROCESSABLE, "qty of fractional or notional orders cannot be replaced")
    if ticket.qty is not None and ticket.qty <= old.filled_qty:
        return refuse(422, rules.UNPROCESSABLE, "qty must be greater than filled_qty")
    return None
