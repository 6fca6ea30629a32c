"""The signal layers as a running system sees them: which are on, which can be read, and how often one failed in a row.

A layer that fails degrades what is computed and stops nobody; whoever catches here is the layers' supervisor.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

import psycopg
import pyarrow as pa
from deltalake.exceptions import DeltaError

from stonks_assets.aggregation.weights import LayerWeights
from stonks_assets.pipeline import Pipeline
from stonks_core.errors import StonksError
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS, IMPACT_RECORDS, MACRO_IMPACTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.vocabulary import Layer

LAYER_TABLES: Mapping[Layer, LakeTable] = {
    Layer.COMPANY: IMPACT_RECORDS,
    Layer.MACRO: MACRO_IMPACTS,
    Layer.COMPETITIVE: COMPETITIVE_SIGNALS,
}
READ_FAILURES = (StonksError, DeltaError, OSError, pa.ArrowException, psycopg.Error)
"""What reading a table may end in; anything else is a defect and must be seen."""

log = logging.getLogger(__name__)


def layer_weights(pipeline: Pipeline) -> LayerWeights:
    """The weights by the settings, 0 for a layer that is switched off at this moment."""
    return LayerWeights.of(
        pipeline.settings.signals,
        macro_on=pipeline.layer_enabled(Layer.MACRO),
        competitive_on=pipeline.layer_enabled(Layer.COMPETITIVE),
    )


def unreadable(pipeline: Pipeline, at: datetime) -> list[str]:
    """The layers whose tables cannot be opened, each noted as a failure; empty when all is well."""
    broken: list[str] = []
    for layer, table in LAYER_TABLES.items():
        try:
            pipeline.lake.version(table)
        except READ_FAILURES as error:
            broken.append(str(layer))
            message = f"the {layer} layer is left out: lake table {table.name} cannot be opened: {error}"
            pipeline.failures.record("trend_windows", f"layer {layer}", message, at)
            log.exception("the %s layer is left out", layer)
        else:
            pipeline.failures.resolve("trend_windows", [f"layer {layer}"], at)
    return broken


def failed_in_a_row(pipeline: Pipeline, layer: Layer, at: datetime, error: BaseException, threshold: int) -> int:
    """Count one more failure of a layer and say so, as CRITICAL from the threshold on; how many there are in a row."""
    row = pipeline.database.fetch_one(
        """
        INSERT INTO pipeline_control (key, value, updated_at) VALUES (%(key)s, to_jsonb(1), %(at)s)
        ON CONFLICT (key) DO UPDATE SET value = to_jsonb((pipeline_control.value #>> '{}')::int + 1),
            updated_at = excluded.updated_at
        RETURNING (value #>> '{}')::int AS failures
        """,
        {"key": _counter(layer), "at": at},
    )
    failures = int(row["failures"]) if row else 1
    level = logging.CRITICAL if failures >= threshold else logging.ERROR
    log.log(level, "the %s layer failed %d times in a row, the last time with: %s", layer, failures, error)
    return failures


def succeeded(pipeline: Pipeline, layer: Layer, at: datetime) -> None:
    """A layer works again: its count of failures in a row begins anew."""
    pipeline.database.execute(
        """
        UPDATE pipeline_control SET value = to_jsonb(0), updated_at = %(at)s
        WHERE key = %(key)s AND value <> to_jsonb(0)
        """,
        {"key": _counter(layer), "at": at},
    )


def _counter(layer: Layer) -> str:
    return f"{layer}_failures_in_a_row"
