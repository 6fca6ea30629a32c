"""A process that is killed without warning leaves the Alpaca stand-in's state whole."""

import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from stonks_sandbox.alpaca.book import fold
from stonks_sandbox.alpaca.model import ZERO
from stonks_sandbox.alpaca.store import OrderQuery, Store
from stonks_sandbox.alpaca.venue import Venue
from tests.sandbox.test_alpaca_scripted_world import ScriptedWorld, flat

ROOT = Path(__file__).parents[2]
WORLD = ScriptedWorld({"AAA": flat()})
TRADER = """
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from stonks_sandbox.alpaca.store import Store
from stonks_sandbox.alpaca.venue import Venue
from tests.sandbox.test_alpaca_scripted_world import ScriptedWorld, flat, order
world = ScriptedWorld({"AAA": flat(100.0, bars=1_000, volume=1000)})
venue = Venue(world, Store(Path(sys.argv[1])), Decimal(10**9), lambda change: None)
world.clock.at = max([world.clock.at, *(e.executed_at for e in venue.executions)])
while True:
    venue.submit(order(qty="15"))
    world.clock.at += timedelta(seconds=5)
    venue.settle()
    print(len(venue.executions), flush=True)
"""


def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alpaca.sqlite"
    acknowledged = 0
    for wanted in (5, 40):
        trader = subprocess.Popen(
            [sys.executable, "-c", TRADER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert trader.stdout is not None
        for line in trader.stdout:
            acknowledged = int(line)
            if acknowledged >= wanted:
                break
        os.kill(trader.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in trader.stdout.read().split("\n")[:-1])])
        trader.wait(10)
        trader.stdout.close()

        store = Store(path)
        executions = store.executions()
        assert len(executions) >= acknowledged
        assert len({e.id for e in executions}) == len(executions)
        for one in store.orders(OrderQuery("all", limit=500)):
            assert sum((e.qty for e in executions if e.order_id == one.id), ZERO) == one.filled_qty
        assert fold(Decimal(10**9), executions).cash >= 0
        assert Venue(WORLD, store, ZERO, lambda change: None).initial_cash == 10**9
        store.close()
