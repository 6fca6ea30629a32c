"""What outweighs what within one sentence: the market's own verdict over its causes, an actor's deeds apart from a company's."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.actors import ACTORS, BEFORE_ACTORS, OPENERS
from stonks_sandbox.ollama.rules.evidence import Claim, Evidence

OVERRULED = 0.15  # of its weight is left to a cause that the share price has judged otherwise
LEAST_SHARE = 0.5
LEAST_VALUE = 0.15
CAUSES = frozenset({"as", "on", "after", "amid", "from", "over", "following", "despite"})
APART = frozenset({",", ";", ":", "but", "and", "while", "though", "—", "–"})
NEAR = 2  # tokens between an actor and what it does


def settled(claims: Sequence[Claim], words: Sequence[str]) -> list[Claim]:
    """The claims of one sentence with those overruled that contradict a plain movement of the share price, or whose cause
    they are.

    `A slips on stronger dollar`, `A up even as profit declines`: the price has weighed the cause already. And `A in
    demand as prices ease` says of A the first, not the second.
    """
    first: dict[str, Evidence] = {}
    for claim in sorted(claims, key=lambda claim: claim.evidence.at):
        if claim.evidence.value and claim.share >= LEAST_SHARE:
            first.setdefault(claim.ticker, claim.evidence)
    signs: dict[str, float] = {}
    for claim in claims:
        item = claim.evidence
        plain = (
            item.stock
            and abs(item.value) >= LEAST_VALUE
            and claim.share >= LEAST_SHARE
            and item.certainty > LEAST_SHARE
        )
        if plain:
            signs[claim.ticker] = signs.get(claim.ticker, 0.0) + item.value * item.weight
    return [
        _overruled(claim)
        if _contradicts(claim, signs) or _is_cause(claim.evidence, first.get(claim.ticker), words)
        else claim
        for claim in claims
    ]


def _is_cause(item: Evidence, first: Evidence | None, words: Sequence[str]) -> bool:
    """Whether evidence contradicts what was said first and stands in its cause, with no mark or contrast between."""
    if first is None or item.stock or item.value * first.value >= 0:
        return False
    between = words[first.reach : item.at]
    return bool(CAUSES.intersection(between)) and not APART.intersection(between)


def _contradicts(claim: Claim, signs: dict[str, float]) -> bool:
    return not claim.evidence.stock and claim.evidence.value * signs.get(claim.ticker, 0.0) < 0


def _overruled(claim: Claim) -> Claim:
    return replace(claim, evidence=replace(claim.evidence, weight=claim.evidence.weight * OVERRULED))


def without_actors(words: Sequence[str], mentions: Sequence[Mention], items: Sequence[Evidence]) -> list[Evidence]:
    """Evidence left when the deeds of others than companies are taken out: `A rises, banks lag`, `as crude falls`."""
    if not mentions:
        return list(items)
    named = {at for mention in mentions for at in range(mention.start, mention.end)}
    ends = [at + 1 for at in range(mentions[0].end, len(words)) if words[at] in ACTORS and _is_actor(words, at, named)]
    return [item for item in items if not (_plain(item) and _done_by(item, ends))]


def _is_actor(words: Sequence[str], at: int, named: Collection[int]) -> bool:
    """Whether a word begins a clause of its own: behind a comma or conjunction, adjectives between them passed over."""
    before = at - 1
    while before > 0 and before not in named and (words[before] in BEFORE_ACTORS or _names_goods(words, before, at)):
        before -= 1
    return at not in named and before not in named and words[before] in OPENERS


def _names_goods(words: Sequence[str], before: int, at: int) -> bool:
    """Whether a word before `prices` says of what: `as ammonia prices ease`."""
    return words[at] == "prices" and at - before <= NEAR and words[before] not in OPENERS and words[before].isalpha()


def _plain(item: Evidence) -> bool:
    return item.catalyst is None


def _done_by(item: Evidence, ends: Sequence[int]) -> bool:
    return any(0 <= item.at - end < NEAR for end in ends)
