"""Where a trend's score goes if it goes on as it did: a weighted straight line through its last 20 scores.

Weights halve per half-life of the window, so the newest score weighs most. With slope b in score a day:

    projected score = last score + b * half the window's span, clipped to [-1, 1]
    R squared       = 1 - weighted squared residuals / weighted squared deviations, 0 for a constant score
    confidence      = R squared * (1 - exp(-n / 5))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

POINTS = 20
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Projection:
    """The line through a trend's scores, and how well they lie on it."""

    slope: float
    projected_score: float
    r_squared: float
    confidence: float
    points: int


def project(history: Sequence[tuple[datetime, float]], half_life: timedelta, span: timedelta) -> Projection | None:
    """The projection from (instant, score) pairs, in any order; None with fewer than two instants.

    Of more than 20 pairs the newest 20 count. Weights are taken against the newest instant: a common factor cancels.
    """
    newest = sorted(history)[-POINTS:]
    if len({at for at, _ in newest}) < 2:
        return None
    last_at, last_score = newest[-1]
    days = np.array([(at - last_at) / _DAY for at, _ in newest])
    score = np.array([value for _, value in newest])
    weight = np.exp2(days / (half_life / _DAY))
    weight /= weight.sum()
    centred_days = days - weight @ days
    centred = score - weight @ score
    spread = weight @ centred_days**2
    if spread <= 0:
        return None
    slope = float((weight @ (centred_days * centred)) / spread)
    deviation = float(weight @ centred**2)
    residual = float(weight @ (centred - slope * centred_days) ** 2)
    # A constant score has no deviation but rounding error, of which a line explains anything.
    constant = deviation <= (1e-12 * max(1.0, float(np.abs(score).max()))) ** 2
    r_squared = 0.0 if constant else min(1.0, max(0.0, 1.0 - residual / deviation))
    projected = last_score + (0.0 if constant else slope) * (span / 2 / _DAY)
    return Projection(
        slope=0.0 if constant else slope,
        projected_score=min(1.0, max(-1.0, projected)),
        r_squared=r_squared,
        confidence=r_squared * -float(np.expm1(-len(newest) / 5)),
        points=len(newest),
    )
