"""Reading one document with an agent: sections, questions, answers, evidence. Pure: the asker is handed in."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from stonks_assets.extraction.agents import AgentConfig, Performance
from stonks_assets.extraction.asking import Answer, Ask, CutError, RequestRefusedError
from stonks_assets.extraction.evidence import Claim, Span, Verdict, judge, locate
from stonks_assets.extraction.prompts import (
    CLASSIFIER_PROMPT,
    EXTRACTOR_PROMPT,
    AskedCompany,
    Prompt,
    classification_prompt,
    estimate_tokens,
    extraction_prompt,
)
from stonks_assets.extraction.schemas import (
    DocumentAnswer,
    EventAnswer,
    InvalidAnswerError,
    read_document_answer,
    read_event_answer,
)
from stonks_assets.extraction.sections import Section, merge_answers, split_sections
from stonks_core.vocabulary import Catalyst

MOST_COMPANIES = 25  # asked about in one prompt; of more, those that the section names most
FRAME_TOKENS = 256  # for fences, title and the companies' names
LEAST_SECTION = 64
NO_SPAN = Span(0, 0, "")
Parsed = TypeVar("Parsed", DocumentAnswer, EventAnswer)


@dataclass(frozen=True)
class ReadableDocument:
    """A document as far as reading needs it. `mentions` are (start, ticker); `own_ticker` is its source's company."""

    document_id: str
    title: str
    text: str
    sha256: str
    published_at: datetime
    mentions: tuple[tuple[int, str], ...] = ()
    own_ticker: str = ""


@dataclass(frozen=True)
class Reading:
    """What an agent made of a document. `errors` are the sentences of the sections that could not be read."""

    document_id: str
    verdict: Verdict
    summary: str
    sentiment: float
    catalyst: Catalyst
    confidence: float
    config: AgentConfig
    answers: tuple[Answer, ...]
    errors: tuple[str, ...] = ()

    @property
    def performance(self) -> Performance:
        """The entry for the performance log."""
        verdict = self.verdict
        ok = verdict.status != "extraction_failed"
        return _performance(
            self.config, self.document_id, self.answers, self.errors, ok, len(verdict.kept), verdict.dropped
        )


@dataclass(frozen=True)
class EventReading:
    """What the classifier made of a document; `event` and `span` are None where no answer held."""

    document_id: str
    event: EventAnswer | None
    span: Span | None
    config: AgentConfig
    answer: Answer | None
    answers: tuple[Answer, ...]
    errors: tuple[str, ...] = ()

    @property
    def performance(self) -> Performance:
        """The entry for the performance log."""
        ok = self.event is not None
        return _performance(self.config, self.document_id, self.answers, self.errors, ok, int(ok), int(not ok))


def read_document(
    document: ReadableDocument,
    companies: Mapping[str, AskedCompany],
    config: AgentConfig,
    ask: Ask,
    num_ctx: int,
    *,
    fresh: bool = False,
) -> Reading:
    """Read a document with the extractor, section by section, and hold its records against the text.

    `companies` are the registered ones, by ticker: records about others are dropped. Sections that name none of them
    are not asked about; a document without any is `no_impact` and costs nothing. A section whose answer is cut or
    breaks the schema is left out and named in `errors`; where no section could be read the document has failed.
    Transient errors of the asker pass through: the document is then undone, not failed.
    """
    shown = _sections(document.text, config, num_ctx, EXTRACTOR_PROMPT)
    asked = [(section, _companies_of(document, section, companies)) for section in shown]
    asked = [(section, named) for section, named in asked if named]
    prompts = [
        (
            section,
            extraction_prompt(document.title, document.published_at, section.text, named, system=config.system_prompt),
        )
        for section, named in asked
    ]
    read, answers, errors = _ask_all(document, prompts, config, ask, read_document_answer, fresh=fresh)
    if not read:
        return Reading(
            document_id=document.document_id,
            verdict=Verdict("extraction_failed" if errors else "no_impact", ()),
            summary="",
            sentiment=0.0,
            catalyst=Catalyst.OTHER,
            confidence=0.0,
            config=config,
            answers=tuple(answers),
            errors=tuple(errors),
        )
    claims = [Claim(record, section.start, section.end) for section, parsed, _ in read for record in parsed.impacts]
    merged = merge_answers([parsed for _, parsed, _ in read])
    return Reading(
        document_id=document.document_id,
        verdict=judge(claims, document.text, companies.keys()),
        summary=merged.summary.strip(),
        sentiment=merged.sentiment,
        catalyst=merged.catalyst,
        confidence=merged.confidence,
        config=config,
        answers=tuple(answers),
        errors=tuple(errors),
    )


def classify_document(
    document: ReadableDocument, config: AgentConfig, ask: Ask, num_ctx: int, *, fresh: bool = False
) -> EventReading:
    """Classify the event that a macro document reports; of a long document's sections the most confident speaks.

    An answer whose quote is not in the text does not hold. Transient errors of the asker pass through.
    """
    shown = _sections(document.text, config, num_ctx, CLASSIFIER_PROMPT)
    prompts = [
        (
            section,
            classification_prompt(document.title, document.published_at, section.text, system=config.system_prompt),
        )
        for section in shown
    ]
    read, answers, errors = _ask_all(document, prompts, config, ask, read_event_answer, fresh=fresh)
    held: list[tuple[EventAnswer, Span, Answer]] = []
    for section, event, answer in read:
        span = locate(event.quote, document.text, section.start, section.end) or locate(event.quote, document.text)
        if span is None and event.is_macro_event:
            errors.append(
                f"the quote of {config.model} is not in document {document.document_id}: {event.quote[:120]!r}"
            )
        else:
            held.append((event, span or NO_SPAN, answer))
    best = max(held, key=lambda entry: (entry[0].is_macro_event, entry[0].confidence), default=(None, None, None))
    return EventReading(document.document_id, best[0], best[1], config, best[2], tuple(answers), tuple(errors))


def _sections(text: str, config: AgentConfig, num_ctx: int, default_prompt: str) -> Sequence[Section]:
    """The document's sections under the input limit; with an agent's own limit, only the first."""
    options = config.call_options(num_ctx)
    overhead = estimate_tokens(config.system_prompt or default_prompt) + FRAME_TOKENS
    room = max(LEAST_SECTION, int(options["num_ctx"]) - int(options["num_predict"]) - overhead)
    if config.input_token_limit:
        return split_sections(text, max(LEAST_SECTION, min(room, config.input_token_limit)), estimate_tokens)[:1]
    return split_sections(text, room, estimate_tokens)


def _companies_of(
    document: ReadableDocument, section: Section, companies: Mapping[str, AskedCompany]
) -> list[AskedCompany]:
    """The registered companies that a section names, most often named first, and the source's own."""
    counts = Counter(ticker for start, ticker in document.mentions if section.start <= start < section.end)
    if document.own_ticker:
        counts[document.own_ticker] += len(document.text)
    ranked = sorted((ticker for ticker in counts if ticker in companies), key=lambda t: (-counts[t], t))
    return [companies[ticker] for ticker in ranked[:MOST_COMPANIES]]


def _ask_all(
    document: ReadableDocument,
    prompts: Sequence[tuple[Section, Prompt]],
    config: AgentConfig,
    ask: Ask,
    read: Callable[[str], Parsed],
    *,
    fresh: bool,
) -> tuple[list[tuple[Section, Parsed, Answer]], list[Answer], list[str]]:
    """The sections that were read with their answers, all answers, and the sentences of the sections that were not."""
    done: list[tuple[Section, Parsed, Answer]] = []
    answers: list[Answer] = []
    errors: list[str] = []
    for section, prompt in prompts:
        try:
            answer = ask(config, prompt, document.sha256, fresh=fresh)
            answers.append(answer)
            done.append((section, read(answer.text), answer))
        except (CutError, RequestRefusedError, InvalidAnswerError) as error:
            errors.append(f"characters {section.start} to {section.end} of document {document.document_id}: {error}")
    return done, answers, errors


def _performance(
    config: AgentConfig,
    document_id: str,
    answers: Collection[Answer],
    errors: Sequence[str],
    ok: bool,
    kept: int,
    dropped: int,
) -> Performance:
    paid = [answer for answer in answers if not answer.recorded]
    return Performance(
        config=config,
        document_id=document_id,
        ok=ok,
        recorded=not paid,
        latency_ms=sum(answer.duration_ms for answer in paid),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        output_tokens=sum(answer.output_tokens for answer in answers),
        kept=kept,
        dropped=dropped,
        error="; ".join(errors)[:1000],
    )
