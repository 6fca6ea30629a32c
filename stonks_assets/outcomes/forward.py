"""What became of a recommendation: forward return, abnormal return and hit, 1, 5 and 20 sessions later.

The forward return runs from the last close at or before the recommendation to the close so many sessions later; the
abnormal return is that less the equal-weight return of the tracked universe over the same sessions. A recommendation
hits when the abnormal return has the sign of its score; a hold calls nothing and neither hits nor misses.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from stonks_core.columns import NEVER, micros
from stonks_core.prices.sessions import Sessions
from stonks_core.vocabulary import Action

HORIZONS = (1, 5, 20)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CARRIED = ("day", "recommendation_id", "ticker", "window", "action", "mode", "score", "confidence", "as_of")


def hit(action: str, score: float, abnormal_return: float) -> int | None:
    """1 where the abnormal return has the sign of the score, 0 where not, None for a hold."""
    if action == Action.HOLD:
        return None
    return int(score * abnormal_return > 0)


def measure(
    recommendations: Iterable[dict[str, Any]],
    sessions: Sessions,
    done: frozenset[tuple[str, int]] = frozenset(),
    horizons: Sequence[int] = HORIZONS,
) -> list[dict[str, Any]]:
    """The outcomes that the sessions allow and that are not `done`, as rows of the lake table of outcomes.

    `recommendations` are rows of the lake table of that name; `done` are pairs of recommendation id and horizon. A
    horizon whose last session is not over, or a ticker without its closes, gives no row yet.
    """
    forward = {horizon: sessions.forward(horizon) for horizon in horizons}
    abnormal = {horizon: sessions.abnormal(horizon) for horizon in horizons}
    rows = []
    for recommendation in recommendations:
        column = sessions.column(recommendation["ticker"])
        base = sessions.base_of(np.array([micros(recommendation["as_of"])]))
        if column is None or base[0] < 0:
            continue
        for horizon in horizons:
            known = int(sessions.closed_at(base, horizon)[0])
            gain = float(forward[horizon][base[0], column])
            if (recommendation["recommendation_id"], horizon) in done or known == NEVER or np.isnan(gain):
                continue
            beyond = float(abnormal[horizon][base[0], column])
            rows.append(
                {
                    **{name: recommendation[name] for name in _CARRIED},
                    "horizon": horizon,
                    "base_day": sessions.days[base[0]],
                    "end_day": sessions.days[base[0] + horizon],
                    "forward_return": gain,
                    "abnormal_return": beyond,
                    "hit": hit(recommendation["action"], recommendation["score"], beyond),
                    "available_at": _EPOCH + timedelta(microseconds=known),
                }
            )
    return rows
