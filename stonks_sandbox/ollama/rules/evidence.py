"""From a sentence to evidence: each thing said, its value, and where in the sentence it stands."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.clauses import Clause, Modifiers, clause_at
from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.moves import (
    AFTER_UP,
    BEFORE_UP,
    LINKS,
    MOVING_NOUNS,
    QUANTITY_REACH,
    WEAK_DIRECTIONS,
)
from stonks_sandbox.ollama.rules.data.wordset import words
from stonks_sandbox.ollama.rules.lexicon import Entry, main_matcher, quantities
from stonks_sandbox.ollama.rules.patterns import Hit

EARNINGS_WORDS = words(
    """
    revenue revenues sales profit profits earnings eps income ebitda ebit net margin margins loss
    losses pat turnover nii comps
    """
)
GUIDANCE_WORDS = frozenset({"guidance", "outlook", "forecast", "forecasts"})
STOCK_WORDS = frozenset({"share", "shares", "stock", "stocks", "scrip"})
_NUMBER = re.compile(r"\d[\d,.]*%?")
_PERCENT_REACH = 7
_GOOD = frozenset(word for word, value in quantities().items() if value > 0)
_OTHER_EXPECTATIONS = frozenset({"orders", "bookings", "demand", "attendance", "trial", "launch", "launched", "drug"})
_NO_RESULTS = 0.5  # expectations of orders or of a trial are beaten too: that is no news of results
_AMOUNT_WORDS = frozenset({"from", "nearly", "about", "almost", "over", "more", "sharply", "slightly", "modestly"})
_NO_MOVEMENT = frozenset({"for", "the", "and", "its", "their", "to"})  # `up for sale`, `down the road`
_AFTER_DOING = words(
    """
    for to by in on as after sharply below above from more over behind further since at against the about nearly
    almost up down higher lower amid but and while this again today now fast despite even ahead before
    """
)
_EXTREMES = frozenset({"high", "highs", "peak", "low", "lows", "circuit"})  # what a share price reaches
_ADVICE = frozenset({"on", "every", "any", "each"})  # `buy on dips`, `sell on every rise`
_SWINGS = frozenset(
    {"dip", "dips", "rise", "rises", "rally", "rallies", "decline", "declines", "fall", "drop", "drops"}
)
_COUNTED = frozenset({"a", "the", "second", "third", "fourth", "fifth", "sixth", "seventh", "straight", "another"})
_OTHER_PHRASE = frozenset({"on", "as", "after", "amid", ","})


@dataclass(frozen=True)
class Evidence:
    """One thing said at token `at`: `value` in [-1, 1], `weight` of the statement, and the catalyst it speaks for.

    `reach` is the last token that belongs to it; `stock` marks a mere movement of the share price.
    """

    at: int
    reach: int
    value: float
    weight: float
    catalyst: Catalyst | None = None
    sureness: float = 0.0
    certainty: float = 1.0
    stock: bool = False


@dataclass(frozen=True)
class Claim:
    """Evidence about one company: `share` is how surely it is meant."""

    ticker: str
    evidence: Evidence
    share: float


def evidence_of(
    words: Sequence[str],
    clauses: Sequence[Clause],
    mentions: Sequence[Mention],
    taken: frozenset[int] = frozenset(),
) -> list[Evidence]:
    """All that a sentence says by the word lists; tokens in `taken` (and company names) are not read as words."""
    blocked = set(taken)
    for mention in mentions:
        blocked.update(range(mention.start, mention.end))
    starts = [clause.start for clause in clauses] + [at + 1 for at, word in enumerate(words) if word in {":", "—", "–"}]
    hits = main_matcher().find(words, starts, blocked)
    modifiers = Modifiers(words)
    shielded = {at for hit in hits if hit.value.kind == "shield" for at in hit.used if words[hit.end - 1] not in _GOOD}
    moves = _chained([hit for hit in hits if hit.value.kind in {"rise", "fall"}], words)
    reader = _Reader(words, clauses, mentions, frozenset(shielded))
    judged = [(hit, reader.movement(hit)) for hit in moves]
    moved = {at for _, movement in judged if movement is not None for at in [movement[1]] if at >= 0}
    stated = [(hit, movement[0]) for hit, movement in judged if movement is not None]
    results = not _OTHER_EXPECTATIONS.intersection(words) or bool(EARNINGS_WORDS.intersection(words))
    for hit in hits:
        entry = hit.value
        if entry.kind == "event" or (entry.kind == "polar" and not moved.intersection(hit.used)):
            weight = 0.6 + abs(entry.value) if entry.value else 0.0
            sureness = entry.sureness * (
                1.0 if results or entry.catalyst is not Catalyst.EARNINGS_BEAT else _NO_RESULTS
            )
            extreme = entry.kind == "polar" and any(words[at] in _EXTREMES for at in hit.used)
            item = Evidence(hit.start, hit.end, entry.value, weight, entry.catalyst, sureness, stock=extreme)
            stated.append((hit, item))
    stated.sort(key=lambda pair: pair[0].start)
    return [_modified(hit, item, clauses, modifiers) for hit, item in stated]


def _modified(hit: Hit[Entry], item: Evidence, clauses: Sequence[Clause], modifiers: Modifiers) -> Evidence:
    """The evidence after negation, degree, contrast and hedging of its clause."""
    clause = clause_at(clauses, hit.start)
    negation = modifiers.negation(hit.start, hit.end, hit.used, clause) if item.value else 1.0
    degree = modifiers.degree(hit.start, hit.end, hit.used, clause)
    return replace(
        item,
        value=max(-1.0, min(1.0, item.value * negation * degree)),
        sureness=item.sureness * (0.5 if negation < 1.0 else 1.0),
        weight=item.weight * clause.weight * (0.5 + 0.5 * clause.certainty),
        certainty=clause.certainty,
    )


def _chained(moves: Sequence[Hit[Entry]], words: Sequence[str]) -> list[Hit[Entry]]:
    """Movements with those of movements resolved: `growth slows` falls, `the decline eased` rises."""
    result: list[Hit[Entry]] = []
    for hit in moves:
        last = result[-1] if result else None
        noun = last is not None and last.end - last.start == 1 and words[last.start] in MOVING_NOUNS
        if last is None or not noun or not 0 <= hit.start - last.end <= 2 or "," in words[last.end : hit.start]:
            result.append(hit)
            continue
        kind: Literal["rise", "fall"] = "rise" if last.value.kind == hit.value.kind else "fall"
        result[-1] = replace(hit, value=replace(hit.value, kind=kind))
    return result


class _Reader:
    """Movements of one sentence read against its quantities and companies."""

    def __init__(
        self, words: Sequence[str], clauses: Sequence[Clause], mentions: Sequence[Mention], shielded: frozenset[int]
    ) -> None:
        self._words = words
        self._clauses = clauses
        self._mentions = mentions
        self._named = {at for mention in mentions for at in range(mention.start, mention.end)}
        self._shielded = shielded | self._named

    def movement(self, hit: Hit[Entry]) -> tuple[Evidence, int] | None:
        """A rise or fall of a quantity, or of the share price where no quantity is named and a company is.

        With the token of the quantity (-1: none); None where the word means no movement, or one that says nothing.
        """
        words, first, last = self._words, hit.start, hit.end
        clause = clause_at(self._clauses, first)
        single = last - first == 1
        if single and first and words[first - 1] in _ADVICE and words[first] in _SWINGS:
            return None
        if single and words[first] in WEAK_DIRECTIONS and not self._meant(first, last):
            return None
        at = self._quantity(first, last, clause)
        name = words[at] if at >= 0 else ""
        if at < 0 and single and self._describes(first, last):
            return None
        percent = percent_near(words, first, last, clause)
        spoken_of = any(clause.start <= mention.start < clause.end for mention in self._mentions)
        if at < 0 and percent is None and not spoken_of:
            return None
        polarity = quantities()[name] if name else 1.0
        if polarity == 0.0:
            return None
        stock = not name or name in STOCK_WORDS
        strength = hit.value.value if percent is None else magnitude(percent, 8.0 if stock else 18.0)
        sign = 1.0 if hit.value.kind == "rise" else -1.0
        catalyst, sureness = None, 0.0
        if name in EARNINGS_WORDS:
            catalyst, sureness = Catalyst.EARNINGS_BEAT, 0.6
        elif name in GUIDANCE_WORDS:
            catalyst, sureness = (Catalyst.GUIDANCE_RAISE if sign > 0 else Catalyst.GUIDANCE_CUT), 0.7
        value = sign * math.copysign(1.0, polarity) * strength
        weight = 0.5 + 0.6 * min(1.0, abs(polarity))
        return Evidence(first, last, value, weight, catalyst, sureness, 1.0, stock), at

    def _describes(self, first: int, last: int) -> bool:
        """Whether a word like `falling` stands before a noun, as in `falling rubber prices`: no deed of a company."""
        words = self._words
        after = words[last] if last < len(words) else ""
        return words[first].endswith("ing") and after.isalpha() and after not in _AFTER_DOING

    def _meant(self, first: int, last: int) -> bool:
        """Whether a word like `up` speaks of a movement: a number behind it, or a quantity or company before it."""
        words = self._words
        after = words[last] if last < len(words) else ""
        before = words[first - 1] if first else ""
        numeric = _NUMBER.match(after) is not None or after.startswith("$")
        if words[first] in {"growth", "expand", "expands", "contract", "contracts"}:
            return before in quantities() or after in LINKS or numeric
        if words[first] in {"lower", "higher"} and after in quantities():
            return True
        ends = not after or not after[0].isalpha()
        streak = after == "for" and words[min(last + 1, len(words) - 1)] in _COUNTED
        named = first - 1 in self._named and (streak or after not in _NO_MOVEMENT)
        told = before in BEFORE_UP and (ends or after in AFTER_UP)
        return numeric or after in _AMOUNT_WORDS or named or told

    def _quantity(self, first: int, last: int, clause: Clause) -> int:
        """The token of the quantity that moves: `fall in costs` before `costs fell`; -1 where none is named."""
        words = self._words
        ahead = range(last, min(clause.end, last + 6))
        if last < len(words) and (words[last] in LINKS or words[first] in {"lower", "higher"}):
            for at in ahead:
                if words[at] in {",", ";", "as", "after", "on", "amid", "with", "tandem", "sympathy"}:
                    break
                if self._is_quantity(at):
                    return self._widest(at)
        for at in range(first - 1, max(clause.start, first - QUANTITY_REACH) - 1, -1):
            if at in self._named or words[at] in {";", ":", "but", "amid", "on", "after"}:
                break
            if self._is_quantity(at):
                return self._head(at, clause)
        direct = next((at for at in ahead[:3] if self._is_quantity(at)), None)
        if direct is not None and not any(words[at] in _OTHER_PHRASE for at in range(last, direct)):
            return direct
        return -1

    def _is_quantity(self, at: int) -> bool:
        words = self._words
        if words[at] not in quantities() or at in self._shielded:
            return False
        return not (words[at] == "share" and at and words[at - 1] == "per")

    def _head(self, at: int, clause: Clause) -> int:
        """Of `cost of sales` the cost."""
        if at - 2 >= clause.start and self._words[at - 1] == "of" and self._is_quantity(at - 2):
            return at - 2
        return at

    def _widest(self, at: int) -> int:
        """Of words side by side the last one names the quantity: `revenue loss` is a loss."""
        while at + 1 < len(self._words) and self._is_quantity(at + 1):
            at += 1
        return at


def percent_near(words: Sequence[str], first: int, last: int, clause: Clause) -> float | None:
    """The percentage belonging to a movement: the nearest behind it, else right before it. Basis points count 1/50."""
    for at in range(last, min(clause.end, last + _PERCENT_REACH)):
        value = _percent_at(words, at)
        if value is not None:
            return value
        if words[at] in {";", ":", "and", "while"} and at > last:
            break
    for at in range(max(clause.start, first - 3), first):
        value = _percent_at(words, at)
        if value is not None:
            return value
    return None


def _percent_at(words: Sequence[str], at: int) -> float | None:
    word = words[at]
    if not _NUMBER.fullmatch(word):
        return None
    following = words[at + 1] if at + 1 < len(words) else ""
    scale = 1.0 if word.endswith("%") or following in {"percent", "per", "pct", "%"} else 0.0
    if following in {"basis", "bps"}:
        scale = 0.02
    if scale == 0.0:
        return None
    return float(word.rstrip("%").replace(",", "").rstrip(".")) * scale if word.count(".") <= 1 else None


def magnitude(percent: float, scale: float) -> float:
    """Strength in [0.15, 0.95] of a change of so many percent, two thirds of the way at about `scale`."""
    return 0.15 + 0.8 * (1.0 - math.exp(-abs(percent) / scale))
