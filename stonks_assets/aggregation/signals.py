"""Records of the three layers as signals of one shape, each with its origin and novelty. No store is touched here."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stonks_assets.aggregation.arrays import combine, fields, to_table
from stonks_assets.aggregation.origins import novelty, trace
from stonks_core.columns import Flags, codes, floats, instants, strings, texts
from stonks_core.identifiers import digest
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.vocabulary import Catalyst, Layer

SOURCE_KEYS = {Layer.COMPANY: "impact_id", Layer.MACRO: "macro_impact_id", Layer.COMPETITIVE: "competitive_id"}
_SHARED = (
    *("day", "ticker", "document_id", "cluster_id", "sentiment", "impact", "confidence", "credibility"),
    *("published_at", "available_at"),
)
SIGNAL_SCHEMA = fields(SIGNALS, *SIGNALS.schema.names)


def from_layer(layer: Layer, records: pa.Table) -> pa.Table:
    """A layer's records as signals, each its own origin and wholly new until `placed` says otherwise."""
    sources = strings(records, SOURCE_KEYS[layer])
    ids = [digest("signal", layer, source) for source in sources]
    size = records.num_rows
    columns: dict[str, list[Any]] = {name: records[name].to_pylist() for name in _SHARED}
    columns |= {
        "signal_id": ids,
        "layer": [str(layer)] * size,
        "source_record_id": sources,
        "origin_signal_id": ids,
        "novelty": [1.0] * size,
        "catalyst": [str(Catalyst.MACRO)] * size if layer is Layer.MACRO else records["catalyst"].to_pylist(),
        "duration": records["duration"].to_pylist() if layer is Layer.MACRO else [""] * size,
    }
    return to_table(columns, SIGNAL_SCHEMA)


def placed(signals: pa.Table) -> pa.Table:
    """The same signals with `origin_signal_id` and `novelty` worked out among each other, in the same order.

    The pointer names the story's origin as known from all rows given; novelty looks only at what was known when a
    signal itself became known.
    """
    ticker, tickers = codes(signals, "ticker")
    layer, layers = codes(signals, "layer")
    cluster, clusters = codes(signals, "cluster_id")
    catalyst, catalysts = codes(signals, "catalyst")
    sign = (np.sign(floats(signals, "sentiment")) + 1).astype(np.int64)
    published, available = instants(signals, "published_at"), instants(signals, "available_at")
    signal = texts(signals, "signal_id")
    origins = trace(
        combine((ticker, len(tickers)), (layer, len(layers)), (cluster, len(clusters))),
        published,
        available,
        document=texts(signals, "document_id"),
        impact=floats(signals, "impact"),
        signal=signal,
    )
    new = novelty(
        combine((ticker, len(tickers)), (catalyst, len(catalysts)), (sign, 3)),
        cluster,
        published,
        available=available,
        until=origins.until,
    )
    columns = dict(zip(signals.column_names, signals.columns, strict=True))
    columns["origin_signal_id"] = pa.chunked_array([pa.array(signal[origins.pointer], pa.string())])
    columns["novelty"] = pa.chunked_array([pa.array(new)])
    return pa.table([columns[name] for name in SIGNAL_SCHEMA.names], schema=SIGNAL_SCHEMA)


def differing(candidates: pa.Table, stored: pa.Table, *, ignoring: frozenset[str] = frozenset()) -> Flags:
    """Which candidates are not in `stored` just as they are, by `signal_id`, apart from the ignored columns."""
    found = pc.index_in(candidates["signal_id"], value_set=stored["signal_id"].combine_chunks()).combine_chunks()
    differs = found.is_null().to_numpy(zero_copy_only=False)
    known = pa.array(np.flatnonzero(~differs))
    ours, theirs = candidates.take(known), stored.take(found.drop_null())
    unlike = np.zeros(len(known), dtype=np.bool_)
    for name in SIGNAL_SCHEMA.names:
        if name not in ignoring:
            unlike |= pc.not_equal(ours[name], theirs[name]).to_numpy()
    differs[known.to_numpy()] = unlike
    return np.asarray(differs, dtype=np.bool_)
