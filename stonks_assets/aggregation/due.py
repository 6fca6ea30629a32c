"""Which companies' trends must be computed again. Judged by the signals themselves: no bookkeeping to get out of step.

A trend of history says of which version of `signals` and of which weights it was made. What came since the newest is
looked up in the table's own log, so that signals that stand still are not read; judgement is then passed on the signals
of the companies that were touched.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.arrays import picked
from stonks_assets.aggregation.provenance import FORMULAS, read_provenance
from stonks_assets.aggregation.signals import differing
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights
from stonks_core.columns import codes, instants, micros
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.vocabulary import Window

WITNESS = Window.QUARTER
"""The longest window: a signal that counts in any window counts in it."""
_RELATIVE = 1e-9
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Basis:
    """What a trend was computed from: at least this version of `signals`, and the weights by their stamp."""

    version: int
    weights: str

    @classmethod
    def read(cls, input_versions: str) -> "Basis | None":
        """From a trend's `input_versions`; None where other formulas made it, or an older release."""
        found = read_provenance(input_versions)
        if found.weights is None or found.formulas != FORMULAS or SIGNALS.name not in found.tables:
            return None
        return cls(found.tables[SIGNALS.name], found.weights.stamp)


@dataclass(frozen=True)
class LastTrend:
    """A company's last trend over the longest window: when it was computed, and the sums it rests on."""

    as_of: datetime
    positive: float
    negative: float
    total_weight: float
    basis: "Basis | None" = None

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
    read = lru_cache(maxsize=None)(Basis.read)
    for row in trends.filter(ds.field("window") == str(WITNESS)).to_pylist():
        known = last.get(row["ticker"])
        if known is None or row["as_of"] > known.as_of:
            basis = read(row["input_versions"]) if "input_versions" in row else None
            last[row["ticker"]] = LastTrend(row["as_of"], row["positive"], row["negative"], row["total_weight"], basis)
    return last


@dataclass(frozen=True)
class Ground:
    """What the newest trends say of all companies: at `known`, by this version of `signals`, no other was due.

    A call judges every company and writes those that were due in one commit, so that the newest trend speaks for all.
    `young` are the companies whose own trend need not be refreshed yet.
    """

    version: int
    known: datetime
    young: frozenset[str]


def ground(last: Mapping[str, LastTrend], as_of: datetime, weights: LayerWeights, refresh: timedelta) -> Ground | None:
    """What stands of the trends so far; None when all signals must be read.

    That is so where no trend is younger than `refresh`, and where the newest were made with other weights, or by a
    release that did not say with which.
    """
    newest = max((trend.as_of for trend in last.values()), default=None)
    if newest is None or as_of - newest >= max(refresh, _INSTANT):
        return None
    bases = [trend.basis for trend in last.values() if trend.as_of == newest and trend.basis is not None]
    basis = max(bases, key=lambda basis: basis.version, default=None)
    if basis is None or basis.weights != weights.stamp:
        return None
    young = (ticker for ticker, trend in last.items() if as_of - trend.as_of < max(refresh, _INSTANT))
    return Ground(basis.version, newest, frozenset(young))


def touched(come: pa.Table, gone: pa.Table, awaited: pa.Table) -> set[str]:
    """Companies with a signal that is new, changed or gone between two versions, or was not known yet.

    `come` and `gone` are the rows of the files that differ: a row that is in both just as it is has only been moved.
    """
    moved = [(come, gone), (gone, come)]
    tables = [ours.filter(pa.array(differing(ours, theirs))) for ours, theirs in moved]
    return {ticker for table in (*tables, awaited) for ticker in table["ticker"].unique().to_pylist()}


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
    trends, _ = aggregate(picked(signals, "ticker", names), at, weights, at, windows=(WITNESS,))
    now = last_trends(trends)
    return {name for name in names if name not in now or not now[name].like(last[name])}
