"""A broker that stands in the benchmark's own process, answers at once and fills nothing: only our time is left."""

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from stonks_core.errors import StonksError
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
    Submitted,
)
from stonks_trading.records import Quote

CASH = Decimal(10_000_000)
PRICE, CENT = Decimal(100), Decimal("0.01")


class InstantBroker:
    """Keeps the promises of `Broker` for an account with much cash and no position."""

    def __init__(self, tickers: Sequence[str]) -> None:
        self.placed: dict[str, BrokerOrder] = {}
        self._tickers = frozenset(tickers)
        self._missing, self._at, self._came = 0, 0.0, threading.Event()

    def expect(self, orders: int) -> None:
        """Wait from now on for so many more orders; see `reached`."""
        self._came.clear()
        self._missing = orders

    def reached(self, seconds: float) -> float:
        """When the last of the expected orders arrived, by `perf_counter`; StonksError where it does not in time."""
        if not self._came.wait(seconds):
            raise StonksError(f"the daemon sent no order within {seconds:.0f} s of a recommendation that asks for one")
        return self._at

    def account(self) -> Account:
        """The account."""
        return Account("bench", "BENCH", "ACTIVE", "USD", CASH, CASH, CASH, None, blocked=False)

    def clock(self) -> BrokerClock:
        """Now, and open."""
        return BrokerClock(datetime.now(UTC), is_open=True)

    def asset(self, ticker: str) -> Asset | None:
        """Whatever is known may be traded."""
        return Asset(ticker, tradable=True, fractionable=True) if ticker in self._tickers else None

    def positions(self) -> Sequence[BrokerPosition]:
        """None."""
        return ()

    def open_orders(self) -> Sequence[BrokerOrder]:
        """All that were placed."""
        return tuple(self.placed.values())

    def submit(self, request: OrderRequest) -> Submitted:
        """Take the instant, then accept."""
        at = time.perf_counter()
        if request.client_order_id in self.placed:
            return InDoubt("client_order_id must be unique")
        now = datetime.now(UTC)
        order = BrokerOrder(
            broker_order_id=f"b{len(self.placed)}",
            client_order_id=request.client_order_id,
            ticker=request.ticker,
            side=request.side,
            state=OrderState.ACCEPTED,
            status="new",
            quantity=request.quantity,
            notional=request.notional,
            filled_quantity=Decimal(0),
            filled_average_price=None,
            submitted_at=now,
            updated_at=now,
        )
        self.placed[order.client_order_id] = order
        self._missing -= 1
        if self._missing == 0:
            self._at = at
            self._came.set()
        return order

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id."""
        return self.placed.get(client_order_id)

    def order(self, broker_order_id: str) -> BrokerOrder | None:
        """An order by the broker's id."""
        return next((order for order in self.placed.values() if order.broker_order_id == broker_order_id), None)

    def cancel(self, broker_order_id: str) -> bool:
        """Nothing is ever cancelled here."""
        return self.order(broker_order_id) is not None

    def executions(self, after: datetime) -> Sequence[Execution]:
        """None."""
        del after
        return ()

    def quotes(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        """A fresh quote of each."""
        now = datetime.now(UTC)
        return {t: Quote(t, PRICE - CENT, PRICE + CENT, PRICE, now, "bench") for t in tickers if t in self._tickers}
