"""Step: impact records of a day become competitive signals on the companies' competitors."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.dataset as ds
from psycopg.types.json import Jsonb

from stonks_assets.aggregation.competitive import (
    RESPONSE_SESSIONS,
    History,
    PropagationRules,
    Relation,
    propagate,
)
from stonks_assets.aggregation.layers import READ_FAILURES, failed_in_a_row, succeeded
from stonks_assets.aggregation.market import COLUMNS as BAR_COLUMNS
from stonks_assets.aggregation.market import sessions
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.identifiers import digest
from stonks_core.settings.slices import Signals
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS, IMPACT_RECORDS, MARKET_SNAPSHOTS
from stonks_core.vocabulary import Layer

STAGE = "competitive_signals"
_BARS_BEFORE_HISTORY = timedelta(days=5 + RESPONSE_SESSIONS)
"""So that the last close before the oldest sample is there, across a long weekend."""
_SAMPLE_COLUMNS = ("day", "cluster_id", "ticker", "catalyst", "document_id", "published_at", "available_at")


def propagation_rules(settings: Signals) -> PropagationRules:
    """The rules by the settings of the same names."""
    return PropagationRules(
        pattern_confidence_threshold=settings.competitive_pattern_confidence_threshold,
        propagation_strength_threshold=settings.competitive_propagation_strength_threshold,
        routine_lookback_days=settings.competitive_routine_lookback_days,
        major_decision_lookback_days=settings.competitive_major_decision_lookback_days,
        major_decision_weight_multiplier=settings.competitive_major_decision_weight_multiplier,
        staleness_window_days=settings.competitive_staleness_window_days,
        staleness_recent_days=settings.competitive_staleness_recent_days,
        staleness_decay_penalty=settings.competitive_staleness_decay_penalty,
        min_pattern_samples=settings.competitive_min_pattern_samples,
    )


def materialise_competitive_signals(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Propagate the impact records of `day`, known at `as_of`, to competitors; a signal that stands is kept.

    Nothing is propagated while the layer is switched off. A failure is counted and noted, never raised: the other
    layers go on without this one.
    """
    if not pipeline.layer_enabled(Layer.COMPETITIVE):
        return StepReport(written={COMPETITIVE_SIGNALS.name: 0}, figures={"layer": "off"})
    try:
        report = _propagate(pipeline, day, as_of)
    except READ_FAILURES as error:
        now = pipeline.clock.now()
        message = f"news of {day} was not propagated to competitors: {error}; it is tried again with the next cycle"
        pipeline.failures.record(STAGE, f"day {day}", message, now, day=day)
        threshold = pipeline.settings.signals.competitive_propagation_failure_threshold
        failed_in_a_row(pipeline, Layer.COMPETITIVE, now, error, threshold)
        return StepReport(written={COMPETITIVE_SIGNALS.name: 0}, failed=1)
    succeeded(pipeline, Layer.COMPETITIVE, pipeline.clock.now())
    pipeline.failures.resolve(STAGE, [f"day {day}"], pipeline.clock.now())
    return report


def _propagate(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    lake = pipeline.lake
    records = lake.read(IMPACT_RECORDS, days=(day, day), as_of=as_of)
    universe = pipeline.universe(as_of)
    relations = [Relation(c.ticker, c.competitor, c.relationship, c.strength) for c in universe.competitors]
    sources = pa.array(sorted({relation.source for relation in relations}), pa.string())
    records = records.filter(ds.field("ticker").isin(sources))
    rules = propagation_rules(pipeline.settings.signals)
    seen = _fingerprint(records, relations, rules, lake.version(MARKET_SNAPSHOTS))
    if records.num_rows == 0 or _already(pipeline, day, seen):
        return StepReport(written={COMPETITIVE_SIGNALS.name: 0}, figures={"records": records.num_rows})
    lookback = timedelta(days=max(rules.routine_lookback_days, rules.major_decision_lookback_days) + 1)
    history = lake.read(IMPACT_RECORDS, days=(day - lookback, day), as_of=as_of, columns=_SAMPLE_COLUMNS)
    # No record is judged with a bar that was not known when the last of them became available.
    judged_at = max(instant for instant in records["available_at"].to_pylist() if instant is not None)
    bars = lake.read(
        MARKET_SNAPSHOTS,
        days=(day - lookback - _BARS_BEFORE_HISTORY, judged_at.date()),
        as_of=judged_at,
        columns=BAR_COLUMNS,
    )
    market = sessions(bars, judged_at, list(universe.companies))
    rows = propagate(records, History.of(history, market), relations, market, rules)
    written = lake.merge(COMPETITIVE_SIGNALS, rows)
    _remember(pipeline, day, seen)
    figures = {"records": records.num_rows, "propagated": len(rows)}
    return StepReport(written={COMPETITIVE_SIGNALS.name: written.inserted}, figures=figures)


def _fingerprint(records: pa.Table, relations: Sequence[Relation], rules: PropagationRules, bars: int) -> str:
    """What propagation depends on, apart from older records: the same again has nothing new to say."""
    columns = ("impact_id", "ticker", "sentiment", "impact", "catalyst", "available_at")
    rows = sorted(tuple(str(row[name]) for name in columns) for row in records.select(columns).to_pylist())
    return digest(*rows, *sorted(str(relation) for relation in relations), rules, bars)


def _already(pipeline: Pipeline, day: date, seen: str) -> bool:
    """Whether exactly this was propagated before, and its signals are still there."""
    row = pipeline.database.fetch_one("SELECT value FROM pipeline_control WHERE key = %s", (_key(day),))
    if row is None or row["value"]["seen"] != seen:
        return False
    stored = pipeline.lake.read(COMPETITIVE_SIGNALS, days=(day, day), columns=("competitive_id",)).num_rows
    return bool(stored >= row["value"]["signals"])


def _remember(pipeline: Pipeline, day: date, seen: str) -> None:
    stored = pipeline.lake.read(COMPETITIVE_SIGNALS, days=(day, day), columns=("competitive_id",)).num_rows
    pipeline.database.execute(
        """
        INSERT INTO pipeline_control (key, value, updated_at) VALUES (%(key)s, %(value)s, %(at)s)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
        """,
        {"key": _key(day), "value": Jsonb({"seen": seen, "signals": stored}), "at": pipeline.clock.now()},
    )


def _key(day: date) -> str:
    return f"propagated {day.isoformat()}"
