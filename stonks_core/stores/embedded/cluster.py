"""The cluster on disk: making it, whose it is, its version, its settings. Starting it is `server`'s."""

import os
import secrets
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stonks_core.stores.embedded.binaries import Binaries
from stonks_core.stores.embedded.failure import EmbeddedPostgresError
from stonks_core.stores.embedded.identity import Identity, guard_argv

_MAKING = "making-"
_INITDB_SECONDS = 120


def major_version(data: Path) -> int | None:
    """The major version that a data folder belongs to; None where there is no cluster yet."""
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None


def system_identifier(data: Path) -> int:
    """The number that initdb gave this cluster: the first eight bytes of its control file, in native order."""
    content = (data / "global" / "pg_control").read_bytes()[:8]
    number: int = struct.unpack("=Q", content)[0]
    return number


def require_cluster(
    data: Path, binaries: Binaries, identity: Identity, user: str, password: str, *, sync: bool = True
) -> None:
    """Make the cluster when there is none, refuse one of another version, and give it to who shall run it.

    It is made under another name and renamed when complete: a start that was killed half way leaves nothing
    to trip over. The caller holds the lock that keeps a second start away.
    """
    for leftover in data.parent.glob(f"{_MAKING}*"):
        shutil.rmtree(leftover)
    major = major_version(data)
    if major is None:
        if data.exists() and any(data.iterdir()):
            raise EmbeddedPostgresError(
                f"{data} is neither empty nor a PostgreSQL cluster: move it away and start again"
            )
        _make(data, binaries, identity, user, password, sync=sync)
    elif major != binaries.major:
        raise EmbeddedPostgresError(
            f"{data} was made by PostgreSQL {major}, and the installed one is {binaries.major}: install "
            "the release that made it, dump the databases with pg_dumpall, move the folder away and "
            "load the dump into the new one"
        )
    _give(data, identity)


def _make(data: Path, binaries: Binaries, identity: Identity, user: str, password: str, *, sync: bool) -> None:
    workshop = data.parent / f"{_MAKING}{secrets.token_hex(4)}"
    cluster, password_file = workshop / "data", workshop / "password"
    for folder in (workshop, cluster):
        folder.mkdir(mode=0o700)
    handle = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(password + "\n")
    for path in (workshop, cluster, password_file):
        os.chown(path, identity.uid, identity.gid)
    argv = [
        str(binaries.initdb),
        f"--pgdata={cluster}",
        f"--username={user}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
    ]
    if binaries.major >= 17:
        # Unicode's rules for case, the same on every system, and the order of code points.
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if not sync:
        argv.append("--no-sync")
    result = subprocess.run(  # noqa: S603 - our own interpreter and script
        guard_argv({"argv": argv, "run_as": identity.become}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INITDB_SECONDS,
        check=False,
        cwd=data.parent,
    )
    if result.returncode != 0:
        shutil.rmtree(workshop)
        lines = "\n".join((result.stdout + result.stderr).strip().splitlines()[-8:])
        raise EmbeddedPostgresError(
            f"initdb could not make a PostgreSQL cluster in {data} (exit code {result.returncode}), its "
            f"last words:\n{lines}"
        )
    password_file.unlink()
    if data.exists():
        data.rmdir()
    cluster.rename(data)
    workshop.rmdir()


def _give(data: Path, identity: Identity) -> None:
    """Make the server's user the owner, as after a home moved from another machine; only root can."""
    if data.stat().st_uid == identity.uid:
        return
    for folder, _, files in os.walk(data):
        for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118 - as os.walk yields them
            os.chown(path, identity.uid, identity.gid, follow_symlinks=False)


def server_settings(port: int, major: int, extra: Mapping[str, str]) -> dict[str, str]:
    """The server's settings, small enough for a laptop; durable, unless `extra` switches `fsync` off."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_connections": "100",
        "shared_buffers": "64MB",
        "max_wal_size": "512MB",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %q%a %d ",
    }
    if major >= 18:
        settings["io_method"] = "sync"  # three worker processes fewer
    return settings | dict(extra)
