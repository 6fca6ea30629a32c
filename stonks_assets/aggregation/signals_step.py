"""Step: records of all three layers of a day become rows of `signals`; neighbours learn of earlier arrivals.

A record that arrives late may be the origin of a story that is already told, or make a later one less new: signals of
the same companies around the day are placed again, and those that changed are replaced in the same commit. A record
that was taken back, as when its document is read again and says something else, takes its signal with it.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from stonks_assets.aggregation.layers import LAYER_TABLES, layer_item, read_again
from stonks_assets.aggregation.signals import SIGNAL_SCHEMA, differing, from_layer, placed
from stonks_assets.aggregation.windows import LONGEST
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.errors import PermanentError
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.stores.lake.tables import UTC_MICROS
from stonks_core.vocabulary import Layer

STAGE = "signals"
PLACED_DAYS, CONTEXT_DAYS = timedelta(days=7), timedelta(days=14)
"""How far around a day signals are placed again, and how far around it their neighbours are looked for."""
_PLACING = frozenset({"origin_signal_id", "novelty"})


def materialise_signals(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Turn what the layers hold for `day`, known at `as_of`, into signals; again with the same input changes nothing.

    A layer whose table cannot be read is noted and left out; it is caught up with when it can be read again.
    """
    held = pipeline.lake.read(SIGNALS, days=(day, day))
    tables, failed = _layers(pipeline, day, as_of, frozenset(held["layer"].to_pylist()))
    candidates = pa.concat_tables([SIGNAL_SCHEMA.empty_table(), *tables.values()]).combine_chunks()
    gone = _gone(day, as_of, candidates, tables)
    stored, withdrawn = held.filter(~gone), held.filter(gone)
    changed = candidates.filter(pa.array(differing(candidates, stored, ignoring=_PLACING)))
    figures: dict[str, float | int | str] = {"seen": candidates.num_rows, "new_or_changed": changed.num_rows}
    figures |= {"withdrawn": withdrawn.num_rows}
    if changed.num_rows + withdrawn.num_rows == 0:
        return StepReport(written={SIGNALS.name: 0}, failed=failed, figures=figures)
    around = _around(pipeline, day, pa.concat_tables([changed, withdrawn]))
    signals = placed(pa.concat_tables([changed, around]).combine_chunks())
    settled = pa.concat_tables([stored, around])
    near = _between(signals, day - PLACED_DAYS, day + PLACED_DAYS)
    rows = near.filter(pa.array(differing(near, settled)))
    written = pipeline.lake.merge(SIGNALS, rows, update=True)
    if withdrawn.num_rows:  # last, so that a kill leaves them to be found again
        named = ", ".join(f"'{name}'" for name in withdrawn["signal_id"].to_pylist())
        pipeline.lake.delete(SIGNALS, f"day = '{day.isoformat()}' AND signal_id IN ({named})")
    changes = written.changed + withdrawn.num_rows
    return StepReport(written={SIGNALS.name: changes}, failed=failed, figures=figures)


def _gone(day: date, as_of: datetime, candidates: pa.Table, tables: Mapping[Layer, pa.Table]) -> pc.Expression:
    """Which signals of the day have lost their record: of layers that could be read, and known at `as_of`.

    None on a day that no window reads any more: retention forgets its records on purpose.
    """
    if day < as_of.date() - LONGEST:
        return pc.scalar(False)
    read = pa.array([str(layer) for layer in tables], pa.string())
    known = pc.field("available_at") <= pa.scalar(as_of, UTC_MICROS)
    return pc.field("layer").isin(read) & known & ~pc.field("signal_id").isin(candidates["signal_id"].combine_chunks())


def _layers(pipeline: Pipeline, day: date, as_of: datetime, told: Collection[str]) -> tuple[dict[Layer, pa.Table], int]:
    """The day's records of each layer that can be read, as signals, and how many cannot; `told` are layers with signals.

    A table that was made anew under signals that were made of it has lost its rows, and counts as one that cannot be read.
    """
    found: dict[Layer, pa.Table] = {}
    failed = 0
    for layer in Layer:
        table = LAYER_TABLES[layer]
        try:
            records = pipeline.lake.read(table, days=(day, day), as_of=as_of)
            if layer in told and pipeline.lake.version(table) == 0:
                raise PermanentError(f"its rows are lost, as it was made anew: put {table.name} back from a copy")
            found[layer] = from_layer(layer, records)
        except STORE_FAILURES as error:
            failed += 1
            message = (
                f"the {layer} layer's signals of {day} wait: lake table {table.name} cannot be read: {in_words(error)}"
            )
            pipeline.failures.record(STAGE, layer_item(layer, day), message, pipeline.clock.now(), day=day)
            read_again(pipeline, layer, pipeline.clock.now(), error)
        else:
            pipeline.failures.resolve(STAGE, [layer_item(layer, day)], pipeline.clock.now())
            read_again(pipeline, layer, pipeline.clock.now(), None)
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
