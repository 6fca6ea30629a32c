"""The loop that keeps children running: it carries out what `policy` decides and reports each change.

Use it as a context manager in the main thread: signals ask it to stop while it is open, and leaving it
stops every child, whatever happened inside.
"""

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Self

from stonks_cli.supervise import policy
from stonks_cli.supervise.changes import (
    Change,
    Exited,
    KeepsDying,
    NotReady,
    Ready,
    Restarting,
    Starting,
    Stopped,
    Stopping,
)
from stonks_cli.supervise.child import Child
from stonks_cli.supervise.lock import HomeLock
from stonks_cli.supervise.policy import Exit, Life, Phase
from stonks_cli.supervise.probes import Probing
from stonks_cli.supervise.specs import ChildSpec, check_order
from stonks_core.errors import StonksError

_LONGEST_SLEEP = 60.0
_LAUNCHER_GRACE = 5.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StartFailedError(StonksError):
    """A child did not come up; the sentence says which, how, and the end of its log."""


class _Member:
    """A spec, its state and what runs for it."""

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec, self.log = spec, log
        self.life = Life()
        self.was_ready = False
        self.child: Child | None = None
        self.probing: Probing | None = None


class Supervisor:
    """Runs children below one home folder; their output goes to `<home>/logs/<name>.log`.

    `on_change` hears of every change, in the thread that runs the supervisor. Entering raises
    `AlreadyUpError` when another supervisor has the same home.
    """

    def __init__(
        self,
        home: Path,
        on_change: Callable[[Change], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home.absolute()
        self._report = on_change
        self._clock = clock
        self._lock = HomeLock(self._home)
        self._members: dict[str, _Member] = {}
        self._asked = 0
        self._previous: dict[signal.Signals, Any] = {}
        self._failure: str | None = None

    def __enter__(self) -> Self:
        self._lock.__enter__()
        self._woken, self._waker = os.pipe()
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        for number in _SIGNALS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup was asked for: the terminal may go
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._stop_all()
        finally:
            for number, handler in self._previous.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(self._woken)
            os.close(self._waker)
            self._lock.__exit__()

    def start(self, specs: Sequence[ChildSpec]) -> bool:
        """Start children in their order and wait until all are ready; False when we were asked to stop
        meanwhile.

        May be called again with more children, which may start after earlier ones. Raises
        `StartFailedError` when one does not become ready in time or dies again and again.
        """
        check_order([*(member.spec for member in self._members.values()), *specs])
        for spec in specs:
            log = spec.log_file or self._home / "logs" / f"{spec.name}.log"
            self._members[spec.name] = _Member(spec, log)
        self._failure = None
        new = [self._members[spec.name] for spec in specs]
        while not self._asked and not all(member.was_ready for member in new):
            self._turn()
            if self._failure is not None:
                raise StartFailedError(self._failure)
        return not self._asked

    def run(self) -> None:
        """Keep them running until a signal or `request_stop` asks to stop."""
        while not self._asked:
            self._turn()

    def request_stop(self) -> None:
        """Ask to stop, from any thread or signal handler; a second time, to stop without grace."""
        self._asked += 1
        self._wake()

    def pids(self) -> dict[str, int]:
        """The process of each child that runs."""
        return {
            name: member.child.pid
            for name, member in self._members.items()
            if member.child is not None and member.child.pid is not None
        }

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.request_stop()

    def _wake(self) -> None:
        try:
            os.write(self._waker, b".")
        except OSError:
            return  # full, so it wakes anyhow; or closed, so nobody sleeps

    def _turn(self) -> None:
        """One round: start what may start, sleep until something happens, take it in."""
        for member in self._members.values():
            if member.life.phase is Phase.WAITING and self._may_start(member):
                self._launch(member)
        self._take_in()
        for member in self._members.values():
            if policy.is_due(member.life, self._clock()):
                self._act_on_time(member)

    def _take_in(self) -> None:
        """Sleep until the next thing is due or something happens, and note what happened."""
        due = [member.life.due for member in self._members.values() if member.life.due is not None]
        pause = min([_LONGEST_SLEEP, *(moment - self._clock() for moment in due)])
        for key, _ in self._selector.select(max(0.0, pause)):
            member: _Member | None = key.data
            if member is None:
                os.read(self._woken, 4096)
            elif member.child is not None:
                self._hear(member, member.child)
        for member in self._members.values():
            if member.life.phase is Phase.STARTING and self._is_ready(member):
                seconds = self._clock() - member.life.since
                member.life = policy.became_ready(member.life, self._clock())
                member.was_ready = True
                self._tell(Ready(member.spec.name, seconds))

    def _may_start(self, member: _Member) -> bool:
        return all(self._members[name].was_ready for name in member.spec.after)

    def _launch(self, member: _Member) -> None:
        now = self._clock()
        member.life = policy.started(member.life, now, member.spec.ready_seconds)
        try:
            member.child = Child(member.spec, member.log)
        except OSError as error:
            self._note_death(member, Exit(code=127), str(error))
            return
        self._selector.register(member.child.channel, selectors.EVENT_READ, member)
        if member.spec.ready is not None:
            member.probing = Probing(member.spec.ready, self._wake)

    def _is_ready(self, member: _Member) -> bool:
        if member.child is None or member.child.pid is None:
            return False
        return member.probing is None or member.probing.succeeded

    def _hear(self, member: _Member, child: Child) -> None:
        known = child.pid
        end = child.listen()
        if known is None and child.pid is not None:
            self._tell(Starting(member.spec.name, child.pid, member.life.deaths + 1))
        if end is None:
            return
        self._selector.unregister(child.channel)
        child.close()
        member.child = None
        if member.probing is not None:
            member.probing.cancel()
            member.probing = None
        if member.life.phase is Phase.STOPPING:
            member.life = policy.died(member.life, self._clock(), member.spec.policy)
            self._tell(Stopped(member.spec.name, child.killed))
        else:
            self._note_death(member, end, child.tail())

    def _note_death(self, member: _Member, end: Exit, tail: str) -> None:
        now = self._clock()
        member.life = policy.died(member.life, now, member.spec.policy)
        deaths = member.life.deaths
        rest = member.spec.policy.delay(deaths)
        self._tell(Exited(member.spec.name, end, deaths))
        if member.spec.policy.alarms(deaths):
            alarm = KeepsDying(member.spec.name, deaths, end, rest, member.log, tail)
            self._tell(alarm)
            self._failure = alarm.sentence
        else:
            self._tell(Restarting(member.spec.name, rest))

    def _act_on_time(self, member: _Member) -> None:
        spec = member.spec
        if member.life.phase is Phase.RESTING:
            self._launch(member)
        elif member.child is None:
            return
        elif member.life.phase is Phase.STARTING:
            complaint = member.probing.complaint if member.probing else ""
            late = NotReady(spec.name, spec.ready_seconds, complaint, member.log, member.child.tail())
            member.life = policy.was_late(member.life, self._clock(), spec.grace_seconds + _LAUNCHER_GRACE)
            member.child.ask_to_stop()
            self._tell(late)
            self._failure = late.sentence
        else:
            member.child.kill_launcher()

    def _stop_all(self) -> None:
        """Stop each child once nobody who started after it runs any more; return when nothing runs."""
        asked = self._asked
        while True:
            for member in self._members.values():
                if not self._is_needed(member):
                    self._stop(member)
            if self._asked > asked:
                asked = self._asked
                for member in self._members.values():
                    self._stop(member)
                    if member.child is not None:
                        member.child.kill()
            if all(member.life.phase is Phase.STOPPED for member in self._members.values()):
                return
            self._take_in()
            for member in self._members.values():
                if member.life.phase is not Phase.RESTING and policy.is_due(member.life, self._clock()):
                    self._act_on_time(member)

    def _stop(self, member: _Member) -> None:
        if member.life.phase in {Phase.STOPPING, Phase.STOPPED}:
            return
        member.life = policy.told_to_stop(member.life, self._clock(), member.spec.grace_seconds + _LAUNCHER_GRACE)
        if member.child is not None:
            self._tell(Stopping(member.spec.name))
            member.child.ask_to_stop()

    def _is_needed(self, member: _Member) -> bool:
        name = member.spec.name
        return any(name in other.spec.after and other.life.runs for other in self._members.values())

    def _tell(self, change: Change) -> None:
        try:
            self._report(change)
        except OSError:
            return  # the terminal is gone; the children shall be looked after all the same
