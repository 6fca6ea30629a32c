"""The guard of a rewritten thesis: new words are welcome, new facts are not.

A rewrite may leave things out and say things differently. It may not name a ticker, company, number or quotation that
the original does not have, nor turn buying into selling. No model is called here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

LONGEST = 4000

_NUMBER = re.compile(
    r"(?P<sign>(?<![\w.,])[-\N{MINUS SIGN}])?\$?(?P<digits>\d+(?:[.,]\d+)*)(?P<percent>\s?(?:%|per ?cent))?"
)
_CAPITALS = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Z0-9]+(?:[.-][A-Z]{1,2})?(?![A-Za-z0-9])")
_LETTER = re.compile(r"(?:\$|\()([A-Z])(?![A-Za-z0-9])")
_DOUBLE_QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033"), '"')
_COUNTS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_FACTORS = (
    *("dozen", "hundred", "thousand", "million", "billion", "trillion", "double", "doubled", "doubles"),
    *("triple", "tripled", "triples", "twice", "half", "halved"),
)
_WORDS = {
    **{word: str(count) for count, word in enumerate(_COUNTS) if word != "one"},
    **{word: str(30 + 10 * step) for step, word in enumerate(_TENS)},
    **dict.fromkeys(_FACTORS, ""),
}
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_WORDS)})s?\b", re.IGNORECASE)
_VERBS = {"buy": re.compile(r"\bbuy", re.IGNORECASE), "sell": re.compile(r"\bsell", re.IGNORECASE)}


@dataclass(frozen=True)
class Refused:
    """Why a rewrite was refused; the original stays."""

    reason: str


def checked(original: str, rewritten: str, *, tickers: Iterable[str] = (), names: Iterable[str] = ()) -> str | Refused:
    """The rewritten thesis, tidied, or why it is refused.

    `tickers` and `names` (legal names and aliases) are those of all tracked companies. Any word in capitals is taken
    for a ticker, tracked or not; a ticker of one letter only after a dollar sign or a bracket.
    """
    text = rewritten.strip()
    if not text:
        return Refused("the rewrite is empty")
    if len(text) > LONGEST:
        return Refused(f"the rewrite has {len(text)} characters, and {LONGEST} are allowed")
    findings = chain(
        (f"the quotation {quote!r}" for quote in _new_quotations(original, text)),
        (f"the number {number!r}" for number in _new_numbers(original, text)),
        (f"the ticker {ticker}" for ticker in _new_tickers(original, text, frozenset(tickers))),
        (f"the company {name}" for name in sorted(names) if _mentions(text, name) and not _mentions(original, name)),
        (f"the word {verb!r}" for verb, stem in _VERBS.items() if stem.search(text) and not stem.search(original)),
    )
    finding = next(findings, None)
    return Refused(f"the rewrite has {finding}, which the original has not") if finding else text


def _new_quotations(original: str, text: str) -> list[str]:
    """What stands between double quotation marks and not, word for word, in the original; an open one runs on."""
    known = _plain(original)
    return [part for part in (p.strip() for p in _plain(text).split('"')[1::2]) if part and part not in known]


def _plain(text: str) -> str:
    return " ".join(text.translate(_DOUBLE_QUOTES).split())


def _new_numbers(original: str, text: str) -> list[str]:
    digits, words = _numbers(original), {word.lower() for word in _NUMBER_WORD.findall(original)}
    plain = {value for _, value, _ in digits}
    new = [match.group().strip() for match in _NUMBER.finditer(text) if _number(match) not in digits]
    spelled = (word.lower() for word in _NUMBER_WORD.findall(text))
    return new + [word for word in spelled if word not in words and _WORDS[word] not in plain]


def _numbers(text: str) -> set[tuple[bool, str, bool]]:
    return {_number(match) for match in _NUMBER.finditer(text)}


def _number(match: re.Match[str]) -> tuple[bool, str, bool]:
    """A number as (negative, digits without thousands separators and idle zeros, per cent)."""
    digits = re.sub(r",(?=\d{3}(?:\D|$))", "", match["digits"])
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return match["sign"] is not None, digits, match["percent"] is not None


def _new_tickers(original: str, text: str, tickers: frozenset[str]) -> list[str]:
    known = set(_CAPITALS.findall(original)) | set(_LETTER.findall(original))
    words = [word for word in _CAPITALS.findall(text) if word not in known]
    return words + [letter for letter in _LETTER.findall(text) if letter not in known and letter in tickers]


def _mentions(text: str, name: str) -> bool:
    pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
    return bool(name) and re.search(pattern, text, re.IGNORECASE if len(name) > 3 else 0) is not None
