"""Decisions about one child: its phases, when it is tried again, when its deaths are worth an alarm.

Pure: time is an argument, in seconds of any monotonic clock. No process is touched here.
"""

import signal
from dataclasses import dataclass, replace
from enum import StrEnum


class Phase(StrEnum):
    """Where a child is in its life."""

    WAITING = "waiting"  # for those it starts after
    STARTING = "starting"  # runs and is not ready yet
    READY = "ready"
    LATE = "late"  # was not ready in time and was told to end, to be tried again
    RESTING = "resting"  # is dead and will be started again
    STOPPING = "stopping"  # was told to end
    STOPPED = "stopped"


@dataclass(frozen=True)
class RestartPolicy:
    """How patient we are with a child that dies. All times in seconds."""

    first_delay: float = 0.5
    factor: float = 2.0
    longest_delay: float = 30.0
    healthy_after: float = 60.0
    alarm_after: int = 5

    def delay(self, deaths: int) -> float:
        """The rest before the next try after so many deaths in a row: doubling, up to the longest."""
        if deaths < 1:
            raise ValueError(f"a rest follows a death, and there were {deaths}")
        # Bounded exponent: a child that has died for days shall not overflow a float.
        return min(self.longest_delay, self.first_delay * self.factor ** min(deaths - 1, 64))

    def alarms(self, deaths: int) -> bool:
        """Whether this death is the one to make a noise about: the fifth in a row, the tenth, and so on."""
        return deaths > 0 and deaths % self.alarm_after == 0


@dataclass(frozen=True)
class Exit:
    """How a process ended: an exit code or a signal, never both. `launcher`: the process around it was
    killed.
    """

    code: int | None = None
    signal: int | None = None
    launcher: bool = False

    @property
    def sentence(self) -> str:
        """In words, such as `was killed by SIGKILL`."""
        if self.signal is None:
            return f"exited with code {self.code}"
        names = {int(each): each.name for each in signal.Signals}
        who = "its launcher was" if self.launcher else "was"
        return f"{who} killed by {names.get(self.signal, f'signal {self.signal}')}"


@dataclass(frozen=True)
class Life:
    """One child's state. `deaths` counts those in a row; `due` is when patience ends in this phase: the
    limit for getting ready, the next try, or the end of its grace.
    """

    phase: Phase = Phase.WAITING
    since: float = 0.0
    deaths: int = 0
    due: float | None = None

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self.phase in {Phase.STARTING, Phase.READY, Phase.LATE, Phase.STOPPING}


def started(life: Life, now: float, ready_seconds: float) -> Life:
    """The process was started; it has so long to become ready."""
    _require(life, Phase.WAITING, Phase.RESTING)
    return replace(life, phase=Phase.STARTING, since=now, due=now + ready_seconds)


def became_ready(life: Life, now: float) -> Life:
    """Its probe succeeded."""
    _require(life, Phase.STARTING)
    return replace(life, phase=Phase.READY, since=now, due=None)


def died(life: Life, now: float, policy: RestartPolicy) -> Life:
    """Its process is gone: rest and try again, or, if it was told to end, be done."""
    _require(life, Phase.STARTING, Phase.READY, Phase.LATE, Phase.STOPPING)
    if life.phase is Phase.STOPPING:
        return replace(life, phase=Phase.STOPPED, since=now, due=None)
    was_healthy = life.phase is Phase.READY and now - life.since >= policy.healthy_after
    deaths = 1 if was_healthy else life.deaths + 1
    return Life(Phase.RESTING, now, deaths, now + policy.delay(deaths))


def was_late(life: Life, now: float, grace_seconds: float) -> Life:
    """It did not become ready in time: it has so long to end, which counts as a death."""
    _require(life, Phase.STARTING)
    return replace(life, phase=Phase.LATE, since=now, due=now + grace_seconds)


def told_to_stop(life: Life, now: float, grace_seconds: float) -> Life:
    """It shall end: within its grace if it runs, at once if it does not."""
    if life.phase in {Phase.STOPPING, Phase.STOPPED}:
        return life
    if life.runs:
        return replace(life, phase=Phase.STOPPING, since=now, due=now + grace_seconds)
    return replace(life, phase=Phase.STOPPED, since=now, due=None)


def is_due(life: Life, now: float) -> bool:
    """Whether patience has ended in this phase."""
    return life.due is not None and now >= life.due


def _require(life: Life, *phases: Phase) -> None:
    if life.phase not in phases:
        raise ValueError(f"a child that is {life.phase} cannot come from there: expected {', '.join(phases)}")
