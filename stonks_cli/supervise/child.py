"""One running process of a child: its launcher, the socket to it, and what is left to clean up after it."""

import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from stonks_cli.supervise import launch, logs
from stonks_cli.supervise.policy import Exit
from stonks_cli.supervise.specs import ChildSpec

_LOG_BYTES = 10_000_000
_LOG_FILES = 4
_LAUNCHER_SECONDS = 5.0
_FAMILY_SECONDS = 2.0


class Child:
    """A process that was started; `log` says where its output goes, `said_before` how long that was at the
    start.
    """

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.said_before = logs.size(log)
        self.pid: int | None = None
        self.killed = False
        self._exit: Exit | None = None
        self._heard = b""
        self.channel, theirs = socket.socketpair()
        self.channel.setblocking(False)
        self._mark = secrets.token_hex(8)
        task = {
            "argv": spec.argv,
            "mark": self._mark,
            "channel": theirs.fileno(),
            "log": str(log),
            "log_bytes": _LOG_BYTES,
            "log_files": _LOG_FILES,
            "stop_signal": int(spec.stop_signal),
            "grace": spec.grace_seconds,
        }
        argv = (sys.executable, "-I", "-S", str(Path(launch.__file__).resolve()), json.dumps(task))
        log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with theirs, log.open("ab") as output:
                self._launcher = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                    argv,
                    env=dict(spec.env),
                    cwd=spec.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
        except OSError:
            self.channel.close()
            raise

    @property
    def launcher_pid(self) -> int:
        """The process around the child, which is there from the first moment."""
        return self._launcher.pid

    def listen(self) -> Exit | None:
        """Take in what the launcher says, without waiting; how the child ended, once it and its family are
        gone.
        """
        try:
            said = self.channel.recv(4096)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            said = b""
        if not said:
            return self._end()
        *lines, self._heard = (self._heard + said).split(b"\n")
        for line in lines:
            word, _, number = line.decode("ascii").partition(" ")
            match word:
                case "pid":
                    self.pid = int(number)
                case "exit":
                    self._exit = Exit(code=int(number))
                case "signal":
                    self._exit = Exit(signal=int(number))
                case "killed":
                    self.killed = True
                case _:
                    raise ValueError(f"the launcher of {self.spec.name} said {line!r}")
        return None

    def ask_to_stop(self) -> None:
        """Have it end within its grace."""
        self._tell(b"T")

    def kill(self) -> None:
        """Have it and its family killed now."""
        self.killed = True
        self._tell(b"K")

    def kill_launcher(self) -> None:
        """The last resort when the launcher itself does not react; the child dies with it."""
        self.killed = True
        self._launcher.kill()

    def close(self) -> None:
        """Give the socket back, when the child has ended."""
        self.channel.close()

    def tail(self) -> str:
        """The end of what it said since it was started."""
        return logs.tail(self.log, self.said_before)

    def _tell(self, word: bytes) -> None:
        try:
            self.channel.send(word)
        except (BrokenPipeError, ConnectionResetError):
            return  # it is gone, and its end of the socket says so too

    def _end(self) -> Exit:
        try:
            code = self._launcher.wait(_LAUNCHER_SECONDS)
        except subprocess.TimeoutExpired:
            self._launcher.kill()
            code = self._launcher.wait()
        if self._exit is not None:
            return self._exit
        self._end_family()
        if code < 0:
            return Exit(signal=-code, launcher=True)
        return Exit(code=code, launcher=True)

    def _end_family(self) -> None:
        """After a launcher that was killed: the kernel kills the child with it (on Linux), we what the
        child had started.
        """
        deadline = time.monotonic() + _FAMILY_SECONDS
        while time.monotonic() < deadline:
            if self.pid is not None:
                launch.send(self.pid, signal.SIGKILL, group=True)
            family = launch.marked(self._mark)
            for pid in family:
                launch.send(pid, signal.SIGKILL)
            if not family:
                return
            time.sleep(0.01)
