"""Real processes to kill: a durable PostgreSQL, the sandbox behind a line that can be cut, and two trading daemons."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO

import psutil

from stonks_cli.bench.crash.direct import Direct
from stonks_cli.bench.crash.wire import Line, line_to
from stonks_cli.bench.made_recommendations import daily_bars, recommendation
from stonks_core.errors import StonksError
from stonks_core.settings import load_settings
from stonks_core.stores.embedded.server import EmbeddedPostgres
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import lake_location
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_core.stores.migrations import migrate
from stonks_core.stores.postgres import Database

DAEMONS = 2
PASSWORD = "crash"  # noqa: S105  of a server that lives for this run, on loopback
SESSIONS = 40
PATIENCE = 180.0  # the broker answers 200 requests a minute, and each new daemon asks it for everything
TRADING = {
    "DATA_HEALTH_GATE": "false",
    "TRADING_ENABLED": "true",
    "TRADING_LEASE_SECONDS": "2",
    "TRADING_POLLING_INTERVAL_SECONDS": "5",
    "TRADING_STOP_LOSS_CHECK_INTERVAL_SECONDS": "5",
    "TRADING_FAST_STOP_LOSS_INTERVAL_SECONDS": "5",
    "TRADING_GRADUAL_ENTRY_TRANCHES": "1",
    "TRADING_MAX_OPEN_POSITIONS": "100",
    "MICRO_TRADING_ENABLED": "false",
}


@dataclass
class Scene:
    """One account and all that trades it. `direct` asks the broker past the line."""

    folder: Path
    server: EmbeddedPostgres
    database: Database
    lake: Lake
    line: Line
    direct: Direct
    prices: Mapping[str, Decimal]
    environment: Mapping[str, str]
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)
    given: int = 0
    _logs: dict[int, Path] = field(default_factory=dict)

    def recommend(self, ticker: str, action: str) -> str:
        """Commit a strong recommendation as the pipeline does; its id. No wake-up."""
        self.given += 1
        name = f"crash-{self.given}"
        row = recommendation(name, ticker, "7d", datetime.now(UTC), action=action, price=float(self.prices[ticker]))
        self.lake.merge(RECOMMENDATIONS, [row])
        return name

    def keep_daemons(self) -> None:
        """Start daemons until as many run as should; StonksError with the end of its log for one that ended by itself."""
        for process in self.daemons:
            if process.poll() not in {None, -9}:
                raise StonksError(f"a daemon ended by itself with {process.returncode}: {self.last_words()}")
        self.daemons = [process for process in self.daemons if process.poll() is None]
        while len(self.daemons) < DAEMONS:
            self.daemons.append(self._start())

    def kill_owner(self) -> None:
        """SIGKILL to the daemon that holds the lease, or to any where none does."""
        row = self.database.fetch_one("SELECT owner FROM engine_lease WHERE expires_at > now()")
        owner = int(row["owner"].split(":")[1]) if row else 0
        victim = next((process for process in self.daemons if process.pid == owner), self.daemons[0])
        victim.kill()
        victim.wait()

    def kill_postgres(self) -> None:
        """SIGKILL to every process of the server at once, and a new start that recovers what was committed."""
        postmaster = psutil.Process(int((self.server.data / "postmaster.pid").read_text().split()[0]))
        doomed = [postmaster, *postmaster.children(recursive=True)]
        for process in doomed:
            _kill(process)
        psutil.wait_procs(doomed, PATIENCE)
        self.server.ensure_started()

    def notify(self) -> None:
        """Wake the daemon as the pipeline does."""
        self.database.notify("stonks_recommendations")

    def _start(self) -> subprocess.Popen[bytes]:
        path = self.folder / "logs" / f"trading-{len(self._logs)}.log"
        with path.open("wb") as log:
            process = _process([sys.executable, "-m", "stonks_trading"], self.environment, self.folder, log)
        self._logs[process.pid] = path
        return process

    def last_words(self) -> str:
        """How the logs of the daemons that should run end."""
        return " | ".join(self._logs[process.pid].read_text(errors="replace")[-3000:] for process in self.daemons)

    def complaints(self) -> Sequence[str]:
        """What the logs say of failures that nobody has a sentence for: errors with a traceback, or a bare traceback."""
        found = []
        for path in self._logs.values():
            for line in path.read_text(errors="replace").splitlines():
                said = json.loads(line) if line.startswith("{") and line.endswith("}") else {"message": line}
                bare = line.startswith("Traceback")
                if bare or (said.get("level") in {"ERROR", "CRITICAL"} and "exception" in said):
                    found.append(f"a daemon's log has a failure without a sentence: {said['message']}")
        return found


@contextmanager
def scene() -> Iterator[Scene]:
    """The whole scene, everything ended and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="stonks-crash-") as name:
        folder = Path(name)
        (folder / "logs").mkdir()
        with EmbeddedPostgres(folder, "stonks", PASSWORD) as server, _sandbox(folder) as port, line_to(port) as line:
            environment = _environment(folder, server, line.port)
            settings = load_settings(environment)
            migrate(settings.postgres, settings.database_name)
            direct = Direct(f"http://127.0.0.1:{port}")
            with Database(
                settings.postgres, settings.database_name, application="crash", patience=PATIENCE
            ) as database:
                lake = Lake(lake_location(settings))
                prices = _market(database, lake, direct)
                stage = Scene(folder, server, database, lake, line, direct, prices, environment)
                try:
                    yield stage
                finally:
                    for process in stage.daemons:
                        process.kill()
                        process.wait()
                    direct.close()


def _market(database: Database, lake: Lake, broker: Direct) -> Mapping[str, Decimal]:
    """The sandbox's companies, registered, with daily bars around their prices; prices by ticker, dollars."""
    prices = broker.prices()
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO companies (ticker, legal_name, sector, valid_from) VALUES (%s, %s, %s, '-infinity')",
            [(ticker, f"{ticker} Inc.", f"Sector {number % 11}") for number, ticker in enumerate(prices)],
        )
    lake.merge(MARKET_SNAPSHOTS, list(daily_bars({t: float(price) for t, price in prices.items()}, SESSIONS)))
    return prices


def _environment(folder: Path, server: EmbeddedPostgres, port: int) -> Mapping[str, str]:
    address = server.address
    return {
        "STONKS_HOME": str(folder),
        "POSTGRES_HOST": address.host,
        "POSTGRES_PORT": str(address.port),
        "POSTGRES_USER": server.user,
        "POSTGRES_PASSWORD": server.password,
        "SANDBOX_URL": f"http://127.0.0.1:{port}",
        **TRADING,
    }


@contextmanager
def _sandbox(folder: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "stonks_sandbox", "--state", str(folder / "sandbox"), "--port", "0"]
    with (folder / "logs" / "sandbox.log").open("wb") as log:
        process = _process(command, {}, folder, log, stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline().decode() if process.stdout else ""
        if " ready on http://127.0.0.1:" not in line:
            raise StonksError("the sandbox did not start: its error stands above")
        yield int(line.split("http://127.0.0.1:")[1].split()[0])
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _process(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, log: IO[bytes], stdout: int | None = None
) -> subprocess.Popen[bytes]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(  # noqa: S603
        command, cwd=folder, env={**kept, **environment}, stdout=stdout or log, stderr=log, stdin=subprocess.DEVNULL
    )


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Poll `condition` until it holds; StonksError naming `what` was waited for where it does not in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise StonksError(f"waited {seconds:.0f} s in vain for {what}")
        pause.wait(0.02)
