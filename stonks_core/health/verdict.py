"""May new positions be opened? One answer from the newest result of every check, with its reasons. Pure.

A check that blocks and has failed closes the door, and so does one that has not run lately: what was not looked at is
not known to be well. The door is one to new positions only; nothing here is ever asked about an exit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from stonks_core.clock import require_utc

NOT_RUN = "not_run"
CHECKS = "checks"
MOST_SAID = 3


class Severity(StrEnum):
    """How bad a failing check is for the data; whether it closes the door is told apart."""

    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True)
class Expected:
    """A check that is made: of what, how bad a failure is, why it `blocks` (empty: it warns), how long a result counts.

    One that is not `needed` closes the door by failing, but not by being absent.
    """

    subject: str
    check: str
    severity: Severity
    patience: timedelta
    blocks: str = ""
    needed: bool = True

    @property
    def name(self) -> tuple[str, str]:
        """What tells it from the others."""
        return self.subject, self.check


@dataclass(frozen=True)
class Result:
    """What a check found when: `problem` is a sentence without its full stop, empty where the check holds.

    `days` are those in which it found something, as ISO dates; they are looked at again until they are well. `severity`
    and `blocks` are the check's, for people: the verdict goes by what is expected.
    """

    subject: str
    check: str
    problem: str
    checked_at: datetime
    days: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    blocks: str = ""

    @property
    def name(self) -> tuple[str, str]:
        """What tells it from the others."""
        return self.subject, self.check


@dataclass(frozen=True)
class Reason:
    """Why the door is closed, or what is wrong besides."""

    subject: str
    check: str
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """The answer at `as_of`: new positions may be opened where there is no reason against it."""

    as_of: datetime
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()

    @property
    def entries_open(self) -> bool:
        """Whether new positions may be opened."""
        return not self.reasons


def judge(expected: Iterable[Expected], results: Iterable[Result], as_of: datetime) -> Verdict:
    """The verdict at `as_of`: a failure, an absence or an old age of any check that blocks is a reason against.

    Of several results of one check the newest counts, of equally new ones the worst. Results of checks that nobody
    expects count for nothing. Another failure never opens the door, and neither does a check that is not made any more.
    """
    require_utc(as_of)
    newest = _newest(results)
    reasons: list[Reason] = []
    warnings: list[Reason] = []
    absent: list[str] = []
    for check in sorted(expected, key=lambda check: check.name):
        found = newest.get(check.name)
        stale = found is None or as_of - found.checked_at > check.patience
        if found is not None and found.problem and not (stale and not check.needed):
            (reasons if check.blocks else warnings).append(_failed(check, found))
        elif stale and check.needed and check.blocks:
            absent.append(f"{check.check} of {check.subject} {_since(found)}")
    if absent:
        reasons.append(Reason(CHECKS, NOT_RUN, _not_run(absent)))
    return Verdict(as_of, tuple(reasons), tuple(warnings))


def _newest(results: Iterable[Result]) -> Mapping[tuple[str, str], Result]:
    newest: dict[tuple[str, str], Result] = {}
    for result in results:
        held = newest.get(result.name)
        if held is None or _rank(result) > _rank(held):
            newest[result.name] = result
    return newest


def _rank(result: Result) -> tuple[datetime, bool, str]:
    return result.checked_at, bool(result.problem), result.problem


def _failed(check: Expected, found: Result) -> Reason:
    because = f" ({check.blocks})" if check.blocks else ""
    return Reason(check.subject, check.check, f"{found.problem}{because}")


def _since(found: Result | None) -> str:
    return "has never been made" if found is None else f"was last made at {said_at(found.checked_at)}"


def _not_run(absent: list[str]) -> str:
    more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
    return f"checks are missing or too old: {absent[0]}{more}; the sensor data_health asks for them by itself"


@dataclass(frozen=True)
class Stored:
    """The newest verdict as it was stored, and the pipeline's toggle beside it."""

    verdict: Verdict | None
    switched_off: str = ""


def closed_because(stored: Stored, as_of: datetime, patience: timedelta) -> str:
    """Why no position may be opened at `as_of`, as a sentence without its full stop; empty where one may.

    A verdict that is older than `patience` speaks for nothing any more: who should judge has stopped.
    """
    if stored.switched_off:
        return stored.switched_off
    verdict = stored.verdict
    if verdict is None:
        return "data health has not been judged yet: the first checks are made within minutes of the first start"
    if as_of - verdict.as_of > patience:
        return (
            f"data health has not been judged since {said_at(verdict.as_of)}: see on Dagster's pages that its daemon and "
            "the sensor data_health run"
        )
    said = [reason.sentence for reason in verdict.reasons[:MOST_SAID]]
    more = len(verdict.reasons) - len(said)
    return "; ".join([*said, *([f"and {more} more, which `stonks health` lists"] if more > 0 else [])])


def in_a_line(verdict: Verdict) -> str:
    """A verdict in one line, with all its reasons."""
    if verdict.entries_open:
        more = f", {len(verdict.warnings)} warnings" if verdict.warnings else ""
        return f"new positions may be opened{more}"
    return "no new positions: " + "; ".join(reason.sentence for reason in verdict.reasons)


def said_at(at: datetime) -> str:
    """An instant for people."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
