"""Facts that can be told in a text: numbers with their sign and unit, dates, which way a figure went, what is negated.

Two texts are held against each other by these; nothing is understood beyond them. No model is called here.
"""

import re
import unicodedata
from dataclasses import dataclass

_UNITS = (
    ("%", r"%|per ?cent(?:age points?)?\b|percentage points?\b|pct\b|p\.p\.|pp\b"),
    ("bp", r"basis points?\b|bps?\b"),
    ("$", r"dollars?\b|usd\b"),
    ("thousand", r"thousands?\b|k\b"),
    ("million", r"millions?\b|mn\b|mm?\b"),
    ("billion", r"billions?\b|bn\b|b\b"),
    ("trillion", r"trillions?\b|tn\b"),
    ("times", r"times\b|x\b|-?fold\b"),
)
_UNIT = "|".join(f"(?P<u{place}>{pattern})" for place, (_, pattern) in enumerate(_UNITS))
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w.,)])[-\N{MINUS SIGN}]\s?|\b(?:minus|negative)\s+)?(?P<dollar>\$\s?)?"
    rf"(?P<digits>\d+(?:[.,]\d+)*)(?:[\s-]?(?:{_UNIT}))?",
    re.IGNORECASE,
)
_COUNTS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {**{word: n for n, word in enumerate(_COUNTS)}, **{word: 30 + 10 * n for n, word in enumerate(_TENS)}}
_SPELLED = re.compile(
    rf"\b(?:(?P<tens>twenty|{'|'.join(_TENS)})[-\s]+(?P<ones>{'|'.join(_COUNTS[1:10])})"
    rf"|(?P<word>{'|'.join(sorted(_VALUES, key=len, reverse=True))}))\b(?:[\s-](?P<percent>per ?cent|percentage points?))?",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"\b(?:dozens?|hundreds?|thousands?|millions?|billions?|trillions?|doubl(?:e[ds]?|ing)|tripl(?:e[ds]?|ing)|twice|thrice"
    r"|quadrupl(?:e[ds]?|ing)|hal(?:f|ves?|ved|ving)|thirds?|fourths?|fifths?|sixths?|tenths?|(?:three[\s-])?quarters of"
    r"|a quarter of|couple|\w+fold)\b",
    re.IGNORECASE,
)
_MONTHS = "january|february|march|april|june|july|august|september|october|november|december"
_DATE = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTHS}|may)|(?P<month2>{_MONTHS}|may)\s+(?P<day2>\d{{1,2}}))\b",
    re.IGNORECASE,
)
_MONTH = re.compile(rf"\b(?:{_MONTHS})\b", re.IGNORECASE)
UP, DOWN = 1, -1
_WAYS = re.compile(
    r"\b(?:(?P<up>up|rose|ris(?:e[sn]?|ing)|rais(?:e[sd]?|ing)|gain(?:s|ed|ing)?|climb(?:s|ed|ing)?|increas(?:e[sd]?|ing)"
    r"|higher|gr(?:ew|ow(?:s|ing|n)?)|jump(?:s|ed|ing)?|surg(?:e[sd]?|ing)|advanc(?:e[sd]?|ing)|added|above|beat(?:s|ing)?)"
    r"|(?P<down>down|fell|fall(?:s|ing|en)?|drop(?:s|ped|ping)?|los(?:t|es?|ing|s)|declin(?:e[sd]?|ing)|lower(?:s|ed|ing)?"
    r"|decreas(?:e[sd]?|ing)|cut(?:s|ting)?|slid(?:e[sd]?)?|slump(?:s|ed|ing)?|sank|sink(?:s|ing)?|shr[aiu]nk(?:s|ing)?"
    r"|reduc(?:e[sd]?|ing)|below|miss(?:e[sd]|ing)?|plung(?:e[sd]?|ing)))\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nothing|nobody|neither|nor|without|cannot|hardly|barely|fail(?:s|ed)? to|unlikely to)\b|n't\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.!?;:\n\"()]|,(?!\d)|\bbut\b|\bwhile\b|\band\b")
_WORD = re.compile(r"[a-z]{3,}", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:ings?|ed|es|s|e|ly)$")
_SMALL = frozenset(
    {
        *(
            "the",
            "and",
            "for",
            "are",
            "was",
            "has",
            "had",
            "its",
            "any",
            "all",
            "who",
            "how",
            "why",
            "too",
            "but",
            "you",
        ),
        *("our", "out", "off", "per", "that", "this", "with", "from", "have", "been", "were", "will", "than", "them"),
        *("they", "their", "which", "into", "what", "more", "some", "there", "here", "also"),
    }
)


@dataclass(frozen=True)
class Number:
    """A number as it stands in a text: negative or not, digits without separators and idle zeros, and its unit."""

    negative: bool
    digits: str
    unit: str


def folded(text: str) -> str:
    """The text without what hides in it: look-alike forms of characters made plain, invisible ones taken out."""
    plain = unicodedata.normalize("NFKC", text.replace("\N{FRACTION SLASH}", "/"))
    return "".join(sign for sign in plain if unicodedata.category(sign) != "Cf").replace(
        "\N{RIGHT SINGLE QUOTATION MARK}", "'"
    )


def numbers(text: str) -> list[tuple[str, Number]]:
    """The numbers of a text, in digits or words, each with the words that it stands in."""
    found = [(match.group().strip(), _number(match)) for match in _NUMBER.finditer(text)]
    for match in _SPELLED.finditer(text):
        value = _VALUES[match["word"].lower()] if match["word"] else _compound(match)
        unit = "%" if match["percent"] else ""
        if value != 1 or unit:  # the article of many languages, and of "no one"
            found.append((match.group().lower(), Number(False, str(value), unit)))
    return found


def amounts(text: str) -> list[str]:
    """Words that say how much without a number."""
    return [match.group().lower() for match in _AMOUNT.finditer(text)]


def dates(text: str) -> set[tuple[int, str]]:
    """Days of months."""
    found = set()
    for match in _DATE.finditer(text):
        found.add((int(match["day"] or match["day2"]), (match["month"] or match["month2"]).lower()))
    return found


def months(text: str) -> set[str]:
    """Months by name; May is a verb too, and only tells with its day."""
    return {match.group().lower() for match in _MONTH.finditer(text)}


def ways(text: str) -> dict[Number, set[int]]:
    """Which way each figure went, where a word next to it in the same clause says so."""
    found: dict[Number, set[int]] = {}
    for clause in re.split(r"[;!?\n()]|[.,](?!\d)", text):
        told = [(match.start(), UP if match["up"] else DOWN) for match in _WAYS.finditer(clause)]
        for match in _NUMBER.finditer(clause):
            near = [way for at, way in told if match.start() - 40 <= at <= match.end() + 15]
            if near:
                found.setdefault(_number(match), set()).update(near)
    return found


def polarities(text: str) -> dict[str, set[bool]]:
    """By word, shortened to its stem: whether it is negated, affirmed, or both, in the clauses that it stands in."""
    found: dict[str, set[bool]] = {}
    for clause in _CLAUSE_END.split(text):
        negation = _NEGATION.search(clause)
        for match in _WORD.finditer(clause):
            word = match.group().lower()
            if word not in _SMALL and not _NEGATION.fullmatch(word):
                negated = negation is not None and match.start() >= negation.start()
                found.setdefault(_stem(word), set()).add(negated)
    return found


def _number(match: re.Match[str]) -> Number:
    digits = re.sub(r",(?=\d{3}(?:\D|$))", "", match["digits"])
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    unit = next((name for place, (name, _) in enumerate(_UNITS) if match[f"u{place}"]), "")
    return Number(match["sign"] is not None, digits, f"${unit.strip('$')}" if match["dollar"] else unit)


def _compound(match: re.Match[str]) -> int:
    return _VALUES[match["tens"].lower()] + _VALUES[match["ones"].lower()]


def _stem(word: str) -> str:
    return _SUFFIX.sub("", word) if len(word) > 5 else word
