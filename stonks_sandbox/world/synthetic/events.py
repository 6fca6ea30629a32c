"""What happens on a day: company events, macro events and false rumours, with their true effects on every price.

An event's price reaction begins at a boundary of the five-minute grid, a few seconds to a minute and a half after
it becomes known. Which documents tell of it is `stories`' matter; what the effect does to prices is `effects`'.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.world.synthetic import macro
from stonks_sandbox.world.synthetic.catalysts import FORCES, JUMP_SHARE, NEWS_STRENGTH, SIZE_SPREAD
from stonks_sandbox.world.synthetic.draws import day_start, generator
from stonks_sandbox.world.synthetic.factors import Factors, Floats
from stonks_sandbox.world.synthetic.universe import profiles

SEGMENT = 300
SEGMENTS = 86_400 // SEGMENT
SLOTS = 4
SLOT_CHANCE = (0.80, 0.45, 0.20, 0.05)
MOOD_PULL = 0.22
COMPANY_DRAWS, MACRO_SLOTS, RUMOUR_SLOTS = 14, 3, 6
MACRO_PLACE = 900
RUMOUR_PLACE = 950
PLACES = 1000
"""An event's ordinal lies below this, company events' below MACRO_PLACE; accession numbers rest on it."""
CONTRADICTED = 0.14
ORIGINAL_RIGHT = 0.6
LEAKED = 0.05


class EventKind(StrEnum):
    """What sort of happening it is; a false rumour has no effect at all."""

    COMPANY = "company"
    MACRO = "macro"
    FALSE_RUMOUR = "false_rumour"


class Dispute(StrEnum):
    """Whether a second publisher contradicts the first report, and who is right."""

    NONE = "none"
    ORIGINAL_RIGHT = "original_right"
    ORIGINAL_WRONG = "original_wrong"


@dataclass(frozen=True)
class Event:
    """One happening. `claimed` is the sign the first report gives it, `effects` the true log effects by company."""

    event_id: str
    day: int
    ordinal: int
    kind: EventKind
    at: datetime
    segment: int
    catalyst: Catalyst
    claimed: int
    company: int | None
    theme: int | None
    effects: dict[int, float]
    jump: float
    drift_segments: int
    dispute: Dispute
    leaked: bool

    @property
    def own_effect(self) -> float:
        """The true log effect on the company itself; for a macro event the mean over all companies."""
        if self.company is not None:
            return self.effects.get(self.company, 0.0)
        return sum(self.effects.values()) / max(1, len(self.effects))


def _choose(weights: list[float], draw: float) -> int:
    total, running = sum(weights), 0.0
    for index, weight in enumerate(weights):
        running += weight / total
        if draw < running:
            return index
    return max(index for index, weight in enumerate(weights) if weight)


_CATALYSTS = tuple(FORCES)
_GOOD = [FORCES[catalyst].good for catalyst in _CATALYSTS]
_BAD = [FORCES[catalyst].bad for catalyst in _CATALYSTS]


def _spread(company: int, catalyst: Catalyst, effect: float) -> dict[int, float]:
    """The effect on the company, its rivals and its allies."""
    force, profile = FORCES[catalyst], profiles()[company]
    effects = {company: effect}
    for rival in profile.rivals:
        effects[rival] = effects.get(rival, 0.0) + force.rival * effect
    for ally in profile.allies:
        effects[ally] = effects.get(ally, 0.0) + force.ally * effect
    return {index: value for index, value in effects.items() if value}


def _dispute(draw: float, side: float) -> Dispute:
    if draw >= CONTRADICTED:
        return Dispute.NONE
    return Dispute.ORIGINAL_RIGHT if side < ORIGINAL_RIGHT else Dispute.ORIGINAL_WRONG


class Calendar:
    """Draws the events of any day of one seed; the draws of a day depend on that day and the mood alone."""

    def __init__(self, seed: int, factors: Factors) -> None:
        self._seed = seed
        self._factors = factors

    def events(self, day: int) -> list[Event]:
        """Every event of a day number, by time."""
        rng = generator(self._seed, "events", day)
        draws = rng.random((len(profiles()), SLOTS, COMPANY_DRAWS))
        normals = rng.standard_normal((len(profiles()), SLOTS))
        shared = rng.random((MACRO_SLOTS + RUMOUR_SLOTS, COMPANY_DRAWS))
        mood = self._factors.until(day).mood[day]
        found = [
            self._company_event(day, company, slot, draws[company, slot], float(normals[company, slot]), mood)
            for company in range(len(profiles()))
            for slot in range(SLOTS)
            if draws[company, slot, 0] < SLOT_CHANCE[slot]
        ]
        macro_chance = (1.0, 0.6, 0.3)
        found += [
            self._macro_event(day, slot, shared[slot])
            for slot in range(MACRO_SLOTS)
            if shared[slot, 0] < macro_chance[slot]
        ]
        found += [
            self._rumour(day, slot, shared[MACRO_SLOTS + slot])
            for slot in range(RUMOUR_SLOTS)
            if shared[MACRO_SLOTS + slot, 0] < 0.75
        ]
        return sorted(found, key=lambda event: (event.at, event.ordinal))

    def _moment(self, day: int, place: float, lag: float) -> tuple[int, datetime]:
        segment = 1 + int(place * (SEGMENTS - 1))
        return segment, day_start(day) + timedelta(seconds=segment * SEGMENT - 5 - int(lag * 85))

    def _company_event(self, day: int, company: int, slot: int, draw: Floats, normal: float, mood: Floats) -> Event:
        segment, at = self._moment(day, draw[1], draw[2])
        claimed = 1 if draw[3] < 0.5 + MOOD_PULL * mood[company] else -1
        catalyst = _CATALYSTS[_choose(_GOOD if claimed > 0 else _BAD, float(draw[4]))]
        force = FORCES[catalyst]
        size = NEWS_STRENGTH * force.size * float(np.exp(SIZE_SPREAD * normal))
        dispute = _dispute(float(draw[5]), float(draw[6]))
        sign = -0.6 * claimed if dispute is Dispute.ORIGINAL_WRONG else float(claimed)
        return Event(
            event_id=f"e{day}-{profiles()[company].ticker.lower()}-{slot}",
            day=day,
            ordinal=company * SLOTS + slot,
            kind=EventKind.COMPANY,
            at=at,
            segment=segment,
            catalyst=catalyst,
            claimed=claimed,
            company=company,
            theme=None,
            effects=_spread(company, catalyst, sign * size),
            jump=JUMP_SHARE[0] + (JUMP_SHARE[1] - JUMP_SHARE[0]) * float(draw[7]),
            drift_segments=int(SEGMENTS * min(3.0, max(1.0, force.pace * (0.6 + 0.8 * float(draw[8]))))),
            dispute=dispute,
            leaked=bool(draw[9] < LEAKED),
        )

    def _macro_event(self, day: int, slot: int, draw: Floats) -> Event:
        segment, at = self._moment(day, draw[1], draw[2])
        theme = int(draw[3] * len(macro.themes()))
        effects = {
            profile.index: value
            for profile in profiles()
            if (value := macro.effect(macro.themes()[theme], profile) * (0.7 + 0.6 * float(draw[4])))
        }
        return Event(
            event_id=f"m{day}-{slot}",
            day=day,
            ordinal=MACRO_PLACE + slot,
            kind=EventKind.MACRO,
            at=at,
            segment=segment,
            catalyst=Catalyst.MACRO,
            claimed=1 if sum(effects.values()) >= 0 else -1,
            company=None,
            theme=theme,
            effects=effects,
            jump=JUMP_SHARE[0] + (JUMP_SHARE[1] - JUMP_SHARE[0]) * float(draw[5]),
            drift_segments=int(SEGMENTS * (1.0 + 2.0 * float(draw[6]))),
            dispute=Dispute.NONE,
            leaked=False,
        )

    def _rumour(self, day: int, slot: int, draw: Floats) -> Event:
        segment, at = self._moment(day, draw[1], draw[2])
        claimed = 1 if draw[3] < 0.5 else -1
        return Event(
            event_id=f"r{day}-{slot}",
            day=day,
            ordinal=RUMOUR_PLACE + slot,
            kind=EventKind.FALSE_RUMOUR,
            at=at,
            segment=segment,
            catalyst=_CATALYSTS[_choose(_GOOD if claimed > 0 else _BAD, float(draw[4]))],
            claimed=claimed,
            company=int(draw[5] * len(profiles())),
            theme=None,
            effects={},
            jump=0.0,
            drift_segments=SEGMENTS,
            dispute=Dispute.NONE,
            leaked=False,
        )
