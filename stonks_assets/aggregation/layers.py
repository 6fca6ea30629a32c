"""The signal layers as a running system sees them: which are on, which work, and how often one failed in a row.

A layer that fails degrades what is computed and stops nobody; whoever catches here is the layers' supervisor.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta

from stonks_assets.aggregation.weights import LayerWeights
from stonks_assets.pipeline import Pipeline
from stonks_core.alerts import open_alerts, raise_alert, settle_alert
from stonks_core.layers import READ_ALARM, counter_of, subjects_of
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS, IMPACT_RECORDS, MACRO_IMPACTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.vocabulary import Layer

LAYER_TABLES: Mapping[Layer, LakeTable] = {
    Layer.COMPANY: IMPACT_RECORDS,
    Layer.MACRO: MACRO_IMPACTS,
    Layer.COMPETITIVE: COMPETITIVE_SIGNALS,
}
STAGES: Mapping[str, Layer] = {
    "document_intelligence": Layer.COMPANY,
    "global_events": Layer.MACRO,
    "macro_impacts": Layer.MACRO,
    "competitive_signals": Layer.COMPETITIVE,
}
"""Stages that make a layer's records; one that fails as a whole for a day leaves a failure named after the day."""
TREND_STAGE = "trend_windows"
RECENT = timedelta(days=1)
"""How far back a day that failed still says that its layer is not whole."""

log = logging.getLogger(__name__)


def layer_weights(pipeline: Pipeline) -> LayerWeights:
    """The weights by the settings, 0 for a layer that is switched off at this moment."""
    return LayerWeights.of(
        pipeline.settings.signals,
        macro_on=pipeline.layer_enabled(Layer.MACRO),
        competitive_on=pipeline.layer_enabled(Layer.COMPETITIVE),
    )


def unreadable(pipeline: Pipeline, at: datetime) -> list[str]:
    """The layers whose tables cannot be opened, each noted and counted as a failure; empty when all is well."""
    broken: list[str] = []
    for layer, table in LAYER_TABLES.items():
        try:
            pipeline.lake.version(table)
        except STORE_FAILURES as error:
            broken.append(str(layer))
            message = f"the {layer} layer is left out: lake table {table.name} cannot be opened: {in_words(error)}"
            pipeline.failures.record(TREND_STAGE, f"layer {layer}", message, at)
            log.exception("the %s layer is left out", layer)
        else:
            pipeline.failures.resolve(TREND_STAGE, [f"layer {layer}"], at)
    return broken


def degraded(pipeline: Pipeline, broken: Collection[str], at: datetime) -> list[str]:
    """The layers that are switched on and not whole, in their order: what is computed at `at` lacks part of them.

    Not whole is a layer whose table cannot be opened, whose records of today or yesterday could not be made or read or
    were not made while it was off, or of which something has failed so often that a person was told.
    """
    failed = pipeline.database.fetch(
        """
        SELECT DISTINCT stage, item FROM failures WHERE day >= %(since)s
            AND (status IN ('open', 'replay') AND stage = 'signals'
                 OR status IN ('open', 'replay', 'noted') AND stage = ANY(%(stages)s) AND item = 'day ' || day)
        """,
        {"since": at.date() - RECENT, "stages": list(STAGES)},
    )
    named = {STAGES[row["stage"]] if row["stage"] in STAGES else row["item"].split()[1] for row in failed}
    alarming = open_alerts(pipeline.database)
    return [
        str(layer)
        for layer in Layer
        if pipeline.layer_enabled(layer)
        and (layer in broken or layer in named or any(subject in alarming for subject in subjects_of(layer)))
    ]


def layer_item(layer: Layer, day: date) -> str:
    """The item of `failures` for a layer's signals of a day; its second word is the layer."""
    return f"layer {layer} of {day}"


def day_item(day: date) -> str:
    """The item of `failures` for a stage that failed for a whole day."""
    return f"day {day}"


def read_again(pipeline: Pipeline, layer: Layer, at: datetime, error: BaseException | None) -> None:
    """Count that a layer could not be read, or that it could (no error)."""
    subject = f"{layer} layer"
    if error is None:
        succeeded(pipeline, subject, at)
    else:
        failed_in_a_row(pipeline, subject, at, error, READ_ALARM)


def failed_in_a_row(pipeline: Pipeline, subject: str, at: datetime, error: BaseException, threshold: int) -> int:
    """Count one more failure and say so, as an alert from the threshold on; how many there are in a row.

    The count is kept in PostgreSQL, so that it goes on over cycles and restarts.
    """
    row = pipeline.database.fetch_one(
        """
        INSERT INTO pipeline_control (key, value, updated_at) VALUES (%(key)s, to_jsonb(1), %(at)s)
        ON CONFLICT (key) DO UPDATE SET value = to_jsonb((pipeline_control.value #>> '{}')::int + 1),
            updated_at = excluded.updated_at
        RETURNING (value #>> '{}')::int AS failures
        """,
        {"key": counter_of(subject), "at": at},
    )
    failures = int(row["failures"]) if row else 1
    sentence = (
        f"{subject} failed {failures} times in a row, the last time with: {in_words(error)}; the other layers go on"
    )
    if failures >= threshold:
        raise_alert(pipeline.database, subject, sentence, at, {"failures_in_a_row": failures, "threshold": threshold})
    else:
        log.error("%s", sentence)
    return failures


def succeeded(pipeline: Pipeline, subject: str, at: datetime) -> None:
    """Something works again: its count of failures in a row begins anew, and its alert is settled."""
    settle_alert(pipeline.database, subject, at)
    pipeline.database.execute(
        """
        UPDATE pipeline_control SET value = to_jsonb(0), updated_at = %(at)s
        WHERE key = %(key)s AND value <> to_jsonb(0)
        """,
        {"key": counter_of(subject), "at": at},
    )
