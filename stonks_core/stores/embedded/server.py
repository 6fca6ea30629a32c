"""The embedded server as its users see it: make sure that it runs, ask where, stop using it.

It runs as long as somebody uses it. Every user holds a shared lock; the guard beside the server waits for
the last one to go, by `stop`, by its end or by SIGKILL, and shuts the server down. Under a supervisor,
`prepare` and `serve_argv` give the command to run in the foreground instead.
"""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Self

from psycopg import errors, sql

from stonks_core.stores.embedded.asking import Address, Answered, Refused, ask, connect
from stonks_core.stores.embedded.binaries import Binaries, find_binaries
from stonks_core.stores.embedded.cluster import require_cluster, server_settings, system_identifier
from stonks_core.stores.embedded.failure import EmbeddedPostgresError
from stonks_core.stores.embedded.identity import Identity, choose, guard_argv
from stonks_core.stores.embedded.locks import is_locked
from stonks_core.stores.embedded.ports import LOOPBACK, free_port, port_taken
from stonks_core.stores.embedded.sharing import Sharing

_NONE: Mapping[str, str] = MappingProxyType({})
_STEP = 0.03
_PORT_ATTEMPTS = 5
_LOG_BYTES = 5_000_000
_STILL_WANTED_SECONDS = 0.5


class EmbeddedPostgres:
    """PostgreSQL in `<home>/postgres`, listening on loopback TCP only, logging to `<home>/logs/postgres.log`.

    `user` becomes the superuser of a new cluster. With `port` None the port of the last start is used, or
    another free one. `extra_settings` are settings of postgresql.conf that go above ours (tests pass
    `fsync=off`). Objects are not shared between threads; any number of processes may have one for the same
    home.
    """

    def __init__(
        self,
        home: Path,
        user: str,
        password: str,
        port: int | None = None,
        *,
        extra_settings: Mapping[str, str] = _NONE,
        binaries: Binaries | None = None,
        start_seconds: float = 60.0,
    ) -> None:
        if not password or any(character in password for character in "\r\n\0"):
            raise EmbeddedPostgresError("the embedded PostgreSQL needs a password of one line: set POSTGRES_PASSWORD")
        self.folder = home.absolute() / "postgres"
        self.data = self.folder / "data"
        self.log = home.absolute() / "logs" / "postgres.log"
        self._user = user
        self._password = password
        self._port = port
        self._extra = dict(extra_settings)
        self._binaries = binaries
        self._start_seconds = start_seconds
        self._sharing = Sharing(self.folder, self.log)
        self._guard: subprocess.Popen[bytes] | None = None
        self._ready_to_serve: tuple[Binaries, Identity, Address] | None = None

    def __enter__(self) -> Self:
        self.ensure_started()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ensure_started(self) -> Address:
        """Where our server listens: one that runs already, or a new one that recovered what a killed one left.

        Raises `EmbeddedPostgresError` when it does not come up in `start_seconds` or refuses the password.
        """
        deadline = time.monotonic() + self._start_seconds
        with self._starting(deadline):
            for _ in range(_PORT_ATTEMPTS):
                address = self._running(deadline)
                if address is None:
                    address = self._start(*self._make_ready(), deadline)
                if address is not None:
                    return address
        raise EmbeddedPostgresError(
            f"PostgreSQL found each of {_PORT_ATTEMPTS} free ports taken when it started: start again"
        )

    def prepare(self) -> Address:
        """Make the cluster, settle the port and start nothing: `serve_argv` will listen there."""
        deadline = time.monotonic() + self._start_seconds
        with self._starting(deadline):
            running = self._running(deadline)
            binaries, identity, address = self._make_ready(running)
            self._ready_to_serve = (binaries, identity, address)
            return address

    def serve_argv(self) -> tuple[str, ...]:
        """The command that runs the prepared server in the foreground.

        SIGINT shuts it down, SIGTERM would wait for its clients. Where a server runs already the command stands by
        and takes over when that one ends.
        """
        if self._ready_to_serve is None:
            raise EmbeddedPostgresError("call prepare() before serve_argv(): the cluster and its port come first")
        return guard_argv(self._task(*self._ready_to_serve))

    @property
    def user(self) -> str:
        """The superuser of the cluster."""
        return self._user

    @property
    def password(self) -> str:
        """Its password."""
        return self._password

    @property
    def address(self) -> Address:
        """Where the server listens, or did when it ran last."""
        port = self._known_port()
        if port is None:
            raise EmbeddedPostgresError(f"the embedded PostgreSQL in {self.data} was never started")
        return Address(LOOPBACK, port)

    def answers(self) -> bool:
        """Whether our server, and no other, answers now."""
        port = self._known_port()
        if port is None or not self.data.is_dir():
            return False
        reply = ask(port, self._user, self._password)
        return isinstance(reply, Answered) and reply.identifier == system_identifier(self.data)

    def ensure_database(self, name: str) -> None:
        """Create a database on the running server when it is not there."""
        with connect(self.address, self._user, self._password) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (errors.DuplicateDatabase, errors.UniqueViolation):
                return  # somebody else made it in the same moment, which is as good

    def stop(self) -> bool:
        """Stop using the server; it shuts down unless another process uses it too. True when it is down."""
        if not self._sharing.using:
            return not self._lives()
        self._sharing.leave()
        deadline = time.monotonic() + self._start_seconds
        wanted_since = None
        while self._lives():
            now = time.monotonic()
            if self._sharing.is_ending():  # the guard has it: the server is on its way down
                wanted_since = None
            elif wanted_since is None:
                wanted_since = now
            elif now - wanted_since >= _STILL_WANTED_SECONDS:
                return False
            if now >= deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL on {self.data} did not shut down within {self._start_seconds:g} s: see {self.log}"
                )
            time.sleep(_STEP)
        if self._guard is not None:
            self._guard.wait()
            self._guard = None
        return True

    @property
    def _port_file(self) -> Path:
        return self.folder / "port"

    @contextmanager
    def _starting(self, deadline: float) -> Iterator[None]:
        try:
            self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self._sharing.starting(deadline):
                yield
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"{error.filename} belongs to another user, so PostgreSQL in {self.folder} cannot be "
                "started: start as that user, give the folder to this one (chown -R), or set another "
                "STONKS_HOME"
            ) from error

    def _lives(self) -> bool:
        """Whether any process of a server on our data folder lives."""
        return self.data.is_dir() and is_locked(self.data)

    def _known_port(self) -> int | None:
        if self._port is not None:
            return self._port
        try:
            return int(self._port_file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _running(self, deadline: float) -> Address | None:
        """The address of our server if one lives, after waiting for one that is starting or stopping."""
        while self._lives():
            port = self._known_port()
            if port is not None and self._is_ours(port):
                return Address(LOOPBACK, port)
            if time.monotonic() >= deadline:
                raise EmbeddedPostgresError(
                    f"a PostgreSQL lives on {self.data} and does not answer on port "
                    f"{port or self._port_file}: if it is still recovering, wait and start again; what "
                    f"it says is in {self.log}"
                )
            time.sleep(_STEP)
        return None

    def _is_ours(self, port: int) -> bool:
        reply = ask(port, self._user, self._password)
        if isinstance(reply, Answered):
            return reply.identifier == system_identifier(self.data)
        if isinstance(reply, Refused) and self._lives():
            raise EmbeddedPostgresError(
                f"the embedded PostgreSQL in {self.data} refuses user {self._user!r} with this "
                "password: it was made with another one; use that one (POSTGRES_USER, "
                f"POSTGRES_PASSWORD), or another STONKS_HOME ({reply.reason})"
            )
        return False

    def _make_ready(self, running: Address | None = None) -> tuple[Binaries, Identity, Address]:
        binaries = self._binaries or find_binaries()
        identity = choose(binaries, self.folder)
        if running is not None:
            return binaries, identity, running
        sync = self._extra.get("fsync") != "off"
        require_cluster(self.data, binaries, identity, self._user, self._password, sync=sync)
        if self._port is not None and port_taken(self._port):
            raise EmbeddedPostgresError(
                f"port {self._port} is taken by another program: set another POSTGRES_PORT, or none to have a free one"
            )
        port = self._port if self._port is not None else free_port(self._known_port())
        self._port_file.write_text(f"{port}\n", encoding="ascii")
        return binaries, identity, Address(LOOPBACK, port)

    def _task(self, binaries: Binaries, identity: Identity, address: Address) -> dict[str, object]:
        settings = server_settings(address.port, binaries.major, self._extra)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return {
            "argv": [str(binaries.postgres), "-D", str(self.data), *options],
            "run_as": identity.become,
            "data": str(self.data),
        }

    def _start(self, binaries: Binaries, identity: Identity, address: Address, deadline: float) -> Address | None:
        """Start the guard and with it the server; None when somebody took the port in the meantime."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        if self._guard is not None:
            self._guard.wait()  # its server is dead, or we would not start one
        task = {**self._task(binaries, identity, address), "users": str(self._sharing.users_file)}
        with self.log.open("ab") as log:
            said_before = log.tell()
            self._guard = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                guard_argv(task),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        while self._guard.poll() is None:
            if self._is_ours(address.port):
                return address
            if time.monotonic() >= deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL on {self.data} started and does not answer on port {address.port} after "
                    f"{self._start_seconds:g} s, its last words:\n{self._last_words(said_before)}"
                )
            time.sleep(_STEP)
        if self._port is None and port_taken(address.port):
            return None
        raise EmbeddedPostgresError(
            f"PostgreSQL on {self.data} ended at its start (exit code {self._guard.returncode}, as "
            f"{identity.name}), its last words:\n{self._last_words(said_before)}"
        )

    def _last_words(self, since: int) -> str:
        with self.log.open("rb") as log:
            log.seek(since)
            lines = log.read(20_000).decode("utf-8", errors="replace").splitlines()
        return "\n".join(lines[-8:]) or f"(none in {self.log})"
