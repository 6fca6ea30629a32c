"""From raw text to sentences and tokens with exact offsets. Nothing here knows finance."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from stonks_sandbox.ollama.rules.data.context import ABBREVIATIONS, SENTENCE_STARTERS

Kind = Literal["prose", "row", "title"]

_TOKEN = re.compile(
    r"[€£$₹]?\d+(?:[,.]\d+)*%?"
    r"|[A-Za-z\u00c0-\u024f]+(?:\.[A-Za-z])+\.?"
    r"|[A-Za-z\u00c0-\u024f]+(?:['’](?!s\b)[a-z]+)?"
    r"|['’]s\b"
    r"|[^\sA-Za-z\d\u00c0-\u024f]"
)
_ENDING = re.compile(r"[.!?][\"”’')\]]*(?=\s)")
_LAST_WORD = re.compile(r"([A-Za-z.&]+)\.$")
_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)")
_BULLET = re.compile(r"^[ \t]*[•◦▪●■\-*–·‣]+[ \t]*(?=\S)")
_CLOSERS = '.!?:;”"'
_WRAPPED_LINE = 55  # a line shorter than this that does not end a sentence is a heading or an item, not a wrap


@dataclass(frozen=True)
class Span:
    """A piece of the text: [start, end) are offsets of characters, so that text[start:end] is verbatim."""

    start: int
    end: int
    kind: Kind = "prose"


@dataclass(frozen=True)
class Sentence:
    """A sentence, heading or table row with its tokens in lower case; `lows[i]` stood at starts[i]:ends[i]."""

    span: Span
    index: int
    lows: tuple[str, ...]
    raws: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @cached_property
    def shouting(self) -> bool:
        """Whether it is written in capitals throughout, so that capitals mark no names."""
        letters = [raw for raw in self.raws if raw.isalpha() and len(raw) > 3]
        return len(letters) >= 3 and all(raw.isupper() for raw in letters)


def lines_of(text: str) -> list[Span]:
    """The non-empty lines, without the blanks around them; rows are lines with tab- or bar-separated cells."""
    found: list[Span] = []
    position = 0
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        if stripped:
            start = position + line.index(stripped)
            kind: Kind = "row" if " | " in stripped or "\t" in stripped else "prose"
            found.append(Span(start, start + len(stripped), kind))
        position += len(line)
    return found


def paragraphs_of(text: str, lines: list[Span]) -> list[Span]:
    """Lines joined where one plainly runs on into the next: a long line without an end, followed at once."""
    wrapped = _is_hard_wrapped(text, lines)
    joined: list[Span] = []
    for line in lines:
        last = joined[-1] if joined else None
        if last is not None and last.kind == line.kind == "prose" and _runs_on(text, last, line, wrapped=wrapped):
            joined[-1] = Span(last.start, line.end)
        else:
            joined.append(line)
    return joined


def _is_hard_wrapped(text: str, lines: list[Span]) -> bool:
    """Whether most long lines stop in the middle of a sentence, as in text set to a fixed width."""
    long = [line for line in lines if line.kind == "prose" and line.end - line.start >= _WRAPPED_LINE]
    open_ended = sum(1 for line in long if text[line.end - 1] not in _CLOSERS)
    return len(long) >= 4 and open_ended > 0.5 * len(long)


def _runs_on(text: str, last: Span, line: Span, *, wrapped: bool) -> bool:
    between = text[last.end : line.start]
    if between.count("\n") != 1 or text[last.end - 1] in '.!?:;”"':
        return False
    tail = text.rfind("\n", last.start, last.end)
    width = last.end - max(last.start, tail + 1)
    first = text[line.start]
    return (first.islower() or (wrapped and width >= _WRAPPED_LINE)) and not _BULLET.match(
        text[line.start : line.start + 4]
    )


def split_sentences(text: str, paragraph: Span) -> Iterator[Span]:
    """The sentences of a paragraph, bullets stripped; a row is one span and never split."""
    bullet = _BULLET.match(text[paragraph.start : paragraph.end])
    start = paragraph.start + (bullet.end() if bullet and paragraph.kind == "prose" else 0)
    if paragraph.kind == "row":
        yield Span(start, paragraph.end, "row")
        return
    for match in _ENDING.finditer(text, start, paragraph.end):
        if _is_end(text, start, match, paragraph.end):
            yield Span(start, match.end())
            start = match.end()
            while start < paragraph.end and text[start].isspace():
                start += 1
    if start < paragraph.end:
        yield Span(start, paragraph.end)


def _is_end(text: str, start: int, match: re.Match[str], limit: int) -> bool:
    """Whether a full stop ends a sentence: not after an abbreviation or initial, not before a small letter."""
    if text[match.start()] in "!?":
        return True
    following = text[match.end() : min(limit, match.end() + 3)].lstrip()
    if following and following[0].islower():
        return False
    word = _LAST_WORD.search(text, max(start, match.start() - 12), match.start() + 1)
    if word is None or not _keeps_open(word.group(1)):
        return True
    if word.group(1).lower() not in ABBREVIATIONS.before_names:
        return False
    next_word = _FIRST_WORD.match(text, match.end(), limit)
    return next_word is not None and next_word.group(1) in SENTENCE_STARTERS


def _keeps_open(word: str) -> bool:
    """Whether a word before a full stop is an abbreviation or initials, so that the stop need not be an end."""
    initials = word.isupper() and all(len(part) == 1 for part in word.split("."))
    return initials or word.lower() in ABBREVIATIONS.always or word.lower() in ABBREVIATIONS.before_names


def tokenize(text: str, span: Span, index: int = 0) -> Sentence:
    """The sentence at a span, cut into words, numbers and marks. Hyphens separate words; `'s` is its own token."""
    lows: list[str] = []
    raws: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _TOKEN.finditer(text, span.start, span.end):
        raw = match.group()
        if raw == "-" and lows and match.start() == ends[-1]:
            continue
        raws.append(raw)
        lows.append(raw.lower().replace("’", "'"))
        starts.append(match.start())
        ends.append(match.end())
    return Sentence(span, index, tuple(lows), tuple(raws), tuple(starts), tuple(ends))


def words_of(name: str) -> tuple[str, ...]:
    """A name as the tokenizer would see it, for matching names against sentences."""
    return tokenize(name, Span(0, len(name))).lows
