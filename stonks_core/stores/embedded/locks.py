"""File locks that the kernel takes back when their holder ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STEP = 0.05


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """The handle of a lock on a file (made when missing) or folder, or None when somebody else holds it.

    Closing the handle gives the lock back.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    handle = os.open(path, flags, 0o600)
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_locked(path: Path) -> bool:
    """Whether somebody holds an exclusive lock on the file or folder now."""
    handle = try_lock(path, shared=True)
    if handle is None:
        return True
    os.close(handle)
    return False


def lock_until(path: Path, deadline: float, *, shared: bool = False) -> int | None:
    """Like `try_lock`, but try again until the monotonic `deadline`."""
    while True:
        handle = try_lock(path, shared=shared)
        if handle is not None or time.monotonic() >= deadline:
            return handle
        time.sleep(_STEP)


@contextmanager
def holding(handle: int) -> Iterator[None]:
    """Give the lock back at the end of the block."""
    try:
        yield
    finally:
        os.close(handle)
