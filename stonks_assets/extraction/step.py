"""The shell of the extractor: documents that were not read yet become document intelligence and impact records."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cached_property

import pyarrow.dataset as ds

from stonks_assets.extraction.agent_store import log_performance
from stonks_assets.extraction.lines import (
    DOCUMENT_STAGE,
    REFUSED,
    Connect,
    handed_over,
    known_documents,
    note_refused,
    serve,
)
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, AskedCompany
from stonks_assets.extraction.reading import Reading, read_document, tokens_of
from stonks_assets.extraction.rows import COLUMNS, Row, impact_record_rows, intelligence_row, readable, why_failed
from stonks_assets.extraction.session import EarlierFailure, Session, Shift, Undone, in_turn
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.registry.universe import Universe
from stonks_core.stores.lake.silver_tables import DOCUMENT_COMPANY_MENTIONS, DOCUMENT_INTELLIGENCE, IMPACT_RECORDS

STAGE = DOCUMENT_STAGE
FLUSH = 25  # documents after which what was read is written


def materialise_intelligence(
    pipeline: Pipeline,
    day: date,
    as_of: datetime,
    *,
    budget: float | None = None,
    connect: Connect | None = None,
) -> StepReport:
    """Read what of a day's documents, known at `as_of`, was not read yet, within `budget` seconds.

    Documents of low quality and macro documents are never sent. A document that cannot be read is marked
    `extraction_failed` and noted in `failures`, from where it can be replayed; when the server fails, the documents
    stay undone for the next cycle. Impact records are written before intelligence rows, because a document with an
    intelligence row counts as done. `connect` makes the client; by default the settings' server is asked.
    """
    return serve(pipeline, day, as_of, documents=DocumentLine, budget=budget, connect=connect)


class DocumentLine:
    """The day's documents that were not read yet."""

    def __init__(self, shift: Shift, day: date, as_of: datetime) -> None:
        self.session = Session(shift, STAGE, DOCUMENT_EXTRACTOR)
        self._pipeline, self._day, self._as_of = shift.pipeline, day, as_of
        self._active = self.session.agent.base.active
        self._writer = _Writer(shift.pipeline, day)
        self.rows, self._earlier = self._undone() if self._active else ([], {})

    @cached_property
    def _universe(self) -> Universe:
        return self._pipeline.universe(self._as_of)

    @cached_property
    def _companies(self) -> Mapping[str, AskedCompany]:
        return asked_companies(self._universe)

    @cached_property
    def _mentions(self) -> Mapping[str, list[tuple[int, str]]]:
        return mentions_of(self._pipeline, self._day, [row["document_id"] for row in self.rows])

    def _undone(self) -> tuple[list[Row], Mapping[str, EarlierFailure]]:
        """The day's documents to read, in turn, and how they fared in earlier cycles."""
        pipeline, day = self._pipeline, self._day
        read = pipeline.lake.read(DOCUMENT_INTELLIGENCE, days=(day, day), columns=["document_id"])
        done = set(read["document_id"].to_pylist())
        named = known_documents(pipeline, day, self._as_of, ["document_id"], macro=False)
        candidates = [row["document_id"] for row in named]
        earlier = self.session.earlier(candidates, REFUSED)
        todo = [name for name in candidates if name not in done or (name in earlier and earlier[name].replay)]
        if not todo:
            return [], earlier
        rows = known_documents(pipeline, day, self._as_of, COLUMNS, macro=False, names=todo)
        return in_turn(rows, earlier), earlier

    def work(self, row: Row) -> Reading | Undone:
        """Read one document with the agent's configuration for it."""
        document = readable(row, self._universe, self._mentions.get(row["document_id"], ()))
        failure = self._earlier.get(document.document_id)
        fresh = failure is not None and failure.replay
        asker, base = self.session.shift.asker, self.session.agent.base
        return self.session.attempt(
            document.document_id,
            tokens_of(document, base, asker.num_ctx),
            lambda config: read_document(document, self._companies, config, asker.ask, asker.num_ctx, fresh=fresh),
        )

    def take(self, row: Row, outcome: Reading | Undone) -> None:
        """Keep the document's reading, or why it stays undone."""
        self._writer.take(row, outcome)

    def finish(self) -> StepReport:
        """Write the rest."""
        if not self._active:
            return StepReport(figures={"agent": f"{DOCUMENT_EXTRACTOR} is switched off"})
        writer = self._writer
        writer.flush()
        left = {"undone": len(self.rows) - writer.done}
        figures = {**left, **(writer.counts if self.rows else {}), **handed_over(self.session)}
        return StepReport(written=writer.written, failed=writer.failed, figures=figures)


def asked_companies(universe: Universe) -> Mapping[str, AskedCompany]:
    """The registered companies with their names, by ticker."""
    return {c.ticker: AskedCompany(c.ticker, (c.legal_name, *c.aliases)) for c in universe.companies.values()}


def mentions_of(pipeline: Pipeline, day: date, document_ids: Sequence[str]) -> Mapping[str, list[tuple[int, str]]]:
    """Where the documents of a day mention which companies, by document."""
    if not document_ids:
        return {}
    chosen = ds.field("document_id").isin(list(document_ids))
    columns = ["document_id", "start", "ticker"]
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    rows = pipeline.lake.read(DOCUMENT_COMPANY_MENTIONS, days=(day, day), where=chosen, columns=columns)
    for row in rows.to_pylist():
        found[row["document_id"]].append((row["start"], row["ticker"]))
    return {name: sorted(places) for name, places in found.items()}


class _Writer:
    """Writes readings in batches, and the failures and performance that go with them."""

    def __init__(self, pipeline: Pipeline, day: date) -> None:
        self._pipeline, self._day = pipeline, day
        self._ready: list[tuple[Row, Reading]] = []
        self.written = {DOCUMENT_INTELLIGENCE.name: 0, IMPACT_RECORDS.name: 0}
        self.counts = {"hallucinated_ticker": 0, "unsupported_quote": 0, "invalid_record": 0}
        self.failed = self.done = 0

    def take(self, row: Row, outcome: Reading | Undone) -> None:
        """A document's reading, or why it stays undone."""
        if isinstance(outcome, Undone):
            log_performance(self._pipeline.database, [outcome.performance], self._pipeline.clock.now())
            self._fail(outcome.document_id, outcome.error, terminal=False)
            return
        self._ready.append((row, outcome))
        if len(self._ready) >= FLUSH:
            self.flush()

    def flush(self) -> None:
        """Write what is ready: impact records, then the rows that mark their documents as done."""
        ready, self._ready = self._ready, []
        if not ready:
            return
        pipeline, now = self._pipeline, self._pipeline.clock.now()
        self._note([reading for _, reading in ready], now)
        impacts = [record for row, reading in ready for record in impact_record_rows(row, reading)]
        rows = [intelligence_row(row, reading, now) for row, reading in ready]
        named = ", ".join(f"'{row['document_id']}'" for row in rows)
        stale = pipeline.lake.read(
            DOCUMENT_INTELLIGENCE,
            days=(self._day, self._day),
            where=ds.field("document_id").isin([row["document_id"] for row in rows]),
            columns=["document_id"],
        )
        if stale.num_rows:
            pipeline.lake.delete(IMPACT_RECORDS, f"day = '{self._day.isoformat()}' AND document_id IN ({named})")
        self.written[IMPACT_RECORDS.name] += pipeline.lake.merge(IMPACT_RECORDS, impacts, update=True).changed
        self.written[DOCUMENT_INTELLIGENCE.name] += pipeline.lake.merge(
            DOCUMENT_INTELLIGENCE, rows, update=True
        ).changed
        read = [reading for _, reading in ready]
        done = [reading.document_id for reading in read if reading.verdict.status != "extraction_failed"]
        pipeline.failures.resolve(STAGE, done, now)
        pipeline.failures.resolve(REFUSED, [reading.document_id for reading in read if not reading.refused], now)
        self.done += len(ready)

    def _note(self, readings: Sequence[Reading], now: datetime) -> None:
        """Note what was spent, failed and refused, before the documents count as done: so that a kill loses none of it."""
        asked = [reading for reading in readings if reading.answers or reading.errors]
        log_performance(self._pipeline.database, [reading.performance for reading in asked], now)
        for reading in readings:
            for name in self.counts:
                self.counts[name] += getattr(reading.verdict, name)
            if reading.verdict.status == "extraction_failed":
                self._fail(reading.document_id, why_failed(reading), terminal=True)
            if reading.refused:
                note_refused(self._pipeline, self._day, reading.document_id, reading.config.model, reading.refused)

    def _fail(self, document_id: str, error: str, *, terminal: bool) -> None:
        self.failed += 1
        now = self._pipeline.clock.now()
        self._pipeline.failures.record(STAGE, document_id, error, now, day=self._day, detail={"terminal": terminal})
