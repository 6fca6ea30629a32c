"""Which recommendation may speak for its ticker, and why the others may not. Sizes are `sizing`'s business.

Hand in every recommendation that has not expired, `hold` and `watch` and the ones already acted on included: the newest
of a ticker and window replaces the older ones, and one that has been acted on still speaks against its opposite.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stonks_core.vocabulary import Action, Mode, Window
from stonks_trading.decide.rules import BrokerMode, share
from stonks_trading.records import Recommendation

CONFLICT_SHARE = Decimal("0.5")  # an opposite voice of at least this share of the speaker's silences it


@dataclass(frozen=True)
class Silenced:
    """A recommendation that may not speak. `reason` is the rule's name; the sentence has the numbers."""

    recommendation: Recommendation
    reason: str
    sentence: str


@dataclass(frozen=True)
class Candidates:
    """At most one speaker per ticker, strongest first, and everybody else with the reason why not."""

    speakers: tuple[Recommendation, ...]
    silenced: tuple[Silenced, ...]


def voice(recommendation: Recommendation) -> Decimal:
    """How loud a recommendation speaks: strength * confidence, in [0, 1].

    The exact product of the figures as they print, so that half is half and not a binary hair beside it.
    """
    return share(recommendation.strength) * share(recommendation.confidence)


def loudest_first(recommendation: Recommendation) -> tuple[Decimal, str, str]:
    """Sort key: loudest, then by ticker and id, so that the order of the input never matters."""
    return -voice(recommendation), recommendation.ticker, recommendation.recommendation_id


def choose(
    recommendations: Iterable[Recommendation],
    as_of: datetime,
    *,
    broker_mode: BrokerMode,
    min_confidence: float,
) -> Candidates:
    """The speaker of each ticker: of its eligible voices the one with the largest strength * confidence.

    An opposite voice (paper eligible at least, whatever its confidence) of half the speaker's or more silences the
    ticker. Recommendations dated after `as_of` do not exist yet and are left out entirely.
    """
    known = {r.recommendation_id: r for r in recommendations if r.as_of <= as_of}
    newest = _newest(known.values())
    speakers: list[Recommendation] = []
    silenced: list[Silenced] = []
    voices: dict[str, list[Recommendation]] = {}
    for recommendation in sorted(known.values(), key=lambda r: r.recommendation_id):
        mute = _mute(recommendation, as_of, newest)
        if mute is not None:
            silenced.append(mute)
        else:
            voices.setdefault(recommendation.ticker, []).append(recommendation)
    for ticker in sorted(voices):
        speaker, others = _speaker(voices[ticker], broker_mode, min_confidence)
        silenced += others
        if speaker is not None:
            speakers.append(speaker)
    return Candidates(
        tuple(sorted(speakers, key=loudest_first)),
        tuple(sorted(silenced, key=lambda s: (s.recommendation.ticker, s.recommendation.recommendation_id))),
    )


def _newest(recommendations: Iterable[Recommendation]) -> Mapping[tuple[str, Window], Recommendation]:
    newest: dict[tuple[str, Window], Recommendation] = {}
    for r in recommendations:
        held = newest.get((r.ticker, r.window))
        if held is None or (r.as_of, r.recommendation_id) > (held.as_of, held.recommendation_id):
            newest[r.ticker, r.window] = r
    return newest


def _mute(r: Recommendation, as_of: datetime, newest: Mapping[tuple[str, Window], Recommendation]) -> Silenced | None:
    """What keeps a recommendation from having a voice at all."""
    if not (math.isfinite(r.strength) and math.isfinite(r.confidence)):
        return Silenced(
            r,
            "invalid",
            f"Strength {r.strength} and confidence {r.confidence} of {r.ticker} are not both numbers.",
        )
    if r.expires_at <= as_of:
        return Silenced(r, "expired", f"The {r.window} view of {r.ticker} expired at {_at(r.expires_at)}.")
    latest = newest[r.ticker, r.window]
    if latest.recommendation_id != r.recommendation_id:
        return Silenced(
            r,
            "superseded",
            f"A newer {r.window} view of {r.ticker} ({latest.action}, {_at(latest.as_of)}) took the place of this "
            f"{r.action} of {_at(r.as_of)}.",
        )
    if r.action not in (Action.BUY, Action.SELL):
        return Silenced(r, "not_actionable", f"The {r.window} view of {r.ticker} is {r.action}: nothing to order.")
    if r.mode is Mode.INFORMATIONAL:
        return Silenced(r, "informational", f"The {r.window} {r.action} of {r.ticker} is informational only.")
    return None


def _speaker(
    voices: Sequence[Recommendation], broker_mode: BrokerMode, min_confidence: float
) -> tuple[Recommendation | None, list[Silenced]]:
    silenced: list[Silenced] = []
    eligible: list[Recommendation] = []
    for r in voices:
        refusal = _ineligible(r, broker_mode, min_confidence)
        if refusal is None:
            eligible.append(r)
        else:
            silenced.append(refusal)
    if not eligible:
        return None, silenced
    speaker, *quieter = sorted(eligible, key=loudest_first)
    loud = voice(speaker)
    against = sorted(
        (v for v in voices if v.action is not speaker.action and voice(v) >= CONFLICT_SHARE * loud),
        key=loudest_first,
    )
    if against:
        names = f"{speaker.window} {speaker.action} of {speaker.ticker} ({loud:.3f})"
        other = f"{against[0].window} {against[0].action} ({voice(against[0]):.3f})"
        sentence = f"The {names} and the {other} contradict each other: neither is followed."
        parties = {speaker.recommendation_id} | {v.recommendation_id for v in against}
        silenced += [
            Silenced(r, "conflicting_windows", sentence) if r.recommendation_id in parties else _outspoken(r, speaker)
            for r in eligible
        ]
        return None, silenced
    return speaker, silenced + [_outspoken(r, speaker) for r in quieter]


def _ineligible(r: Recommendation, broker_mode: BrokerMode, min_confidence: float) -> Silenced | None:
    if broker_mode == "live" and r.mode is not Mode.LIVE_ELIGIBLE:
        return Silenced(
            r, "not_live_eligible", f"The {r.window} {r.action} of {r.ticker} is {r.mode}; the broker is live."
        )
    if r.confidence < min_confidence:
        return Silenced(
            r,
            "below_confidence",
            f"Confidence {r.confidence:.2f} of the {r.window} {r.action} of {r.ticker} is below the tier's "
            f"{min_confidence:.2f}.",
        )
    return None


def _outspoken(r: Recommendation, speaker: Recommendation) -> Silenced:
    return Silenced(
        r,
        "outspoken",
        f"The {speaker.window} {speaker.action} of {r.ticker} speaks louder ({voice(speaker):.3f} against "
        f"{voice(r):.3f} of this {r.window} {r.action}).",
    )


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
