"""One supervisor per home folder, by a file lock that the kernel takes back when its holder ends."""

import os
from pathlib import Path
from typing import Self

from stonks_core.errors import StonksError
from stonks_core.stores.embedded.locks import try_lock


class AlreadyUpError(StonksError):
    """Another supervisor runs on the same home folder; `pid` is its process, None if it has not written it
    yet.
    """

    def __init__(self, home: Path, pid: int | None) -> None:
        self.pid = pid
        who = f"process {pid}" if pid is not None else "another process"
        what = f"stop it (kill {pid})" if pid is not None else "stop that one"
        super().__init__(
            f"stonks is already up in {home}: {who} supervises it; {what}, or set another STONKS_HOME "
            "to run a second system beside it"
        )


class HomeLock:
    """Held from entering to leaving the block, or to the end of the process."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._handle: int | None = None

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True, exist_ok=True)
        path = self._home / "supervisor.lock"
        self._handle = try_lock(path)
        if self._handle is None:
            raise AlreadyUpError(self._home, _pid(path))
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode("ascii"), 0)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def supervising_pid(home: Path) -> int | None:
    """The process that supervises this home now, or None when none does."""
    path = home / "supervisor.lock"
    if not path.exists():
        return None
    handle = try_lock(path, shared=True)
    if handle is None:
        return _pid(path)
    os.close(handle)
    return None


def _pid(path: Path) -> int | None:
    content = path.read_text(encoding="ascii").strip()
    return int(content) if content.isdigit() else None
