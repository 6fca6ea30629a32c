"""What news about one company means for its competitors, by how the two responded to such news before.

`stonks_core.patterns` finds the patterns. The cross-company pattern speaks where there are enough samples, as it is
about the competitor itself; then the self pattern, whose sign reaches the competitor through the relationship; then the
relationship alone, with confidence 0.3, turning the sign of the news for a competitor or substitute and keeping it for
everybody else.

    sentiment = sign |source's sentiment|,  impact = source's impact * relationship strength * pattern confidence

Each record is judged with what was known when it became available, so that the answer does not depend on when it was
worked out.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from stonks_core.identifiers import digest
from stonks_core.patterns.matching import News, Past, Pattern, find_cross_company_patterns, find_self_patterns
from stonks_core.patterns.rules import PatternRules
from stonks_core.vocabulary import Relationship

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
class PropagationRules(PatternRules):
    """The rules of patterns, and the least confidence and impact of what is propagated."""

    pattern_confidence_threshold: float = 0.3
    propagation_strength_threshold: float = 0.2


def propagate(
    records: pa.Table, past: Past, relations: Sequence[Relation], rules: PropagationRules
) -> list[dict[str, Any]]:
    """The competitive signals that impact records give rise to, as rows of the lake table of that name.

    `records` has the columns of the lake table of impact records. Signals below the thresholds for pattern confidence
    or impact are left out.
    """
    by_source: dict[str, list[Relation]] = {}
    for relation in relations:
        if relation.source != relation.target:
            by_source.setdefault(relation.source, []).append(relation)
    rows: list[dict[str, Any]] = []
    for record in records.to_pylist():
        targets = by_source.get(record["ticker"], [])
        if targets:
            rows.extend(_signals(record, targets, past, rules))
    return rows


def stands(signal: dict[str, Any], record: dict[str, Any] | None) -> bool:
    """Whether a competitive signal still says what its impact record says; not where that was taken back or corrected."""
    if record is None or signal["catalyst"] != record["catalyst"]:
        return False
    impact = record["impact"] * signal["strength"] * signal["pattern_confidence"]
    sizes = ((abs(signal["sentiment"]), abs(record["sentiment"])), (signal["impact"], impact))
    turn = -1.0 if signal["relationship"] in OPPOSITE else 1.0
    turned = signal["pattern"] == NONE and signal["sentiment"] * record["sentiment"] * turn < 0
    silent = signal["mean_response"] == 0  # no response has a sign
    return not turned and all(silent or math.isclose(ours, theirs, abs_tol=1e-9) for ours, theirs in sizes)


def _signals(
    record: dict[str, Any], targets: Sequence[Relation], past: Past, rules: PropagationRules
) -> Iterator[dict[str, Any]]:
    """One record's signals on its competitors."""
    news = News(*(record[name] for name in ("ticker", "catalyst", "published_at", "available_at", "cluster_id")))
    own = find_self_patterns(past, news, rules).get(news.ticker)
    others = find_cross_company_patterns(past, news, [relation.target for relation in targets], rules)
    for relation in targets:
        kind, found = _speaking(others.get(relation.target), own)
        if found is None:
            sign, confidence = relation.sign * float(np.sign(record["sentiment"])), RELATIONSHIP_CONFIDENCE
        else:
            sign = float(np.sign(found.mean_response)) * (relation.sign if kind == SELF else 1.0)
            confidence = found.confidence
        impact = record["impact"] * relation.strength * confidence
        if confidence < rules.pattern_confidence_threshold or impact < rules.propagation_strength_threshold:
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


def _speaking(cross: Pattern | None, own: Pattern | None) -> tuple[str, Pattern | None]:
    """The pattern that speaks for a competitor, and its kind."""
    if cross is not None and cross.enough:
        return CROSS, cross
    return (SELF, own) if own is not None and own.enough else (NONE, None)
