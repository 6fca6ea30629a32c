"""How much a document is worth reading, in [0, 1]. Pure."""

import math
import re
from dataclasses import dataclass
from typing import Literal

from stonks_assets.parsing.text import words

HIGH = 0.7
MEDIUM = 0.4
FULL_LENGTH = 120  # words of substance from which length no longer lowers the score
SHORT_LINE = 400  # characters; a longer line with one boilerplate phrase in it is still prose
_BOILERPLATE = re.compile(
    r"subscrib(?:e|ing|ers?) (?:now|today|to (?:continue|read|unlock|our|the))|subscription (?:is )?required"
    r"|already (?:a|have a|have an) (?:subscriber|subscription|member|account)|(?:sign|log) ?(?:in|up)\b"
    r"|create (?:a free|an) account|free trial|to continue reading|continue reading|unlock this (?:article|story)"
    r"|this (?:article|content|story) is (?:only )?(?:available|reserved|for)|premium (?:content|members?)"
    r"|accept (?:all )?cookies|we use cookies|cookie (?:policy|settings|preferences)|privacy (?:policy|notice)"
    r"|terms (?:of (?:use|service)|and conditions)|all rights reserved|(?:enable|turn on) javascript"
    r"|javascript is (?:disabled|required)|disable your ad ?blocker|newsletter|follow us on"
    r"|share this (?:article|story)"
    r"|click here|read more|related (?:articles|stories)|advertisement|access denied|are you a robot|captcha"
    r"|page (?:not found|you requested)|404 not found|403 forbidden|©|\(c\) \d{4}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Quality:
    """A score in [0, 1] and the confidence class that follows from it, with what it was made of."""

    score: float
    confidence: Literal["high", "medium", "low"]
    substance: int  # words outside boilerplate lines
    boilerplate_ratio: float


def boilerplate(text: str) -> tuple[int, float]:
    """Words outside boilerplate lines, and the share of the text's words that stand in such lines."""
    kept = total = 0
    for line in text.split("\n"):
        count = len(words(line))
        total += count
        hits = len(_BOILERPLATE.findall(line))
        if not hits or (len(line) > SHORT_LINE and hits * SHORT_LINE < len(line)):
            kept += count
    return kept, (1 - kept / total) if total else 0.0


def assess(
    text: str,
    *,
    has_title: bool,
    has_date: bool,
    has_source: bool,
    language: str,
    mentions: int,
    visible_characters: int = 0,
) -> Quality:
    """The quality of a normalised text.

    score = sqrt(min(1, substance / 120)) * (0.30 + 0.15 (1 - boilerplate) + 0.10 title + 0.10 date
    + 0.10 author or publisher + 0.15 English + 0.10 min(1, mentions / 2))

    with substance the words outside boilerplate lines, and boilerplate the larger of the share of words in
    boilerplate lines and half the share of the page's `visible_characters` that is not the text. `high` from 0.7,
    `medium` from 0.4, else `low`.
    """
    substance, in_lines = boilerplate(text)
    around = 0.5 * (1 - len(text) / visible_characters) if visible_characters > len(text) else 0.0
    ratio = max(in_lines, around)
    base = (
        0.30
        + 0.15 * (1 - ratio)
        + 0.10 * has_title
        + 0.10 * has_date
        + 0.10 * has_source
        + 0.15 * (language == "en")
        + 0.10 * min(1.0, mentions / 2)
    )
    score = round(math.sqrt(min(1.0, substance / FULL_LENGTH)) * base, 6)
    confidence: Literal["high", "medium", "low"] = "high" if score >= HIGH else "medium" if score >= MEDIUM else "low"
    return Quality(score, confidence, substance, ratio)
