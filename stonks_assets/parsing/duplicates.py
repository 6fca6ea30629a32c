"""Near-duplicates: which documents tell one story in nearly the same words. Pure (the MinHash is compiled).

A cluster is named after the earliest member known when it was formed. A copy that arrives later but was published
earlier joins the cluster and does not rename it: what was concluded from the cluster before stays true of it.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from stonks_assets.parsing.text import words

PERMUTATIONS = 128
SEED = 20_240_101
SHINGLE = 3  # words
BANDS = 32  # of 4 rows: a pair of Jaccard similarity 0.6 meets with probability 0.99
THRESHOLD = 0.6
LEAST_SHINGLES = 8  # shorter texts are copies only when their shingles are the same
WINDOW = timedelta(days=3)
_HEAD = struct.Struct("<BBH")
_ROWS = PERMUTATIONS // BANDS


@dataclass(frozen=True)
class Member:
    """A document as far as clustering needs it. `tickers` are the companies it mentions."""

    document_id: str
    published_at: datetime
    fingerprint: bytes
    tickers: frozenset[str] = frozenset()
    cluster_id: str = ""
    origin_document_id: str = ""


@dataclass(frozen=True)
class Assignment:
    """A document's cluster and the cluster's origin."""

    cluster_id: str
    origin_document_id: str


def fingerprint(text: str) -> bytes:
    """The MinHash signature of a text's word shingles: 4 bytes of head, then 128 little-endian 32-bit minima.

    The head holds the algorithm's version, the shingle's length and the number of distinct shingles (at most 65535).
    A text without words has an empty fingerprint.
    """
    tokens = words(text)
    if not tokens:
        return b""
    size = min(SHINGLE, len(tokens))
    shingles = {" ".join(tokens[i : i + size]) for i in range(len(tokens) - size + 1)}
    sketch = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    sketch.update(sorted(shingles))
    head = _HEAD.pack(RMinHash.ALGORITHM_VERSION, SHINGLE, min(len(shingles), 0xFFFF))
    return head + np.asarray(sketch.digest(), dtype="<u4").tobytes()


def similarity(one: bytes, other: bytes) -> float:
    """Estimated Jaccard similarity in [0, 1]; 0 where a fingerprint is empty or of another version."""
    if len(one) != len(other) or len(one) <= _HEAD.size or one[:2] != other[:2]:
        return 0.0
    return float(np.mean(_signature(one) == _signature(other)))


def _signature(mark: bytes) -> NDArray[np.uint32]:
    return np.frombuffer(mark, dtype="<u4", offset=_HEAD.size)


def _bands(mark: bytes) -> Iterable[tuple[int, bytes]]:
    width = _ROWS * 4
    for band in range(BANDS):
        start = _HEAD.size + band * width
        yield band, mark[start : start + width]


def _same_story(one: Member, other: Member) -> bool:
    """Whether two members are near-duplicates: alike, within the window, and not about different companies.

    The last guards against templates: two earnings notes of one agency may differ in little but the name.
    """
    if abs(one.published_at - other.published_at) > WINDOW:
        return False
    if one.tickers and other.tickers and not one.tickers & other.tickers:
        return False
    alike = similarity(one.fingerprint, other.fingerprint)
    counts = (_HEAD.unpack_from(mark)[2] for mark in (one.fingerprint, other.fingerprint))
    return alike == 1.0 if min(counts) < LEAST_SHINGLES else alike >= THRESHOLD


def assign_clusters(new: Sequence[Member], recent: Sequence[Member]) -> dict[str, Assignment]:
    """Cluster and origin of each new member, given the recent ones, whose clusters stand.

    The new ones are taken by (published_at, document_id), so that the order in which they arrived does not matter.
    A member that is like none opens a cluster of its own; one that is like several joins the one whose origin is
    the earliest.
    """
    index: dict[tuple[int, bytes], list[Member]] = defaultdict(list)
    origins = {member.document_id: member.published_at for member in (*recent, *new)}
    assigned: dict[str, Assignment] = {}

    def remember(member: Member) -> None:
        if len(member.fingerprint) > _HEAD.size:
            for band in _bands(member.fingerprint):
                index[band].append(member)

    for member in recent:
        remember(member)
    for member in sorted(new, key=lambda m: (m.published_at, m.document_id)):
        met = (
            {m.document_id: m for band in _bands(member.fingerprint) for m in index.get(band, ())}
            if len(member.fingerprint) > _HEAD.size
            else {}
        )
        like = [m for m in met.values() if m.document_id != member.document_id and _same_story(member, m)]
        joined = min(
            like,
            key=lambda m: (origins.get(m.origin_document_id, m.published_at), m.cluster_id),
            default=None,
        )
        cluster = joined.cluster_id if joined else member.document_id
        origin = joined.origin_document_id if joined else member.document_id
        assigned[member.document_id] = Assignment(cluster, origin)
        remember(Member(member.document_id, member.published_at, member.fingerprint, member.tickers, cluster, origin))
    return assigned
