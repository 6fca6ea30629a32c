"""Which companies' trends must be computed again. Judged by the signals themselves: no bookkeeping to get out of step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.arrays import codes, instants, micros
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights
from stonks_core.vocabulary import Window

WITNESS = Window.QUARTER
"""The longest window: a signal that counts in any window counts in it."""
_RELATIVE = 1e-9
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class LastTrend:
    """A company's last trend over the longest window: when it was computed, and the sums it rests on."""

    as_of: datetime
    positive: float
    negative: float
    total_weight: float

    def like(self, other: "LastTrend") -> bool:
        """Whether both rest on the same sums, but for rounding."""
        pairs = (
            (self.positive, other.positive),
            (self.negative, other.negative),
            (self.total_weight, other.total_weight),
        )
        return all(math.isclose(ours, theirs, rel_tol=_RELATIVE, abs_tol=1e-12) for ours, theirs in pairs)


def last_trends(trends: pa.Table) -> dict[str, LastTrend]:
    """The newest trend over the longest window by company, from rows of trend history."""
    last: dict[str, LastTrend] = {}
    for row in trends.filter(ds.field("window") == str(WITNESS)).to_pylist():
        known = last.get(row["ticker"])
        if known is None or row["as_of"] > known.as_of:
            last[row["ticker"]] = LastTrend(row["as_of"], row["positive"], row["negative"], row["total_weight"])
    return last


def due_tickers(
    signals: pa.Table, as_of: datetime, weights: LayerWeights, last: Mapping[str, LastTrend], refresh: timedelta
) -> set[str]:
    """Companies in `signals` (all that may count at `as_of`) whose trends must be computed at `as_of`.

    Due is a company without a trend, with one that is at least `refresh` old, with a signal that became known or was
    published since, and one whose sums, worked out again for the instant of its last trend, are not those stored: a
    record was extracted late, or a layer was switched.
    """
    code, tickers = codes(signals, "ticker")
    newest = np.zeros(len(tickers), dtype=np.int64)
    known_from = np.maximum(instants(signals, "available_at"), instants(signals, "published_at"))
    current = known_from <= micros(as_of)
    np.maximum.at(newest, code[current], known_from[current])
    due: set[str] = set()
    unsettled: dict[datetime, list[str]] = {}
    for ticker, instant in zip(tickers, newest.tolist(), strict=True):
        trend = last.get(ticker)
        if trend is None or instant > micros(trend.as_of) or max(refresh, _INSTANT) <= as_of - trend.as_of:
            due.add(ticker)
        else:
            unsettled.setdefault(trend.as_of, []).append(ticker)
    for at, names in unsettled.items():
        due |= _changed(signals, at, names, weights, last)
    return due


def _changed(
    signals: pa.Table, at: datetime, names: list[str], weights: LayerWeights, last: Mapping[str, LastTrend]
) -> set[str]:
    mine = signals.filter(ds.field("ticker").isin(pa.array(names, pa.string())))
    trends, _ = aggregate(mine, at, weights, at, windows=(WITNESS,))
    now = last_trends(trends)
    return {name for name in names if name not in now or not now[name].like(last[name])}
