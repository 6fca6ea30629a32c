"""The shell of the extractor: documents that were not read yet become document intelligence and impact records."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow.dataset as ds

from stonks_assets.extraction.agent_store import log_performance
from stonks_assets.extraction.client import OllamaClient
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, AskedCompany
from stonks_assets.extraction.reading import ReadableDocument, Reading, read_document
from stonks_assets.extraction.session import EarlierFailure, Session, Undone, in_turn
from stonks_assets.extraction.workers import run_bounded
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.identifiers import digest
from stonks_core.registry.universe import Universe
from stonks_core.stores.lake.silver_tables import (
    DOCUMENT_COMPANY_MENTIONS,
    DOCUMENT_INTELLIGENCE,
    DOCUMENTS,
    IMPACT_RECORDS,
)
from stonks_core.vocabulary import DocumentType

STAGE = "extraction"
FLUSH = 25  # documents after which what was read is written
DOCUMENT_SHARE = 0.75  # of a cycle's extraction budget; the rest is the event classifier's
COLUMNS = (
    *("day", "document_id", "document_type", "status", "ticker", "title", "text", "sha256", "cluster_id"),
    *("credibility", "published_at", "available_at"),
)
Row = Mapping[str, Any]


def materialise_intelligence(
    pipeline: Pipeline,
    day: date,
    as_of: datetime,
    *,
    budget: float | None = None,
    connect: Callable[[], OllamaClient] | None = None,
) -> StepReport:
    """Read what of a day's documents, known at `as_of`, was not read yet, within `budget` seconds.

    Documents of low quality and macro documents are never sent. A document that cannot be read is marked
    `extraction_failed` and noted in `failures`, from where it can be replayed; when the server fails, the documents
    stay undone for the next cycle. Impact records are written before intelligence rows, because a document with an
    intelligence row counts as done. `connect` makes the client; by default the settings' server is asked.
    """
    share = pipeline.settings.ollama.cycle_budget * DOCUMENT_SHARE
    session = Session(pipeline, STAGE, DOCUMENT_EXTRACTOR, share if budget is None else budget, connect)
    with session:
        if not session.agent.base.active:
            return StepReport(figures={"agent": f"{DOCUMENT_EXTRACTOR} is switched off"})
        universe = pipeline.universe(as_of)
        rows, earlier = _undone(session, day, as_of)
        if not rows:
            return StepReport(written={DOCUMENT_INTELLIGENCE.name: 0, IMPACT_RECORDS.name: 0}, figures={"undone": 0})
        _ = session.asker  # made here, by one thread
        companies = {c.ticker: AskedCompany(c.ticker, (c.legal_name, *c.aliases)) for c in universe.companies.values()}
        mentions = _mentions(pipeline, day, [row["document_id"] for row in rows])

        def work(row: Row) -> Reading | Undone:
            document = readable(row, universe, mentions.get(row["document_id"], ()))
            failure = earlier.get(document.document_id)
            fresh = failure is not None and failure.replay
            asker = session.asker
            return session.attempt(
                document.document_id,
                lambda config: read_document(document, companies, config, asker.ask, asker.num_ctx, fresh=fresh),
            )

        writer = _Writer(pipeline, day)
        parallel = pipeline.settings.ollama.parallel
        for row, outcome in run_bounded(rows, work, parallel=parallel, may_start=session.may_start):
            writer.take(row, outcome)
        writer.flush()
    figures: dict[str, float | int | str] = {"undone": len(rows) - writer.done, **writer.counts}
    return StepReport(written=writer.written, failed=writer.failed, figures=figures)


def readable(row: Row, universe: Universe, mentions: Sequence[tuple[int, str]]) -> ReadableDocument:
    """A row of `documents` as the reader takes it."""
    own = row["ticker"] or ""
    return ReadableDocument(
        document_id=row["document_id"],
        title=row["title"],
        text=row["text"],
        sha256=row["sha256"],
        published_at=row["published_at"],
        mentions=tuple(mentions),
        own_ticker=own if own in universe.companies else "",
    )


def _undone(session: Session, day: date, as_of: datetime) -> tuple[list[Row], Mapping[str, EarlierFailure]]:
    """The day's documents to read, in turn, and how they fared in earlier cycles."""
    lake = session.pipeline.lake
    done = set(lake.read(DOCUMENT_INTELLIGENCE, days=(day, day), columns=["document_id"])["document_id"].to_pylist())
    wanted = (ds.field("document_type") != DocumentType.MACRO_EVENT.value) & (ds.field("status") == "parsed")
    names = lake.read(DOCUMENTS, days=(day, day), as_of=as_of, where=wanted, columns=["document_id"])
    candidates = names["document_id"].to_pylist()
    earlier = session.earlier(candidates)
    todo = [name for name in candidates if name not in done or (name in earlier and earlier[name].replay)]
    if not todo:
        return [], earlier
    chosen = ds.field("document_id").isin(todo)
    rows = lake.read(DOCUMENTS, days=(day, day), as_of=as_of, where=chosen, columns=COLUMNS).to_pylist()
    return in_turn(rows, earlier), earlier


def _mentions(pipeline: Pipeline, day: date, document_ids: Sequence[str]) -> Mapping[str, list[tuple[int, str]]]:
    if not document_ids:
        return {}
    chosen = ds.field("document_id").isin(list(document_ids))
    columns = ["document_id", "start", "ticker"]
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    rows = pipeline.lake.read(DOCUMENT_COMPANY_MENTIONS, days=(day, day), where=chosen, columns=columns)
    for row in rows.to_pylist():
        found[row["document_id"]].append((row["start"], row["ticker"]))
    return {name: sorted(places) for name, places in found.items()}


def intelligence_row(row: Row, reading: Reading, at: datetime) -> dict[str, Any]:
    """The row of `document_intelligence`. A document that nobody was asked about has empty answer columns."""
    verdict = reading.verdict
    first = reading.answers[0] if reading.answers else None
    return {
        **{name: row[name] for name in ("day", "document_id", "published_at", "available_at")},
        "status": verdict.status,
        "summary": reading.summary,
        "sentiment": reading.sentiment,
        "catalyst": reading.catalyst.value,
        "confidence": reading.confidence,
        "impacts_kept": len(verdict.kept),
        "hallucinated_ticker": verdict.hallucinated_ticker,
        "unsupported_quote": verdict.unsupported_quote,
        "invalid_record": verdict.invalid_record,
        "agent": reading.config.agent,
        "variant": reading.config.variant,
        "model": first.model if first else "",
        "model_digest": first.model_digest if first else "",
        "answer_key": ",".join(answer.key for answer in reading.answers),
        "extracted_at": at,
    }


def impact_record_rows(row: Row, reading: Reading) -> list[dict[str, Any]]:
    """The rows of `impact_records`."""
    shared = ("day", "document_id", "cluster_id", "credibility", "published_at", "available_at")
    return [
        {
            **{name: row[name] for name in shared},
            "impact_id": digest("impact", row["document_id"], impact.ticker),
            "ticker": impact.ticker,
            "sentiment": impact.sentiment,
            "impact": impact.impact,
            "catalyst": impact.catalyst.value,
            "horizon": impact.horizon,
            "confidence": impact.confidence,
            "quote": impact.span.quote,
            "quote_start": impact.span.start,
            "quote_end": impact.span.end,
            "document_sha256": row["sha256"],
        }
        for impact in reading.verdict.kept
    ]


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
        log_performance(pipeline.database, [reading.performance for _, reading in ready if reading.answers], now)
        self._settle([reading for _, reading in ready], now)
        self.done += len(ready)

    def _settle(self, readings: Sequence[Reading], now: datetime) -> None:
        resolved = []
        for reading in readings:
            for name in self.counts:
                self.counts[name] += getattr(reading.verdict, name)
            if reading.verdict.status == "extraction_failed":
                self._fail(reading.document_id, _why(reading), terminal=True)
            else:
                resolved.append(reading.document_id)
        self._pipeline.failures.resolve(STAGE, resolved, now)

    def _fail(self, document_id: str, error: str, *, terminal: bool) -> None:
        self.failed += 1
        now = self._pipeline.clock.now()
        self._pipeline.failures.record(STAGE, document_id, error, now, day=self._day, detail={"terminal": terminal})


def _why(reading: Reading) -> str:
    if reading.errors:
        return f"document {reading.document_id} could not be read: {'; '.join(reading.errors)}"[:2000]
    verdict = reading.verdict
    return (
        f"every record that {reading.config.model} made of document {reading.document_id} was dropped: "
        f"{verdict.hallucinated_ticker} name an unknown company, {verdict.unsupported_quote} quote what is not in it, "
        f"{verdict.invalid_record} break the schema; replay it after changing the agent's prompt or model"
    )
