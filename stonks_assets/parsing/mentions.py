"""Where a text names a company: tickers, legal names and aliases, whole words, longest match first. Pure.

A ticker that is also an English word, or has at most two letters, counts only where it is marked as a ticker
(`$ALL`, `(NYSE: ALL)`, `NASDAQ: ALL`), or when the company is named in another way in the same text.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import combining

import ahocorasick

from stonks_assets.parsing.words import ENGLISH_WORDS, GENERIC_NAMES, NO_TICKERS

Kind = Literal["ticker", "legal_name", "alias"]
SHORT_TICKER = 2
LEAST_NAME = 3  # characters
_SUFFIX = re.compile(
    r"[\s,]+(?:/[A-Z]{2,5}/?|\(the\)|&\s*co(?:mpany)?|inc(?:orporated)?|corp(?:oration)?|co|company|ltd|limited|plc|llc|l\.l\.c"
    r"|lp|l\.p|sa|s\.a|nv|n\.v|ag|se|ab|asa|oyj|spa|s\.p\.a|class [a-c]|common stock"
    r"|ordinary shares|adr|new|trust)\.?$",
    re.IGNORECASE,
)
_LOOSE_SUFFIX = re.compile(r"\s+(?:holdings?|group|international|technologies|companies|enterprises)$", re.IGNORECASE)
_EXCHANGE = re.compile(
    r"(?:NYSE(?: American| Arca)?|N(?:asdaq|ASDAQ)(?:\s?(?:GS|GM|CM))?|AMEX|CBOE|BATS|OTC(?:QX|QB|MKTS)?|Ticker|Symbol)"
    r"\s?:\s?(?:[A-Z.]{1,6}(?:,| and|;|/)\s?)*$"
)
_SENTENCE_START = re.compile(r"(?:^|[.!?:;|\n\"“”•-])[\s\"“”'‘’(]*$")
_AS_EXCHANGE = re.compile(r"nasdaq(?:\s?:\s?[A-Z]|\s(?:stock|global|capital)\s)|nyse\s?:", re.IGNORECASE)
_LOOK_BACK = 48
_FOLD = {"’": "'", "‘": "'", "`": "'", "‐": "-", "‑": "-", "–": "-", "\n": " ", "\t": " "}
_FOLD_TABLE = str.maketrans(_FOLD)


@dataclass(frozen=True)
class CompanyNames:
    """A company as the matcher needs it."""

    ticker: str
    legal_name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class Mention:
    """Characters [start, end) of the text name the company; `surface` is that slice."""

    start: int
    end: int
    ticker: str
    kind: Kind
    surface: str


@dataclass(frozen=True)
class _Pattern:
    ticker: str
    kind: Kind
    written: str  # as it stands in the registry
    wordlike: bool  # an English word: weak evidence on its own


def name_variants(legal_name: str) -> tuple[str, ...]:
    """The legal name, and it without its legal form, longest first: `Apple Inc.` gives `Apple Inc.`, `Apple`.

    `Holdings`, `Group` and the like are dropped too where what is left is not an English word.
    """
    name = " ".join(legal_name.split())
    found = [name]
    while (shorter := _SUFFIX.sub("", name).rstrip(" ,.&")) != name and len(shorter) >= LEAST_NAME:
        name = shorter
        found.append(name)
    bare = re.sub(r"^the\s+", "", name, flags=re.IGNORECASE)
    loose = _LOOSE_SUFFIX.sub("", bare)
    found += [bare] if bare != name else []
    if loose != bare and len(loose) > LEAST_NAME and loose.lower() not in ENGLISH_WORDS:
        found.append(loose)
    telling = [variant for variant in found if variant == found[0] or variant.lower() not in GENERIC_NAMES]
    return tuple(dict.fromkeys(variant for variant in telling if len(variant) >= LEAST_NAME))


def _fold(text: str) -> str:
    """Lower case and plain quotes and hyphens, character for character, so that offsets hold."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered.translate(_FOLD_TABLE)


class CompanyMatcher:
    """Finds all companies of a universe in one pass over a text (Aho-Corasick); build it once per universe."""

    def __init__(self, companies: Iterable[CompanyNames]) -> None:
        patterns: dict[str, list[_Pattern]] = defaultdict(list)
        for company in sorted(companies, key=lambda c: c.ticker):
            for pattern in _patterns(company):
                entries = patterns[_fold(pattern.written)]
                if all((e.ticker, e.kind == "ticker") != (pattern.ticker, pattern.kind == "ticker") for e in entries):
                    entries.append(pattern)
        self._automaton = ahocorasick.Automaton()
        for folded, entries in patterns.items():
            self._automaton.add_word(folded, (len(folded), tuple(entries)))
        self._empty = not patterns
        if patterns:
            self._automaton.make_automaton()

    def find(self, text: str) -> tuple[Mention, ...]:
        """All mentions, by position. Overlapping names: the longest is kept; equal ones of two companies both."""
        if self._empty:
            return ()
        chosen = _longest_first(self._candidates(text))
        strong = {m.ticker for m, pattern in chosen if self._stands_alone(text, m, pattern)}
        return tuple(sorted(m for m, _ in chosen if m.ticker in strong))

    def tickers(self, text: str) -> frozenset[str]:
        """The companies that the text mentions."""
        return frozenset(mention.ticker for mention in self.find(text))

    def _candidates(self, text: str) -> list[tuple[Mention, _Pattern]]:
        folded = _fold(text)
        padded = f" {folded} "  # so that every hit has a neighbour on both sides
        found: list[tuple[Mention, _Pattern]] = []
        for last, (length, patterns) in self._automaton.iter(folded):
            if padded[last + 2].isalnum() or padded[last + 1 - length].isalnum():
                continue  # inside a word, as nearly all hits of short tickers are
            start, end = last + 1 - length, last + 1
            found.extend(
                (Mention(start, end, pattern.ticker, pattern.kind, text[start:end]), pattern)
                for pattern in patterns
                if _is_whole(text, start, end, ticker=pattern.kind == "ticker") and _case_fits(text[start:end], pattern)
            )
        return found

    def _stands_alone(self, text: str, mention: Mention, pattern: _Pattern) -> bool:
        """Whether a mention proves by itself that the text is about the company."""
        before = text[max(0, mention.start - _LOOK_BACK) : mention.start]
        if mention.kind == "ticker":
            return not pattern.wordlike or before.endswith("$") or _EXCHANGE.search(before) is not None
        return not (pattern.wordlike and _SENTENCE_START.search(before))


def _patterns(company: CompanyNames) -> list[_Pattern]:
    ticker = company.ticker
    weak = len(ticker) <= SHORT_TICKER or not ticker[:1].isalpha() or ticker.lower() in NO_TICKERS
    found = [_Pattern(ticker, "ticker", ticker, weak)]
    named: list[tuple[str, Kind]] = [(name, "legal_name") for name in name_variants(company.legal_name)]
    named += [(" ".join(alias.split()), "alias") for alias in company.aliases]
    for name, kind in named:
        if len(name) >= LEAST_NAME and name != ticker:
            found.append(_Pattern(ticker, kind, name, name.lower() in ENGLISH_WORDS))
    return found


def _is_whole(text: str, start: int, end: int, *, ticker: bool) -> bool:
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    if before.isalnum() or after.isalnum() or "_" in (before, after) or combining(after):
        return False
    if after in ": " and _AS_EXCHANGE.match(text, start) is not None:
        return False
    if not ticker:
        return True
    following = text[end + 1] if end + 1 < len(text) else " "
    return not (
        before in "&-.@/'’"
        or after in "&@"
        or (after in "-." and following.isalnum())
        or (after in "'’" and following.isalpha() and following not in "sS")
    )


def _case_fits(surface: str, pattern: _Pattern) -> bool:
    """Tickers as they are written; names with a capital wherever their name has one (`APPLE` fits, `apple` not)."""
    if pattern.kind == "ticker":
        return surface == pattern.written
    starts = zip(_initials(pattern.written), _initials(surface), strict=True)
    return all(not written.isupper() or seen.isupper() for written, seen in starts)


def _initials(name: str) -> Sequence[str]:
    return [word[0] for word in name.split()]


def _longest_first(found: list[tuple[Mention, _Pattern]]) -> list[tuple[Mention, _Pattern]]:
    spans: set[tuple[int, int]] = set()
    kept: list[tuple[Mention, _Pattern]] = []
    taken: set[int] = set()
    seen: set[tuple[int, str]] = set()
    for mention, pattern in sorted(found, key=lambda f: (f[0].start - f[0].end, f[0])):
        span = (mention.start, mention.end)
        if span not in spans and not taken.isdisjoint(range(*span)):
            continue
        if (mention.start, mention.ticker) in seen:
            continue
        if span not in spans:
            spans.add(span)
            taken.update(range(*span))
        seen.add((mention.start, mention.ticker))
        kept.append((mention, pattern))
    return kept
