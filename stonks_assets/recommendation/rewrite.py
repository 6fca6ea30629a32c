"""The guard of a rewritten thesis: new words are welcome, new facts are not.

A rewrite may leave things out and say things differently. It may not name a ticker, company, number, date or quotation
that the original does not have, turn a figure or a statement round, turn buying into selling, promise anything, or
leave out that it is for information only. What cannot be told is refused rather than passed: the original stays, and
nothing is lost. No model is called here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from stonks_assets.recommendation import facts

LONGEST = 4000

_CAPITALS = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Z0-9]+(?:[.-][A-Z]{1,2})?(?![A-Za-z0-9])")
_SPACED = re.compile(r"(?<![A-Za-z0-9])[A-Z](?:[ .][A-Z]){1,5}(?![A-Za-z0-9])")
_LETTER = re.compile(r"(?:\$|\()([A-Z])(?![A-Za-z0-9])")
_CASHTAG = re.compile(r"\$([A-Za-z][A-Za-z.]*)")
_NAME = re.compile(r"(?<=[a-z0-9,;%)] )[A-Z][a-z]+")
_DOUBLE_QUOTES = dict.fromkeys(
    map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u300c\u300d\u300e\u300f\u2039\u203a\uff02"), '"'
)
_SINGLE_QUOTED = re.compile(r"(?<!\w)['\u2018`]([^'\u2018\u2019`]{2,}?)['\u2019`](?!\w)")
_VERBS = {"buy": re.compile(r"\bbuy|\bpurchas", re.IGNORECASE), "sell": re.compile(r"\bsell|\bshort\b", re.IGNORECASE)}
_FORBIDDEN = re.compile(
    r"https?:|www\.|@|<[a-z/!]|\]\(|\bguarante\w*|\brisk[\s-]?free\b|\bcertain to\b|\bsure to\b|\bcan(?:'t| ?not) lose\b",
    re.IGNORECASE,
)
_CONFIDENCE = re.compile(r"confiden\w*\W+(?:[a-z]+\W+){0,4}?(\d[\d.,]*)\s?%|(\d[\d.,]*)\s?%\s+confiden", re.IGNORECASE)
_SCORE = re.compile(r"\bscor\w*\W+?(?:[a-z]+\W+?){0,3}?([-+\N{MINUS SIGN}]?\d[\d.,]*)(?!\s?%)", re.IGNORECASE)
_KEPT = {
    "for information only": re.compile(r"\binformation\w*", re.IGNORECASE),
    "is missing": re.compile(r"\bmissing\b"),
}
"""What a rewrite must not leave out, where the original says it, and how it is known again."""


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
    told, said = facts.folded(original), facts.folded(text)
    findings = chain(
        (f"the letter {letter!r}" for letter in _foreign_letters(told, said)),
        (f"the quotation {quote!r}" for quote in _new_quotations(told, said)),
        (f"the number {number!r}" for number in _new_numbers(told, said)),
        (f"the date {day} {month.title()}" for day, month in sorted(facts.dates(said) - facts.dates(told))),
        (f"the month {month.title()}" for month in sorted(facts.months(said) - facts.months(told))),
        (f"the ticker {ticker}" for ticker in _new_tickers(told, said, frozenset(tickers))),
        (f"the company {name}" for name in sorted(names) if _mentions(said, name) and not _mentions(told, name)),
        (f"the name {name}" for name in _new_names(told, said)),
        (f"the word {verb!r}" for verb, stem in _VERBS.items() if stem.search(said) and not stem.search(told)),
        (f"{match.group()!r}" for match in _FORBIDDEN.finditer(said) if match.group().lower() not in told.lower()),
    )
    if finding := next(findings, None):
        return Refused(f"the rewrite has {finding}, which the original has not")
    turned = next(chain(_turned(told, said), _left_out(told, said)), None)
    return Refused(f"the rewrite {turned}") if turned else text


def _foreign_letters(original: str, text: str) -> list[str]:
    """Letters beyond ASCII that the original does without: those of another script look like ours."""
    return [sign for sign in text if ord(sign) > 127 and sign.isalpha() and sign not in original]


def _new_quotations(original: str, text: str) -> list[str]:
    """What stands between quotation marks and not, word for word, in the original; an open double one runs on."""
    known, plain = _plain(original), _plain(text)
    single = (match.group(1) for match in _SINGLE_QUOTED.finditer(text))
    parts = [
        *(part.strip() for part in plain.split('"')[1::2]),
        *(" ".join(part.split()).strip(".,") for part in single),
    ]
    return [part for part in parts if part and part not in known]


def _plain(text: str) -> str:
    return " ".join(text.translate(_DOUBLE_QUOTES).split())


def _new_numbers(original: str, text: str) -> list[str]:
    """Numbers, in digits or words, that the original has not with this sign and unit; one without may have been dollars."""
    known = {number for _, number in facts.numbers(original)}
    known |= {replace(number, unit="") for number in known if number.unit == "$"}
    known |= {replace(number, unit="") for number in known if number.unit == "times"}
    new = [words for words, number in facts.numbers(text) if number not in known]
    amounts = set(facts.amounts(original))
    return new + [word for word in facts.amounts(text) if word not in amounts]


def _new_tickers(original: str, text: str, tickers: frozenset[str]) -> list[str]:
    known = set(_CAPITALS.findall(original)) | set(_LETTER.findall(original))
    words = [word for word in _CAPITALS.findall(text) if word not in known]
    words += [word for word in _SPACED.findall(text) if word not in original]
    words += [word for word in _CASHTAG.findall(text) if word.upper().strip(".") not in known]
    return words + [letter for letter in _LETTER.findall(text) if letter not in known and letter in tickers]


def _new_names(original: str, text: str) -> list[str]:
    """Words that begin with a capital inside a sentence, as names do, and that the original does not have."""
    known = {word.casefold() for word in re.findall(r"[A-Za-z]+", original)}
    return [word for word in _NAME.findall(text) if word.casefold() not in known]


def _mentions(text: str, name: str) -> bool:
    pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
    return bool(name) and re.search(pattern, text, re.IGNORECASE if len(name) > 3 else 0) is not None


def _turned(original: str, text: str) -> Iterator[str]:
    """What the rewrite turns round: a figure's way, what is negated, or which figure is the confidence or the score."""
    known = facts.ways(original)
    for number, found in facts.ways(text).items():
        if number in known and not found & known[number]:
            yield f"has {number.digits}{number.unit.strip('$')} going the other way"
    polarity = facts.polarities(original)
    for word, found_in in facts.polarities(text).items():
        if word in polarity and (turned := found_in - polarity[word]):
            yield f"{'negates' if True in turned else 'affirms'} what the original says with {word!r}"
    for name, pattern in (("confidence", _CONFIDENCE), ("score", _SCORE)):
        told, said = (_figures(pattern, words) for words in (original, text))
        if told and not said <= told:
            yield f"names another {name}: {', '.join(sorted(said - told))}"


def _figures(pattern: re.Pattern[str], text: str) -> set[str]:
    found = (next(filter(None, match.groups())) for match in pattern.finditer(text))
    return {figure.strip("+,.").rstrip("0").rstrip(".") if "." in figure else figure.strip("+,.") for figure in found}


def _left_out(original: str, text: str) -> Iterator[str]:
    for words, known_again in _KEPT.items():
        if words in original and not known_again.search(text):
            yield f"leaves out what the original says with {words!r}"
