"""The process between us and PostgreSQL; run as a script of its own (`python -I -S guard.py TASK`), TASK
being JSON.

It becomes the user that the server shall run as, holds the lock that says "a server lives on this data
folder", and, where it is given a file of users, stays beside the server and shuts it down when the last of
its users is gone, however they went. Only the standard library may be imported here, and only the light
part of it: it starts in 30 ms.

TASK: `argv` (what to run) and, each optional,
  `run_as`    {uid, gid, capability, namespace}: see `become`
  `probe`     a folder and a program that the new user must be able to reach; exit code 77 when it cannot
  `data`      the data folder: lock it for the server's life, clear what a dead server left on it
  `users`     the file on which every user of the server holds a shared lock; without it nobody stays
              beside the server, and one that lives on the data folder already is waited for
"""

import _thread
import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

CANNOT_REACH = 77
FAST_SHUTDOWN = signal.SIGINT
IMMEDIATE_SHUTDOWN = signal.SIGQUIT
SHUTDOWN_SECONDS = 20.0

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION_3 = 0x20080522


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def restore_signals() -> None:
    """Undo what the starter's shell left: an ignored SIGINT would make the server deaf to its shutdown."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGQUIT,
        signal.SIGHUP,
        signal.SIGPIPE,
        signal.SIGCHLD,
    ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def die_with_parent(parent: int, number: int) -> None:
    """Ask the kernel for a signal when the parent ends; after every change of user, which would clear it."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        _checked(libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit("the process that started PostgreSQL is gone: not starting it")


def become(uid: int, gid: int, capability: int | None, namespace: bool) -> None:
    """Stop being root, which PostgreSQL refuses.

    Either really become `uid`, perhaps keeping one capability to pass folders that are closed to others; or
    stay the same to the file system and be called `uid` inside a user namespace.
    """
    if namespace:
        outer_uid, outer_gid = os.geteuid(), os.getegid()
        _checked(ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER), "unshare(CLONE_NEWUSER)")
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", encoding="ascii")
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if capability is not None:
        # Without this bit access(2), by which PostgreSQL looks for its own programs, would disregard the
        # capability.
        _checked(libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0), "prctl(PR_SET_SECUREBITS)")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capability is not None:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        bit = 1 << capability
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
        _checked(libc.capset(header, sets), "capset")
        _checked(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0), "prctl(PR_CAP_AMBIENT)")


def try_lock(handle: int) -> bool:
    """Lock within a second: others may hold it for an instant only to see whether it is held."""
    for _ in range(20):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def lock_data(data: Path, wait: bool) -> int:
    """Lock the data folder for whatever is executed next; the handle of the lock.

    Every process of the server inherits it, so it is free exactly when none of them lives: a
    `postmaster.pid` found then is a dead server's, whatever process may have its number by now.
    """
    handle = os.open(data, os.O_RDONLY)
    if not try_lock(handle):
        if not wait:
            sys.exit(f"another server runs on {data}")
        sys.stderr.write(f"another server runs on {data}: standing by until it is gone\n")
        sys.stderr.flush()
        fcntl.flock(handle, fcntl.LOCK_EX)
    os.set_inheritable(handle, True)
    (data / "postmaster.pid").unlink(missing_ok=True)
    return handle


def execute(task: dict[str, Any], parent: int | None) -> None:
    """Become the server's user and its program; never returns."""
    os.umask(0o077)
    if task.get("run_as"):
        become(**task["run_as"])
    if parent is not None:
        die_with_parent(parent, FAST_SHUTDOWN)
    if "probe" in task and not all(os.access(path, os.X_OK) for path in task["probe"]):
        sys.exit(CANNOT_REACH)
    argv = task["argv"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    os.execve(argv[0], argv, environment | {"LC_ALL": "C"})  # noqa: S606 - no shell is wanted


def stand_beside(server: int, users: Path) -> int:
    """Wait for the server's end and return its exit code; end it when nobody uses it any more or when told
    to.
    """

    def ask(*_: object) -> None:
        os.kill(server, FAST_SHUTDOWN)

    def when_unused() -> None:
        handle = os.open(users, os.O_RDWR)
        fcntl.flock(handle, fcntl.LOCK_EX)  # granted when the last shared lock is gone
        ask()
        time.sleep(SHUTDOWN_SECONDS)
        os.kill(server, IMMEDIATE_SHUTDOWN)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)
    _thread.start_new_thread(when_unused, ())
    _, status = os.waitpid(server, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main(task: dict[str, Any]) -> None:
    """Do what the task says; returns only by ending the process."""
    restore_signals()
    parent = os.getppid()
    if "data" not in task:
        execute(task, None)
    lock = lock_data(Path(task["data"]), wait="users" not in task)
    if "users" not in task:
        execute(task, parent)
    guard = os.getpid()
    server = os.fork()
    if server == 0:
        try:
            execute(task, guard)
        except (OSError, SystemExit) as error:
            sys.stderr.write(f"cannot run {task['argv'][0]}: {error}\n")
        finally:
            sys.stderr.flush()
            os._exit(1)
    os.close(lock)  # it tells about the server, not about its guard
    os._exit(stand_beside(server, Path(task["users"])))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
