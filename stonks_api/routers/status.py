"""Health and status: whether the process lives, what is sandbox and what is real, and how fresh everything is."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from fastapi import APIRouter

from stonks_api.context import Context, Ctx
from stonks_api.routers.health import health_of
from stonks_api.routers.layers import LayerShown, layers_of
from stonks_api.routers.pipeline import Toggle, toggle_of
from stonks_api.wire import Real, Shown
from stonks_core import alerts
from stonks_core.registry import source_state
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.registry import TABLES
from stonks_core.stores.lake.tables import LakeTable

router = APIRouter(prefix="/api", tags=["status"])


class Health(Shown):
    """The process answers."""

    status: str


class TableState(Shown):
    """A lake table: how many rows, its newest day and its newest knowledge; `problem` says why it cannot be opened."""

    table: str
    grade: str
    version: int
    rows: int
    newest_day: str | None
    newest_at: datetime | None
    problem: str = ""


class Lease(Shown):
    """Who owns the trading engine; `held` says whether the claim still stands."""

    owner: str
    held: bool
    fencing_token: int
    acquired_at: datetime
    heartbeat_at: datetime
    expires_at: datetime


class Heartbeat(Shown):
    """One of the engine's tasks: when it last ran, and when it last ran well."""

    task: str
    owner: str
    beat_at: datetime
    ok_at: datetime | None
    cycles: int
    failures: int
    last_error: str
    note: str


class Guard(Shown):
    """Whether this machine and the broker agree about the present; where they do not, no position is opened."""

    guard: str
    holds: bool
    sentence: str
    value: Real
    threshold: Real
    since: datetime
    checked_at: datetime


class Unprotected(Shown):
    """A held position that neither a stop at the broker nor a watched level protects; `alarmed`: for too long."""

    ticker: str
    since: datetime
    alarmed: bool
    sentence: str


class Engine(Shown):
    """The trading engine: its owner, its tasks, what an operator told it, its guards, and what nobody protects."""

    lease: Lease | None
    heartbeats: list[Heartbeat]
    control: dict[str, Any]
    guards: list[Guard]
    unprotected: list[Unprotected]


class Alert(Shown):
    """What failed again and again and needs a person: since when, how often, and what to do."""

    subject: str
    sentence: str
    since: datetime
    last_at: datetime
    times: int


class Status(Shown):
    """What is simulated, what is on, what is fresh, and whether the data is well enough for new positions.

    `failures_open` waits for somebody; `refused_records` does not: it counts what models said and documents do not bear
    out, by clause of the evidence contract.
    """

    at: datetime
    sandbox: dict[str, bool]
    real: list[str]
    trading_enabled: bool
    broker_mode: str
    risk_tier: str
    calendar: str
    model: str
    pipeline: Toggle
    layers: list[LayerShown]
    alerts: list[Alert]
    engine: Engine
    failures_open: int
    refused_records: dict[str, int]
    entries_open: bool
    entries_closed_because: str
    tables: list[TableState]


def status_of(ctx: Context) -> Status:
    """The whole status at the present instant."""
    settings = ctx.settings
    failures = ctx.database.fetch_one("SELECT count(*) AS n FROM failures WHERE status = 'open'")
    health = health_of(ctx)
    return Status(
        at=ctx.clock.now(),
        sandbox=dict(settings.sandboxed),
        real=[name for name, sandboxed in settings.sandboxed.items() if not sandboxed],
        trading_enabled=settings.trading_enabled,
        broker_mode=settings.broker.mode,
        risk_tier=settings.trading.risk_tier.value,
        calendar=settings.calendar_name,
        model=settings.endpoints.model,
        pipeline=toggle_of(ctx.database),
        layers=layers_of(ctx).layers,
        alerts=alerts_of(ctx),
        engine=engine_of(ctx),
        failures_open=failures["n"] if failures else 0,
        refused_records=dict(health.refused_records),
        entries_open=health.entries_open,
        entries_closed_because="" if health.entries_open else health.because,
        tables=list(table_states(ctx, TABLES)),
    )


def alerts_of(ctx: Context) -> list[Alert]:
    """The open alerts, the newest first: of layers and of parked sources."""
    rows = ctx.database.fetch(
        """
        SELECT CASE WHEN stage = %(alert)s THEN item ELSE COALESCE(detail ->> 'name', item) END AS subject,
               error AS sentence, first_at AS since, last_at, attempts AS times
        FROM failures WHERE status IN ('open', 'replay') AND stage = ANY(%(stages)s) ORDER BY last_at DESC, item LIMIT 50
        """,
        {"alert": alerts.STAGE, "stages": [alerts.STAGE, source_state.STAGE]},
    )
    return [Alert.model_validate(row) for row in rows]


def engine_of(ctx: Context) -> Engine:
    """The engine as its rows tell it; no lease before a daemon ever ran."""
    lease = ctx.database.fetch_one(
        """
        SELECT owner, expires_at >= now() AS held, fencing_token, acquired_at, heartbeat_at, expires_at
        FROM engine_lease WHERE name = 'trading'
        """
    )
    beats = ctx.database.fetch(
        "SELECT task, owner, beat_at, ok_at, cycles, failures, last_error, note FROM engine_heartbeats ORDER BY task"
    )
    control = ctx.database.fetch("SELECT key, value FROM engine_control ORDER BY key")
    guards = ctx.database.fetch(
        "SELECT guard, holds, sentence, value, threshold, since, checked_at FROM engine_guards ORDER BY guard"
    )
    bare = ctx.database.fetch(
        """
        SELECT ticker, unprotected_since AS since, alarmed, protection_note AS sentence FROM positions
        WHERE protection = 'none' AND quantity <> 0 ORDER BY ticker LIMIT 1000
        """
    )
    return Engine(
        lease=Lease.model_validate(lease) if lease else None,
        heartbeats=[Heartbeat.model_validate(row) for row in beats],
        control={row["key"]: row["value"] for row in control},
        guards=[Guard.model_validate(row) for row in guards],
        unprotected=[Unprotected.model_validate(row) for row in bare],
    )


def table_states(ctx: Context, tables: Iterable[LakeTable]) -> Iterator[TableState]:
    """How far each table is, by the statistics in its log: no data file is opened, and no version is read twice."""
    for table in tables:
        try:
            handle = ctx.lake.ensure(table)
        except STORE_FAILURES as error:
            yield _unopened(table, error)
            continue
        known: TableState | None = ctx.seen.get(table.name)
        if known is None or known.version != handle.version():
            known = ctx.seen[table.name] = _state(table, handle)
        yield known


def _unopened(table: LakeTable, error: Exception) -> TableState:
    problem = f"lake table {table.name} cannot be opened: {in_words(error)}; put its log back from a copy"
    return TableState(
        table=table.name, grade=table.grade.value, version=0, rows=0, newest_day=None, newest_at=None, problem=problem
    )


def _state(table: LakeTable, handle: DeltaTable) -> TableState:
    files = pa.table(handle.get_add_actions(flatten=True))
    newest = _largest(files, f"max.{table.knowledge}")
    return TableState(
        table=table.name,
        grade=table.grade.value,
        version=handle.version(),
        rows=(pc.sum(files["num_records"]).as_py() or 0) if "num_records" in files.column_names else 0,
        newest_day=_largest(files, "partition.day"),
        newest_at=newest if isinstance(newest, datetime) else None,
    )


def _largest(files: pa.Table, column: str) -> Any:
    return pc.max(files[column]).as_py() if files.num_rows and column in files.column_names else None


def engine_alive(engine: Engine, at: datetime, patience: timedelta = timedelta(minutes=1)) -> bool:
    """Whether a daemon holds the engine and has shown life lately."""
    return engine.lease is not None and engine.lease.held and at - engine.lease.heartbeat_at < patience


@router.get("/health")
def get_health() -> Health:
    """The process answers; nothing else is asked."""
    return Health(status="ok")


@router.get("/status")
def get_status(ctx: Ctx) -> Status:
    """What is sandbox and what is real, what is switched on, the engine's owner and tasks, and how fresh each table is."""
    return status_of(ctx)
