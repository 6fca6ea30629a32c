"""The shells of the macro layer: macro documents become global events, events become impacts on companies."""

import logging
from collections.abc import Callable
from datetime import date, datetime

import pyarrow.dataset as ds

from stonks_assets.extraction.agents import log_performance
from stonks_assets.extraction.client import ModelMissingError, OllamaClient
from stonks_assets.extraction.macro import event_row, impact_rows
from stonks_assets.extraction.prompts import EVENT_CLASSIFIER
from stonks_assets.extraction.reading import EventReading, classify_document
from stonks_assets.extraction.session import Session, in_turn
from stonks_assets.extraction.step import COLUMNS, DOCUMENT_SHARE, Row, readable
from stonks_assets.extraction.workers import run_bounded
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.errors import PermanentError, TransientError
from stonks_core.stores.lake.pipeline_tables import DOCUMENTS, GLOBAL_EVENTS, MACRO_IMPACTS
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
    written = failed = in_a_row = 0
    session = Session(pipeline, STAGE, EVENT_CLASSIFIER, share if budget is None else budget, connect)
    with session:
        if not session.agent.base.active:
            return StepReport(figures={"agent": f"{EVENT_CLASSIFIER} is switched off"})
        universe = pipeline.universe(as_of)
        rows, replayed = _undone(session, day, as_of)

        def work(row: Row) -> EventReading | str:
            document = readable(row, universe, ())
            config = session.agent.choose(document.document_id)
            fresh = document.document_id in replayed
            try:
                return classify_document(document, config, session.asker.ask, session.asker.num_ctx, fresh=fresh)
            except (TransientError, ModelMissingError) as error:
                session.stopped = True
                return str(error)
            except PermanentError as error:
                return str(error)

        parallel = pipeline.settings.ollama.parallel
        for row, outcome in run_bounded(rows, work, parallel=parallel, may_start=session.may_start):
            error = _taken(pipeline, day, row, outcome)
            written += not error
            failed += bool(error)
            in_a_row = in_a_row + 1 if error else 0
            if in_a_row == ALARM:
                _log.critical("macro classification failed %d times in a row, last: %s", ALARM, error)
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


def _taken(pipeline: Pipeline, day: date, row: Row, outcome: EventReading | str) -> str:
    """Write an event, or note why there is none; the sentence of the failure, empty when there is none."""
    now, document_id = pipeline.clock.now(), row["document_id"]
    if isinstance(outcome, EventReading):
        log_performance(pipeline.database, [outcome.performance], now)
        if outcome.event is not None:
            pipeline.lake.merge(GLOBAL_EVENTS, [event_row(row, outcome)], update=True)
            pipeline.failures.resolve(STAGE, [document_id], now)
            return ""
    terminal = isinstance(outcome, EventReading)
    error = outcome if isinstance(outcome, str) else "; ".join(outcome.errors) or f"document {document_id} is empty"
    pipeline.failures.record(STAGE, document_id, error[:2000], now, day=day, detail={"terminal": terminal})
    return error


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
    known = {row["macro_impact_id"]: row for row in pipeline.lake.read(MACRO_IMPACTS, days=(day, day)).to_pylist()}
    changed = [row for row in rows if known.get(row["macro_impact_id"]) != row]
    written = pipeline.lake.merge(MACRO_IMPACTS, changed, update=True).changed
    return StepReport(written={MACRO_IMPACTS.name: written}, figures={"events": len(events), "impacts": len(rows)})
