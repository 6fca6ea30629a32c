"""Passages of a document that speak to a model instead of a reader: found, and taken out of what a model is shown. Pure.

A second wall beside the fence and the evidence contract. No order is news, so a passage too many costs a sentence; a
model that obeys one too few may still name no other company and quote nothing that the document does not say.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from stonks_assets.parsing.text import strip_invisible
from stonks_core.vocabulary import Catalyst

_COVER = "\N{FULL BLOCK}"  # stands in no word, and no white space of a quote can match it
_MODELS = (
    r"(?:language models?|llms?|ai(?: (?:models?|assistants?|systems?|readers?|agents?))?|chatbots?|chatgpt|gpt"
    r"|assistants?|extractors?|classifiers?|models?)"
)
_ACTS = (
    r"(?:report|rate|treat|output|answer|respond|reply|quote|classify|set|ignore|return|mark|assign|extract|score|label"
    r"|praise|say|write)"
)
_START = r"(?:^|[.!?;:>\])\"]\s*|please,?\s+|always\s+|never\s+|then\s+)"
_FIELDS = r"(?:sentiment|confidence|impact|catalyst|horizon|severity|direction)"
_CATALYSTS = "|".join(sorted(name.value for name in Catalyst if "_" in name.value))
# Each pattern with words of which a text must hold one for it to be worth looking for.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "ignore disregard forget override bypass skip",
        (
            r"\b(?:ignore|disregard|forget|override|bypass|skip)\b[^.\n]{0,30}"
            r"\b(?:previous|prior|above|earlier|preceding|before|system|your|these|all|any)\b[^.\n]{0,30}"
            r"\b(?:instructions?|prompts?|rules|guidelines?|directions|messages?|context|text|training|line|said)\b"
            r"|\b(?:ignore|disregard|forget) (?:the above|everything|all of the above|what (?:you|was))"
            r"|\boverride (?:your|the|all)\b"
        ),
    ),
    (
        "system assistant developer instruction im_ inst sys human user prompt",
        (
            r"^\W{0,6}(?:system|assistant|developer|instructions?|im_start|inst|sys|human|user)\b[^\n]{0,20}?(?:[:>\]|])"
            r"|<\|?/?(?:im_start|im_end|system|assistant|user|endoftext|instructions?|prompt)\b[^>\n]{0,20}>"
            r"|\[/?inst\]|<</?sys>>"
        ),
    ),
    (
        "you",
        (
            r"\byou (?:are|will be|must be|act as)\b[^.\n]{0,40}\b(?:assistant|analyst|model|ai|bot|llm|agent|chatbot|trader)\b"
            rf"|\byou (?:must|should|shall|have to|will)(?: now| always| only| please| then| also)* {_ACTS}\b"
            r"|\b(?:from now on|henceforth),? you\b"
            r"|\byour (?:new |real |only |next )?(?:task|role|job|instructions?|goal|objective|orders) (?:is|are)\b"
        ),
    ),
    (
        "pretend play language llm an ai",
        (
            r"\bas an? (?:ai|large language model|language model|llm)\b|\bpretend (?:to be|you|that you)\b"
            r"|\brole[- ]?play\b[^.\n]{0,30}\bas\b"
        ),
    ),
    (
        "model llm ai chatbot gpt assistant extractor classifier",
        (
            rf"\b{_MODELS}\b[^.\n]{{0,40}}\b(?:must|should|shall|please|has to|have to)\b[^.\n]{{0,20}}\b{_ACTS}\b"
            r"|\b(?:attention|dear|note (?:to|for)|message (?:to|for)|notice to|hey|hello|instructions? (?:to|for)|addressed to)\b"
            rf"[^.\n]{{0,20}}\b{_MODELS}\b|\b{_MODELS} (?:that (?:is|are) )?reading this\b"
        ),
    ),
    (
        "json object schema positive negative",
        (
            r"\b(?:respond|reply|answer|output|return|print|emit)\b[^.\n]{0,30}"
            r"\b(?:only|with|in|exactly|this|following|valid)\b[^.\n]{0,30}\b(?:json|object|positive|negative|schema)"
        ),
    ),
    ("do not", r"\bdo not (?:mention|extract|report|include|quote|output|follow|classify|reveal)\b"),
    (
        "correct right required expected valid true proper desired",
        (
            r"\bthe (?:correct|right|required|expected|only valid|true|proper|desired) (?:\w+ )?"
            rf"(?:answer|output|classification|label|response|json|record|{_FIELDS}) (?:is|for|of|must|should)\b"
        ),
    ),
    (
        "sentiment confidence impact catalyst horizon severity direction",
        (
            rf"\b(?:set|assign|give|mark|score|report|use|put|make)\b[^.\n]{{0,60}}\b{_FIELDS}\b[^.\n]{{0,25}}[-+]?\d"
            rf"|\"?\b{_FIELDS}\"?\s*[:=]\s*[-+]?(?:[01](?:\.\d+)?|\.\d+)\b"
        ),
    ),
    (
        "rate mark classif label treat score report flag tag",
        (  # "Rate cuts are", "Mark Z. is to" and "Report: A to buy B" are news: only a verdict makes an order
            rf"{_START}(?:rate|mark|classify|label|treat|score|report|flag|tag)\b[^.,\n]{{0,60}}\b(?:as|for|is|highly)\b"
            r"[^.,\n]{0,30}(?:\b(?:positive|negative|neutral|bullish|bearish|maximum|minimum)\b|[-+]?\b[01]\.\d)"
        ),
    ),
    (
        "quote cite repeat copy say write output print return",
        rf"{_START}(?:quote|cite|repeat|copy|say|write|output|print|return)\b[^.\n]{{0,40}}[\"“‘'{{]",
    ),
    (
        "ticker impacts sentiment catalyst horizon confidence is_macro thesis severity",
        r"\"(?:ticker|impacts|summary|quote|sentiment|catalyst|horizon|confidence|is_macro_event|thesis|severity)\"\s*:",
    ),
    ("document companies thesis", r"^\W*(?:end )?(?:document|companies|thesis)(?: [0-9a-f]{4,64})?\W*$"),
    ("_", rf"\b(?:{_CATALYSTS})\b"),
    (
        "decode base64 rot13",
        r"\b(?:decode|base64|rot13)\b[^.\n]{0,60}\b(?:follow|execute|obey|run|instructions?|apply|do)\b",
    ),
    ("", r"[A-Za-z0-9+/]{96,}={0,2}"),
    (
        "prompt mode jailbreak",
        r"\b(?:system prompt|developer mode|god mode|jailbreak|dan mode|admin mode|debug mode|prompt override)\b",
    ),
    (
        "instruction prompt begin start end of",
        (
            r"\b(?:new|updated|additional|hidden|secret|important|real) instructions?\b\W"
            r"|\b(?:begin|start|end) of (?:the )?(?:new )?(?:document|prompt|instructions?|article|data|input)\b"
            r"|\b(?:begin|end) (?:instructions?|prompt|override)\b"
        ),
    ),
    (
        "everything copied judged companies list",
        "everything between a line|copied character by character|data to be judged|of the companies list",
    ),
)
_ORDERS = tuple(
    (tuple(hints.split()), re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for hints, pattern in _PATTERNS
)
_CONTINUED = re.compile(
    rf"\s*(?:[{{}}\[\]`<|#\"]|{_ACTS}\b|always\b|never\b|then\b|also\b|remember\b|give\b"
    r"|this is (?:an order|mandatory)|no exceptions|end\b)",
    re.IGNORECASE,
)
_OPENING = re.compile(r"\s*[`{}\[\],~*#-]*(?:json)?\s*", re.IGNORECASE)
_LEAD = re.compile(r"[.!?;:)\s]*")
_SENTENCE_END = re.compile(r"[.!?][\"”’)]*\s")
# Letters of other scripts that look like Latin ones, each for the one it passes for.
_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеорсухіјѕԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανιρτυ", "ABESIJKMHOPCTYXaeopcyxijsdhqwABEZHIKMNOPTYXoavipty"[:53]
)


def folded(text: str) -> str:
    """The text with look-alike letters and full-width forms as the Latin letters they pass for, character for character."""
    if text.isascii():
        return text
    plain = text.translate(_LOOKALIKES)
    return "".join(same if len(same := unicodedata.normalize("NFKC", char)) == 1 else char for char in plain)


@lru_cache(maxsize=64)
def orders_in(text: str) -> tuple[tuple[int, int], ...]:
    """Characters [start, end) that speak to a model: from the sentence of the order to the end of its line, and on.

    Lines below go with it as long as they read like more of it.
    """
    return tuple(_orders(folded(text)))


def _orders(plain: str) -> Iterator[tuple[int, int]]:
    lowered = plain.lower()
    patterns = [order for hints, order in _ORDERS if not hints or any(hint in lowered for hint in hints)]
    done = 0
    for found in sorted((match for order in patterns for match in order.finditer(plain)), key=re.Match.start):
        if found.start() < done:
            continue
        first = min(_LEAD.match(plain, found.start()).end(), found.end() - 1)  # type: ignore[union-attr]
        line = plain.rfind("\n", 0, first) + 1
        ends = [end.end() for end in _SENTENCE_END.finditer(plain, line, first + 1)]
        start = max([_block_start(plain, line), done]) if not ends else max(done, ends[-1])
        done = _line_end(plain, max(found.end() - 1, start))
        while done < len(plain) and _CONTINUED.match(plain, done + 1, _line_end(plain, done + 1)):
            done = _line_end(plain, done + 1)
        yield start, done


def _block_start(text: str, line: int) -> int:
    """Where the block begins that a line stands in: lines of nothing but brackets and fences above go with it."""
    while line and _OPENING.fullmatch(text, text.rfind("\n", 0, line - 1) + 1, line - 1):
        line = text.rfind("\n", 0, line - 1) + 1
    return line


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def without_orders(text: str, cover: str = " ") -> str:
    """The text with the passages that speak to a model covered, character for character, so that offsets hold."""
    parts: list[str] = []
    position = 0
    for start, end in orders_in(text):
        parts += [text[position:start], re.sub(r"[^\n]", cover, text[start:end])]
        position = end
    return "".join([*parts, text[position:]])


def evidence_text(text: str) -> str:
    """The text that a quote must stand in: no quote reaches into an order, or across one."""
    return without_orders(text, _COVER)


def is_order(text: str) -> bool:
    """Whether a title or a summary speaks to a model."""
    return bool(orders_in(strip_invisible(text)))
