"""Step: records of all three layers of a day become rows of `signals`; neighbours learn of earlier arrivals.

A record that arrives late may be the origin of a story that is already told, or make a later one less new: signals of
the same companies around the day are placed again, and those that changed are replaced in the same commit.
"""

from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.layers import LAYER_TABLES, READ_FAILURES
from stonks_assets.aggregation.signals import SIGNAL_SCHEMA, differing, from_layer, placed
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.vocabulary import Layer

STAGE = "signals"
PLACED_DAYS, CONTEXT_DAYS = timedelta(days=7), timedelta(days=14)
"""How far around a day signals are placed again, and how far around it their neighbours are looked for."""
_PLACING = frozenset({"origin_signal_id", "novelty"})


def materialise_signals(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Turn what the layers hold for `day`, known at `as_of`, into signals; again with the same input changes nothing.

    A layer whose table cannot be read is noted and left out; it is caught up with when it can be read again.
    """
    tables, failed = _layers(pipeline, day, as_of)
    candidates = pa.concat_tables([SIGNAL_SCHEMA.empty_table(), *tables]).combine_chunks()
    stored = pipeline.lake.read(SIGNALS, days=(day, day))
    changed = candidates.filter(pa.array(differing(candidates, stored, ignoring=_PLACING)))
    figures: dict[str, float | int | str] = {"seen": candidates.num_rows, "new_or_changed": changed.num_rows}
    if changed.num_rows == 0:
        return StepReport(written={SIGNALS.name: 0}, failed=failed, figures=figures)
    around = _around(pipeline, day, changed)
    signals = placed(pa.concat_tables([changed, around]).combine_chunks())
    settled = pa.concat_tables([stored, around])
    near = _between(signals, day - PLACED_DAYS, day + PLACED_DAYS)
    rows = near.filter(pa.array(differing(near, settled)))
    written = pipeline.lake.merge(SIGNALS, rows, update=True)
    return StepReport(written={SIGNALS.name: written.changed}, failed=failed, figures=figures)


def _layers(pipeline: Pipeline, day: date, as_of: datetime) -> tuple[list[pa.Table], int]:
    found: list[pa.Table] = []
    failed = 0
    for layer in Layer:
        table = LAYER_TABLES[layer]
        try:
            found.append(from_layer(layer, pipeline.lake.read(table, days=(day, day), as_of=as_of)))
        except READ_FAILURES as error:
            failed += 1
            message = f"the {layer} layer's signals of {day} wait: lake table {table.name} cannot be read: {error}"
            pipeline.failures.record(STAGE, f"layer {layer}", message, pipeline.clock.now(), day=day)
        else:
            pipeline.failures.resolve(STAGE, [f"layer {layer}"], pipeline.clock.now())
    return found, failed


def _around(pipeline: Pipeline, day: date, changed: pa.Table) -> pa.Table:
    """The stored signals of the changed ones' companies around the day, but for the changed ones themselves."""
    tickers, ids = changed["ticker"].unique(), changed["signal_id"].combine_chunks()
    return pipeline.lake.read(
        SIGNALS,
        days=(day - CONTEXT_DAYS, day + CONTEXT_DAYS),
        where=ds.field("ticker").isin(tickers) & ~ds.field("signal_id").isin(ids),
    )


def _between(signals: pa.Table, first: date, last: date) -> pa.Table:
    return signals.filter((ds.field("day") >= first.isoformat()) & (ds.field("day") <= last.isoformat()))
