"""Long documents: split into sections that fit the model's window, and their answers merged again. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stonks_assets.extraction.schemas import LONGEST_SUMMARY, DocumentAnswer

_BREAKS = ("\n\n", "\n", ". ", " ")
LEAST_FILL = 0.5  # of a section's room; a break before that is worse than the next finer one


@dataclass(frozen=True)
class Section:
    """Characters [start, end) of the document; `text` is that slice, so that offsets add up."""

    start: int
    end: int
    text: str


def split_sections(text: str, limit: int, measure: Callable[[str], int]) -> tuple[Section, ...]:
    """Consecutive sections that cover the text, each measuring at most `limit`.

    Breaks stand between paragraphs where one lies in the second half of the room, else between lines, sentences,
    words; a word longer than the room is cut. Raises ValueError for a limit below 16.
    """
    if limit < 16:
        raise ValueError(f"a section of {limit} tokens holds no sentence: raise the context window or the input limit")
    sections = []
    start = 0
    while start < len(text):
        end = start + _room(text[start:], limit, measure)
        if end < len(text):
            end = start + _break(text[start:end])
        sections.append(Section(start, end, text[start:end]))
        start = end
    return tuple(sections)


def _room(text: str, limit: int, measure: Callable[[str], int]) -> int:
    """The longest prefix that measures at most `limit` (by bisection; a measure grows with its text)."""
    if len(text) <= limit * 8 and measure(text) <= limit:
        return len(text)
    low, high = 1, min(len(text), limit * 8)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def _break(text: str) -> int:
    for mark in _BREAKS:
        found = text.rfind(mark, int(len(text) * LEAST_FILL))
        if found >= 0:
            return found + len(mark)
    return len(text)


def merge_answers(answers: Sequence[DocumentAnswer]) -> DocumentAnswer:
    """One answer from the answers to a document's sections, in order; ValueError when there is none.

    Sentiment is the mean weighted by confidence and number of records, catalyst that of the most confident section
    with records, confidence the largest, summary the summaries in order up to its length. Impact records are put
    together as they are; evidence checks and merges them.
    """
    if not answers:
        raise ValueError("no section of the document was answered: there is nothing to merge")
    if len(answers) == 1:
        return answers[0]
    weights = [answer.confidence * (1 + len(answer.impacts)) for answer in answers]
    total = sum(weights)
    sentiment = sum(w * a.sentiment for w, a in zip(weights, answers, strict=True)) / total if total else 0.0
    counted = [a.sentiment for w, a in zip(weights, answers, strict=True) if w] or [0.0]
    best = max(answers, key=lambda answer: (bool(answer.impacts), answer.confidence))
    summary = " ".join(dict.fromkeys(answer.summary.strip() for answer in answers if answer.summary.strip()))
    return DocumentAnswer.model_construct(
        summary=summary[:LONGEST_SUMMARY],
        sentiment=min(max(counted), max(min(counted), sentiment)),  # weights next to nothing round far off
        catalyst=best.catalyst,
        confidence=max(answer.confidence for answer in answers),
        impacts=[record for answer in answers for record in answer.impacts],
    )
