"""The little pattern language of the word lists, and its matcher.

A pattern is a row of slots divided by blanks: `a|b` either word, `word%` the verb in every form, `word#` singular and
plural, `slot?` may be absent, `~3` up to three words of any kind, `^` the start of a sentence or clause, `#num` a number,
`#pct` a percentage. Matching is over lower-case tokens and never crosses a mark.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from stonks_sandbox.ollama.rules.data.irregular import IRREGULAR_VERBS

T = TypeVar("T")

_MARK = re.compile(r"[^\w$€£₹%'&.]")
_GAP_STOPS = frozenset({"while", "but", "whereas", "although", "though", "despite", "as", "after", "amid"})
_NUMBER = re.compile(r"[€£$₹]?\d[\d,.]*%?")
_VOWELS = "aeiou"


@dataclass(frozen=True)
class _Slot:
    words: frozenset[str]
    optional: bool = False
    gap: int = 0


@dataclass(frozen=True)
class Hit(Generic[T]):
    """A pattern found at tokens [start, end): `used` are the tokens that its own words matched."""

    start: int
    end: int
    used: tuple[int, ...]
    value: T


def verb_forms(verb: str) -> frozenset[str]:
    """Base, third person, past and -ing forms of a verb, irregular ones from the table."""
    if verb in IRREGULAR_VERBS:
        return frozenset({verb, *IRREGULAR_VERBS[verb].split()})
    third = verb + "es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else verb + "s"
    if verb.endswith("e"):
        past, doing = verb + "d", verb[:-1] + "ing"
    elif verb.endswith("y") and verb[-2] not in _VOWELS:
        third, past, doing = verb[:-1] + "ies", verb[:-1] + "ied", verb + "ing"
    elif _doubles(verb):
        past, doing = verb + verb[-1] + "ed", verb + verb[-1] + "ing"
    else:
        past, doing = verb + "ed", verb + "ing"
    return frozenset({verb, third, past, doing})


def _doubles(verb: str) -> bool:
    """A short verb of one vowel between consonants doubles its last letter (slip, slipped)."""
    if len(verb) < 3 or verb[-1] in _VOWELS + "wxy" or verb[-2] not in _VOWELS or verb[-3] in _VOWELS:
        return False
    return sum(letter in _VOWELS for letter in verb) == 1


def noun_forms(noun: str) -> frozenset[str]:
    """Singular and plural of a noun."""
    if noun.endswith("y") and noun[-2] not in _VOWELS:
        return frozenset({noun, noun[:-1] + "ies"})
    return frozenset({noun, noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")})


def _words(slot: str) -> frozenset[str]:
    found: set[str] = set()
    for word in slot.split("|"):
        if word.endswith("%") and len(word) > 1:
            found |= verb_forms(word[:-1])
        elif word.endswith("#") and len(word) > 1:
            found |= noun_forms(word[:-1])
        else:
            found.add(word)
    return frozenset(found)


def _compile(pattern: str) -> tuple[_Slot, ...]:
    slots: list[_Slot] = []
    for part in pattern.split():
        if part[0] == "~":
            slots.append(_Slot(frozenset(), gap=int(part[1:])))
        elif part.endswith("?"):
            slots.append(_Slot(_words(part[:-1]), optional=True))
        else:
            slots.append(_Slot(_words(part)))
    return tuple(slots)


class Matcher(Generic[T]):
    """All patterns of a word list, compiled; finds the longest at each token, one token serving one pattern."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._index: dict[str, list[tuple[tuple[_Slot, ...], T]]] = {}
        self._anchored: list[tuple[tuple[_Slot, ...], T]] = []
        for pattern, value in entries:
            slots = _compile(pattern.removeprefix("^ "))
            if pattern.startswith("^ "):
                self._anchored.append((slots, value))
                continue
            for position, slot in enumerate(slots):
                for word in slot.words:
                    self._index.setdefault(word, []).append((slots[position:], value))
                if not slot.optional:
                    break

    def _candidates(self, word: str) -> list[tuple[tuple[_Slot, ...], T]]:
        """The patterns that may begin with a word; those that begin with any number count a percentage as one."""
        found = self._index.get(word, [])
        kind = "" if word[0].isalpha() else _class_of(word)
        if not kind:
            return found
        numbers = self._index.get("#num", []) + (self._index.get("#pct", []) if kind == "#pct" else [])
        return [*found, *numbers]

    def find(
        self, words: Sequence[str], clause_starts: Sequence[int] = (0,), blocked: Collection[int] = ()
    ) -> list[Hit[T]]:
        """Every pattern hit, in order; where several start at a token, the one using most words.

        Anchored patterns start only at `clause_starts`; tokens in `blocked` match nothing.
        """
        hits: list[Hit[T]] = []
        taken: set[int] = set(blocked)
        for start, word in enumerate(words):
            candidates = self._candidates(word)
            anchored = self._anchored if start in clause_starts else ()
            if start in taken or not (candidates or anchored):
                continue
            best: tuple[tuple[int, ...], T] | None = None
            for slots, value in (*anchored, *candidates):
                used = _match(slots, words, start, taken)
                if used and (best is None or len(used) > len(best[0])):
                    best = (used, value)
            if best is not None:
                taken.update(best[0])
                hits.append(Hit(start, best[0][-1] + 1, best[0], best[1]))
        return hits


def _class_of(word: str) -> str:
    """The class that a number belongs to besides itself; "" for a word."""
    if not _NUMBER.fullmatch(word):
        return ""
    return "#pct" if word.endswith("%") else "#num"


def _fits(slot: _Slot, word: str) -> bool:
    if word in slot.words:
        return True
    if "#num" in slot.words and _NUMBER.fullmatch(word):
        return True
    return "#pct" in slot.words and word.endswith("%") and len(word) > 1


def _stops_gap(word: str) -> bool:
    return word in _GAP_STOPS or _MARK.fullmatch(word) is not None


def _match(slots: tuple[_Slot, ...], words: Sequence[str], at: int, taken: set[int]) -> tuple[int, ...] | None:
    """The tokens used when the slots match from `at`, preferring short gaps; None where they do not."""
    if not slots:
        return ()
    slot, rest = slots[0], slots[1:]
    if slot.gap:
        for width in range(slot.gap + 1):
            if at + width > len(words) or (width and _stops_gap(words[at + width - 1])):
                return None
            used = _match(rest, words, at + width, taken)
            if used is not None:
                return used
        return None
    if at < len(words) and at not in taken and _fits(slot, words[at]):
        used = _match(rest, words, at + 1, taken)
        if used is not None:
            return (at, *used)
    return _match(rest, words, at, taken) if slot.optional else None
