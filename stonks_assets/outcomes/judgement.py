"""What outcomes say in sum: hit rate, mean abnormal return, rank information coefficient, calibration.

Groups (by layer, catalyst, source, variant, window, ...) are made by the caller; each function takes one group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stonks_core.columns import Floats

DECILES = 10
_FEWEST_FOR_T = 3


@dataclass(frozen=True)
class Coefficient:
    """A rank information coefficient in [-1, 1] over n outcomes; `t` is None where n is below 3 or |ic| is 1."""

    ic: float
    t: float | None
    n: int


@dataclass(frozen=True)
class Bin:
    """One decile of stated confidence: how many outcomes, their mean confidence, and how many of them hit."""

    low: float
    high: float
    n: int
    mean_confidence: float
    hit_rate: float


@dataclass(frozen=True)
class Judgement:
    """A group of outcomes of one horizon; None where nothing in it can tell."""

    n: int
    hit_rate: float | None
    mean_abnormal_return: float | None
    coefficient: Coefficient | None
    calibration: tuple[Bin, ...]


def judge(
    scores: Sequence[float], confidences: Sequence[float], abnormal: Sequence[float], hits: Sequence[int | None]
) -> Judgement:
    """All figures of one group; the four sequences run in step, one entry per outcome."""
    told = [(confidence, hit) for confidence, hit in zip(confidences, hits, strict=True) if hit is not None]
    return Judgement(
        n=len(scores),
        hit_rate=sum(hit for _, hit in told) / len(told) if told else None,
        mean_abnormal_return=float(np.mean(abnormal)) if abnormal else None,
        coefficient=rank_ic(scores, abnormal),
        calibration=calibration([c for c, _ in told], [h for _, h in told]),
    )


def rank_ic(scores: Sequence[float], abnormal: Sequence[float]) -> Coefficient | None:
    """Spearman's rank correlation of scores and abnormal returns, ties at their mean rank; None where one is constant.

    t = ic * sqrt((n - 2) / (1 - ic ** 2)), Student's t with n - 2 degrees of freedom under no relation.
    """
    n = len(scores)
    if n < 2:
        return None
    ranks = ranked(np.asarray(scores, dtype=np.float64)), ranked(np.asarray(abnormal, dtype=np.float64))
    centred = [r - r.mean() for r in ranks]
    scale = float(np.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1])))
    if scale == 0:
        return None
    ic = float(np.clip((centred[0] @ centred[1]) / scale, -1.0, 1.0))
    room = 1 - ic**2
    t = ic * float(np.sqrt((n - 2) / room)) if n >= _FEWEST_FOR_T and room > 1e-12 else None
    return Coefficient(ic, t, n)


def ranked(values: Floats) -> Floats:
    """Ranks from 1, equal values at the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], dtype=np.float64)


def calibration(confidences: Sequence[float], hits: Sequence[int]) -> tuple[Bin, ...]:
    """Stated confidence against observed hit rate by tenths of confidence, empty tenths left out; 1.0 is in the last."""
    confidence, hit = np.asarray(confidences, dtype=np.float64), np.asarray(hits, dtype=np.float64)
    tenth = np.minimum((confidence * DECILES).astype(np.int64), DECILES - 1)
    return tuple(
        Bin(
            low=int(decile) / DECILES,
            high=(int(decile) + 1) / DECILES,
            n=int((tenth == decile).sum()),
            mean_confidence=float(confidence[tenth == decile].mean()),
            hit_rate=float(hit[tenth == decile].mean()),
        )
        for decile in np.unique(tenth)
    )
