"""`stonks extract`: what the model makes of documents, through the product's own prompts and evidence, without a store."""

import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from stonks_assets.extraction.agents import AgentConfig
from stonks_assets.extraction.asking import Answer, answer_key
from stonks_assets.extraction.client import OllamaClient, connect
from stonks_assets.extraction.evidence import Impact
from stonks_assets.extraction.prompts import EVENT_CLASSIFIER, AskedCompany, Prompt
from stonks_assets.extraction.reading import EventReading, ReadableDocument, Reading, classify_document, read_document
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_cli.asked import Question, Unasked, questions_of
from stonks_cli.reader import Reader
from stonks_cli.rules_server import model_address
from stonks_core.errors import StonksError
from stonks_core.identifiers import sha256_text
from stonks_core.settings import Settings

LONGEST_TICKER = 12  # of the answer's schema
LEAST_PARALLEL = 4  # requests in flight to the rules, so that neither side waits for the other
WINDOW = 32  # questions per request in flight that are begun before the first of them is printed


@dataclass
class Extractor:
    """Asks one model about one document at a time, with nothing recorded. Safe to share between threads."""

    client: OllamaClient
    reader: Reader
    num_ctx: int
    now: datetime
    _digest: str = field(default="")

    def __post_init__(self) -> None:
        self._digest = self.client.digest(self.reader.config.model)

    def ask(self, config: AgentConfig, prompt: Prompt, content_sha256: str, *, fresh: bool = False) -> Answer:
        """The model's answer now."""
        del fresh  # every answer is
        options = config.call_options(self.num_ctx)
        reply = self.client.chat(config.model, self._digest, prompt, options)
        return Answer(
            key=answer_key(content_sha256, self._digest, prompt, options),
            model=config.model,
            model_digest=self._digest,
            text=reply.content,
            prompt_tokens=reply.prompt_tokens,
            output_tokens=reply.output_tokens,
            duration_ms=reply.duration_ms,
            recorded=False,
        )

    def intelligence(self, question: Question) -> dict[str, Any]:
        """What the agent makes of a document: one record for each company asked about, or the event."""
        stand_ins = _stand_ins(question.companies)
        found = _mentions(question, stand_ins)
        document = ReadableDocument(
            document_id=str(question.key),
            title=question.title,
            text=question.text,
            sha256=sha256_text(question.text),
            published_at=question.published_at or self.now,
            mentions=(*found, *((0, ticker) for ticker in stand_ins)),
        )
        config = self.reader.config
        if self.reader.role == EVENT_CLASSIFIER:
            return _event(classify_document(document, config, self.ask, self.num_ctx))
        reading = read_document(document, stand_ins, config, self.ask, self.num_ctx)
        if reading.verdict.status == "extraction_failed" and reading.errors:
            raise StonksError("; ".join(reading.errors))
        return _impacts(reading, question, stand_ins, {ticker for _, ticker in found})


def _stand_ins(companies: Sequence[AskedCompany]) -> dict[str, AskedCompany]:
    """The companies by the ticker that the model is asked with: their own, or a short one where theirs fits no answer."""
    taken = {company.ticker for company in companies}
    found: dict[str, AskedCompany] = {}
    for number, company in enumerate(companies, 1):
        ticker, names = company.ticker, company.names
        if len(ticker) > LONGEST_TICKER or ticker != ticker.strip().lstrip("$") or not ticker.isprintable():
            names = names or (ticker,)
            ticker = next(name for name in (f"C{number}{'X' * n}" for n in range(len(taken) + 1)) if name not in taken)
        found[ticker] = AskedCompany(ticker, names)
    return found


def _mentions(question: Question, stand_ins: dict[str, AskedCompany]) -> list[tuple[int, str]]:
    named = [CompanyNames(c.ticker, next(iter(c.names), ""), c.names[1:]) for c in stand_ins.values()]
    return [(mention.start, mention.ticker) for mention in CompanyMatcher(named).find(question.text)]


def _impacts(
    reading: Reading, question: Question, stand_ins: dict[str, AskedCompany], found: set[str]
) -> dict[str, Any]:
    """The document's figures and a record for each company, in the order of the question."""
    kept = {impact.ticker: impact for impact in reading.verdict.kept}
    records = [
        {
            "ticker": company.ticker,
            "name": next(iter(company.names), ""),
            "mentioned": ticker in found or ticker in kept,
            **_record(kept.get(ticker)),
        }
        for (ticker, _), company in zip(stand_ins.items(), question.companies, strict=True)
    ]
    return {
        "summary": reading.summary,
        "sentiment": reading.sentiment,
        "catalyst": reading.catalyst.value,
        "confidence": reading.confidence,
        "companies": records,
        "refused": reading.verdict.dropped,
        "agent": reading.config.name,
        "model": reading.config.model,
    }


def _record(impact: Impact | None) -> dict[str, Any]:
    """A company's record; zeros and no quote where nothing that holds was said of it."""
    if impact is None:
        empty = {"sentiment": 0.0, "impact": 0.0, "catalyst": "other", "horizon": None, "confidence": 0.0}
        return {**empty, "quote": "", "start": None, "end": None}
    return {
        "sentiment": impact.sentiment,
        "impact": impact.impact,
        "catalyst": impact.catalyst.value,
        "horizon": impact.horizon,
        "confidence": impact.confidence,
        "quote": impact.span.quote,
        "start": impact.span.start,
        "end": impact.span.end,
    }


def _event(reading: EventReading) -> dict[str, Any]:
    if reading.event is None or reading.span is None:
        raise StonksError("; ".join(reading.errors) or "no answer of the model held")
    span = {"quote": reading.span.quote, "start": reading.span.start, "end": reading.span.end}
    asked = {"agent": reading.config.name, "model": reading.config.model}
    return {**reading.event.model_dump(mode="json"), **span, **asked}


def extract(
    settings: Settings, files: Iterable[str], reader: Reader, companies: Sequence[CompanyNames], now: datetime
) -> Iterator[dict[str, Any]]:
    """One result for each line or file, in order; `error` says why there is none, and the others go on.

    StonksError where the model cannot be asked at all.
    """
    yield from answers(settings, (found for name in files for found in questions_of(name, companies, now)), reader, now)


def answers(
    settings: Settings, questions: Iterable[Question | Unasked], reader: Reader, now: datetime
) -> Iterator[dict[str, Any]]:
    """The results of questions, in their order; StonksError where the model cannot be asked at all."""
    with model_address(settings) as address, connect(address, settings.ollama) as client:
        extractor = Extractor(client, reader, settings.ollama.num_ctx, now)
        parallel = settings.ollama.parallel
        parallel = max(LEAST_PARALLEL, parallel) if settings.sandboxed["llm"] else parallel
        yield from _in_order(extractor, questions, parallel)


def _in_order(extractor: Extractor, questions: Iterable[Question | Unasked], parallel: int) -> Iterator[dict[str, Any]]:
    """Results in the order of their questions, a bounded number of them ahead of the one to be printed."""
    waiting: deque[Future[dict[str, Any]] | dict[str, Any]] = deque()
    with ThreadPoolExecutor(parallel, thread_name_prefix="extract") as pool:
        try:
            for question in questions:
                if isinstance(question, Unasked):
                    waiting.append({"id": question.key, "error": question.error})
                else:
                    waiting.append(pool.submit(_answered, extractor, question))
                if len(waiting) >= parallel * WINDOW:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _result(entry: Future[dict[str, Any]] | dict[str, Any]) -> dict[str, Any]:
    return entry.result() if isinstance(entry, Future) else entry


def _answered(extractor: Extractor, question: Question) -> dict[str, Any]:
    try:
        return {"id": question.key, **extractor.intelligence(question)}
    except StonksError as error:
        return {"id": question.key, "error": str(error)}


def print_results(results: Iterable[dict[str, Any]], *, lines: bool) -> bool:
    """Print results as JSON, each on a line of its own or readable; whether all of them are answers."""
    well = True
    for result in results:
        well &= "error" not in result
        told = json.dumps(result, ensure_ascii=False, indent=None if lines else 2, allow_nan=False)
        sys.stdout.write(told.encode("utf-8", "replace").decode() + "\n")
    sys.stdout.flush()
    return well


def lines_wanted(files: Sequence[str], *, jsonl: bool) -> bool:
    """Whether one line of JSON is printed for each result: on demand, and always where lines came in."""
    return jsonl or any(name == "-" or Path(name).suffix.lower() in {".jsonl", ".ndjson"} for name in files)
