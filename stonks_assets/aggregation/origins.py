"""Independent origin: which signal tells a story first, and how new that story was when it was learned.

A story is a (ticker, layer, cluster). Of its signals only the origin counts, the earliest by (published_at,
document_id); two signals of one document are ordered by falling impact, then by id. Knowledge comes in another order
than publication: a page published at nine may be found after its copy of ten was read. So the origin *at* an instant
is the earliest among the signals known then, and a later find changes nothing for an earlier instant: `Origins.until`
ends the time in which a signal was the origin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stonks_assets.aggregation.arrays import combine, starts_of
from stonks_assets.aggregation.fingerprints import Prints, fingerprints, joined
from stonks_core.columns import NEVER, Flags, Floats, Ints, Texts, codes, floats, round_micros, texts

NOVELTY_LOOKBACK = timedelta(hours=48)
_PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Origins:
    """Per signal: the position of its story's origin as known today, and the end of its own time as origin.

    A signal is the origin at t when `available_at <= t < until`; a signal that never was has `until <= available_at`.
    """

    pointer: Ints
    until: Ints


def stories(signals: pa.Table) -> Prints:
    """A hash of each row's layer and cluster: what, with the ticker, makes a story."""
    layer, layers = codes(signals, "layer")
    told_by = fingerprints(pa.chunked_array([pa.array(layers, pa.string())]))
    return joined(told_by[layer], fingerprints(signals["cluster_id"]))


def tellers(signals: pa.Table, story: Prints, ticker: Ints, published: Ints) -> Ints:
    """Positions of the rows that are their story's origin among the rows given, ordered by ticker and story.

    `story` is a hash per row (see `stories`), `ticker` a code. The order depends on the stories alone, not on the order
    of the rows, so that sums over it are the same to the last bit. One sort of hashes tells which rows may share a
    story; only those are compared.
    """
    if ticker.size == 0:
        return ticker
    bits = np.uint64(max(1, int(ticker.max()).bit_length()))
    key = (ticker.astype(np.uint64) << (np.uint64(64) - bits)) | (story >> bits)
    order = np.argsort(key).astype(np.int64)
    starts = starts_of(key[order])
    lengths = np.diff(np.append(starts, order.size))
    alone = lengths == 1
    if alone.all():
        return order
    shared = order[np.repeat(~alone, lengths)]
    run = np.repeat(np.arange(starts.size), np.where(alone, 0, lengths))
    found, runs = _first_of_shared(signals, shared, run, published)
    rows = np.concatenate((order[starts[alone]], found))
    return rows[np.argsort(np.concatenate((np.flatnonzero(alone), runs)), kind="stable")]


def _first_of_shared(signals: pa.Table, rows: Ints, run: Ints, published: Ints) -> tuple[Ints, Ints]:
    """The origins among rows that share a hash, and their runs.

    Should different stories share one, each keeps its own, in the order of their names.
    """
    told = signals.select(["layer", "cluster_id"]).take(rows)
    (layer, layers), cluster = codes(told, "layer"), told["cluster_id"].combine_chunks()
    like_the_one_before = pc.equal(cluster.slice(1), cluster.slice(0, rows.size - 1)).to_numpy(zero_copy_only=False)
    like_the_one_before &= layer[1:] == layer[:-1]
    story = run
    if not (like_the_one_before | (run[1:] != run[:-1])).all():
        names, clusters = codes(told, "cluster_id")
        story = combine((run, 0), (layer, len(layers)), (names, len(clusters)))
    first = np.flatnonzero(earliest(story, published[rows], signals, rows))
    first = first[np.argsort(story[first], kind="stable")]
    return rows[first], run[first]


def earliest(story: Ints, published: Ints, signals: pa.Table, row: Ints) -> Flags:
    """Which rows are their story's origin among the rows given; exactly one per story. `row` is their place in `signals`.

    Documents, impacts and ids are compared only where two rows of a story share the earliest instant, so that a
    million rows cost two integer sorts.
    """
    mask = np.zeros(story.size, dtype=np.bool_)
    if story.size == 0:
        return mask
    order = np.lexsort((published, story))
    starts = starts_of(story[order])
    first = np.repeat(published[order][starts], np.diff(np.append(starts, story.size)))
    tied = order[published[order] == first]
    runs = starts_of(story[tied])
    lengths = np.diff(np.append(runs, tied.size))
    mask[tied[runs[lengths == 1]]] = True
    unsettled = tied[np.repeat(lengths > 1, lengths)]
    if unsettled.size:
        some = signals.select(["document_id", "impact", "signal_id"]).take(row[unsettled])
        document, signal = texts(some, "document_id"), texts(some, "signal_id")
        settled = unsettled[
            _total_order(story[unsettled], published[unsettled], document, impact=floats(some, "impact"), signal=signal)
        ]
        mask[settled[starts_of(story[settled])]] = True
    return mask


def trace(story: Ints, published: Ints, available: Ints, *, document: Texts, impact: Floats, signal: Texts) -> Origins:
    """Each signal's origin among all rows given, and until when it was its story's origin itself."""
    size = story.size
    order = _total_order(story, published, document, impact=impact, signal=signal)
    starts = starts_of(story[order])
    lengths = np.diff(np.append(starts, size))
    pointer = np.empty(size, dtype=np.int64)
    pointer[order] = np.repeat(order[starts], lengths) if size else order
    until = np.empty(size, dtype=np.int64)
    until[order] = _earliest_known_before(available[order], starts, lengths)
    return Origins(pointer, until)


def novelty(
    kind: Ints, cluster: Ints, published: Ints, *, available: Ints, until: Ints, lookback: timedelta = NOVELTY_LOOKBACK
) -> Floats:
    """`1 / (1 + earlier clusters)`, per signal, in (0, 1].

    Counted are the other clusters with an origin of the same `kind` (ticker, catalyst and sign of sentiment in one
    code) that was published in the `lookback` before this signal, and was known, as an origin, when this signal
    became known. Nothing that was learned later enters, so a row's novelty stands for good; copies do not enter, so
    they make nobody stale.
    """
    counts = np.zeros(kind.size, dtype=np.int64)
    candidates = np.flatnonzero(available < until)
    if candidates.size == 0:
        return np.ones(kind.size)
    reach = round_micros(lookback)
    floor = int(published.min())
    stride = int(published.max()) - floor + 2 * reach + 1
    dense = np.unique(kind, return_inverse=True)[1].astype(np.int64)
    position = dense * stride + (published - floor) + reach
    candidates = candidates[np.argsort(position[candidates], kind="stable")]
    keys = position[candidates]
    low = np.searchsorted(keys, position - reach, side="left")
    high = np.searchsorted(keys, position, side="left")
    for chunk in _chunks(high - low):
        sizes = (high - low)[chunk]
        rows = np.repeat(chunk, sizes)
        offsets = np.arange(rows.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        others = candidates[np.repeat(low[chunk], sizes) + offsets]
        like = (
            (cluster[others] != cluster[rows])
            & (available[others] <= available[rows])
            & (available[rows] < until[others])
        )
        pairs = np.unique(np.stack((rows[like], cluster[others][like])), axis=1)
        counts += np.bincount(pairs[0], minlength=kind.size)
    return np.asarray(1.0 / (1.0 + counts), dtype=np.float64)


def _total_order(story: Ints, published: Ints, document: Texts, *, impact: Floats, signal: Texts) -> Ints:
    """Positions in the order (story, published, document, falling impact, signal)."""
    order = np.lexsort((_ranks(signal), -impact, _ranks(document), published, story))
    return np.asarray(order, dtype=np.int64)


def _ranks(values: Texts) -> Ints:
    return np.unique(values, return_inverse=True)[1].astype(np.int64) if values.size else np.empty(0, dtype=np.int64)


def _earliest_known_before(available: Ints, starts: Ints, lengths: Ints) -> Ints:
    """Per row of consecutive runs: the least `available` of the rows before it in its run; NEVER for the first.

    A running minimum within runs: ranks, lowered by a run's number, so that no run sees the minimum of one before.
    """
    size = available.size
    if size == 0:
        return np.empty(0, dtype=np.int64)
    values, rank = np.unique(available, return_inverse=True)
    lowered = rank - np.repeat(np.arange(starts.size), lengths) * values.size
    running = np.minimum.accumulate(lowered)
    least = values[running + np.repeat(np.arange(starts.size), lengths) * values.size]
    shifted = np.concatenate(([NEVER], least[:-1]))
    shifted[starts] = NEVER
    return shifted.astype(np.int64)


def _chunks(sizes: Ints) -> Sequence[Ints]:
    """Rows with at least one pair, cut so that each part stays below the number of pairs held in memory."""
    rows = np.flatnonzero(sizes)
    if rows.size == 0:
        return []
    part = np.cumsum(sizes[rows]) // _PAIRS_AT_ONCE
    return np.split(rows, np.flatnonzero(np.diff(part)) + 1)
