"""The truth file: what really happened, what it did to prices, and which documents told of it.

It lies in the state folder and is never served. It grows day by day and never speaks of the future.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from stonks_sandbox.world.instants import iso_utc
from stonks_sandbox.world.synthetic.draws import HISTORY_DAYS, day_number
from stonks_sandbox.world.synthetic.events import Calendar, Event, EventKind
from stonks_sandbox.world.synthetic.macro import themes
from stonks_sandbox.world.synthetic.stories import Newsroom
from stonks_sandbox.world.synthetic.universe import profiles

BEGINS = timedelta(days=90)
"""How far before the present a new truth file begins."""


class TruthFile:
    """`<state>/truth/events.jsonl`, one event a line, by time; rewritten in one step, so that no reader sees half."""

    def __init__(self, folder: Path, calendar: Calendar, newsroom: Newsroom) -> None:
        self._file = folder / "truth" / "events.jsonl"
        self._calendar = calendar
        self._newsroom = newsroom

    def extend(self, now: datetime) -> int:
        """Bring the file up to `now`; returns how many events it holds. Events keep only documents published by now.

        The days of an existing file stay, except that its last two are told anew: their later copies have appeared.
        """
        first = max(HISTORY_DAYS, day_number(now - BEGINS))
        kept: list[str] = []
        if self._file.exists():
            known = self._file.read_text(encoding="utf-8").splitlines()
            days = [int(json.loads(line)["day"]) for line in known]
            if days:
                redo = max(days) - 1
                kept = [line for line, day in zip(known, days, strict=True) if day < redo]
                first = redo if kept else min(first, *days)
        lines = kept + list(self._lines(first, now))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._file.with_suffix(".new")
        scratch.write_text("\n".join(lines) + "\n", encoding="utf-8")
        scratch.replace(self._file)
        return len(lines)

    def _lines(self, first: int, now: datetime) -> Iterator[str]:
        for day in range(first, day_number(now) + 1):
            for event in self._calendar.events(day):
                if event.at <= now:
                    yield json.dumps(self._entry(event, now), separators=(",", ":"))

    def _entry(self, event: Event, now: datetime) -> dict[str, object]:
        names = profiles()
        return {
            "event_id": event.event_id,
            "day": event.day,
            "kind": event.kind.value,
            "at": iso_utc(event.at),
            "ticker": names[event.company].ticker if event.company is not None else None,
            "theme": themes()[event.theme].key if event.theme is not None else None,
            "catalyst": event.catalyst.value,
            "claimed_sign": event.claimed,
            "effect": round(event.own_effect, 6) if event.company is not None else None,
            "effects": {names[index].ticker: round(value, 6) for index, value in sorted(event.effects.items())},
            "jump_share": round(event.jump, 4),
            "drift_hours": round(event.drift_segments / 12, 2),
            "false_rumour": event.kind is EventKind.FALSE_RUMOUR,
            "dispute": event.dispute.value,
            "documents": [
                {
                    "id": plan.document_id,
                    "role": plan.role.value,
                    "publisher": plan.publisher,
                    "published_at": iso_utc(plan.at),
                }
                for plan in self._newsroom.plans(event)
                if plan.at <= now
            ],
        }
