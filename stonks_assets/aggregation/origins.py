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

from stonks_assets.aggregation.arrays import ordered, starts_of, taken
from stonks_assets.aggregation.fingerprints import Prints, fingerprints, joined
from stonks_core.columns import NEVER, Flags, Floats, Ints, Texts, floats, round_micros, texts

NOVELTY_LOOKBACK = timedelta(hours=48)
_PAIRS_AT_ONCE = 4_000_000
_BUT_SIXTEEN_BITS = np.uint64(48)


@dataclass(frozen=True)
class Origins:
    """Per signal: the position of its story's origin as known today, and the end of its own time as origin.

    A signal is the origin at t when `available_at <= t < until`; a signal that never was has `until <= available_at`.
    """

    pointer: Ints
    until: Ints


def stories(signals: pa.Table, layer: Ints, layers: Sequence[str]) -> Prints:
    """A hash of each row's layer (a code among `layers`) and cluster: what, with the ticker, makes a story."""
    told_by = fingerprints(pa.chunked_array([pa.array(layers, pa.string())]))
    story, begin = np.empty(layer.size, dtype=np.uint64), 0
    for clusters in signals["cluster_id"].chunks:  # a piece at a time: what is between stays in the processor's cache
        some = slice(begin, begin + len(clusters))
        story[some] = joined(told_by[layer[some]], fingerprints(pa.chunked_array([clusters])))
        begin = some.stop
    return story


def tellers(signals: pa.Table, story: Prints, ticker: Ints, published: Ints) -> Ints:
    """Positions of the rows that are their story's origin among the rows given, ordered by ticker and story.

    `story` is a hash per row (see `stories`), `ticker` a code: rows with both the same tell one story. The order depends
    on the stories alone, not on the order of the rows, so that sums over it are the same to the last bit. Documents,
    impacts and ids are looked at only where two rows of a story share the earliest instant.
    """
    if ticker.size == 0:
        return ticker
    order, told = ordered(ticker, story, (story >> _BUT_SIXTEEN_BITS).astype(np.uint16))
    of = ticker.take(order)
    first = np.concatenate(([True], (told[1:] != told[:-1]) | (of[1:] != of[:-1])))
    del told, of
    _move_to_earliest(first, signals, order, published)
    return order.take(np.flatnonzero(first))


def _move_to_earliest(first: Flags, signals: pa.Table, order: Ints, published: Ints) -> None:
    """Let `first`, which marks where in `order` each story begins, mark its earliest row instead.

    Most stories are told once: only the rows of the others are looked at.
    """
    shared = np.flatnonzero(~first | ~np.append(first[1:], True))
    if shared.size == 0:
        return
    run = np.cumsum(first[shared]) - 1
    first[shared] = False
    when = published.take(order.take(shared))
    earliest = np.flatnonzero(when == np.minimum.reduceat(when, starts_of(run)).take(run))
    shared, run = shared.take(earliest), run.take(earliest)
    if shared.size > run[-1] + 1:
        kept = _settled(signals, order.take(shared), run)
        shared = shared.take(kept)
    first[shared] = True


def _settled(signals: pa.Table, rows: Ints, run: Ints) -> Ints:
    """Which one of each run to keep, of rows published at the same instant: the least by document, impact and id."""
    tied = np.flatnonzero(np.bincount(run)[run] > 1)
    some = taken(signals.select(["document_id", "impact", "signal_id"]), rows[tied])
    document, signal = _ranks(texts(some, "document_id")), _ranks(texts(some, "signal_id"))
    tied = tied[np.lexsort((signal, -floats(some, "impact"), document, run[tied]))]
    kept = np.ones(rows.size, dtype=np.bool_)
    kept[tied] = False
    kept[tied[starts_of(run[tied])]] = True
    return np.flatnonzero(kept)


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
