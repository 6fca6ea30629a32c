"""The answer to the rewrite task: the same thesis in fewer and plainer words.

Tickers, numbers and quoted passages stay exactly as they were and none is added; only words between them change.
"""

import re

from stonks_sandbox.ollama.rules.data.plain_words import FILLERS, PLAINER
from stonks_sandbox.ollama.rules.noise import addresses_model
from stonks_sandbox.ollama.rules.text import Span, lines_of, paragraphs_of, split_sentences

_PROTECTED = re.compile(r"[“\"][^“”\"]*[”\"]|‘[^‘’]*’|\b\d[\w.,%:/-]*|\b[A-Z]{1,6}(?:\.[A-Z])?\b")
_PLAINER = [(re.compile(rf"\b{re.escape(long)}\b", re.IGNORECASE), short) for long, short in PLAINER]
_FILLERS = re.compile(r"\b(?:" + "|".join(re.escape(word) for word in FILLERS) + r")\b,? ?", re.IGNORECASE)
_SPACES = re.compile(r"[ \t]{2,}")
_BEFORE_MARK = re.compile(r"\s+([,.;:!?])")


def rewrite_thesis(thesis: str) -> str:
    """A shorter wording of a thesis, sentence by sentence; a sentence already said is not said again."""
    sentences: list[str] = []
    seen: set[str] = set()
    for paragraph in paragraphs_of(thesis, lines_of(thesis)):
        for span in split_sentences(thesis, paragraph):
            plain = _plain(thesis[span.start : span.end]) if not _is_order(thesis, span) else ""
            key = plain.casefold()
            if plain and key not in seen:
                seen.add(key)
                sentences.append(plain)
    return " ".join(sentences)


def _is_order(thesis: str, span: Span) -> bool:
    return addresses_model(thesis[span.start : span.end])


def _plain(sentence: str) -> str:
    """One sentence reworded outside of what must not change."""
    parts: list[str] = []
    position = 0
    for match in _PROTECTED.finditer(sentence):
        parts.append(_reworded(sentence[position : match.start()]))
        parts.append(match.group())
        position = match.end()
    parts.append(_reworded(sentence[position:]))
    text = _BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", "".join(parts))).strip()
    return text[:1].upper() + text[1:] if text[:1].islower() and sentence[:1].isupper() else text


def _reworded(text: str) -> str:
    for pattern, short in _PLAINER:
        text = pattern.sub(short, text)
    return _FILLERS.sub("", text)
