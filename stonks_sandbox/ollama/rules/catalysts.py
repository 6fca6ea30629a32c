"""Facts about each catalyst: how much such news usually moves a company, and for how long."""

import math
from collections import defaultdict
from collections.abc import Iterable

from stonks_core.vocabulary import Catalyst, Horizon

BASE_IMPACT: dict[Catalyst, float] = {
    Catalyst.EARNINGS_BEAT: 0.8,
    Catalyst.EARNINGS_MISS: 0.8,
    Catalyst.GUIDANCE_RAISE: 0.8,
    Catalyst.GUIDANCE_CUT: 0.85,
    Catalyst.MERGER_ACQUISITION: 0.85,
    Catalyst.PRODUCT_LAUNCH: 0.45,
    Catalyst.REGULATORY: 0.65,
    Catalyst.LITIGATION: 0.55,
    Catalyst.MANAGEMENT_CHANGE: 0.5,
    Catalyst.CAPITAL_RETURN: 0.45,
    Catalyst.CAPITAL_RAISE: 0.45,
    Catalyst.INSIDER_TRADE: 0.4,
    Catalyst.ANALYST_RATING: 0.45,
    Catalyst.CONTRACT_WIN: 0.55,
    Catalyst.CONTRACT_LOSS: 0.6,
    Catalyst.OPERATIONAL_INCIDENT: 0.65,
    Catalyst.MACRO: 0.4,
    Catalyst.OTHER: 0.3,
}
HORIZONS: dict[Catalyst, Horizon] = {
    Catalyst.EARNINGS_BEAT: "days",
    Catalyst.EARNINGS_MISS: "days",
    Catalyst.GUIDANCE_RAISE: "weeks",
    Catalyst.GUIDANCE_CUT: "weeks",
    Catalyst.MERGER_ACQUISITION: "months",
    Catalyst.PRODUCT_LAUNCH: "weeks",
    Catalyst.REGULATORY: "weeks",
    Catalyst.LITIGATION: "months",
    Catalyst.MANAGEMENT_CHANGE: "weeks",
    Catalyst.CAPITAL_RETURN: "weeks",
    Catalyst.CAPITAL_RAISE: "days",
    Catalyst.INSIDER_TRADE: "weeks",
    Catalyst.ANALYST_RATING: "days",
    Catalyst.CONTRACT_WIN: "weeks",
    Catalyst.CONTRACT_LOSS: "weeks",
    Catalyst.OPERATIONAL_INCIDENT: "days",
    Catalyst.MACRO: "weeks",
    Catalyst.OTHER: "days",
}
_SIGNED = {
    Catalyst.EARNINGS_BEAT: (Catalyst.EARNINGS_BEAT, Catalyst.EARNINGS_MISS),
    Catalyst.EARNINGS_MISS: (Catalyst.EARNINGS_BEAT, Catalyst.EARNINGS_MISS),
}
LEAST_SURENESS = 0.2


def choose(votes: Iterable[tuple[Catalyst, float, float]]) -> Catalyst:
    """The catalyst with the best case, from (catalyst, sureness, weight): the surest statement, saturating in number."""
    best: defaultdict[Catalyst, float] = defaultdict(float)
    total: defaultdict[Catalyst, float] = defaultdict(float)
    for catalyst, sureness, weight in votes:
        best[catalyst] = max(best[catalyst], sureness * min(1.0, weight))
        total[catalyst] += sureness * weight
    scored = {name: best[name] * (0.6 + 0.4 * (1.0 - math.exp(-total[name]))) for name in best}
    if not scored:
        return Catalyst.OTHER
    winner = max(sorted(scored), key=lambda name: scored[name])
    return winner if scored[winner] >= LEAST_SURENESS else Catalyst.OTHER


def signed(catalyst: Catalyst, sentiment: float) -> Catalyst:
    """Results are a beat or a miss by their sentiment; every other catalyst stays what it is."""
    pair = _SIGNED.get(catalyst)
    if pair is None:
        return catalyst
    return pair[0] if sentiment >= 0 else pair[1]
