"""As whom the server runs: as ourselves, or, where we are root, which PostgreSQL refuses, as somebody else.

No permission of any folder is loosened for that. `nobody` suffices where every parent folder lets others
pass. Below a closed one (a clone in root's own folder) it keeps the capability to pass closed folders, at
best the one that only reads; where capabilities are not to be had, a user namespace calls root by nobody's
name. Each way is tried before it is used.
"""

import json
import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stonks_core.stores.embedded import guard
from stonks_core.stores.embedded.binaries import Binaries
from stonks_core.stores.embedded.failure import EmbeddedPostgresError

_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_PROBE_SECONDS = 20


@dataclass(frozen=True)
class Identity:
    """Who owns the cluster's files, and what the guard must do to become that user (None: nothing)."""

    name: str
    uid: int
    gid: int
    become: dict[str, Any] | None = None


def guard_argv(task: dict[str, Any]) -> tuple[str, ...]:
    """The command line of the guard; a task holds no secret."""
    return (sys.executable, "-I", "-S", str(Path(guard.__file__).resolve()), json.dumps(task))


def choose(binaries: Binaries, folder: Path) -> Identity:
    """The first identity that can run the binaries on `folder`, which must exist.

    Raises `EmbeddedPostgresError` when none can.
    """
    if os.geteuid() != 0:
        return Identity("the current user", os.geteuid(), os.getegid())
    tried = []
    for candidate in candidates():
        why_not = complaint(candidate, binaries, folder)
        if why_not is None:
            return candidate
        tried.append(f"{candidate.name}: {why_not}")
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and no other user can reach both {binaries.folder} and {folder} "
        f"({'; '.join(tried)}): start as an ordinary user, or set POSTGRES_HOST to use a server of your own"
    )


def candidates() -> tuple[Identity, ...]:
    """The ways to stop being root, the one with the least power first."""
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedPostgresError(
            "PostgreSQL does not run as root and this machine knows no user `nobody`: start as an ordinary user"
        ) from error
    uid, gid = nobody.pw_uid, nobody.pw_gid

    def way(capability: int | None = None, namespace: bool = False) -> dict[str, Any]:
        return {"uid": uid, "gid": gid, "capability": capability, "namespace": namespace}

    plain = Identity("nobody", uid, gid, way())
    if sys.platform != "linux":
        return (plain,)
    return (
        plain,
        Identity("nobody who may pass closed folders", uid, gid, way(_CAP_DAC_READ_SEARCH)),
        Identity("nobody who may enter closed folders", uid, gid, way(_CAP_DAC_OVERRIDE)),
        Identity("a user namespace", os.geteuid(), os.getegid(), way(namespace=True)),
    )


def complaint(candidate: Identity, binaries: Binaries, folder: Path) -> str | None:
    """Why this identity cannot run the binaries on the folder; None when it can. Found out by trying."""
    task = {
        "argv": [str(binaries.postgres), "--version"],
        "run_as": candidate.become,
        "probe": [f"{folder}/.", str(binaries.initdb)],
    }
    result = subprocess.run(  # noqa: S603 - our own interpreter and script
        guard_argv(task), capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False, cwd=folder
    )
    if result.returncode == 0:
        return None
    if result.returncode == guard.CANNOT_REACH:
        return "a parent folder is closed to it"
    return (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
