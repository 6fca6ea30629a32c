"""What false rumours and disputed stories did, and whether calls agree with what was planted. Pure.

`stages` says what a saying is and when an event counts; here are the questions that it does not ask.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stonks_cli.score.stages import LEAST_EFFECT, LEAST_SENTIMENT, Planted, Saying
from stonks_cli.score.truth import CONTRADICTION, DENIAL, TELLING, UNDISPUTED, Event

STILL_MOVING = timedelta(days=4)
"""No planted effect drifts longer."""


@dataclass(frozen=True)
class Call:
    """A buy or sell: on which side, when, and over how long a window it looked back."""

    ticker: str
    sign: int
    at: datetime
    span: timedelta


def rumours(planted: Planted, said: Mapping[str, Sequence[Saying]]) -> dict[str, int]:
    """How far false rumours came: told in a document, a record with a sign, a trend or a call upon them, a call after a denial."""
    events = [event for event in planted.events if event.rumour]
    denied = [event for event in events if _first(event, DENIAL)]
    led = {stage: _led_events(planted, said[stage]) for stage in ("extraction", "trends", "calls")}
    return {
        "rumours": len(events),
        "with a record": sum(event.event_id in led["extraction"] for event in events),
        "leading a trend": sum(event.event_id in led["trends"] for event in events),
        "leading a buy or sell": sum(event.event_id in led["calls"] for event in events),
        "denied": len(denied),
        "leading one after the denial": sum(
            any(_after(one, _first(event, DENIAL)) for one in led["calls"].get(event.event_id, ())) for event in denied
        ),
    }


def disputes(planted: Planted, said: Mapping[str, Sequence[Saying]]) -> list[dict[str, object]]:
    """Of events that a second publisher contradicts, by who is right: events, and calls upon their documents once both had spoken.

    `side of the truth` and `other side` count events with such a call; an event may have both, from different windows.
    """
    calls = _led_events(planted, said["calls"])
    found: list[dict[str, object]] = []
    for name in sorted({event.dispute for event in planted.events} - {UNDISPUTED}):
        events = [e for e in planted.events if e.dispute == name and e.ticker and planted.effect(e, e.ticker)]
        sides = [
            {
                one.sign * event.effects[event.ticker or ""] > 0
                for one in calls.get(event.event_id, ())
                if one.ticker == event.ticker and _after(one, _first(event, CONTRADICTION))
            }
            for event in events
        ]
        found.append(
            {
                "dispute": name,
                "events": len(events),
                "side of the truth": sum(True in side for side in sides),
                "other side": sum(False in side for side in sides),
                "no call": sum(not side for side in sides),
            }
        )
    return found


def agreement(
    events: Sequence[Event], calls: Iterable[Call], least: float = LEAST_EFFECT
) -> dict[str, float | int | None]:
    """How often calls have the sign of the effects planted on their ticker: of those that happened within the call's
    window, and of what the price had still to take; sums below `least` count neither way.

    Of calls of one side, ticker and window on one UTC day only the first counts.
    """
    first: dict[tuple[object, ...], Call] = {}
    for call in sorted(calls, key=lambda call: call.at):
        first.setdefault((call.ticker, call.sign, call.span, call.at.date()), call)
    happened: list[bool] = []
    to_come: list[bool] = []
    for call in first.values():
        known = [event for event in events if call.ticker in event.effects and event.at <= call.at]
        past = sum(event.effects[call.ticker] for event in known if call.at - event.at < call.span)
        left = sum(event.to_come(call.ticker, call.at) for event in known if call.at - event.at < STILL_MOVING)
        for value, hits in ((past, happened), (left, to_come)):
            if abs(value) >= least:
                hits.append(call.sign * value > 0)
    return {
        "calls": len(first),
        "with planted effects in their window": len(happened),
        "of their sign": sum(happened) / len(happened) if happened else None,
        "with effects still to come": len(to_come),
        "of their sign still to come": sum(to_come) / len(to_come) if to_come else None,
    }


def confusion(planted: Planted, records: Iterable[Saying]) -> list[dict[str, object]]:
    """How often documents that tell of a company's event of each true catalyst were read as which: wrong pairs first, then the
    right ones, each the most frequent first.
    """
    counts: dict[tuple[str, str], int] = {}
    for record in records:
        event, told = planted.by_document.get(record.source_id, (None, None))
        if event is None or told is None or event.rumour:
            continue
        if event.ticker == record.ticker and told.role in TELLING:
            pair = event.catalyst, record.catalyst
            counts[pair] = counts.get(pair, 0) + 1
    ordered = sorted(counts.items(), key=lambda entry: (entry[0][0] == entry[0][1], -entry[1], entry[0]))
    return [{"true": true, "read as": read, "records": count} for (true, read), count in ordered]


def sign_of(sentiment: float) -> int:
    """What a sentiment says: 1, -1, or 0 where it is weaker than `LEAST_SENTIMENT`."""
    return 0 if abs(sentiment) < LEAST_SENTIMENT else (1 if sentiment > 0 else -1)


def _led_events(planted: Planted, sayings: Iterable[Saying]) -> dict[str, list[Saying]]:
    found: dict[str, list[Saying]] = {}
    for saying in sayings:
        if saying.led_at is not None and saying.sign and saying.source_id in planted.by_document:
            found.setdefault(planted.by_document[saying.source_id][0].event_id, []).append(saying)
    return found


def _first(event: Event, role: str) -> datetime | None:
    return min((told.published_at for told in event.documents if told.role == role), default=None)


def _after(saying: Saying, instant: datetime | None) -> bool:
    return instant is not None and saying.last_at is not None and saying.last_at > instant
