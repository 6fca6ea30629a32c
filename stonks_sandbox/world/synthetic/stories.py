"""Which documents tell of an event: filing, first report, syndicated copies, contradiction, rumour, denial.

A plan knows when and by whom a document is published; its words come from `writing` and `press`.
"""

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from stonks_sandbox.world.synthetic.catalysts import FORCES
from stonks_sandbox.world.synthetic.draws import day_start, generator
from stonks_sandbox.world.synthetic.events import PLACES, Dispute, Event, EventKind
from stonks_sandbox.world.synthetic.factors import Floats
from stonks_sandbox.world.synthetic.universe import profiles

DRAWS = 48
LONGEST_DELAY = timedelta(hours=9)
"""No document is published later than this after its event."""

WIRES = (
    "Meridian Newswire",
    "Harbor Street Journal",
    "Capital Courier",
    "Northgate Financial",
    "The Ledger Post",
    "Tickertape Daily",
)
BLOGS = ("Street Whispers", "Penny Owl", "The Margin Call Blog", "Dividend Hound")


class Role(StrEnum):
    """What a document is to its event."""

    ORIGIN = "origin"
    COPY = "copy"
    CONTRADICTION = "contradiction"
    RUMOUR = "rumour"
    DENIAL = "denial"
    FILING = "filing"


@dataclass(frozen=True)
class Plan:
    """One document to be: `document_id` is 64 hex digits, or an accession number for a filing."""

    document_id: str
    event: Event
    role: Role
    number: int
    publisher: str
    at: datetime
    wire: bool


def _identity(seed: int, event: Event, role: Role, number: int) -> str:
    return hashlib.sha256(f"{seed}/{event.event_id}/{role}/{number}".encode()).hexdigest()


def accession(event: Event) -> str:
    """The accession number of an event's filing: CIK, year, then day of the year and the event's place in the day."""
    if event.company is None:
        raise ValueError(f"{event.event_id} concerns no company and has no filing")
    day = day_start(event.day)
    serial = day.timetuple().tm_yday * 1000 + event.ordinal
    return f"{profiles()[event.company].company.cik:010d}-{day:%y}-{serial:06d}"


class Newsroom:
    """Turns the events of one seed into plans."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._drawn: tuple[int, Floats] | None = None

    def plans(self, event: Event) -> list[Plan]:
        """All documents of an event, by time of publication."""
        draws = self._day_draws(event.day)[event.ordinal]
        tell = self._rumours if event.kind is EventKind.FALSE_RUMOUR else self._reports
        found = tell(event, draws)
        return sorted(found, key=lambda plan: (plan.at, plan.document_id))

    def _day_draws(self, day: int) -> Floats:
        """One row of draws for each place of an event in a day."""
        with self._lock:
            if self._drawn is None or self._drawn[0] != day:
                self._drawn = (day, generator(self._seed, "documents", day).random((PLACES, DRAWS)))
            return self._drawn[1]

    def _plan(self, event: Event, role: Role, number: int, publisher: str, delay: timedelta, *, wire: bool) -> Plan:
        identity = accession(event) if role is Role.FILING else _identity(self._seed, event, role, number)
        return Plan(identity, event, role, number, publisher, event.at + delay, wire)

    def _reports(self, event: Event, draws: Floats) -> list[Plan]:
        found: list[Plan] = []
        delay = timedelta()
        told = True
        if event.company is not None and draws[0] < FORCES[event.catalyst].filed:
            found.append(self._plan(event, Role.FILING, 0, "EDGAR", delay, wire=False))
            delay = timedelta(seconds=90 + int(draws[1] * 1200))
            told = bool(draws[2] < 0.8)
        order = sorted(range(len(WIRES)), key=lambda index: (index * 7 + int(draws[3] * 997)) % 101)
        if told:
            found.append(self._plan(event, Role.ORIGIN, 0, WIRES[order[0]], delay, wire=True))
            found += self._copies(event, draws, order, delay)
        if event.dispute is not Dispute.NONE:
            later = delay + timedelta(minutes=40 + int(draws[30] * 320))
            found.append(self._plan(event, Role.CONTRADICTION, 0, WIRES[order[-1]], later, wire=True))
        if event.leaked:
            early = timedelta(minutes=-(60 + int(draws[31] * 240)))
            if event.at + early >= day_start(event.day):
                blog = BLOGS[int(draws[32] * len(BLOGS))]
                found.append(self._plan(event, Role.RUMOUR, 0, blog, early, wire=False))
        return found

    def _copies(self, event: Event, draws: Floats, order: list[int], delay: timedelta) -> list[Plan]:
        bounds = (0.45, 0.68, 0.83, 0.93, 1.0)
        if event.kind is EventKind.MACRO:
            bounds = (0.0, 0.4, 0.75, 0.9, 1.0)
        count = next(number for number, bound in enumerate(bounds) if draws[4] < bound)
        found = []
        for number in range(count):
            chance, wait, blog = draws[8 + 3 * number], draws[9 + 3 * number], draws[10 + 3 * number]
            later = delay + timedelta(seconds=180 + int(wait**2 * 5.5 * 3600))
            feed_only = chance < 0.25
            publisher = BLOGS[int(blog * len(BLOGS))] if feed_only else WIRES[order[1 + number % 4]]
            found.append(self._plan(event, Role.COPY, number, publisher, later, wire=not feed_only))
        return found

    def _rumours(self, event: Event, draws: Floats) -> list[Plan]:
        first = int(draws[0] * len(BLOGS))
        found = [self._plan(event, Role.RUMOUR, 0, BLOGS[first], timedelta(), wire=False)]
        if draws[1] < 0.3:
            second = BLOGS[(first + 1) % len(BLOGS)]
            wait = timedelta(minutes=15 + int(draws[2] * 200))
            found.append(self._plan(event, Role.COPY, 0, second, wait, wire=False))
        if draws[3] < 0.3:
            wire = WIRES[int(draws[4] * len(WIRES))]
            wait = timedelta(minutes=90 + int(draws[5] * 400))
            found.append(self._plan(event, Role.DENIAL, 0, wire, wait, wire=True))
        return found
