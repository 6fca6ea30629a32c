"""What a supervisor tells whoever started it, each with a sentence that can be printed as it is."""

from dataclasses import dataclass
from pathlib import Path

from stonks_cli.supervise.policy import Exit


@dataclass(frozen=True)
class Starting:
    """A process was started; `attempt` is 1 for the first of a row."""

    name: str
    pid: int
    attempt: int

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.name} starts (pid {self.pid})"


@dataclass(frozen=True)
class Ready:
    """Its probe succeeded."""

    name: str
    seconds: float

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.name} is ready after {self.seconds:.1f} s"


@dataclass(frozen=True)
class NotReady:
    """It runs and did not become ready in time; it will be ended and started again."""

    name: str
    seconds: float
    complaint: str
    log: Path
    tail: str

    @property
    def sentence(self) -> str:
        """In words, with the end of its log."""
        why = f" ({self.complaint})" if self.complaint else ""
        return f"{self.name} did not become ready within {self.seconds:g} s{why}; {_said(self.log, self.tail)}"


@dataclass(frozen=True)
class Exited:
    """It ended without being told to."""

    name: str
    exit: Exit
    deaths: int

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.name} {self.exit.sentence}"


@dataclass(frozen=True)
class Restarting:
    """It will be started again after a rest."""

    name: str
    seconds: float

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.name} is started again in {self.seconds:g} s"


@dataclass(frozen=True)
class KeepsDying:
    """It died so many times in a row, none of them after a minute of health; it is tried on, slowly."""

    name: str
    deaths: int
    exit: Exit
    seconds: float
    log: Path
    tail: str

    @property
    def sentence(self) -> str:
        """In words, with the end of its log."""
        return (
            f"{self.name} keeps dying: {self.deaths} times in a row, the last time it "
            f"{self.exit.sentence}; it is tried again in {self.seconds:g} s; {_said(self.log, self.tail)}"
        )


@dataclass(frozen=True)
class Stopping:
    """It was told to end."""

    name: str

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.name} stops"


@dataclass(frozen=True)
class Stopped:
    """It ended as it was told to; `killed` when its grace was over."""

    name: str
    killed: bool

    @property
    def sentence(self) -> str:
        """In words."""
        return f"{self.name} was killed, as it did not stop in time" if self.killed else f"{self.name} stopped"


Change = Starting | Ready | NotReady | Exited | Restarting | KeepsDying | Stopping | Stopped


def _said(log: Path, tail: str) -> str:
    return f"its last words in {log}:\n{tail}" if tail else f"it said nothing in {log}"
