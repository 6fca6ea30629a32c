"""The word lists of `data`, compiled once into matchers. Judging what is found is `evidence`'s business."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.data import context, general_words, idioms, moves, polarity
from stonks_sandbox.ollama.rules.data.events_business import BUSINESS_EVENTS
from stonks_sandbox.ollama.rules.data.events_corporate import CORPORATE_EVENTS
from stonks_sandbox.ollama.rules.data.macros import MACROS
from stonks_sandbox.ollama.rules.data.relations import Relation
from stonks_sandbox.ollama.rules.data.relations_market import RELATIONS
from stonks_sandbox.ollama.rules.patterns import Matcher, noun_forms

Kind = Literal["shield", "event", "polar", "rise", "fall"]
_HEAD = re.compile(r"^\s*([+-]\d\.\d\d)(?: (\d\.\d))?:", re.MULTILINE)


GENERAL_WEIGHT = 0.8  # a word's ring against an idiom's plain meaning


@dataclass(frozen=True)
class Entry:
    """What a pattern means: its kind, its value in [-1, 1], and for events the catalyst and how surely."""

    kind: Kind
    value: float = 0.0
    catalyst: Catalyst | None = None
    sureness: float = 0.0


def parse_table(table: str) -> Iterator[tuple[str, float, float]]:
    """Pattern, value and sureness of every entry of a word list."""
    heads = list(_HEAD.finditer(table))
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = table[head.end() : following.start() if following else len(table)]
        for pattern in _patterns(body):
            yield pattern, float(head.group(1)), float(head.group(2) or 0.0)


def _patterns(body: str) -> Iterator[str]:
    for raw in body.split(";"):
        pattern = " ".join(raw.split())
        for name, words in MACROS.items():
            pattern = pattern.replace(name, words)
        if pattern:
            yield pattern


def _entries() -> Iterator[tuple[str, Entry]]:
    """All patterns; of those that match equally much the earlier one wins."""
    for pattern in _patterns(polarity.SHIELDS + ";" + idioms.IDLE):
        yield pattern, Entry("shield")
    for catalyst, table in (CORPORATE_EVENTS | BUSINESS_EVENTS).items():
        for pattern, value, sureness in parse_table(table):
            yield pattern, Entry("event", value, catalyst, sureness)
    for table in (idioms.IDIOMS, polarity.POLARITY):
        for pattern, value, _ in parse_table(table):
            yield pattern, Entry("polar", value)
    for pattern, strength in moves.RISES.items():
        yield pattern, Entry("rise", strength)
    for pattern, strength in moves.FALLS.items():
        yield pattern, Entry("fall", strength)
    for pattern, value, _ in parse_table(general_words.GENERAL):
        yield pattern, Entry("polar", GENERAL_WEIGHT * value)


@cache
def main_matcher() -> Matcher[Entry]:
    """Events, polar words, movements and shields."""
    return Matcher(_entries())


@cache
def relation_matcher() -> Matcher[Relation]:
    """Verbs between two companies."""
    return Matcher(RELATIONS)


@cache
def negator_matcher() -> Matcher[tuple[float, int]]:
    """Negators of several words."""
    return Matcher(context.NEGATOR_PHRASES)


@cache
def hedge_matcher() -> Matcher[float]:
    """Hedges of several words."""
    return Matcher(context.HEDGE_PHRASES)


@cache
def quantities() -> dict[str, float]:
    """Every quantity word in each number: positive where growth is good, negative where it is bad, 0 where neither."""
    table: dict[str, float] = dict.fromkeys(moves.NEUTRAL, 0.0)
    for words, sign in ((moves.GOOD, 1.0), (moves.BAD, -1.0)):
        for word, weight in words.items():
            for form in noun_forms(word[:-1]) if word.endswith("#") else (word,):
                table[form] = sign * weight
    return table
