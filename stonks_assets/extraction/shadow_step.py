"""The shell of shadow variants: they read what the live agents read, and what they find is kept apart and never trades."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cached_property, partial

from stonks_assets.extraction.agent_store import ShadowReading, keep_shadow_reading, log_performance, shadow_read
from stonks_assets.extraction.agents import AgentConfig
from stonks_assets.extraction.lines import OpenLine, known_documents
from stonks_assets.extraction.macro_step import STAGE as CLASSIFICATION
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, EVENT_CLASSIFIER, AskedCompany
from stonks_assets.extraction.reading import EventReading, Reading, classify_document, read_document, tokens_of
from stonks_assets.extraction.rows import COLUMNS, Row, impact_record_rows, readable
from stonks_assets.extraction.session import Session, Shift, Undone
from stonks_assets.extraction.step import STAGE as EXTRACTION
from stonks_assets.extraction.step import asked_companies, mentions_of
from stonks_assets.pipeline import StepReport
from stonks_core.registry.universe import Universe

SHADOW = "shadow_variant"  # the key of a waiting row that says who is to read it
_KEPT = ("ticker", "sentiment", "impact", "catalyst", "horizon", "confidence", "quote")


class ShadowLine:
    """What the shadows of an agent have not read of a day's documents, newest first."""

    def __init__(self, agent: str, stage: str, shift: Shift, day: date, as_of: datetime) -> None:
        self.session = Session(shift, stage, agent)
        self._macro = agent == EVENT_CLASSIFIER
        self._pipeline, self._day, self._as_of = shift.pipeline, day, as_of
        self._read = 0
        self.rows: Sequence[Row] = self._waiting()

    def _waiting(self) -> Sequence[Row]:
        agent = self.session.agent
        if not agent.shadows or not agent.base.active or self.session.shift.replay_only:
            return []
        database, day = self._pipeline.database, self._day
        done = {shadow.config.variant: shadow_read(database, shadow.config, day) for shadow in agent.shadows}
        rows = known_documents(self._pipeline, day, self._as_of, COLUMNS, macro=self._macro)
        return [
            {**row, SHADOW: config}
            for row in sorted(rows, key=lambda row: (-row["published_at"].timestamp(), row["document_id"]))
            for config in agent.shadows_of(row["document_id"])
            if row["document_id"] not in done[config.variant]
        ]

    @cached_property
    def _universe(self) -> Universe:
        return self._pipeline.universe(self._as_of)

    @cached_property
    def _companies(self) -> Mapping[str, AskedCompany]:
        return asked_companies(self._universe)

    @cached_property
    def _mentions(self) -> Mapping[str, list[tuple[int, str]]]:
        names = list(dict.fromkeys(row["document_id"] for row in self.rows))
        return {} if self._macro else mentions_of(self._pipeline, self._day, names)

    def work(self, row: Row) -> Reading | EventReading | Undone | None:
        """Read one document as one shadow; None where its budget or its model has to be waited for."""
        config: AgentConfig = row[SHADOW]
        document = readable(row, self._universe, self._mentions.get(row["document_id"], ()))
        asker, session = self.session.shift.asker, self.session
        tokens = tokens_of(document, config, asker.num_ctx)
        now = self._pipeline.clock.now()
        if config.model in session.shift.missing:
            return None
        if not session.budgets.admit(config.variant, config.tokens_per_hour, tokens, now):
            return None

        def read(chosen: AgentConfig) -> Reading | EventReading:
            if self._macro:
                return classify_document(document, chosen, asker.ask, asker.num_ctx)
            return read_document(document, self._companies, chosen, asker.ask, asker.num_ctx)

        return session.read_as(config, document.document_id, tokens, read)

    def take(self, row: Row, outcome: Reading | EventReading | Undone | None) -> None:
        """Keep what it found apart; what could not be asked waits for the next cycle."""
        if outcome is None:
            return
        database, now = self._pipeline.database, self._pipeline.clock.now()
        log_performance(database, [outcome.performance], now)
        if isinstance(outcome, Undone):
            return
        keep_shadow_reading(database, _shadow_reading(row, self._day, outcome), now)
        self._read += 1

    def finish(self) -> StepReport:
        """How many were read and how many wait."""
        if not self.rows:
            return StepReport()
        return StepReport(figures={"shadow_read": self._read, "shadow_undone": len(self.rows) - self._read})


def _shadow_reading(row: Row, day: date, reading: Reading | EventReading) -> ShadowReading:
    if isinstance(reading, Reading):
        status: str = reading.verdict.status
        found = [{name: record[name] for name in _KEPT} for record in impact_record_rows(row, reading)]
        dropped = reading.verdict.dropped
    else:
        status = "classified" if reading.event else "classification_failed"
        found = [reading.event.model_dump(mode="json")] if reading.event else []
        dropped = len(reading.refused)
    first = reading.answers[0] if reading.answers else None
    return ShadowReading(
        config=reading.config,
        document_id=reading.document_id,
        day=day,
        status=status,
        found=found,
        refused=dropped,
        error="; ".join(reading.errors),
        model_digest=first.model_digest if first else "",
        answer_key=",".join(answer.key for answer in reading.answers),
    )


SHADOWS: tuple[OpenLine, ...] = (
    partial(ShadowLine, DOCUMENT_EXTRACTOR, EXTRACTION),
    partial(ShadowLine, EVENT_CLASSIFIER, CLASSIFICATION),
)
"""The lines that come last."""
