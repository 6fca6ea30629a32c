"""From a sentence to evidence: each thing said, its value, and where in the sentence it stands."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.clauses import Clause, Modifiers, clause_at
from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.moves import AFTER_UP, BEFORE_UP, LINKS, QUANTITY_REACH, WEAK_DIRECTIONS
from stonks_sandbox.ollama.rules.lexicon import Entry, main_matcher, quantities
from stonks_sandbox.ollama.rules.patterns import Hit

EARNINGS_WORDS = frozenset(
    "revenue revenues sales profit profits earnings eps income ebitda ebit net margin margins loss losses pat turnover "
    "nii comps".split()
)
GUIDANCE_WORDS = frozenset({"guidance", "outlook", "forecast", "forecasts"})
STOCK_WORDS = frozenset({"share", "shares", "stock", "stocks", "scrip"})
_NUMBER = re.compile(r"\d[\d,.]*%?")
_PERCENT_REACH = 7


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
    found: list[Evidence] = []
    for hit in hits:
        if hit.value.kind == "shield":
            continue
        clause = clause_at(clauses, hit.start)
        item = _judged(hit, words, clause, mentions)
        if item is None:
            continue
        negation = modifiers.negation(hit.start, hit.end, clause) if item.value else 1.0
        degree = modifiers.degree(hit.start, hit.end, clause)
        value = max(-1.0, min(1.0, item.value * negation * degree))
        sureness = item.sureness * (0.5 if negation < 1.0 else 1.0)
        weight = item.weight * clause.weight * (0.5 + 0.5 * clause.certainty)
        found.append(
            Evidence(item.at, item.reach, value, weight, item.catalyst, sureness, clause.certainty, item.stock)
        )
    return found


def _judged(hit: Hit[Entry], words: Sequence[str], clause: Clause, mentions: Sequence[Mention]) -> Evidence | None:
    entry = hit.value
    if entry.kind in {"rise", "fall"}:
        return _movement(hit, words, clause, mentions)
    weight = 0.6 + abs(entry.value) if entry.value else 0.0
    return Evidence(hit.start, hit.end, entry.value, weight, entry.catalyst, entry.sureness)


def _movement(hit: Hit[Entry], words: Sequence[str], clause: Clause, mentions: Sequence[Mention]) -> Evidence | None:
    """A rise or fall of a quantity, or of the share price where no quantity is named and a company is."""
    first, last = hit.start, hit.end
    alone = last - first == 1 and words[first] in WEAK_DIRECTIONS
    if alone and not _meant(words, first, last):
        return None
    name, polarity = _quantity(words, first, last, clause, mentions)
    if not name and (alone or not any(clause.start <= m.start < clause.end for m in mentions)):
        percent = percent_near(words, first, last, clause)
        if percent is None:
            return None
    if polarity == 0.0:
        return None
    stock = not name or name in STOCK_WORDS
    percent = percent_near(words, first, last, clause)
    strength = hit.value.value if percent is None else magnitude(percent, 8.0 if stock else 18.0)
    sign = 1.0 if hit.value.kind == "rise" else -1.0
    catalyst, sureness = None, 0.0
    if name in EARNINGS_WORDS:
        catalyst, sureness = Catalyst.EARNINGS_BEAT, 0.6
    elif name in GUIDANCE_WORDS:
        catalyst, sureness = (Catalyst.GUIDANCE_RAISE if sign > 0 else Catalyst.GUIDANCE_CUT), 0.7
    value = sign * math.copysign(1.0, polarity) * strength
    return Evidence(first, last, value, 0.5 + 0.6 * min(1.0, abs(polarity)), catalyst, sureness, 1.0, stock)


def _meant(words: Sequence[str], first: int, last: int) -> bool:
    """Whether a word like `up` speaks of a movement here: a number after it, or a quantity or `was` before it."""
    after = words[last] if last < len(words) else ""
    before = words[first - 1] if first else ""
    if words[first] in {"growth", "expand", "expands", "contract", "contracts"}:
        return before in quantities() or after in LINKS or _NUMBER.match(after) is not None
    if words[first] in {"lower", "higher"} and after in quantities():
        return True
    numeric = _NUMBER.match(after) is not None or after.startswith("$")
    return (
        numeric
        or (before in BEFORE_UP and (after in AFTER_UP or not after or not after[0].isalpha()))
        or (after in {"from", "nearly", "about", "almost", "over", "more", "sharply", "slightly", "modestly"})
    )


def _quantity(
    words: Sequence[str], first: int, last: int, clause: Clause, mentions: Sequence[Mention]
) -> tuple[str, float]:
    """The quantity that moves and its polarity: `fall in costs` before `costs fell`; ("", 1) where none is named."""
    table = quantities()
    named = {at for mention in mentions for at in range(mention.start, mention.end)}
    ahead = range(last, min(clause.end, last + 6))
    if last < len(words) and (words[last] in LINKS or words[first] in {"lower", "higher"}):
        for at in ahead:
            if words[at] in table and at not in named:
                return _widest(words, at, table)
            if words[at] in {",", ";", "as", "after", "on", "amid"}:
                break
    for at in range(first - 1, max(clause.start, first - QUANTITY_REACH) - 1, -1):
        if at in named:
            break
        if words[at] in table:
            return words[at], table[words[at]]
        if words[at] in {";", ":", "but", "amid", "on", "after"}:
            break
    direct = next((at for at in ahead[:3] if words[at] in table and at not in named), None)
    if direct is not None and not any(words[at] in {"on", "as", "after", "amid", ","} for at in range(last, direct)):
        return words[direct], table[words[direct]]
    return "", 1.0


def _widest(words: Sequence[str], at: int, table: dict[str, float]) -> tuple[str, float]:
    """Of words side by side the last one names the quantity: `revenue loss` is a loss."""
    while at + 1 < len(words) and words[at + 1] in table:
        at += 1
    return words[at], table[words[at]]


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
