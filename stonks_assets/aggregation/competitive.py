"""What news about one company means for its competitors, by how the two responded to such news before.

Sample: an earlier story of the same catalyst about the source company, told by its origin, within the look-back; its
response is the abnormal return from the last close before the story to the close five sessions later. A *cross*
pattern is the competitor's response, a *self* pattern the company's own. With n samples:

    consistency = share of the samples that have the sign of the mean response
    confidence  = consistency (1 - exp(-n / 5)), 0 below the least number of samples
                  times the multiplier for major decisions, at most 1
                  times 1 while the newest sample is recent, falling linearly to the penalty at the staleness window

The cross pattern speaks where there are enough samples, as it is about the competitor itself; then the self pattern,
whose sign reaches the competitor through the relationship; then the relationship alone, with confidence 0.3, turning
the sign of the news for a competitor or substitute and keeping it for everybody else.

    sentiment = sign |source's sentiment|,  impact = source's impact * relationship strength * pattern confidence

Each record is judged with what was known when it became available, so that the answer does not depend on when it was
worked out. A sample whose five sessions were not over by then does not exist yet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from stonks_assets.aggregation.arrays import Floats, Ints, codes, instants, micros, round_micros
from stonks_core.identifiers import digest
from stonks_core.prices.sessions import Sessions
from stonks_core.vocabulary import MAJOR_DECISIONS, Relationship

RESPONSE_SESSIONS = 5
RELATIONSHIP_CONFIDENCE = 0.3
CROSS, SELF, NONE = "cross", "self", "none"
_CARRIED = (
    *("day", "impact_id", "document_id", "cluster_id", "catalyst", "confidence", "credibility"),
    *("published_at", "available_at"),
)
OPPOSITE = frozenset({Relationship.DIRECT_COMPETITOR, Relationship.SUBSTITUTE})


@dataclass(frozen=True)
class Relation:
    """`target` stands to `source` in a relationship of a strength in [0, 1]."""

    source: str
    target: str
    relationship: str
    strength: float

    @property
    def sign(self) -> float:
        """-1 where what is good for the one is bad for the other, else 1."""
        return -1.0 if self.relationship in OPPOSITE else 1.0


@dataclass(frozen=True)
class PropagationRules:
    """The thresholds, under the names that operators know them by; days and shares."""

    pattern_confidence_threshold: float = 0.3
    propagation_strength_threshold: float = 0.2
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


@dataclass(frozen=True)
class Pattern:
    """How a company responded to samples, and how far that can be trusted."""

    samples: int
    mean_response: float
    consistency: float
    confidence: float


def staleness(age: timedelta, rules: PropagationRules) -> float:
    """1 while the newest sample is recent, falling linearly to the penalty at the window's end, and staying there."""
    recent, window = timedelta(days=rules.staleness_recent_days), timedelta(days=rules.staleness_window_days)
    if age <= recent:
        return 1.0
    if age >= window:
        return rules.staleness_decay_penalty
    return 1.0 - (1.0 - rules.staleness_decay_penalty) * ((age - recent) / (window - recent))


def pattern(responses: Floats, newest_age: timedelta, major: bool, rules: PropagationRules) -> Pattern | None:
    """The pattern of responses (abnormal returns), or None where there are too few to call one."""
    if responses.size < max(rules.min_pattern_samples, 1):
        return None
    mean = float(responses.mean())
    consistency = float(np.mean(np.sign(responses) == np.sign(mean)))
    confidence = consistency * -float(np.expm1(-responses.size / 5))
    if major:
        confidence = min(1.0, confidence * rules.major_decision_weight_multiplier)
    return Pattern(int(responses.size), mean, consistency, confidence * staleness(newest_age, rules))


@dataclass(frozen=True)
class History:
    """Impact records as arrays, ordered by (ticker and catalyst, published, document)."""

    kinds: dict[tuple[str, str], slice]
    published: Ints
    available: Ints
    cluster: Ints
    clusters: dict[str, int]
    base: Ints
    closed_at: Ints

    @classmethod
    def of(cls, records: pa.Table, sessions: Sessions) -> "History":
        """The samples that a table of impact records could give."""
        cluster, clusters = codes(records, "cluster_id")
        ticker, tickers = codes(records, "ticker")
        catalyst, catalysts = codes(records, "catalyst")
        document, _ = codes(records, "document_id")
        published = instants(records, "published_at")
        kind = ticker * max(len(catalysts), 1) + catalyst
        order = np.lexsort((document, published, kind))
        bounds = np.flatnonzero(np.diff(kind[order], prepend=-1, append=-1))
        kinds = {}
        for first, last in pairwise(bounds):
            row = order[first]
            kinds[tickers[ticker[row]], catalysts[catalyst[row]]] = slice(int(first), int(last))
        base = sessions.base_of(published[order])
        return cls(
            kinds=kinds,
            published=published[order],
            available=instants(records, "available_at")[order],
            cluster=cluster[order],
            clusters={name: code for code, name in enumerate(clusters)},
            base=base,
            closed_at=sessions.closed_at(base, RESPONSE_SESSIONS),
        )

    def samples(self, record: dict[str, Any], lookback: timedelta) -> Ints:
        """Positions of a record's samples: earlier stories of its kind, over by the time it became available."""
        part = self.kinds.get((record["ticker"], record["catalyst"]))
        if part is None:
            return np.empty(0, dtype=np.int64)
        now = micros(record["available_at"])
        known = (
            (self.available[part] <= now)
            & (self.published[part] < micros(record["published_at"]))
            & (self.cluster[part] != self.clusters.get(record["cluster_id"], -1))
        )
        rows = np.flatnonzero(known) + part.start
        # Of one story the first teller counts, and it is the first in this order.
        rows = rows[np.sort(np.unique(self.cluster[rows], return_index=True)[1])]
        inside = (self.published[rows] >= now - round_micros(lookback)) & (self.closed_at[rows] <= now)
        return np.asarray(rows[inside], dtype=np.int64)


def propagate(
    records: pa.Table,
    history: History,
    relations: Sequence[Relation],
    sessions: Sessions,
    rules: PropagationRules,
) -> list[dict[str, Any]]:
    """The competitive signals that impact records give rise to, as rows of the lake table of that name.

    `records` has the columns of the lake table of impact records. Signals below the thresholds for pattern confidence
    or impact are left out.
    """
    by_source: dict[str, list[Relation]] = {}
    for relation in relations:
        if relation.source != relation.target:
            by_source.setdefault(relation.source, []).append(relation)
    judge = _Judge(history, sessions, sessions.abnormal(RESPONSE_SESSIONS), rules)
    rows: list[dict[str, Any]] = []
    for record in records.to_pylist():
        targets = by_source.get(record["ticker"], [])
        if targets:
            rows.extend(judge.signals(record, targets))
    return rows


@dataclass(frozen=True)
class _Judge:
    """The past, as far as it is needed to judge one record after the other."""

    history: History
    sessions: Sessions
    abnormal: Floats
    rules: PropagationRules

    def signals(self, record: dict[str, Any], targets: Sequence[Relation]) -> Iterator[dict[str, Any]]:
        """One record's signals on its competitors."""
        samples = self.history.samples(record, self.rules.lookback(record["catalyst"]))
        own = self._pattern(record, samples, record["ticker"])
        for relation in targets:
            cross = self._pattern(record, samples, relation.target)
            kind, found = (CROSS, cross) if cross else (SELF, own) if own else (NONE, None)
            if found is None:
                sign, confidence = relation.sign * float(np.sign(record["sentiment"])), RELATIONSHIP_CONFIDENCE
            else:
                sign = float(np.sign(found.mean_response)) * (relation.sign if kind == SELF else 1.0)
                confidence = found.confidence
            impact = record["impact"] * relation.strength * confidence
            weak = confidence < self.rules.pattern_confidence_threshold
            if weak or impact < self.rules.propagation_strength_threshold:
                continue
            yield {
                **{name: record[name] for name in _CARRIED},
                "competitive_id": digest("competitive", record["impact_id"], relation.target),
                "source_ticker": record["ticker"],
                "ticker": relation.target,
                "relationship": str(relation.relationship),
                "strength": relation.strength,
                "pattern": kind,
                "samples": found.samples if found else 0,
                "mean_response": found.mean_response if found else None,
                "consistency": found.consistency if found else None,
                "pattern_confidence": confidence,
                "sentiment": sign * abs(record["sentiment"]),
                "impact": impact,
            }

    def _pattern(self, record: dict[str, Any], samples: Ints, ticker: str) -> Pattern | None:
        """How a company responded to a record's samples; None where too few have a response."""
        column = self.sessions.column(ticker)
        if column is None or samples.size == 0:
            return None
        responses = self.abnormal[self.history.base[samples], column]
        there = ~np.isnan(responses)
        if not there.any():
            return None
        newest = int(self.history.published[samples[there]].max())
        age = timedelta(microseconds=micros(record["available_at"]) - newest)
        return pattern(responses[there], age, record["catalyst"] in MAJOR_DECISIONS, self.rules)
