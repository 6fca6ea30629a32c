"""Reading one document with an agent: sections, questions, answers, evidence. Pure: the asker is handed in."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from stonks_assets.extraction.agents import AgentConfig, Performance
from stonks_assets.extraction.asking import Answer, Ask, CutError, RequestRefusedError
from stonks_assets.extraction.evidence import Claim, Span, Verdict, judge, locate
from stonks_assets.extraction.figures import invented_numbers
from stonks_assets.extraction.orders import evidence_text, is_order, without_orders
from stonks_assets.extraction.prompts import (
    CLASSIFIER_PROMPT,
    EXTRACTOR_PROMPT,
    MOST_NAMES,
    AskedCompany,
    Prompt,
    classification_prompt,
    estimate_tokens,
    extraction_prompt,
)
from stonks_assets.extraction.refusals import (
    INVENTED_NUMBER,
    ORDER_IN_SUMMARY,
    UNSUPPORTED_QUOTE,
    Refusal,
    refused_claims,
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
FRAME_TOKENS = 128  # for fences and field names
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

    @cached_property
    def shown_text(self) -> str:
        """The text as models are shown it: what speaks to them is blank, and offsets are the text's own."""
        return without_orders(self.text)

    @property
    def shown_title(self) -> str:
        """The title, or nothing where it speaks to a model."""
        return "" if is_order(self.title) else self.title

    @property
    def quotable_text(self) -> str:
        """The text in which quotes are looked for: none reaches into what speaks to a model, or across it."""
        return evidence_text(self.text)


@dataclass(frozen=True)
class Reading:
    """What an agent made of a document.

    `errors` are the sentences of the sections that could not be read, `refused` what it said and the document does not
    bear out, `cut` the answers that cost tokens and were of no use.
    """

    document_id: str
    verdict: Verdict
    summary: str
    sentiment: float
    catalyst: Catalyst
    confidence: float
    config: AgentConfig
    answers: tuple[Answer, ...]
    errors: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    cut: tuple[CutError, ...] = ()

    @property
    def performance(self) -> Performance:
        """The entry for the performance log."""
        verdict = self.verdict
        ok = verdict.status != "extraction_failed"
        return _performance(self, ok, len(verdict.kept), verdict.dropped)


@dataclass(frozen=True)
class EventReading:
    """What the classifier made of a document; `event` and `span` are None where no answer held. The rest as above."""

    document_id: str
    event: EventAnswer | None
    span: Span | None
    config: AgentConfig
    answer: Answer | None
    answers: tuple[Answer, ...]
    errors: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    cut: tuple[CutError, ...] = ()

    @property
    def performance(self) -> Performance:
        """The entry for the performance log."""
        ok = self.event is not None
        return _performance(self, ok, int(ok), int(not ok))


@dataclass
class _Asked:
    """What came of a document's questions: the sections that were read with their answers, and what was not."""

    read: list[tuple[Section, Any, Answer]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    cut: list[CutError] = field(default_factory=list)


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
    frame = _frame_tokens(document, companies)
    shown = _sections(document.shown_text, config, num_ctx, EXTRACTOR_PROMPT, frame)
    asked = [(section, _companies_of(document, section, companies)) for section in shown]
    asked = [(section, named) for section, named in asked if named]
    prompts = [
        (
            section,
            extraction_prompt(
                document.shown_title, document.published_at, section.text, named, system=config.system_prompt
            ),
        )
        for section, named in asked
    ]
    got = _ask_all(document, prompts, config, ask, read_document_answer, fresh=fresh)
    if not got.read:
        return Reading(
            document_id=document.document_id,
            verdict=Verdict("extraction_failed" if got.errors else "no_impact", ()),
            summary="",
            sentiment=0.0,
            catalyst=Catalyst.OTHER,
            confidence=0.0,
            config=config,
            answers=tuple(got.answers),
            errors=tuple(got.errors),
            cut=tuple(got.cut),
        )
    claims = [Claim(record, section.start, section.end) for section, parsed, _ in got.read for record in parsed.impacts]
    merged = merge_answers([parsed for _, parsed, _ in got.read])
    text = document.quotable_text
    verdict = judge(claims, text, companies.keys())
    summary, invented = _borne_out(merged.summary.strip(), document)
    return Reading(
        document_id=document.document_id,
        verdict=verdict,
        summary=summary,
        sentiment=merged.sentiment,
        catalyst=merged.catalyst,
        confidence=merged.confidence,
        config=config,
        answers=tuple(got.answers),
        errors=tuple(got.errors),
        refused=(*(refused_claims(claims, text, companies.keys()) if verdict.dropped else ()), *invented),
        cut=tuple(got.cut),
    )


def classify_document(
    document: ReadableDocument, config: AgentConfig, ask: Ask, num_ctx: int, *, fresh: bool = False
) -> EventReading:
    """Classify the event that a macro document reports; of a long document's sections the most confident speaks.

    An answer whose quote is not in the text does not hold. Transient errors of the asker pass through.
    """
    shown = _sections(document.shown_text, config, num_ctx, CLASSIFIER_PROMPT, _frame_tokens(document, {}))
    prompts = [
        (
            section,
            classification_prompt(
                document.shown_title, document.published_at, section.text, system=config.system_prompt
            ),
        )
        for section in shown
    ]
    got = _ask_all(document, prompts, config, ask, read_event_answer, fresh=fresh)
    held: list[tuple[EventAnswer, Span, Answer]] = []
    refused: list[Refusal] = []
    for section, event, answer in got.read:
        text = document.quotable_text
        span = locate(event.quote, text, section.start, section.end) or locate(event.quote, text)
        if span is None and event.is_macro_event:
            got.errors.append(
                f"the quote of {config.model} is not in document {document.document_id}: {event.quote[:120]!r}"
            )
            refused.append(Refusal(UNSUPPORTED_QUOTE, event.model_dump(mode="json")))
        else:
            held.append((event, span or NO_SPAN, answer))
    best = max(held, key=lambda entry: (entry[0].is_macro_event, entry[0].confidence), default=(None, None, None))
    event = best[0]
    if event is not None:
        summary, invented = _borne_out(event.summary.strip(), document)
        event = event.model_copy(update={"summary": summary})
        refused.extend(invented)
    return EventReading(
        document_id=document.document_id,
        event=event,
        span=best[1],
        config=config,
        answer=best[2],
        answers=tuple(got.answers),
        errors=tuple(got.errors),
        refused=tuple(refused),
        cut=tuple(got.cut),
    )


def _borne_out(summary: str, document: ReadableDocument) -> tuple[str, tuple[Refusal, ...]]:
    """The summary, or nothing and why where it has a number that the document has not, or speaks to the next model."""
    invented = invented_numbers(summary, f"{document.shown_title}\n{document.shown_text}")
    if is_order(summary):
        return "", (Refusal(ORDER_IN_SUMMARY, {"summary": summary}),)
    if not invented:
        return summary, ()
    return "", (Refusal(INVENTED_NUMBER, {"summary": summary, "numbers": list(invented)}),)


def tokens_of(document: ReadableDocument, config: AgentConfig, num_ctx: int) -> int:
    """About how many tokens reading a document takes as input: what is promised to a variant with a budget."""
    text = estimate_tokens(document.text)
    if config.input_token_limit:
        text = min(text, config.input_token_limit)
    sections = 1 + text // max(1, num_ctx // 2)
    return text + sections * (estimate_tokens(config.system_prompt or EXTRACTOR_PROMPT) + FRAME_TOKENS)


def _frame_tokens(document: ReadableDocument, companies: Mapping[str, AskedCompany]) -> int:
    """What stands around a section's text: fences, title, and the names of as many companies as one prompt may list."""
    named = {ticker for _, ticker in document.mentions} | {document.own_ticker}
    sizes = sorted(
        (estimate_tokens(f"{c.ticker}{c.names[:MOST_NAMES]}") + 10 for t, c in companies.items() if t in named),
        reverse=True,
    )
    return FRAME_TOKENS + estimate_tokens(document.title) + sum(sizes[:MOST_COMPANIES])


def _sections(
    text: str, config: AgentConfig, num_ctx: int, default_prompt: str, frame_tokens: int
) -> Sequence[Section]:
    """The document's sections under the input limit; with an agent's own limit, only the first."""
    options = config.call_options(num_ctx)
    overhead = estimate_tokens(config.system_prompt or default_prompt) + frame_tokens
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
) -> _Asked:
    """What came of asking about each section in turn."""
    got = _Asked()
    for section, prompt in prompts:
        try:
            answer = ask(config, prompt, document.sha256, fresh=fresh)
            got.answers.append(answer)
            got.read.append((section, read(answer.text), answer))
        except (CutError, RequestRefusedError, InvalidAnswerError) as error:
            got.errors.append(
                f"characters {section.start} to {section.end} of document {document.document_id}: {error}"
            )
            if isinstance(error, CutError):
                got.cut.append(error)
    return got


def _performance(reading: Reading | EventReading, ok: bool, kept: int, dropped: int) -> Performance:
    paid = [answer for answer in reading.answers if not answer.recorded]
    return Performance(
        config=reading.config,
        document_id=reading.document_id,
        ok=ok,
        recorded=bool(reading.answers) and not paid and not reading.cut,
        latency_ms=sum(answer.duration_ms for answer in paid),
        prompt_tokens=sum(a.prompt_tokens for a in paid) + sum(c.prompt_tokens for c in reading.cut),
        output_tokens=sum(a.output_tokens for a in paid) + sum(c.output_tokens for c in reading.cut),
        kept=kept,
        dropped=dropped,
        error="; ".join(reading.errors)[:1000],
    )
