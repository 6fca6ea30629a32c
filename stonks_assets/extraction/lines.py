"""What waits for a model stands in lines: documents, macro reports, and what shadows read besides. One call serves them."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, Protocol

import pyarrow.dataset as ds

from stonks_assets.extraction.client import OllamaClient
from stonks_assets.extraction.metrics import refresh_metrics
from stonks_assets.extraction.refusals import Refusal, counted, on_record
from stonks_assets.extraction.rows import Row
from stonks_assets.extraction.session import Session, Shift
from stonks_assets.extraction.turns import take_turns
from stonks_assets.extraction.workers import run_bounded
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.vocabulary import DocumentType

DOCUMENT_STAGE, EVENT_STAGE = "extraction", "event_classification"
WHOLE = {DOCUMENT_STAGE: "document_intelligence", EVENT_STAGE: "global_events"}
"""The stages under which `failures` keeps that a day could not be read at all, apart from what failed by document."""
REFUSED = "refused_records"
"""The stage under which `failures` keeps what a model said and the document does not bear out, by document: noted, as it
is what the evidence contract is there for, and tried again only where somebody asks for it."""
NOT_BEGUN = object()  # what became of a row whose line was stopped while it lay ready
Connect = Callable[[], OllamaClient]


class Line(Protocol):
    """Rows that wait, and what is done with each: `work` in a thread, all else in the one that called."""

    session: Session

    @property
    def rows(self) -> Sequence[Row]:
        """What waits, in the order in which it is to be read."""
        ...

    def work(self, row: Row) -> Any:
        """Read one."""
        ...

    def take(self, row: Row, outcome: Any) -> None:
        """Keep what came of it."""
        ...

    def finish(self) -> StepReport:
        """Write what is left to write, and report."""
        ...


OpenLine = Callable[[Shift, date, datetime], Line]


def serve(
    pipeline: Pipeline,
    day: date,
    as_of: datetime,
    *,
    documents: OpenLine | None = None,
    reports: OpenLine | None = None,
    shadows: Sequence[OpenLine] = (),
    budget: float | None = None,
    connect: Connect | None = None,
) -> StepReport:
    """Serve the lines of a day, as far as they are known at `as_of`, within `budget` seconds; the cycle's by default.

    Of each four that are begun one is a macro report while both wait; shadows come last. What has begun is finished.
    """
    seconds = pipeline.settings.ollama.cycle_budget if budget is None else budget
    with Shift(pipeline, seconds, connect) as shift:
        guard = _Guard(pipeline, day)
        first = guard.opened(DOCUMENT_STAGE, documents, shift, as_of)
        second = guard.opened(EVENT_STAGE, reports, shift, as_of)
        after = [make(shift, day, as_of) for make in shadows]
        lines = [line for line in (first, second, *after) if line is not None]
        if any(line.rows for line in lines):
            _ = shift.asker  # made here, by one thread
            waiting = partial(_waiting, guard)
            queue = take_turns(waiting(first), waiting(second), (job for line in after for job in waiting(line)))
            parallel = pipeline.settings.ollama.parallel
            for (line, row), outcome in run_bounded(queue, _work, parallel=parallel, may_start=shift.may_start):
                if outcome is not NOT_BEGUN:
                    guard.take(line, row, outcome)
        served = _together([*(guard.finish(line) for line in lines), StepReport(failed=len(guard.failed))])
    if any(line.rows for line in lines):
        refresh_metrics(pipeline.database, shift.begun.date(), pipeline.clock.now().date())
    return served


class _Guard:
    """Lets a line whose tables cannot be read or written fail alone: it is noted, and the other lines go on."""

    def __init__(self, pipeline: Pipeline, day: date) -> None:
        self._pipeline, self._day = pipeline, day
        self.failed: set[str] = set()

    def opened(self, stage: str, make: OpenLine | None, shift: Shift, as_of: datetime) -> Line | None:
        """The line, or None where there is none or it cannot be opened."""
        if make is None:
            return None
        try:
            line = make(shift, self._day, as_of)
        except STORE_FAILURES as error:
            self._note(stage, error)
            return None
        self._pipeline.failures.resolve(WHOLE[stage], [f"day {self._day}"], self._pipeline.clock.now())
        return line

    def serves(self, line: Line) -> bool:
        """Whether the line has not failed."""
        return line.session.stage not in self.failed

    def take(self, line: Line, row: Row, outcome: Any) -> None:
        """Keep what came of a row; where that cannot be written its document is read again in a later cycle."""
        if not self.serves(line):
            return
        try:
            line.take(row, outcome)
        except STORE_FAILURES as error:
            self._note(line.session.stage, error)

    def finish(self, line: Line) -> StepReport:
        """What a line has to report; nothing once it has failed."""
        if self.serves(line):
            try:
                return line.finish()
            except STORE_FAILURES as error:
                self._note(line.session.stage, error)
        return StepReport()

    def _note(self, stage: str, error: BaseException) -> None:
        self.failed.add(stage)
        message = (
            f"{stage} of {self._day} stopped: {in_words(error)}; it goes on with the next cycle, and the other layers "
            "without it"
        )
        now = self._pipeline.clock.now()
        self._pipeline.failures.record(WHOLE.get(stage, stage), f"day {self._day}", message, now, day=self._day)


def _waiting(guard: _Guard, line: Line | None) -> Iterator[tuple[Line, Row]]:
    for row in line.rows if line else ():
        if line and guard.serves(line) and line.session.may_start():
            yield line, row


def _work(job: tuple[Line, Row]) -> Any:
    line, row = job
    return line.work(row) if line.session.may_start() else NOT_BEGUN


def _together(reports: Sequence[StepReport]) -> StepReport:
    """One report of several: counts are added, sentences put side by side."""
    written: dict[str, int] = defaultdict(int)
    figures: dict[str, Any] = {}
    for report in reports:
        for table, rows in report.written.items():
            written[table] += rows
        for name, figure in report.figures.items():
            said = figures.get(name)
            figures[name] = figure if said is None else f"{said}; {figure}" if isinstance(said, str) else said + figure
    return StepReport(dict(written), sum(report.failed for report in reports), figures)


def known_documents(
    pipeline: Pipeline, day: date, as_of: datetime, columns: Sequence[str], *, macro: bool, names: Sequence[str] = ()
) -> list[Row]:
    """A day's documents that may be read, macro reports or the others, as far as they are known; of some names only."""
    is_macro = ds.field("document_type") == DocumentType.MACRO_EVENT.value
    wanted = (is_macro if macro else ~is_macro) & (ds.field("status") == "parsed")
    if names:
        wanted &= ds.field("document_id").isin(list(names))
    rows: list[Row] = pipeline.lake.read(
        DOCUMENTS, days=(day, day), as_of=as_of, where=wanted, columns=list(columns)
    ).to_pylist()
    return rows


def note_refused(pipeline: Pipeline, day: date, document_id: str, model: str, refused: Sequence[Refusal]) -> None:
    """Keep what was refused of a document's answers where a person can see and count it."""
    now = pipeline.clock.now()
    told = ", ".join(f"{count} for {reason.replace('_', ' ')}" for reason, count in counted(refused).items())
    sentence = f"{len(refused)} records that {model} made of document {document_id} were refused: {told}"
    detail: Mapping[str, object] = {"model": model, "terminal": True, **on_record(refused)}
    pipeline.failures.record(REFUSED, document_id, sentence, now, day=day, detail=detail, noted=True)


def handed_over(session: Session) -> Mapping[str, int]:
    """The figure of how many documents variants handed to the base, where any did."""
    count = sum(session.handed_over.values())
    return {"handed_to_base": count} if count else {}
