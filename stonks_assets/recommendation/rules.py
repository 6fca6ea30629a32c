"""What a trend is worth saying, and how far the saying may go.

    action = buy    if bullish and strength >= 0.30 and confidence >= 0.40
             sell   if bearish and strength >= 0.30 and confidence >= 0.40
             watch  if the direction is not neutral
             hold   otherwise
    mode   = live_eligible   if confidence >= 0.75 and contradiction < 0.3, for buy and sell
             paper_eligible  if confidence >= 0.50, for buy and sell
             informational   otherwise, and always where no evidence is about the company itself

A projection of the opposite sign lowers the confidence by a fifth before any of this is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stonks_core.identifiers import digest
from stonks_core.vocabulary import Action, Direction, Mode, RiskClass

ACTION_STRENGTH = 0.30
ACTION_CONFIDENCE = 0.40
PAPER_CONFIDENCE = 0.50
LIVE_CONFIDENCE = 0.75
LIVE_CONTRADICTION = 0.3
OBJECTION_FACTOR = 0.8
"""What a projection of the opposite sign leaves of the confidence."""
HIGH_CONTRADICTION = 0.5
HIGH_VOLATILITY = 0.6
LOW_CONFIDENCE = 0.7
LOW_CONTRADICTION = 0.2
LOW_VOLATILITY = 0.3
REPEAT_WITHIN = timedelta(minutes=5)
SHORTEST_VALIDITY = timedelta(hours=1)
DECISIVE = frozenset({Action.BUY, Action.SELL})


@dataclass(frozen=True)
class Judged:
    """A trend's figures as the rules read them; shares are of the evidence, in [0, 1]."""

    score: float
    strength: float
    confidence: float
    contradiction: float
    direction: Direction
    company_share: float
    macro_share: float
    competitive_share: float
    volatility: float | None
    projected_score: float | None


@dataclass(frozen=True)
class Verdict:
    """What the rules say about a trend; `confidence` is after the projection's objection."""

    action: Action
    mode: Mode
    risk_class: RiskClass
    confidence: float
    suppression: str


def judge(trend: Judged) -> Verdict:
    """The recommendation that a trend is worth."""
    confidence = trend.confidence * (OBJECTION_FACTOR if objects(trend.score, trend.projected_score) else 1.0)
    decided = action(trend.direction, trend.strength, confidence)
    held_back = suppression(trend.company_share, trend.macro_share, trend.competitive_share)
    allowed = Mode.INFORMATIONAL if held_back else mode(decided, confidence, trend.contradiction)
    risk = risk_class(confidence, trend.contradiction, trend.volatility)
    return Verdict(decided, allowed, risk, confidence, held_back)


def objects(score: float, projected_score: float | None) -> bool:
    """Whether a projection points the other way."""
    return projected_score is not None and score * projected_score < 0


def action(direction: Direction, strength: float, confidence: float) -> Action:
    """What to do, by direction, strength and confidence."""
    if strength >= ACTION_STRENGTH and confidence >= ACTION_CONFIDENCE:
        if direction is Direction.BULLISH:
            return Action.BUY
        if direction is Direction.BEARISH:
            return Action.SELL
    return Action.HOLD if direction is Direction.NEUTRAL else Action.WATCH


def mode(decided: Action, confidence: float, contradiction: float) -> Mode:
    """How far it may go, before suppression."""
    if decided not in DECISIVE:
        return Mode.INFORMATIONAL
    if confidence >= LIVE_CONFIDENCE and contradiction < LIVE_CONTRADICTION:
        return Mode.LIVE_ELIGIBLE
    return Mode.PAPER_ELIGIBLE if confidence >= PAPER_CONFIDENCE else Mode.INFORMATIONAL


def suppression(company_share: float, macro_share: float, competitive_share: float) -> str:
    """Why a recommendation must stay informational: nothing in its evidence is about the company; empty if some is."""
    if company_share > 0:
        return ""
    if macro_share > 0 and competitive_share > 0:
        return "macro_and_pattern_only"
    if macro_share > 0:
        return "macro_only"
    return "pattern_only" if competitive_share > 0 else "no_company_evidence"


def risk_class(confidence: float, contradiction: float, volatility: float | None) -> RiskClass:
    """How risky it is to follow; a volatility that is not known is never held to be low."""
    if contradiction >= HIGH_CONTRADICTION or (volatility is not None and volatility >= HIGH_VOLATILITY):
        return RiskClass.HIGH
    calm = volatility is not None and volatility < LOW_VOLATILITY
    if confidence >= LOW_CONFIDENCE and contradiction < LOW_CONTRADICTION and calm:
        return RiskClass.LOW
    return RiskClass.MODERATE


def expires_at(as_of: datetime, span: timedelta) -> datetime:
    """Until when it holds: half its window's span, at least one hour."""
    return as_of + max(span / 2, SHORTEST_VALIDITY)


def identity(
    *, ticker: str, window: str, decided: Action, allowed: Mode, evidence_ids: Iterable[str], score: float
) -> str:
    """What makes two recommendations the same: ticker, window, action, mode, evidence in any order, score to 2 decimals."""
    rounded = f"{round(score, 2) + 0.0:.2f}"
    return digest("recommendation", ticker, window, decided, allowed, *sorted(evidence_ids), rounded)


def recommendation_id(identity_hash: str, as_of: datetime) -> str:
    """One issue of an identity."""
    return digest(identity_hash, as_of.isoformat())


def repeated(as_of: datetime, issued_at: Iterable[datetime], within: timedelta = REPEAT_WITHIN) -> bool:
    """Whether the same identity was issued less than five minutes before `as_of`, or at that very instant."""
    return any(as_of - within < at <= as_of for at in issued_at)
