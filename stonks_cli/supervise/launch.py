"""The process around each child; run as a script of its own (`python -I -S launch.py TASK`), TASK being JSON.

It writes the child's output to a rotating log, passes on what the supervisor says through a socket, reports
the child's end, and sees to it that nothing of the child's family survives: neither its end, nor the
supervisor's, nor its own. Only the light part of the standard library may be imported here: there is one
such process per child.

TASK: `argv`, `mark` (a word in the environment of the whole family), `channel` (number of the inherited
socket), `log`, `log_bytes`, `log_files`, `stop_signal`, `grace` (seconds).
Said to us: `T` stop with grace, `K` kill now; end of file: the supervisor is gone.
Said by us, a line each: `pid N`, `killed` when the grace was over, and at the end `exit N` or `signal N`.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

MARK = "STONKS_FAMILY"
ORPHAN_GRACE = 3.0
STRAY_GRACE = 1.0
_CHECK_PARENT = 1.0
_STEP = 0.02
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"


def _processes() -> list[str]:
    return [entry for entry in os.listdir("/proc") if entry.isdigit()] if _LINUX else []  # noqa: PTH208


def _proc(pid: str, file: str) -> bytes:
    """A file of /proc; empty when the process has ended or is somebody else's."""
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return b""


def descendants(ancestor: int) -> list[int]:
    """All descendants of a process, from /proc; none where there is no /proc."""
    stats = ((int(pid), _proc(pid, "stat").rpartition(b") ")[2].split()) for pid in _processes())
    parents = {pid: int(fields[1]) for pid, fields in stats if len(fields) > 1}
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {ancestor})


def marked(mark: str) -> list[int]:
    """All processes with this mark in their environment, which children inherit whatever else they change."""
    entry = f"{MARK}={mark}".encode()
    return [int(pid) for pid in _processes() if entry in _proc(pid, "environ").split(b"\0")]


def send(pid: int, number: int, *, group: bool = False) -> None:
    """Send a signal to a process or its group; one that is gone already is as good."""
    try:
        (os.killpg if group else os.kill)(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def prctl(option: int, value: int) -> None:
    """Linux' process control; does nothing elsewhere."""
    if _LINUX and ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


class Log:
    """An append-only file that is renamed to `.1`, `.2` and so on when it grows too long."""

    def __init__(self, path: Path, longest: int, files: int) -> None:
        self._path, self._longest, self._files = path, longest, files
        self._file = path.open("ab", buffering=0)

    def write(self, chunk: bytes) -> None:
        """Append, in a fresh file when this one is full."""
        if self._file.tell() and self._file.tell() + len(chunk) > self._longest:
            self._file.close()
            for number in range(self._files - 1, 0, -1):
                older = self._path.with_name(f"{self._path.name}.{number}")
                newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
                if newer.exists():
                    newer.replace(older)
            self._file = self._path.open("wb" if self._files < 2 else "ab", buffering=0)
        try:
            self._file.write(chunk)
        except OSError:
            return  # a full disk shall cost lines of a log, not the child


class Launcher:
    """One child and the three things to listen to: the supervisor, the child's output, signals."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._task = task
        self._channel: int = task["channel"]
        os.set_inheritable(self._channel, False)
        self._log = Log(Path(task["log"]), task["log_bytes"], task["log_files"])
        self._parent = os.getppid()
        self._kill_at: float | None = None
        self._asked = False
        self._status: int | None = None
        self._output, child_end = os.pipe()
        self._wake, wake_end = os.pipe()
        for end in (self._wake, wake_end, self._output):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._was_asked)
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._child = self._spawn(child_end)
        os.close(child_end)
        self._say(f"pid {self._child}")

    def run(self) -> None:
        """Until the child is gone, and everything that it left."""
        sources = [self._channel, self._output, self._wake]
        while self._status is None:
            readable, _, _ = select.select(sources, [], [], self._patience())
            if self._output in readable and not self._copy():
                sources.remove(self._output)
            if self._wake in readable:
                os.read(self._wake, 512)
            if self._channel in readable and not self._obey():
                sources.remove(self._channel)
            if self._asked:
                self._stop(self._task["grace"])
            if os.getppid() != self._parent:
                self._stop(min(self._task["grace"], ORPHAN_GRACE))
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._kill_family()
            self._reap()
        self._end_strays()
        while self._copy():
            pass
        code = os.waitstatus_to_exitcode(self._status)
        self._say(f"exit {code}" if code >= 0 else f"signal {-code}")

    def _was_asked(self, *_: object) -> None:
        self._asked = True

    def _spawn(self, output: int) -> int:
        launcher = os.getpid()
        environment = {**os.environ, MARK: self._task["mark"]}
        # Held back until the child no longer has our handlers: a signal that comes in between must not get
        # lost in them.
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            return pid
        try:
            signal.set_wakeup_fd(-1)
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.setsid()
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != launcher:
                os._exit(1)
            for standard in (1, 2):
                os.dup2(output, standard)
            os.execvpe(self._task["argv"][0], self._task["argv"], environment)  # noqa: S606 - no shell is wanted
        except OSError as error:
            os.write(output, f"cannot run {self._task['argv'][0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    def _patience(self) -> float:
        if self._kill_at is None:
            return _CHECK_PARENT
        return max(0.0, min(_CHECK_PARENT, self._kill_at - time.monotonic()))

    def _say(self, line: str) -> None:
        try:
            os.write(self._channel, line.encode() + b"\n")
        except OSError:
            return  # nobody listens any more; the end of file says so too

    def _copy(self) -> bool:
        try:
            chunk = os.read(self._output, 65_536)
        except BlockingIOError:
            return self._status is None
        if chunk:
            self._log.write(chunk)
        return bool(chunk)

    def _obey(self) -> bool:
        try:
            said = os.read(self._channel, 64)
        except ConnectionResetError:
            said = b""
        if not said:
            self._stop(min(self._task["grace"], ORPHAN_GRACE))
        elif b"K" in said:
            self._stop(0.0)
        else:
            self._stop(self._task["grace"])
        return bool(said)

    def _stop(self, grace: float) -> None:
        """Ask the child once; from then on the grace can only become shorter."""
        if self._kill_at is None:
            send(self._child, self._task["stop_signal"])
        kill_at = time.monotonic() + grace
        self._kill_at = kill_at if self._kill_at is None else min(self._kill_at, kill_at)

    def _reap(self) -> bool:
        """Collect the dead, adopted ones too; False when no child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._child:
                self._status = status

    def _kill_family(self) -> None:
        self._say("killed")
        self._kill_at = time.monotonic() + STRAY_GRACE  # again, if it forked in this moment
        send(self._child, signal.SIGKILL, group=True)
        for pid in descendants(os.getpid()):
            send(pid, signal.SIGKILL)

    def _end_strays(self) -> None:
        """End what the child left behind. As its reaper we are the parent of all of it by now (on Linux)."""
        if not _LINUX:
            send(self._child, signal.SIGKILL, group=True)
            return
        patient_until = time.monotonic() + (0.0 if self._kill_at is not None else STRAY_GRACE)
        told: set[int] = set()
        while self._reap():
            for pid in descendants(os.getpid()):
                if time.monotonic() >= patient_until:
                    send(pid, signal.SIGKILL)
                elif pid not in told:
                    told.add(pid)
                    send(pid, signal.SIGTERM)
            time.sleep(_STEP)


if __name__ == "__main__":
    Launcher(json.loads(sys.argv[1])).run()
