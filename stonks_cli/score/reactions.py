"""Opinions on filings against what the price did afterwards. Pure; the formulas are those of `outcomes`.

An abnormal reaction runs from the last close before a filing was accepted, so that one accepted after the close reacts in
the next session: to the first open after its acceptance (`open`), and to the close 1, 5 and 20 sessions on, each less the
equal-weight mean of all prices over the same time. A filing accepted while the market is open is measured from the close
of the day before, and its `open` is the next day's. `entered` runs from that first open to the close of its session and
of the 5th and 20th, counted alike: what was left for whoever could act upon the filing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import Any

import numpy as np

from stonks_assets.outcomes.forward import HORIZONS
from stonks_assets.outcomes.judgement import Judgement, judge
from stonks_cli.score.recording import Prices
from stonks_core.columns import Floats, micros

LEAST_OPINION = 0.1
"""A score weaker than this is no opinion: it counts in the rank correlation and neither hits nor misses."""
OPEN = "open"
MEASURES = (OPEN, *(f"{n}" for n in HORIZONS), *(f"entered {n}" for n in HORIZONS))


@dataclass(frozen=True)
class Opinion:
    """What a judge made of a filing: a score in [-1, 1], 0 where it said nothing, and how sure it was, in [0, 1]."""

    score: float
    confidence: float


@dataclass(frozen=True)
class Interval:
    """A share with its bounds, all in [0, 1]."""

    low: float
    high: float


def reactions(ticker: str, accepted_at: datetime, prices: Prices) -> dict[str, float]:
    """The abnormal returns of a filing by measure; those that no price tells are left out."""
    sessions = prices.sessions
    column, at = sessions.column(ticker), micros(accepted_at)
    base = int(sessions.base_of(np.array([at]))[0])
    if column is None or base < 0:
        return {}
    first = int(np.searchsorted(prices.opens_at, at, side="left"))
    rows: dict[str, Floats] = {}
    if first < sessions.ends.size:
        rows[OPEN] = prices.open[first] / sessions.close[base] - 1.0
    for horizon in HORIZONS:
        if base + horizon < sessions.ends.size:
            rows[f"{horizon}"] = sessions.close[base + horizon] / sessions.close[base] - 1.0
        if first + horizon - 1 < sessions.ends.size:
            rows[f"entered {horizon}"] = sessions.close[first + horizon - 1] / prices.open[first] - 1.0
    found = {name: float(row[column] - np.nanmean(row)) for name, row in rows.items() if not np.isnan(row[column])}
    return {name: found[name] for name in MEASURES if name in found}


def judged(opinions: Sequence[Opinion], abnormal: Sequence[float]) -> dict[str, Any]:
    """A judge's figures over filings whose reaction is known; both sequences run in step."""
    hits = [_hit(opinion, value) for opinion, value in zip(opinions, abnormal, strict=True)]
    scores = [opinion.score for opinion in opinions]
    found: Judgement = judge(scores, [opinion.confidence for opinion in opinions], abnormal, hits)
    told = [hit for hit in hits if hit is not None]
    bounds = wilson(sum(told), len(told))
    ic = found.coefficient
    earned = [
        np.sign(o.score) * value for o, value, hit in zip(opinions, abnormal, hits, strict=True) if hit is not None
    ]
    return {
        "filings": found.n,
        "opinions": len(told),
        "coverage": len(told) / found.n if found.n else None,
        "hit_rate": found.hit_rate,
        "low": bounds.low if bounds else None,
        "high": bounds.high if bounds else None,
        "mean_abnormal": float(np.mean(earned)) if earned else None,
        "ic": ic.ic if ic else None,
        "t": ic.t if ic else None,
        "calibration": [
            {"from": b.low, "to": b.high, "n": b.n, "mean_confidence": b.mean_confidence, "hit_rate": b.hit_rate}
            for b in found.calibration
        ],
    }


def _hit(opinion: Opinion, abnormal: float) -> int | None:
    return None if abs(opinion.score) < LEAST_OPINION else int(opinion.score * abnormal > 0)


def wilson(hits: int, n: int, level: float = 0.95) -> Interval | None:
    """Wilson's score interval of a share, which lies in [0, 1] however few there are; None of none."""
    if n == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, room = hits / n, z * z / n
    centre = (share + room / 2) / (1 + room)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + room)
    return Interval(max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def table(
    opinions: Mapping[str, Sequence[Opinion | None]], reacted: Sequence[Mapping[str, float]]
) -> list[dict[str, Any]]:
    """A row for each measure and judge, over the filings that every judge was asked about and whose reaction is known."""
    rows = []
    for measure in MEASURES:
        known = [
            n
            for n, found in enumerate(reacted)
            if measure in found and all(said[n] is not None for said in opinions.values())
        ]
        if not known:
            continue
        for judge_name, said in opinions.items():
            kept = [opinion for n in known if (opinion := said[n]) is not None]
            rows.append({"horizon": measure, "judge": judge_name, **judged(kept, [reacted[n][measure] for n in known])})
    return rows
