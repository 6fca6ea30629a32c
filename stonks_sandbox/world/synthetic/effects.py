"""From events to the news part of log prices: a jump at once, a drift over days, a fade after two months.

    response(t) = 0 before the event; jump + (1 - jump) * (1 - (1 - u)**2) with u = min(1, time since / drift time)

After FADE_FROM days an effect fades linearly and is gone after FADE_TO: the memory is finite, so that a price at
any instant needs only the events of the four months before it.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from stonks_sandbox.world.synthetic.events import SEGMENTS, Calendar, Event
from stonks_sandbox.world.synthetic.factors import Floats
from stonks_sandbox.world.synthetic.universe import profiles

FADE_FROM, FADE_TO = 60, 120
RECENT_DAYS = 4
"""Days whose events may still drift; older ones are in the price to the full."""
KEPT_DAYS = 700


@dataclass(frozen=True)
class DayImpact:
    """The events of a day as arrays: segment (n,), jump share (n,), drift in segments (n,), log effects (n, C)."""

    segment: Floats
    jump: Floats
    drift: Floats
    effects: Floats

    @property
    def total(self) -> Floats:
        """Sum of the effects by company (C,)."""
        total: Floats = self.effects.sum(axis=0)
        return total


def impact(events: list[Event]) -> DayImpact:
    """The arrays of one day's events."""
    moving = [event for event in events if event.effects]
    effects = np.zeros((len(moving), len(profiles())))
    for row, event in enumerate(moving):
        effects[row, list(event.effects)] = list(event.effects.values())
    return DayImpact(
        np.array([event.segment for event in moving], dtype=np.float64),
        np.array([event.jump for event in moving]),
        np.array([event.drift_segments for event in moving], dtype=np.float64),
        effects,
    )


def fade(age: Floats) -> Floats:
    """What is left of an effect after `age` days: 1, falling linearly to 0 between FADE_FROM and FADE_TO."""
    return np.clip((FADE_TO - age) / (FADE_TO - FADE_FROM), 0.0, 1.0)


class NewsPath:
    """The news part of every company's log price, day by day on the five-minute grid."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._days: OrderedDict[int, DayImpact] = OrderedDict()
        self._totals: dict[int, Floats] = {}

    def _impact(self, day: int) -> DayImpact:
        known = self._days.get(day)
        if known is None:
            known = impact(self._calendar.events(day))
            self._days[day] = known
            self._totals[day] = known.total
            if len(self._days) > KEPT_DAYS:
                self._totals.pop(self._days.popitem(last=False)[0], None)
        return known

    def _total(self, day: int) -> Floats:
        return self._totals[day] if day in self._totals else self._impact(day).total

    def day(self, day: int) -> tuple[Floats, Floats]:
        """The path (C, 288), constant within a segment, and the attention the news draws (C, 288), for volumes."""
        ages = np.arange(RECENT_DAYS, FADE_TO)
        totals = np.stack([self._total(day - int(age)) for age in ages])
        begin = fade(ages.astype(np.float64)) @ totals
        finish = fade((ages + 1).astype(np.float64)) @ totals
        part = np.arange(SEGMENTS) / SEGMENTS
        path = begin[:, None] + (finish - begin)[:, None] * part
        attention = np.zeros_like(path)
        for age in range(RECENT_DAYS):
            recent = self._impact(day - age)
            since = np.arange(SEGMENTS)[None, :] + age * SEGMENTS - recent.segment[:, None]
            left = 1.0 - np.clip(since / recent.drift[:, None], 0.0, 1.0)
            begun = since >= 0
            response = begun * (recent.jump[:, None] + (1 - recent.jump[:, None]) * (1.0 - left * left))
            path += recent.effects.T @ response
            attention += np.abs(recent.effects).T @ (begun * left)
        return path, attention
