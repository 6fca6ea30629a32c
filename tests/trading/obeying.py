"""An engine that is told what to do: its steps, and what it was asked for."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from stonks_trading.console import orders
from stonks_trading.console.author import Author
from stonks_trading.console.orders import OwnOrder
from stonks_trading.session import TradingSession
from tests.trading.bench import TICKER, Bench, at
from tests.trading.engine.test_crashes import DyingDatabase, Fuse, Killed

BUY = OwnOrder(TICKER, "buy", "market", notional=Decimal(20))


def started(bench: Bench) -> TradingSession:
    session = bench.session()
    session.reconcile()
    return session


def bought(bench: Bench) -> TradingSession:
    session = started(bench)
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    return session


def by_hand(bench: Bench, wanted: OwnOrder = BUY, key: str = "my-order-1", minute: int = 1) -> dict[str, Any]:
    with bench.database.connection() as connection:
        author = Author("by hand", at(16, minute), "Ada")
        return orders.ask_order(connection, author, bench.settings, key, wanted, timedelta(minutes=30))


def request(bench: Bench) -> dict[str, Any]:
    (row,) = bench.database.fetch("SELECT kind, outcome, note, done_at FROM engine_requests")
    return row


def dies(bench: Bench, number: int, *steps: str) -> bool:
    """A process that dies at the n-th point of the steps; whether it did before they were done."""
    fuse = Fuse(10**9)
    session = bench.session(DyingDatabase(bench.database, fuse))  # type: ignore[arg-type]
    session.reconcile()
    fuse.left, bench.broker.step = number, fuse
    try:
        for step in steps:
            getattr(session, step)(bench.later(minutes=1))
    except Killed:
        return True
    finally:
        bench.broker.step = lambda _: None
    return False
