"""Clauses of a sentence and what they do to the words in them: contrast, concession, negation, hedges, degree."""

from collections.abc import Sequence
from dataclasses import dataclass

from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.context import (
    ALWAYS_ASKING,
    ASKING,
    CLAUSE_BREAKS,
    CONCESSION,
    CONTRAST_AFTER,
    DASHES,
    DIMINISHERS,
    HEDGES,
    INTENSIFIERS,
    NEGATORS,
)
from stonks_sandbox.ollama.rules.lexicon import hedge_matcher, negator_matcher
from stonks_sandbox.ollama.rules.text import Sentence

_ENTITY_REACH = 4
ASKED_WEIGHT = 0.05  # of what stands in a question
_NEGATION_STOPS = frozenset(
    {",", ";", ":", "on", "as", "after", "amid", "over", "due", "because", "since", "in", "and"}
)


@dataclass(frozen=True)
class Clause:
    """Tokens [start, end) of a sentence, the weight its words carry, and how sure the writer is (1: plain statement)."""

    start: int
    end: int
    weight: float
    certainty: float


def clauses_of(sentence: Sentence, mentions: Sequence[Mention]) -> list[Clause]:
    """The sentence cut where contrast or a new subject begins; every token is in exactly one clause."""
    words = sentence.lows
    starts = _boundaries(words, mentions)
    hedges = _hedges(words)
    asking = _asks(words)
    question = 0.4 if words and words[-1] == "?" else 1.0
    found: list[Clause] = []
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        certainty = min((factor for at, factor in hedges.items() if start <= at < end), default=1.0)
        if start <= asking < end or (0 <= asking < start):
            found.append(Clause(start, end, ASKED_WEIGHT, certainty * question))
            continue
        found.append(Clause(start, end, _own_weight(words, start), certainty * question))
    return [_weighed(found, number, words) for number in range(len(found))]


def _asks(words: Sequence[str]) -> int:
    """Where a question begins that asks instead of telling (`Will A rise?`, `A falls: should you buy?`); -1: nowhere.

    `Why A is falling` tells.
    """
    for at, word in enumerate(words):
        opens = at == 0 or words[at - 1] in {":", ";", ",", "—", "–", "?", "."}
        if opens and word in ASKING and (words[-1] == "?" or word in ALWAYS_ASKING):
            return at
    return -1


def _boundaries(words: Sequence[str], mentions: Sequence[Mention]) -> list[int]:
    starts = [0]
    named_at = [mention.start for mention in mentions]
    opened_by_concession = bool(words) and (words[0] in CONCESSION or words[0] in {"while", "as", "after", "amid"})
    for at in range(1, len(words)):
        word = words[at]
        if word == "even" and words[at + 1 : at + 2] not in (("as",), ("though",), ("if",)):
            continue
        breaks = word in CLAUSE_BREAKS or word in DASHES or (word == "as" and _new_subject(words, at, named_at))
        after_opening = opened_by_concession and starts[-1] == 0 and word == ","
        if word in {"as", "though"} and starts[-1] == at - 1 and words[at - 1] == "even":
            continue
        if (breaks or after_opening) and not (word == "yet" and words[at - 1 : at] in (("not",), ("is",))):
            starts.append(at)
    return starts


def _new_subject(words: Sequence[str], at: int, named_at: Sequence[int]) -> bool:
    """`as` begins a clause of its own where a company follows closely and another stood before."""
    close = [start for start in named_at if at < start <= at + _ENTITY_REACH and "," not in words[at:start]]
    return bool(close) and any(start < at for start in named_at)


def _own_weight(words: Sequence[str], start: int) -> float:
    opening = words[start]
    if opening in CONCESSION or (start == 0 and opening == "while"):
        return 0.45
    if opening == "even":
        return 0.45
    return 1.5 if opening in CONTRAST_AFTER and start > 0 else 1.0


def _weighed(clauses: Sequence[Clause], number: int, words: Sequence[str]) -> Clause:
    """A clause before a `but` loses weight to what follows it."""
    clause = clauses[number]
    later = clauses[number + 1] if number + 1 < len(clauses) else None
    if later is not None and later.weight > 1.0 and words[later.start] in {"but", "however"}:
        return Clause(clause.start, clause.end, clause.weight * 0.55, clause.certainty)
    return clause


def _hedges(words: Sequence[str]) -> dict[int, float]:
    found = {at: HEDGES[word] for at, word in enumerate(words) if word in HEDGES}
    for hit in hedge_matcher().find(words):
        found[hit.start] = min(hit.value, found.get(hit.start, 1.0))
    return found


def clause_at(clauses: Sequence[Clause], token: int) -> Clause:
    """The clause that holds a token."""
    return next(clause for clause in reversed(clauses) if clause.start <= token)


class Modifiers:
    """Negators and degree words of a sentence, ready to be asked what they do to a hit."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._negators: list[tuple[int, int, float, int]] = []
        covered: set[int] = set()
        for hit in negator_matcher().find(words):
            covered.update(hit.used)
            self._negators.append((hit.start, hit.end, *hit.value))
        for at, word in enumerate(words):
            known = NEGATORS.get(word) or ((-0.6, 4) if word.endswith("n't") else None)
            if known is not None and at not in covered:
                self._negators.append((at, at + 1, *known))

    def negation(self, start: int, end: int, used: Sequence[int], clause: Clause) -> float:
        """What negators before (or inside) a hit leave of its value: 1 where there is none."""
        factor = 1.0
        for begin, finish, value, reach in self._negators:
            if begin in used or finish - 1 in used:
                continue
            inside = start < begin < end
            before = finish <= start <= finish + reach - 1 and begin >= clause.start
            if inside or (before and not _NEGATION_STOPS.intersection(self._words[finish:start])):
                factor *= value
        return max(-1.0, min(1.0, factor))

    def degree(self, start: int, end: int, used: Sequence[int], clause: Clause) -> float:
        """How much stronger or weaker degree words right beside (or inside) a hit make it."""
        low, high = max(clause.start, start - 2), min(clause.end, end + 2)
        factor = 1.0
        for at in range(low, high):
            word = "" if at in used else self._words[at]
            factor *= INTENSIFIERS.get(word, 1.0) * DIMINISHERS.get(word, 1.0)
        return max(0.4, min(1.5, factor))
