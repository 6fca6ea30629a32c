"""A document read once: its usable sentences, who is named where, and what kind of document it is."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from stonks_sandbox.ollama.prompt import Company, Document
from stonks_sandbox.ollama.rules.companies import CompanyIndex, Mention, main_company
from stonks_sandbox.ollama.rules.data.filing_items import FORMALITIES, PEOPLE
from stonks_sandbox.ollama.rules.noise import addresses_model, without_boilerplate, without_hostile
from stonks_sandbox.ollama.rules.text import (
    Sentence,
    Span,
    lines_of,
    paragraphs_of,
    split_sentences,
    tokenize,
)

_ISSUER = re.compile(
    r"\((?:the )?[“\"](?:Company|Registrant)[”\"]|\bthe Company or\b|today (?:announced|reported)|"
    r"FOR IMMEDIATE RELEASE|FORM 8-K|\bor the Company\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:we|our|us)\b", re.IGNORECASE)
_RESULTS = re.compile(
    r"item\s*2\.02|(?:reports?|announces?|reported|announced|posts?|posted)\b.{0,80}\b(?:results|earnings)\b",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^item\s*(\d\.\d\d)", re.IGNORECASE | re.MULTILINE)
_FORM_TITLE = re.compile(
    r"(\b(?:8|10|6)-[KQ](?:/A)?):.*", re.DOTALL
)  # behind the form the items' official names, no news
_QUOTED = re.compile(r"(?:^|\s)[“\"](?=\w)[^”\"]{30,}")  # a quotation mark that opens, and what is said
HEADLINE = 400  # characters up to which a document is a headline with at most a line below it
MAX_SENTENCES = 1500  # what stands later weighs next to nothing


@dataclass(frozen=True)
class Said:
    """A sentence with the companies it names; `spoken` marks praise out of an executive's mouth."""

    sentence: Sentence
    mentions: tuple[Mention, ...]
    spoken: bool = False


@dataclass(frozen=True)
class Reading:
    """All that later steps need: the title (None: absent or hostile), the sentences of the text, and its kind.

    `formal` and `people` are the stretches [start, end) of the text below a filing's items that are formalities, or of
    people.
    """

    text: str
    title: Said | None
    title_text: str
    body: tuple[Said, ...]
    lines: tuple[tuple[Span, str], ...]
    subject: str | None
    issuer: bool
    results: bool
    items: tuple[str, ...]
    formal: tuple[tuple[int, int], ...] = ()
    people: tuple[tuple[int, int], ...] = ()


def read_document(document: Document, companies: Sequence[Company]) -> Reading:
    """Split, clean and search a document. Pure; the offsets of every sentence are those of `document.text`."""
    text = document.text
    index = CompanyIndex(companies)
    raw = without_hostile(text, paragraphs_of(text, lines_of(text)))
    kept = without_boilerplate(text, raw)
    head = text[:12_000]
    issuer = _ISSUER.search(head) is not None and (
        "8-K" in head[:2500] or len(_FIRST_PERSON.findall(head)) >= 3 or "today" in head
    )
    title_text = "" if addresses_model(document.title) else _FORM_TITLE.sub(r"\1", document.title)
    loose = _unnamed(title_text, text, index) if len(text) + len(title_text) <= HEADLINE else frozenset()
    body = _sentences(text, kept, index, issuer, loose)
    title = _title(title_text, index, loose)
    title_text = title_text if title is not None else ""
    named = [said.mentions for said in body] or [()]
    cover = [tuple(index.find(tokenize(text, span))) for span in raw[:60]] if issuer else []
    subject = main_company(title.mentions if title else (), [*cover, *named], sorted(index.tickers))
    results = _RESULTS.search(title_text) is not None or _results_in(text, kept)
    items = tuple(dict.fromkeys(_ITEM.findall("\n".join(text[s.start : s.end] for s in raw))))
    lines = tuple((span, text[span.start : span.end]) for span in kept)
    formal, people = _below(text, raw, FORMALITIES), _below(text, raw, PEOPLE)
    return Reading(text, title, title_text, body, lines, subject, issuer, results, items, formal, people)


def _below(text: str, spans: Sequence[Span], items: Collection[str]) -> tuple[tuple[int, int], ...]:
    """The stretches from the headings of some items to the next item's heading."""
    headings = [(span.start, found.group(1)) for span in spans if (found := _ITEM.match(text[span.start : span.end]))]
    ends = [*(start for start, _ in headings), len(text)][1:]
    return tuple((start, end) for (start, item), end in zip(headings, ends, strict=True) if item in items)


def _unnamed(title: str, text: str, index: CompanyIndex) -> frozenset[str]:
    """The companies that a headline does not name in the full: they were asked about, so it may name them loosely."""
    pieces = (tokenize(piece, Span(0, len(piece))) for piece in (title, text))
    named = {mention.ticker for piece in pieces for mention in index.find(piece)}
    return frozenset(index.tickers - named)


def _title(title: str, index: CompanyIndex, loose: frozenset[str]) -> Said | None:
    if not title:
        return None
    sentence = tokenize(title, Span(0, len(title), "title"))
    if not sentence.lows:
        return None
    return Said(sentence, tuple(index.find(sentence, loose)))


def _sentences(
    text: str, spans: Sequence[Span], index: CompanyIndex, issuer: bool, loose: frozenset[str]
) -> tuple[Said, ...]:
    found: list[Said] = []
    for paragraph in spans:
        spoken = issuer and paragraph.kind == "prose" and _is_speech(text[paragraph.start : paragraph.end])
        for span in split_sentences(text, paragraph):
            sentence = tokenize(text, span, len(found))
            if not sentence.lows:
                continue
            found.append(Said(sentence, tuple(index.find(sentence, loose)), spoken))
            if len(found) >= MAX_SENTENCES:
                return tuple(found)
    return tuple(found)


def _is_speech(paragraph: str) -> bool:
    return paragraph[:1] in {"“", '"'} or _QUOTED.search(paragraph) is not None


def _results_in(text: str, spans: Sequence[Span]) -> bool:
    """Whether the document's first usable lines report results."""
    return any(_RESULTS.search(text[span.start : span.end]) for span in spans[:25])
