"""The shells of the macro layer: macro documents become global events, events become impacts on companies."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property

import pyarrow.dataset as ds

from stonks_assets.extraction.agent_store import failures_in_a_row, log_performance
from stonks_assets.extraction.lines import (
    EVENT_STAGE,
    REFUSED,
    Connect,
    handed_over,
    known_documents,
    note_refused,
    serve,
)
from stonks_assets.extraction.macro import event_row, impact_rows
from stonks_assets.extraction.prompts import EVENT_CLASSIFIER
from stonks_assets.extraction.reading import EventReading, classify_document, tokens_of
from stonks_assets.extraction.rows import COLUMNS, Row, readable
from stonks_assets.extraction.session import EarlierFailure, Session, Shift, Undone, in_turn
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.alerts import MACRO_CLASSIFICATION, raise_alert, settle_alert
from stonks_core.registry.universe import Universe
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.silver_tables import GLOBAL_EVENTS, MACRO_IMPACTS

STAGE = EVENT_STAGE
IMPACTS_STAGE = "macro_impacts"
ALARM = 3  # failures in a row after which the operator is told


def materialise_global_events(
    pipeline: Pipeline,
    day: date,
    as_of: datetime,
    *,
    budget: float | None = None,
    connect: Connect | None = None,
) -> StepReport:
    """Classify what of a day's macro documents, known at `as_of`, has no event yet, within `budget` seconds.

    A document without a usable answer is noted in `failures` and not tried again until somebody asks for its replay;
    when the server fails, the documents stay undone for the next cycle. Three failures in a row raise an
    alert, which the next success settles.
    """
    return serve(pipeline, day, as_of, reports=ReportLine, budget=budget, connect=connect)


class ReportLine:
    """The day's macro documents that have no event yet."""

    def __init__(self, shift: Shift, day: date, as_of: datetime) -> None:
        self.session = Session(shift, STAGE, EVENT_CLASSIFIER)
        self._pipeline, self._day, self._as_of = shift.pipeline, day, as_of
        self._active = self.session.agent.base.active
        self._written = self._failed = 0
        self._alarmed = False
        self.rows, self._earlier = self._undone() if self._active else ([], {})

    @cached_property
    def _universe(self) -> Universe:
        return self._pipeline.universe(self._as_of)

    def _undone(self) -> tuple[list[Row], Mapping[str, EarlierFailure]]:
        """The day's macro documents to classify, in turn, and how they fared in earlier cycles."""
        day = self._day
        classified = self._pipeline.lake.read(GLOBAL_EVENTS, days=(day, day), columns=["document_id"])
        done = set(classified["document_id"].to_pylist())
        rows = known_documents(self._pipeline, day, self._as_of, COLUMNS, macro=True)
        earlier = self.session.earlier([row["document_id"] for row in rows], REFUSED)
        settled = done | {name for name, failure in earlier.items() if failure.terminal}
        replayed = {name for name, failure in earlier.items() if failure.replay}
        todo = [row for row in rows if row["document_id"] not in settled or row["document_id"] in replayed]
        return in_turn(todo, earlier), earlier

    def work(self, row: Row) -> EventReading | Undone:
        """Classify one report with the agent's configuration for it."""
        document = readable(row, self._universe, ())
        failure = self._earlier.get(document.document_id)
        fresh = failure is not None and failure.replay
        asker, base = self.session.shift.asker, self.session.agent.base
        return self.session.attempt(
            document.document_id,
            tokens_of(document, base, asker.num_ctx),
            lambda config: classify_document(document, config, asker.ask, asker.num_ctx, fresh=fresh),
        )

    def take(self, row: Row, outcome: EventReading | Undone) -> None:
        """Write an event, or note why there is none; what was refused is kept first, so that a kill loses none of it."""
        pipeline, now, document_id = self._pipeline, self._pipeline.clock.now(), row["document_id"]
        log_performance(pipeline.database, [outcome.performance], now)
        read = isinstance(outcome, EventReading)
        if isinstance(outcome, EventReading) and outcome.refused:
            note_refused(pipeline, self._day, document_id, outcome.config.model, outcome.refused)
        if isinstance(outcome, EventReading) and outcome.event is not None:
            pipeline.lake.merge(GLOBAL_EVENTS, [event_row(row, outcome)], update=True)
            pipeline.failures.resolve(STAGE, [document_id], now)
            settle_alert(pipeline.database, MACRO_CLASSIFICATION, now)
            self._written += 1
        else:
            error = "; ".join(outcome.errors) if isinstance(outcome, EventReading) else outcome.error
            pipeline.failures.record(STAGE, document_id, error[:2000], now, day=self._day, detail={"terminal": read})
            self._failed += 1
            self._alarm()
        if isinstance(outcome, EventReading) and not outcome.refused:
            pipeline.failures.resolve(REFUSED, [document_id], now)

    def _alarm(self) -> None:
        """Tell the operator, once a call, when the classifier's newest attempts, over all cycles, have all failed."""
        streak, last = failures_in_a_row(self._pipeline.database, EVENT_CLASSIFIER, ALARM)
        if streak == ALARM and not self._alarmed:
            self._alarmed = True
            sentence = (
                f"{MACRO_CLASSIFICATION} failed {ALARM} times in a row or more, the last time with: {last}; macro news waits "
                "and the other layers go on: `stonks doctor` looks at the model's server"
            )
            database, now = self._pipeline.database, self._pipeline.clock.now()
            raise_alert(database, MACRO_CLASSIFICATION, sentence, now, {"threshold": ALARM})

    def finish(self) -> StepReport:
        """What was classified."""
        if not self._active:
            return StepReport(figures={"agent": f"{EVENT_CLASSIFIER} is switched off"})
        undone = len(self.rows) - self._written - self._failed
        return StepReport(
            written={GLOBAL_EVENTS.name: self._written},
            failed=self._failed,
            figures={"undone": undone, **handed_over(self.session)},
        )


def materialise_macro_impacts(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Interpolate a day's events, known at `as_of`, to the companies that are exposed to them.

    Events go on being interpolated while the macro layer is switched off: the switch acts where signals are weighed.
    Rows follow the registry: a profile that changed gives other figures for the events of the days that are computed
    again. A failure is noted, never raised: the other layers go on without this one.
    """
    now = pipeline.clock.now()
    try:
        report = _interpolate(pipeline, day, as_of)
    except STORE_FAILURES as error:
        message = f"events of {day} were not interpolated to companies: {in_words(error)}; it is tried again with the next cycle"
        pipeline.failures.record(IMPACTS_STAGE, f"day {day}", message, now, day=day)
        return StepReport(written={MACRO_IMPACTS.name: 0}, failed=1)
    pipeline.failures.resolve(IMPACTS_STAGE, [f"day {day}"], now)
    return report


def _interpolate(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    universe = pipeline.universe(as_of)
    least = pipeline.settings.signals.macro_confidence_threshold
    events = pipeline.lake.read(GLOBAL_EVENTS, days=(day, day), as_of=as_of).to_pylist()
    rows = [row for event in events for row in impact_rows(event, universe, least)]
    wanted = {row["macro_impact_id"]: row for row in rows}
    of_events = ds.field("event_id").isin([event["event_id"] for event in events])
    known = pipeline.lake.read(MACRO_IMPACTS, days=(day, day), where=of_events).to_pylist()
    gone = [row["macro_impact_id"] for row in known if row["macro_impact_id"] not in wanted]
    if gone:
        named = ", ".join(f"'{name}'" for name in gone)
        pipeline.lake.delete(MACRO_IMPACTS, f"day = '{day.isoformat()}' AND macro_impact_id IN ({named})")
    same = {row["macro_impact_id"] for row in known if wanted.get(row["macro_impact_id"]) == row}
    changed = [row for name, row in wanted.items() if name not in same]
    written = pipeline.lake.merge(MACRO_IMPACTS, changed, update=True).changed
    return StepReport(written={MACRO_IMPACTS.name: written}, figures={"events": len(events), "impacts": len(rows)})
