"""The shells of the macro layer: macro documents become global events, events become impacts on companies."""

import logging
from collections.abc import Callable
from datetime import date, datetime

import pyarrow.dataset as ds

from stonks_assets.extraction.agent_store import log_performance
from stonks_assets.extraction.client import OllamaClient
from stonks_assets.extraction.macro import event_row, impact_rows
from stonks_assets.extraction.prompts import EVENT_CLASSIFIER
from stonks_assets.extraction.reading import EventReading, classify_document
from stonks_assets.extraction.session import Session, Undone, in_turn
from stonks_assets.extraction.step import COLUMNS, DOCUMENT_SHARE, Row, readable
from stonks_assets.extraction.workers import run_bounded
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.stores.lake.silver_tables import DOCUMENTS, GLOBAL_EVENTS, MACRO_IMPACTS
from stonks_core.vocabulary import DocumentType

STAGE = "event_classification"
ALARM = 3  # failures in a row after which the operator is told
_log = logging.getLogger(__name__)


def materialise_global_events(
    pipeline: Pipeline,
    day: date,
    as_of: datetime,
    *,
    budget: float | None = None,
    connect: Callable[[], OllamaClient] | None = None,
) -> StepReport:
    """Classify what of a day's macro documents, known at `as_of`, has no event yet, within `budget` seconds.

    A document without a usable answer is noted in `failures` and not tried again until somebody asks for its replay;
    when the server fails, the documents stay undone for the next cycle. Three failures in a row raise a critical
    log record.
    """
    share = pipeline.settings.ollama.cycle_budget * (1 - DOCUMENT_SHARE)
    written = failed = 0
    session = Session(pipeline, STAGE, EVENT_CLASSIFIER, share if budget is None else budget, connect)
    with session:
        if not session.agent.base.active:
            return StepReport(figures={"agent": f"{EVENT_CLASSIFIER} is switched off"})
        universe = pipeline.universe(as_of)
        rows, replayed = _undone(session, day, as_of)

        if not rows:
            return StepReport(written={GLOBAL_EVENTS.name: 0}, figures={"undone": 0})
        asker = session.asker

        def work(row: Row) -> EventReading | Undone:
            document = readable(row, universe, ())
            fresh = document.document_id in replayed
            return session.attempt(
                document.document_id,
                lambda config: classify_document(document, config, asker.ask, asker.num_ctx, fresh=fresh),
            )

        parallel = pipeline.settings.ollama.parallel
        for row, outcome in run_bounded(rows, work, parallel=parallel, may_start=session.may_start):
            if _taken(pipeline, day, row, outcome):
                written += 1
            else:
                failed += 1
    if failed:
        _alarm(pipeline)
    return StepReport(
        written={GLOBAL_EVENTS.name: written}, failed=failed, figures={"undone": len(rows) - written - failed}
    )


def _undone(session: Session, day: date, as_of: datetime) -> tuple[list[Row], frozenset[str]]:
    """The day's macro documents to classify, in turn, and which of them somebody asked to replay."""
    lake = session.pipeline.lake
    done = set(lake.read(GLOBAL_EVENTS, days=(day, day), columns=["document_id"])["document_id"].to_pylist())
    wanted = (ds.field("document_type") == DocumentType.MACRO_EVENT.value) & (ds.field("status") == "parsed")
    rows = lake.read(DOCUMENTS, days=(day, day), as_of=as_of, where=wanted, columns=COLUMNS).to_pylist()
    earlier = session.earlier([row["document_id"] for row in rows])
    replayed = frozenset(name for name, failure in earlier.items() if failure.replay)
    settled = done | {name for name, failure in earlier.items() if failure.terminal}
    todo = [row for row in rows if row["document_id"] not in settled or row["document_id"] in replayed]
    return in_turn(todo, earlier), replayed


def _taken(pipeline: Pipeline, day: date, row: Row, outcome: EventReading | Undone) -> bool:
    """Write an event, or note why there is none; whether there is one."""
    now, document_id = pipeline.clock.now(), row["document_id"]
    log_performance(pipeline.database, [outcome.performance], now)
    if isinstance(outcome, EventReading) and outcome.event is not None:
        pipeline.lake.merge(GLOBAL_EVENTS, [event_row(row, outcome)], update=True)
        pipeline.failures.resolve(STAGE, [document_id], now)
        return True
    terminal = isinstance(outcome, EventReading)
    error = "; ".join(outcome.errors) if isinstance(outcome, EventReading) else outcome.error
    pipeline.failures.record(STAGE, document_id, error[:2000], now, day=day, detail={"terminal": terminal})
    return False


def _alarm(pipeline: Pipeline) -> None:
    """Tell the operator when the classifier's newest attempts, over all cycles, have all failed."""
    newest = pipeline.database.fetch(
        "SELECT ok, error FROM agent_performance_log WHERE agent = %s ORDER BY id DESC LIMIT %s",
        (EVENT_CLASSIFIER, ALARM),
    )
    if len(newest) == ALARM and not any(row["ok"] for row in newest):
        _log.critical("macro classification failed %d times in a row, last: %s", ALARM, newest[0]["error"])


def materialise_macro_impacts(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Interpolate a day's events, known at `as_of`, to the companies that are exposed to them.

    Events go on being interpolated while the macro layer is switched off: the switch acts where signals are weighed.
    Rows follow the registry: a profile that changed gives other figures for the events of the days that are computed
    again.
    """
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
