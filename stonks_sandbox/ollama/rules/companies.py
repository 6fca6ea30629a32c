"""Where a sentence names which company. Names and tickers come from the prompt alone."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from stonks_sandbox.ollama.prompt import Company
from stonks_sandbox.ollama.rules.data.names import (
    ENGLISH_TICKERS,
    EXCHANGES,
    GENERIC_NAME_WORDS,
    LEGAL_SUFFIXES,
    ORDINARY_FIRST_WORDS,
)
from stonks_sandbox.ollama.rules.text import Sentence, words_of

_REGISTRANT_SUFFIX = re.compile(r"\s*/[A-Z]{2,}/?$")


@dataclass(frozen=True)
class Mention:
    """A company named at tokens [start, end)."""

    start: int
    end: int
    ticker: str


def names_of(company: Company) -> set[tuple[str, ...]]:
    """The token rows that name a company: given names, without legal form, without generic last words."""
    found: set[tuple[str, ...]] = set()
    for given in company.names:
        words = [word for word in words_of(_REGISTRANT_SUFFIX.sub("", given)) if word not in {",", ".", "®", "™"}]
        if words[:1] == ["the"] and len(words) > 1:
            words = words[1:]
        if words:
            found.add(tuple(words))
        short = list(words)
        while len(short) > 1 and short[-1] in LEGAL_SUFFIXES:
            short.pop()
        found.update(_shortened(short, was_whole=short == words))
    return {name for name in found if len(name) > 1 or _tells_apart(name[0], company)}


def _shortened(words: list[str], *, was_whole: bool) -> list[tuple[str, ...]]:
    """A name without its legal form, and without generic words behind a first word of its own."""
    if not words or (len(words) == 1 and words[0] in ORDINARY_FIRST_WORDS and not was_whole):
        return []
    result = [tuple(words)]
    if len(words) > 1 and words[0] not in ORDINARY_FIRST_WORDS and all(w in GENERIC_NAME_WORDS for w in words[1:]):
        result.append((words[0],))
    return result


def _tells_apart(word: str, company: Company) -> bool:
    """A single word names a company unless it is its ticker and an English word too, or a single letter."""
    return len(word) > 1 and not (word == company.ticker.lower() and company.ticker in ENGLISH_TICKERS)


class CompanyIndex:
    """Finds the prompt's companies in sentences: longest name first, capitals where capitals mean something."""

    def __init__(self, companies: Sequence[Company]) -> None:
        self.tickers = {company.ticker for company in companies}
        owners: dict[tuple[str, ...], str] = {}
        for company in companies:
            for name in names_of(company):
                owners.setdefault(name, company.ticker)
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name, ticker in sorted(owners.items(), key=lambda pair: (-len(pair[0]), pair[0])):
            self._by_first.setdefault(name[0], []).append((name, ticker))
        self._small = {word for company in companies for given in company.names for word in _small_beginning(given)}
        self._by_ticker = {ticker.lower(): ticker for ticker in self.tickers}

    def find(self, sentence: Sentence, loose: Collection[str] = ()) -> list[Mention]:
        """The mentions of a sentence, in order, never overlapping.

        The companies of `loose` are found in small letters as well, and by the beginning of their name.
        """
        found: list[Mention] = []
        at = 0
        while at < len(sentence.lows):
            mention = self._named(sentence, at, loose) or self._by_symbol(sentence, at)
            if mention is None:
                at += 1
                continue
            found.append(mention)
            at = mention.end
        return found

    def _named(self, sentence: Sentence, at: int, loose: Collection[str]) -> Mention | None:
        small = sentence.raws[at][:1].islower()
        for name, ticker in self._by_first.get(sentence.lows[at], ()):
            if small and ticker not in loose and sentence.raws[at] not in self._small:
                continue
            end = _matches(sentence, at, name)
            if end:
                return Mention(at, end, ticker)
            if ticker in loose and len(name) > 1 and self._begins_alone(name):
                return Mention(at, at + 1, ticker)
        return None

    def _begins_alone(self, name: tuple[str, ...]) -> bool:
        """Whether the first word of a name tells it from the other companies, and from the rest of the language."""
        first = name[0]
        owners = {ticker for _, ticker in self._by_first[first]}
        return len(first) > 3 and len(owners) == 1 and first not in ORDINARY_FIRST_WORDS

    def _by_symbol(self, sentence: Sentence, at: int) -> Mention | None:
        """A ticker: after a dollar sign or an exchange always, bare only in capitals and when it is no word."""
        ticker = self._by_ticker.get(sentence.lows[at])
        if ticker is None or sentence.raws[at] != ticker:
            return None
        before = sentence.lows[max(0, at - 2) : at]
        marked = before[-1:] == ("$",) or (before[-1:] == (":",) and before[0] in EXCHANGES)
        bare = len(ticker) > 1 and ticker not in ENGLISH_TICKERS and not sentence.shouting
        return Mention(at, at + 1, ticker) if marked or bare else None


def _small_beginning(name: str) -> list[str]:
    """The first word of a name that begins with a small letter and has a capital later: `eBay`, `easyJet`."""
    first = name.split()[:1]
    return [word for word in first if word[:1].islower() and word.lower() != word]


def _matches(sentence: Sentence, at: int, name: tuple[str, ...]) -> int:
    """The end of a name that begins at a token (0: it does not), commas and stops inside it passed over."""
    position = at
    for word in name:
        while position > at and position < len(sentence.lows) and sentence.lows[position] in {",", "."}:
            position += 1
        if position >= len(sentence.lows) or sentence.lows[position] != word:
            return 0
        position += 1
    return position


def main_company(title: Sequence[Mention], body: Sequence[Sequence[Mention]], tickers: Sequence[str]) -> str | None:
    """The company a document is about: named most, the title and the beginning counting more; None where unnamed."""
    score: Counter[str] = Counter()
    for mention in title:
        score[mention.ticker] += 4
    for number, mentions in enumerate(body):
        for mention in mentions:
            score[mention.ticker] += 2 if number < 6 else 1
    if not score:
        return tickers[0] if len(tickers) == 1 else None
    best = max(score.values())
    return min(ticker for ticker, points in score.items() if points == best)
