"""What acceptance tests stand on: the sandbox as a process of its own, a pipeline over real stores, and what is stored."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql

from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import Settings, load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.registry import PIPELINE_TABLES
from stonks_core.stores.postgres import Database, dsn
from stonks_trading.door import stored_verdict
from stonks_trading.session import TradingSession, open_session

PROJECT = Path(__file__).resolve().parents[2]
SEED = 7
_numbers = itertools.count()


@dataclass
class Sandbox:
    """A running sandbox with a driven clock."""

    url: str
    client: httpx.Client

    def drive(self, to: datetime) -> None:
        """Move the sandbox's present; what falls due on the way happens."""
        answer = self.client.post("/sandbox/clock", json={"now": to.isoformat()})
        assert answer.status_code == 200, answer.text


@contextmanager
def sandbox(state: Path, start: datetime | None, *, port: int = 0, recorded: Path | None = None) -> Iterator[Sandbox]:
    """The synthetic market of seed 7, or a recording, on a free port or a given one, killed at the end of the block.

    Without `start` it goes on at the instant that its state folder remembers.
    """
    source = ("--recorded", str(recorded)) if recorded else ("--synthetic", "--seed", str(SEED))
    place = ("--state", str(state), "--port", str(port), "--clock", "driven")
    command = [sys.executable, "-m", "stonks_sandbox", *place, *source]
    log = state.parent / f"{state.name}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--start", start.isoformat()] if start else command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=PROJECT,
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert "ready on http://127.0.0.1:" in line, log.read_text()
            url = line.split()[3]
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                yield Sandbox(url, client)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@contextmanager
def fresh_database(postgres: Postgres, template: str) -> Iterator[Database]:
    """A migrated database for longer than one test."""
    name = f"acceptance_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    with Database(postgres, name) as database:
        yield database
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def settings_for(home: Path, url: str, **variables: str) -> Settings:
    """Settings as a process would load them, with nothing outside but the sandbox."""
    return load_settings({"STONKS_HOME": str(home), "SANDBOX_URL": url, **variables})


@contextmanager
def pipeline_over(
    folder: Path, database: Database, url: str, now: datetime, **variables: str
) -> Iterator[tuple[Pipeline, ManualClock]]:
    """A pipeline with a lake in `folder` and a clock of its own."""
    clock = ManualClock(now)
    settings = settings_for(folder, url, **variables)
    yield Pipeline(settings, Lake(LakeLocation(str(folder / "lake"))), database, clock), clock


@contextmanager
def session_over(pipeline: Pipeline, clock: ManualClock) -> Iterator[TradingSession]:
    """A reconciled trading session over a pipeline's stores."""
    door = stored_verdict(pipeline.settings.data_health)
    with open_session(pipeline.settings, pipeline.lake, pipeline.database, clock, door) as session:
        session.reconcile()
        yield session


@dataclass(frozen=True)
class Snapshot:
    """What stood in the stores at one moment."""

    versions: Mapping[str, int]
    rows: Mapping[str, Mapping[tuple[Any, ...], Mapping[str, Any]]]
    orders: Mapping[str, Mapping[str, Any]]
    decisions: frozenset[str] = field(default_factory=frozenset)

    def keys(self, table: str) -> frozenset[tuple[Any, ...]]:
        """The business keys of a table."""
        return frozenset(self.rows[table])


def snapshot(lake: Lake, database: Database) -> Snapshot:
    """Everything that the pipeline's tables and the orders hold."""
    rows = {}
    for table in PIPELINE_TABLES:
        columns = [name for name in table.schema.names if name not in {"payload", "fingerprint"}]
        found = lake.read(table, columns=columns).to_pylist()
        rows[table.name] = {tuple(row[name] for name in ("day", *table.key)): row for row in found}
        assert len(rows[table.name]) == len(found), f"{table.name} holds a key twice"
    return Snapshot(
        versions={table.name: lake.version(table) for table in PIPELINE_TABLES},
        rows=rows,
        orders={row["order_id"]: row for row in database.fetch("SELECT * FROM orders")},
        decisions=frozenset(row["decision_id"] for row in database.fetch("SELECT decision_id FROM trading_decisions")),
    )


def jsonable(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as plain values, for comparing what two runs stored."""
    parsed: list[dict[str, Any]] = json.loads(json.dumps(list(rows), default=str, sort_keys=True))
    return parsed
