"""The two clocks of a sandbox: one that follows the machine, one that moves only when told and never back.

What a moment means for a market (sessions, bars) belongs to the worlds.
"""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stonks_sandbox.world.instants import iso_utc, parse_instant


@dataclass(frozen=True)
class ClockRefusal:
    """Why a clock did not move, as a sentence."""

    reason: str


class WallClock:
    """The machine's present, read from the source handed in by the composition root."""

    kind = "wall"

    def __init__(self, source: Callable[[], datetime]) -> None:
        self._source = source

    def now(self) -> datetime:
        """The present, aware UTC."""
        return self._source()

    def advance(self, to: datetime) -> ClockRefusal | None:
        """Always refused: nobody sets the wall clock."""
        return ClockRefusal(
            f"the clock follows the machine and cannot be set to {iso_utc(to)}; start the sandbox with --clock driven"
        )


class DrivenClock:
    """A present that stands still until it is moved forward; every move is on disk before it is answered.

    A folder that holds an earlier run's instant continues there, whatever `start` says.
    """

    kind = "driven"

    def __init__(self, file: Path, start: datetime) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._now = self._read() or start
        self._write(self._now)

    def now(self) -> datetime:
        """The present, aware UTC."""
        return self._now

    def advance(self, to: datetime) -> ClockRefusal | None:
        """Move to `to`; standing still is allowed, going back is refused."""
        with self._lock:
            if to < self._now:
                return ClockRefusal(
                    f"the clock stands at {iso_utc(self._now)} and never goes back to {iso_utc(to)}; "
                    "ask for a later instant, or start anew with an empty --state folder"
                )
            self._write(to)
            self._now = to
        return None

    def _read(self) -> datetime | None:
        if not self._file.exists():
            return None
        text = self._file.read_text(encoding="utf-8")
        try:
            return parse_instant(json.loads(text)["now"])
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self._file} holds no instant ({error}): delete it to start the clock anew"
            raise ValueError(message) from error

    def _write(self, now: datetime) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._file.with_suffix(".new")
        with scratch.open("w", encoding="utf-8") as sink:
            json.dump({"now": now.isoformat()}, sink)
            sink.flush()
            os.fsync(sink.fileno())
        scratch.replace(self._file)


Clock = WallClock | DrivenClock
"""What the composition root drives; the worlds see only `SandboxClock`."""
