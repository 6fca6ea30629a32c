"""Which parts of a document may speak: boilerplate and hostile lines are taken out here, before anything is judged."""

import re
from collections.abc import Sequence

from stonks_sandbox.ollama.rules.data import noise as words
from stonks_sandbox.ollama.rules.text import Span

_ADDRESS = re.compile("|".join(f"(?:{pattern})" for pattern in words.ADDRESS_PATTERNS), re.IGNORECASE | re.MULTILINE)
_CONTINUED = re.compile(words.CONTINUATION, re.IGNORECASE)
_SILENT = re.compile("(?:" + "|".join(words.SILENT_HEADINGS) + r")[.:]?", re.IGNORECASE)
_SPEAKING = re.compile("|".join(words.SPEAKING_HEADINGS), re.IGNORECASE)
_ITEM_TITLE = re.compile(
    r"(?:item\s*\d\.\d\d\W*)?(?:" + "|".join(words.ITEM_TITLES) + r").{0,160}|item\s*\d\.\d\d\W*",
    re.IGNORECASE | re.DOTALL,
)
_ITEM = re.compile(r"item\s*\d{1,2}\.\d\d", re.IGNORECASE)
_CONTACT = re.compile(r"https?://|www\.|[\w.]+@[\w.]+|\(\d{3}\)\s*\d{3}|^/s/")
_FORM = re.compile(r"^\s*FORM\s+8-K|CURRENT REPORT", re.MULTILINE | re.IGNORECASE)
_RELEASE = re.compile(
    r"\b(?:reports?|announces?|declares?|names?|appoints?|launches|completes?|today announced|today reported)\b",
    re.IGNORECASE,
)
HEADING_LENGTH = 90
SIGNATURE_LINES = 24
COVER_REACH = 2500


def addresses_model(text: str) -> bool:
    """Whether a line or sentence speaks to a model rather than to a reader."""
    return _address(text) is not None


def _address(text: str) -> re.Match[str] | None:
    low = text.lower()
    return _ADDRESS.search(text) if any(hint in low for hint in words.ADDRESS_HINTS) else None


def without_hostile(text: str, spans: Sequence[Span]) -> list[Span]:
    """The paragraphs left when lines that address a model are cut out, with the rest of their line behind them.

    What stands before such a sentence in its own line is kept; lines after it go too as long as they read like
    more orders.
    """
    kept: list[Span] = []
    hostile = False
    for span in spans:
        piece = text[span.start : span.end]
        if hostile and _CONTINUED.match(piece):
            continue
        found = _address(piece)
        hostile = found is not None
        if found is None:
            kept.append(span)
            continue
        cut = max(piece.rfind(mark, 0, found.start() + 1) for mark in (". ", "! ", "? ", "\n", ".\u201d "))
        if cut > 0:
            kept.append(Span(span.start, span.start + cut + 1, span.kind))
    return kept


def is_heading(text: str) -> bool:
    """A short line without the end of a sentence that begins with a capital."""
    first = text[:1]
    return len(text) <= HEADING_LENGTH and not text.endswith((".", ";", ",")) and (first.isupper() or first.isdigit())


def without_boilerplate(text: str, spans: Sequence[Span]) -> list[Span]:
    """The paragraphs that can carry news: no cover page, legal section, signature, contact or company portrait."""
    kept: list[Span] = []
    silent = _starts_with_cover(text)
    left = len(spans)
    for span in spans:
        line = text[span.start : span.end]
        if _ITEM.match(line):
            silent, left = False, len(spans)
        elif is_heading(line) and span.kind == "prose":
            opens = _SILENT.fullmatch(line) is not None
            signature = opens and line.lower().startswith("signature")
            if opens:
                silent, left = True, SIGNATURE_LINES if signature else len(spans)
            elif silent and _ends_silence(line, left, len(spans)):
                silent = False
        elif silent and left < len(spans) and (left <= 0 or len(line) > 2 * HEADING_LENGTH):
            silent = False
        left -= 1 if left <= SIGNATURE_LINES else 0
        if not silent and not _says_nothing(line):
            kept.append(span)
    return kept


def _ends_silence(line: str, left: int, total: int) -> bool:
    """In a signature block only a release's headline speaks again; elsewhere any heading that is no name does."""
    if left < total:
        return (
            left <= 0
            or (len(line.split()) >= 4 and _RELEASE.search(line) is not None)
            or bool(_SPEAKING.fullmatch(line))
        )
    return _SPEAKING.fullmatch(line) is not None or (len(line.split()) >= 4 and _RELEASE.search(line) is not None)


def _starts_with_cover(text: str) -> bool:
    head = text[:COVER_REACH]
    return _FORM.search(head) is not None and _ITEM.search(text[: 4 * COVER_REACH]) is not None


def _says_nothing(line: str) -> bool:
    if _ITEM_TITLE.fullmatch(line) is not None:
        return True
    low = line.lower()
    if any(marker in low for marker in words.BOILERPLATE_MARKERS):
        return True
    return len(line) < HEADING_LENGTH and _CONTACT.search(line) is not None
