"""What makes a pattern out of past responses, and how far one can be trusted. Pure.

consistency = share of the samples that have the sign of the mean response
confidence  = consistency (1 - exp(-n / 5)), 0 below the least number of samples
              times the multiplier for major decisions, at most 1
              times 1 while the newest sample is recent, falling linearly to the penalty at the staleness window
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from stonks_core.columns import Floats
from stonks_core.settings.slices import Signals
from stonks_core.vocabulary import MAJOR_DECISIONS


@dataclass(frozen=True)
class PatternRules:
    """Look-backs, staleness and the least of samples, under the names that operators know them by; days and shares."""

    routine_lookback_days: int = 180
    major_decision_lookback_days: int = 365
    major_decision_weight_multiplier: float = 1.3
    staleness_window_days: int = 180
    staleness_recent_days: int = 90
    staleness_decay_penalty: float = 0.5
    min_pattern_samples: int = 3

    def lookback(self, catalyst: str) -> timedelta:
        """How far back samples of a catalyst may lie."""
        major = catalyst in MAJOR_DECISIONS
        return timedelta(days=self.major_decision_lookback_days if major else self.routine_lookback_days)

    @property
    def longest_lookback(self) -> timedelta:
        """How far back samples of any catalyst may lie."""
        return timedelta(days=max(self.routine_lookback_days, self.major_decision_lookback_days))


@dataclass(frozen=True)
class Trust:
    """What a number of responses say together: their mean, how many have its sign, and how far to trust that."""

    mean_response: float
    consistency: float
    confidence: float


def pattern_rules(settings: Signals) -> PatternRules:
    """The rules by the COMPETITIVE_* settings of the same names."""
    return PatternRules(
        routine_lookback_days=settings.competitive_routine_lookback_days,
        major_decision_lookback_days=settings.competitive_major_decision_lookback_days,
        major_decision_weight_multiplier=settings.competitive_major_decision_weight_multiplier,
        staleness_window_days=settings.competitive_staleness_window_days,
        staleness_recent_days=settings.competitive_staleness_recent_days,
        staleness_decay_penalty=settings.competitive_staleness_decay_penalty,
        min_pattern_samples=settings.competitive_min_pattern_samples,
    )


def staleness(age: timedelta, rules: PatternRules) -> float:
    """1 while the newest sample is recent, falling linearly to the penalty at the window's end, and staying there."""
    recent, window = timedelta(days=rules.staleness_recent_days), timedelta(days=rules.staleness_window_days)
    if age <= recent:
        return 1.0
    if age >= window:
        return rules.staleness_decay_penalty
    return 1.0 - (1.0 - rules.staleness_decay_penalty) * ((age - recent) / (window - recent))


def trust(responses: Floats, newest_age: timedelta, *, major: bool, rules: PatternRules) -> Trust:
    """What responses (abnormal returns, at least one) say together; see the module's head.

    `newest_age` is the age of the newest sample; `major` says that the catalyst is a major decision.
    """
    mean = float(responses.mean())
    consistency = float(np.mean(np.sign(responses) == np.sign(mean)))
    if responses.size < rules.min_pattern_samples:
        return Trust(mean, consistency, 0.0)
    confidence = consistency * -float(np.expm1(-responses.size / 5))
    if major:
        confidence = min(1.0, confidence * rules.major_decision_weight_multiplier)
    return Trust(mean, consistency, confidence * staleness(newest_age, rules))
