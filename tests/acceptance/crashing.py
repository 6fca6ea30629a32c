"""One short cycle with its orders, as a function that a process of its own runs, telling each stage before it begins.

`python -m pytest` forks these processes from a server that has imported this module, so that killing many costs little.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from stonks_assets.cycle import BARS, GOLD, INGESTION, SILVER, Stage
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.postgres import Database
from stonks_trading.door import open_door
from stonks_trading.session import open_session
from tests.acceptance.day import NOW, TODAY, register

DAYS_OF_BARS = 16
FILLED = NOW + timedelta(seconds=90)
Tell = Callable[[str], None]


def run_cycle(told: Connection, home: Path, database: str, variables: Mapping[str, str]) -> None:
    """The whole cycle; `database` is the name of a migrated one, `variables` make the settings."""
    settings = load_settings(variables)
    with Database(settings.postgres, database, application="crashing") as opened:
        clock = ManualClock(NOW)
        pipeline = Pipeline(settings, Lake(LakeLocation(str(home / "lake"))), opened, clock)
        _walk(pipeline, clock, told.send)
    told.send("done")


def _walk(pipeline: Pipeline, clock: ManualClock, tell: Tell) -> None:
    tell("register")
    register(pipeline)
    tell("bars")
    for back in range(DAYS_OF_BARS, 0, -1):
        for stage in BARS.values():
            stage(pipeline, TODAY - timedelta(days=back), NOW)
    stages: Mapping[str, Stage] = {**INGESTION, **SILVER, **GOLD}
    for name, stage in stages.items():
        tell(name)
        stage(pipeline, TODAY, NOW)
    tell("reconcile")
    with open_session(pipeline.settings, pipeline.lake, pipeline.database, clock, open_door) as session:
        session.reconcile()
        tell("decide")
        session.decide(NOW)
        tell("send")
        session.send_outbox(NOW)
        tell("drive")
        url = f"{pipeline.settings.sandbox.url}/sandbox/clock"
        httpx.post(url, json={"now": FILLED.isoformat()}, timeout=30).raise_for_status()
        clock.advance_to(FILLED)
        tell("sweep")
        session.sweep(FILLED)
        tell("stops")
        session.check_stops(FILLED)
