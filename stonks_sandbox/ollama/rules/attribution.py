"""Who is meant: evidence of a sentence handed to the companies named in it, or carried over from before."""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.clauses import Clause, clause_at
from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.wordset import words
from stonks_sandbox.ollama.rules.evidence import Claim, Evidence
from stonks_sandbox.ollama.rules.groups import Group, groups_of

_CAUSE_REACH = 3  # tokens behind a company of a cause that are still said of it
_SHARE_LINKS = frozenset({"of", "in", "at", "for"})
_SEGMENT_MARKS = frozenset({",", ";", ":", "as", "while", "but", "after", "amid", "and", "on", "—", "–"})
_CHARGED_WITH = frozenset({"of", "for", "over"})
_OPENERS = words(
    """
    despite although though while as after amid with on following once when since even
    """
)
_FOLLOWING = (("follows",), ("follow",), ("followed",), ("too",), ("also",))
_UNLIKE = -0.5


def attribute(
    words: Sequence[str],
    clauses: Sequence[Clause],
    mentions: Sequence[Mention],
    items: Sequence[Evidence],
    carried: Sequence[tuple[str, float]],
    objects: Collection[Group] = (),
) -> list[Claim]:
    """Each piece of evidence given to the companies it speaks of.

    `objects` are companies that another one's deed is done to: what follows is said of that one. `carried` are the
    companies (with a share) that a sentence without any of its own goes on about.
    """
    groups = groups_of(words, mentions)
    if objects:
        groups = [replace(group, acted_on=group in objects) for group in groups]
    claims: list[Claim] = []
    owners: list[tuple[Group, Evidence]] = []
    for item in items:
        clause = clause_at(clauses, item.at)
        group, share = _owner(words, groups, item, clause)
        if group is not None:
            claims.extend(Claim(ticker, item, share) for ticker in group.tickers)
            claims.extend(_contrasted(words, groups, group, item, clause))
            claims.extend(_whole_of(words, groups, group, item, clause))
            owners.append((group, item))
        elif not groups:
            claims.extend(Claim(ticker, item, part) for ticker, part in carried)
    return claims + _following(words, groups, owners)


def _following(words: Sequence[str], groups: Sequence[Group], owners: Sequence[tuple[Group, Evidence]]) -> list[Claim]:
    """`A slides, B follows` and `A fell, B too`: what was said of the one before holds for the other as well."""
    found: list[Claim] = []
    judged = {group for group, item in owners if item.value}
    for before, group in itertools.pairwise(groups):
        if group not in judged and before in judged and words[group.end : group.end + 1] in _FOLLOWING:
            claims = [item for owner, item in owners if owner is before]
            found.extend(Claim(ticker, item, 0.8) for item in claims for ticker in group.tickers)
    return found


def _whole_of(
    words: Sequence[str], groups: Sequence[Group], owner: Group, item: Evidence, clause: Clause
) -> list[Claim]:
    """`A cuts jobs at B` is said of A as well, whose doing it is."""
    if owner.start < item.reach or words[owner.start - 1] != "at":
        return []
    doers = [g for g in groups if clause.start <= g.start and g.end <= item.at and not g.oblique]
    return [Claim(ticker, item, 0.8) for group in doers[-1:] for ticker in group.tickers]


def _contrasted(
    words: Sequence[str], groups: Sequence[Group], owner: Group, item: Evidence, clause: Clause
) -> list[Claim]:
    """`A, unlike B, grows` says half the opposite of B."""
    others = [g for g in groups if g is not owner and clause.start <= g.start < clause.end]
    unlike = [g for g in others if g.start and words[g.start - 1] == "unlike"]
    opposite = replace(item, value=item.value * _UNLIKE)
    return [Claim(ticker, opposite, 0.8) for group in unlike for ticker in group.tickers]


def _owner(words: Sequence[str], groups: Sequence[Group], item: Evidence, clause: Clause) -> tuple[Group | None, float]:
    """The companies that a statement is about, and how surely: of its own clause before any other."""
    inside = [group for group in groups if clause.start <= group.start < clause.end]
    if inside:
        return _owner_inside(words, inside, item)
    earlier = [group for group in groups if group.end <= clause.start]
    if earlier:
        subjects = [group for group in earlier if not group.oblique] or earlier
        return subjects[-1], 0.8
    if not groups:
        return None, 0.0
    return groups[0], 0.8 if words[clause.start] in _OPENERS else 0.2


def _owner_inside(words: Sequence[str], inside: Sequence[Group], item: Evidence) -> tuple[Group | None, float]:
    """Within a clause: who stands in the statement, closely behind it, before it, or else behind it."""
    within = [group for group in inside if item.at < group.start < item.reach]
    ahead = [group for group in inside if group.start >= item.at]
    if within or (ahead and _belongs_ahead(words, ahead[0], item)):
        return (within or ahead)[0], 1.0
    behind = [group for group in inside if group.end <= item.at]
    plain = [group for group in behind if _may_own(words, group, item)] or behind
    if plain:
        owner = plain[-1]
        return owner, (0.35 if owner.modifier else 1.0) * _nearness(item.at - owner.end)
    owner = next((group for group in ahead if not group.modifier), ahead[0])
    return owner, _nearness(owner.start - item.reach)


def _may_own(words: Sequence[str], group: Group, item: Evidence) -> bool:
    """Whether what stands behind a company is said of it: not behind `by A`, nor far behind `on A`, nor behind an object."""
    distance = item.at - group.end
    if group.owning and distance <= _CAUSE_REACH + 1:
        return True
    if group.acted_on and item.value < 0 and words[group.end] in _CHARGED_WITH:
        return True
    if group.acted_on and not _SEGMENT_MARKS.intersection(words[group.end : item.at]):
        return False
    deal = item.catalyst is Catalyst.MERGER_ACQUISITION
    return not group.oblique and not (group.causal and (deal or distance > _CAUSE_REACH))


def _belongs_ahead(words: Sequence[str], group: Group, item: Evidence) -> bool:
    """`weak sales at Apple`, `shares of Apple fell`... the company follows closely behind `of`, `at`, `for`, `in`."""
    between = words[item.reach : group.start]
    return 0 < len(between) <= 3 and between[-1] in _SHARE_LINKS and "," not in between


def _nearness(distance: int) -> float:
    return 1.0 if distance <= 12 else max(0.4, 1.0 - 0.03 * (distance - 12))


def scaled(claim: Claim, factor: float) -> Claim:
    """The same claim with its weight multiplied."""
    return replace(claim, evidence=replace(claim.evidence, weight=claim.evidence.weight * factor))
