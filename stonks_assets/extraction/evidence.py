"""The evidence contract: an impact record stands only on a verbatim quote and a company that exists. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from stonks_assets.extraction.schemas import ImpactAnswer, read_impact
from stonks_core.vocabulary import Catalyst, Horizon

LEAST_QUOTE = 8  # characters that are not blank; a shorter quote is found anywhere and proves nothing


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of a text, and that slice."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Impact:
    """An impact record that holds, with the verbatim span of the document that supports it."""

    ticker: str
    sentiment: float
    impact: float
    catalyst: Catalyst
    horizon: Horizon
    confidence: float
    span: Span


@dataclass(frozen=True)
class Claim:
    """A record as a model gave it, and the characters of the document that the model was shown."""

    record: dict[str, Any]
    start: int
    end: int


@dataclass(frozen=True)
class Verdict:
    """What became of a document's records. `status` is `no_impact` where the model claimed nothing at all."""

    status: Literal["extracted", "no_impact", "extraction_failed"]
    kept: tuple[Impact, ...]
    hallucinated_ticker: int = 0
    unsupported_quote: int = 0
    invalid_record: int = 0
    merged: int = 0

    @property
    def dropped(self) -> int:
        """Records that broke the contract."""
        return self.hallucinated_ticker + self.unsupported_quote + self.invalid_record


def locate(quote: str, text: str, start: int = 0, end: int | None = None) -> Span | None:
    """Where a quote occurs in text[start:end], runs of white space counting as equal; None where it does not.

    The span's `quote` is the text's own characters. An occurrence between word boundaries is preferred to one
    inside words.
    """
    parts = quote.split()
    if sum(map(len, parts)) < LEAST_QUOTE:
        return None
    pattern = r"\s+".join(re.escape(part) for part in parts)
    limit = len(text) if end is None else end
    found = re.compile(rf"(?<!\w){pattern}(?!\w)").search(text, start, limit)
    found = found or re.compile(pattern).search(text, start, limit)
    return Span(found.start(), found.end(), found.group()) if found else None


def judge(claims: Sequence[Claim], text: str, companies: Collection[str]) -> Verdict:
    """Hold a model's records against the document's text and the known companies' tickers.

    A record that breaks the schema, names an unknown company, or quotes what was not in the characters it was shown
    (nor elsewhere in the document) is dropped and counted, in this order. Of several records about one company the
    strongest, |sentiment| * impact * confidence, is kept. Documents with records of which none holds have failed.
    """
    counts = {"hallucinated_ticker": 0, "unsupported_quote": 0, "invalid_record": 0}
    held: list[Impact] = []
    for claim in claims:
        outcome = _hold(claim, text, companies)
        if isinstance(outcome, Impact):
            held.append(outcome)
        else:
            counts[outcome] += 1
    kept = _strongest(held)
    status: Literal["extracted", "no_impact", "extraction_failed"] = (
        "extracted" if kept else "extraction_failed" if claims else "no_impact"
    )
    return Verdict(status, kept, merged=len(held) - len(kept), **counts)


def _hold(claim: Claim, text: str, companies: Collection[str]) -> Impact | str:
    answer = read_impact(claim.record)
    if answer is None:
        return "invalid_record"
    if answer.ticker not in companies:
        return "hallucinated_ticker"
    span = locate(answer.quote, text, claim.start, claim.end) or locate(answer.quote, text)
    if span is None:
        return "unsupported_quote"
    return _impact(answer, span)


def _impact(answer: ImpactAnswer, span: Span) -> Impact:
    return Impact(
        answer.ticker,
        answer.sentiment,
        answer.impact,
        answer.catalyst,
        answer.horizon,
        answer.confidence,
        span,
    )


def _strongest(held: Sequence[Impact]) -> tuple[Impact, ...]:
    best: dict[str, Impact] = {}
    for record in held:
        rival = best.get(record.ticker)
        if rival is None or _strength(record) > _strength(rival):
            best[record.ticker] = record
    return tuple(best[ticker] for ticker in sorted(best))


def _strength(record: Impact) -> tuple[float, float, int]:
    product = abs(record.sentiment) * record.impact * record.confidence
    return product, record.impact * record.confidence, -record.span.start
