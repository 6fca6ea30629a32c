"""Step: impact records of a day become competitive signals on the companies' competitors."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.dataset as ds
from psycopg.types.json import Jsonb

from stonks_assets.aggregation.competitive import PropagationRules, Relation, propagate, stands
from stonks_assets.aggregation.layers import day_item, failed_in_a_row, succeeded
from stonks_assets.aggregation.windows import LONGEST
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.alerts import COMPETITIVE_PROPAGATION
from stonks_core.errors import PermanentError
from stonks_core.identifiers import digest, sha256_bytes
from stonks_core.patterns.asking import BARS_BEFORE_HISTORY
from stonks_core.patterns.matching import SAMPLE_COLUMNS, Past
from stonks_core.patterns.rules import pattern_rules
from stonks_core.prices.adjusting import TOTAL_RETURN
from stonks_core.prices.reading import PRICE_TABLES, read_bars
from stonks_core.prices.sessions import sessions
from stonks_core.settings.slices import Signals
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS, IMPACT_RECORDS
from stonks_core.vocabulary import Layer

STAGE = "competitive_signals"
_FIGURES = (TOTAL_RETURN, "end_at", "available_at")


def propagation_rules(settings: Signals) -> PropagationRules:
    """The rules by the settings of the same names."""
    return PropagationRules(
        **asdict(pattern_rules(settings)),
        pattern_confidence_threshold=settings.competitive_pattern_confidence_threshold,
        propagation_strength_threshold=settings.competitive_propagation_strength_threshold,
    )


def materialise_competitive_signals(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Propagate the impact records of `day`, known at `as_of`, to competitors; a signal that stands is kept.

    A signal whose record was taken back or corrected does not stand: it goes, and is made again from what is said now.

    Nothing is propagated while the layer is switched off, but the day is noted: it is asked for again once the layer is
    on, and what it gives is what it would have given at once. A failure is counted and noted, never raised: the other
    layers go on without this one.
    """
    if not pipeline.layer_enabled(Layer.COMPETITIVE):
        _note_skipped(pipeline, day, as_of)
        return StepReport(written={COMPETITIVE_SIGNALS.name: 0}, figures={"layer": "off"})
    try:
        report = _propagate(pipeline, day, as_of)
    except STORE_FAILURES as error:
        now = pipeline.clock.now()
        message = (
            f"news of {day} was not propagated to competitors: {in_words(error)}; it is tried again with the next cycle"
        )
        pipeline.failures.record(STAGE, day_item(day), message, now, day=day)
        threshold = pipeline.settings.signals.competitive_propagation_failure_threshold
        failed_in_a_row(pipeline, COMPETITIVE_PROPAGATION, now, error, threshold)
        return StepReport(written={COMPETITIVE_SIGNALS.name: 0}, failed=1)
    succeeded(pipeline, COMPETITIVE_PROPAGATION, pipeline.clock.now())
    pipeline.failures.resolve(STAGE, [day_item(day)], pipeline.clock.now())
    return report


def _note_skipped(pipeline: Pipeline, day: date, as_of: datetime) -> None:
    """Note once that a day with news was left out; one that cannot be told from an empty one is noted too."""
    if pipeline.failures.status(STAGE, day_item(day)) in {"noted", "dismissed"}:
        return
    try:
        news = pipeline.lake.read(IMPACT_RECORDS, days=(day, day), as_of=as_of, columns=("impact_id",)).num_rows
    except STORE_FAILURES as error:
        news = f"unreadable ({in_words(error)})"
    if news:
        message = (
            f"news of {day} is not propagated to competitors while the competitive layer is off: that is made good within "
            "minutes once it is on"
        )
        pipeline.failures.record(
            STAGE, day_item(day), message, pipeline.clock.now(), day=day, detail={"records": news}, noted=True
        )


def _propagate(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    lake = pipeline.lake
    records = lake.read(IMPACT_RECORDS, days=(day, day), as_of=as_of)
    withdrawn = _withdraw(pipeline, day, as_of, records)
    universe = pipeline.universe(as_of)
    relations = [Relation(c.ticker, c.competitor, c.relationship, c.strength) for c in universe.competitors]
    sources = pa.array(sorted({relation.source for relation in relations}), pa.string())
    records = records.filter(ds.field("ticker").isin(sources))
    rules = propagation_rules(pipeline.settings.signals)
    if records.num_rows == 0:
        return StepReport(written={COMPETITIVE_SIGNALS.name: withdrawn}, figures={"records": 0})
    versions = [lake.version(table) for table in PRICE_TABLES]
    seen, before = _fingerprint(records, relations, rules), _remembered(pipeline, day)
    if before and before == {**before, "seen": seen, "versions": versions}:
        return StepReport(written={COMPETITIVE_SIGNALS.name: 0}, figures={"records": records.num_rows})
    lookback = rules.longest_lookback + timedelta(days=1)
    # No record is judged with a bar that was not known when the last of them became available.
    judged_at = max(instant for instant in records["available_at"].to_pylist() if instant is not None)
    days = (day - lookback - BARS_BEFORE_HISTORY, judged_at.date())
    bars = read_bars(lake, days, judged_at, tickers=universe.companies)
    now = {"seen": seen, "versions": versions, "prices": _price_fingerprint(bars)}
    if before and before == {
        **before,
        "seen": seen,
        "prices": now["prices"],
    }:  # only snapshots came, or bars of later days
        _remember(pipeline, day, now)
        return StepReport(written={COMPETITIVE_SIGNALS.name: 0}, figures={"records": records.num_rows})
    history = lake.read(IMPACT_RECORDS, days=(day - lookback, day), as_of=as_of, columns=SAMPLE_COLUMNS)
    market = sessions(bars, judged_at, list(universe.companies))
    rows = propagate(records, Past.of(history, market), relations, rules)
    written = lake.merge(COMPETITIVE_SIGNALS, rows)
    _remember(pipeline, day, now)
    figures = {"records": records.num_rows, "propagated": len(rows), "withdrawn": withdrawn}
    return StepReport(written={COMPETITIVE_SIGNALS.name: written.inserted + withdrawn}, figures=figures)


def _withdraw(pipeline: Pipeline, day: date, as_of: datetime, records: pa.Table) -> int:
    """Take the day's signals back that do not stand any more; how many."""
    held = pipeline.lake.read(COMPETITIVE_SIGNALS, days=(day, day), as_of=as_of).to_pylist()
    if not held or day < as_of.date() - LONGEST:  # retention forgets the records of older days on purpose
        return 0
    if records.num_rows == 0 and pipeline.lake.version(IMPACT_RECORDS) == 0:
        raise PermanentError("the rows of impact_records are lost, as it was made anew: put it back from a copy")
    by_id = {record["impact_id"]: record for record in records.to_pylist()}
    fallen = [signal["competitive_id"] for signal in held if not stands(signal, by_id.get(signal["impact_id"]))]
    if fallen:
        named = ", ".join(f"'{name}'" for name in fallen)
        pipeline.lake.delete(COMPETITIVE_SIGNALS, f"day = '{day.isoformat()}' AND competitive_id IN ({named})")
    return len(fallen)


def _fingerprint(records: pa.Table, relations: Sequence[Relation], rules: PropagationRules) -> str:
    """What propagation depends on, apart from older records and prices: the same again has nothing new to say."""
    columns = ("impact_id", "ticker", "sentiment", "impact", "catalyst", "available_at")
    rows = sorted(tuple(str(row[name]) for name in columns) for row in records.select(columns).to_pylist())
    return digest(*rows, *sorted(str(relation) for relation in relations), rules)


def _price_fingerprint(bars: pa.Table) -> str:
    """What propagation reads of the bars; snapshots of the running session change no daily bar."""
    figures = [bars[name].cast(pa.float64() if name == TOTAL_RETURN else pa.int64()) for name in _FIGURES]
    return digest(bars["ticker"].to_pylist(), *(sha256_bytes(column.to_numpy().tobytes()) for column in figures))


def _remembered(pipeline: Pipeline, day: date) -> Mapping[str, object]:
    """What was propagated before, where its signals are still there; nothing otherwise."""
    row = pipeline.database.fetch_one("SELECT value FROM pipeline_control WHERE key = %s", (_key(day),))
    if row is None or _stored(pipeline, day) < row["value"]["signals"]:
        return {}
    held: Mapping[str, object] = row["value"]
    return held


def _stored(pipeline: Pipeline, day: date) -> int:
    return int(pipeline.lake.read(COMPETITIVE_SIGNALS, days=(day, day), columns=("competitive_id",)).num_rows)


def _remember(pipeline: Pipeline, day: date, propagated: Mapping[str, object]) -> None:
    value = Jsonb({**propagated, "signals": _stored(pipeline, day)})
    pipeline.database.execute(
        """
        INSERT INTO pipeline_control (key, value, updated_at) VALUES (%(key)s, %(value)s, %(at)s)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
        """,
        {"key": _key(day), "value": value, "at": pipeline.clock.now()},
    )


def _key(day: date) -> str:
    return f"propagated {day.isoformat()}"
