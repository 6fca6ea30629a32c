"""A company's signals as they would be had some of them never come: stories told by the next copy, news newer than it was.

What is left of a story is told by its earliest remaining copy; `aggregate` finds it by itself. Novelty is worked out anew,
and only where the removal changed it, so that a signal that has nothing to do with what was removed keeps its figure. The
past responses that competitive patterns rest on are left as they are.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stonks_assets.aggregation.signals import placed
from stonks_core.columns import Flags, floats, texts


@dataclass(frozen=True)
class Successor:
    """A story whose teller was removed, and the document that tells it first now."""

    layer: str
    cluster_id: str
    removed: str
    document_id: str


@dataclass(frozen=True)
class Remaining:
    """The signals that are left, those that went, and what that changed among the rest."""

    signals: pa.Table
    removed: pa.Table
    successors: tuple[Successor, ...]
    newer: int


def without(signals: pa.Table, gone: Flags) -> Remaining:
    """The signals but for those marked; `signals` are all of one company that were known, with all columns."""
    left, removed = signals.filter(pa.array(~gone)), signals.filter(pa.array(gone))
    before, after = placed(signals).filter(pa.array(~gone)), placed(left)
    old, new = floats(before, "novelty"), floats(after, "novelty")
    changed = old != new
    novelty = np.where(changed, new, floats(left, "novelty"))
    column = left.schema.get_field_index("novelty")
    return Remaining(
        signals=left.set_column(column, "novelty", pa.array(novelty)),
        removed=removed,
        successors=_successors(signals, before, after),
        newer=int(changed.sum()),
    )


def _successors(signals: pa.Table, before: pa.Table, after: pa.Table) -> tuple[Successor, ...]:
    document = dict(zip(texts(signals, "signal_id"), texts(signals, "document_id"), strict=True))
    pairs = zip(
        *(texts(before, name) for name in ("layer", "cluster_id", "origin_signal_id")),
        texts(after, "origin_signal_id"),
        strict=True,
    )
    moved = {
        Successor(layer, cluster, document[old], document[new])
        for layer, cluster, old, new in pairs
        if old != new and document[old] != document[new]
    }
    return tuple(sorted(moved, key=lambda s: (s.layer, s.cluster_id)))
