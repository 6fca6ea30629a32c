"""Who is meant: evidence of a sentence handed to the companies named in it, or carried over from before."""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.clauses import Clause, Modifiers, clause_at
from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.relations import Relation
from stonks_sandbox.ollama.rules.data.wordset import words
from stonks_sandbox.ollama.rules.evidence import Evidence
from stonks_sandbox.ollama.rules.lexicon import relation_matcher
from stonks_sandbox.ollama.rules.patterns import Hit

_JOINERS = frozenset({",", "and", "&", "or", "/", "(", ")", ":", "plus", "'s", "both", "nasdaq", "nyse", "the", "$"})
_OBLIQUE = words(
    """
    by at from with against versus vs than over unlike like including alongside via to into about
    """
)
_CAUSAL = frozenset({"on", "after", "amid", "for"})  # what follows is a cause or a purpose, not who acts
_CAUSE_REACH = 3  # tokens behind a company of a cause that are still said of it
_SHARE_LINKS = frozenset({"of", "in", "at", "for"})
_MODIFIED = words(
    """
    supplier suppliers rival rivals partner partners customer competitor competitors peer peers backed
    owned parent investor shareholder lender vendor contractor maker user users style killer
    alternative analyst
    """
)
_PLAIN_SUBJECT = 0.3  # without a second company only a verb that says this much of the first counts
_NOT_BETWEEN = words("to by from of in with at for and or granted given")
_SEGMENT_MARKS = frozenset({",", ";", ":", "as", "while", "but", "after", "amid", "and", "on", "—", "–"})
_CHARGED_WITH = frozenset({"of", "for", "over"})
_OPENERS = words(
    """
    despite although though while as after amid with on following once when since even
    """
)
_FOLLOWING = (("follows",), ("follow",), ("followed",), ("too",), ("also",))
_UNLIKE = -0.5
_PREFERRED = 0.35
_OBJECT_REACH = 7
_SUBJECT_REACH = 14


@dataclass(frozen=True)
class Claim:
    """Evidence about one company: `share` is how surely it is meant."""

    ticker: str
    evidence: Evidence
    share: float


@dataclass(frozen=True)
class _Group:
    """Companies named side by side, `Apple, Microsoft and Google`; [start, end) are tokens."""

    start: int
    end: int
    tickers: tuple[str, ...]
    oblique: bool
    modifier: bool
    causal: bool = False
    owning: bool = False
    acted_on: bool = False


def groups_of(words: Sequence[str], mentions: Sequence[Mention]) -> list[_Group]:
    """Mentions joined where nothing but commas and `and` stands between them."""
    runs: list[list[Mention]] = []
    for mention in mentions:
        gap = words[runs[-1][-1].end : mention.start] if runs else ()
        if runs and len(gap) <= 4 and all(word in _JOINERS for word in gap) and ":" not in gap[:1]:
            runs[-1].append(mention)
        else:
            runs.append([mention])
    return [_group(words, run) for run in runs]


def _group(words: Sequence[str], run: Sequence[Mention]) -> _Group:
    start, end = run[0].start, run[-1].end
    before = words[start - 1] if start else ""
    if before in {"the", "rival", "peer", "$"} and start > 1:
        before = words[start - 2]
    after = words[end] if end < len(words) else ""
    owning = after == "'s"
    if owning and end + 1 < len(words):
        after = words[end + 1]
    tickers = tuple(dict.fromkeys(mention.ticker for mention in run))
    return _Group(start, end, tickers, before in _OBLIQUE, after in _MODIFIED, before in _CAUSAL, owning)


def relations_of(
    words: Sequence[str], clauses: Sequence[Clause], mentions: Sequence[Mention]
) -> tuple[list[Claim], frozenset[int], list[_Group]]:
    """What verbs between companies say of each end, the tokens they used up, and the companies that are objects."""
    if not mentions:
        return [], frozenset(), []
    groups = groups_of(words, mentions)
    blocked = {at for mention in mentions for at in range(mention.start, mention.end)}
    claims: list[Claim] = []
    objects: list[_Group] = []
    used: set[int] = set()
    modifiers = Modifiers(words)
    for hit in relation_matcher().find(words, _openings(words, clauses), blocked):
        clause = clause_at(clauses, hit.start)
        after = _object(words, groups, hit, clause)
        before = _subject(groups, hit, clause)
        relation = hit.value
        if relation.inner and not any(hit.start < group.start and group.end < hit.end for group in groups):
            continue
        if (
            after is None
            and not relation.inner
            and (relation.needs_object or before is None or abs(relation.subject) < _PLAIN_SUBJECT)
        ):
            continue
        used.update(hit.used)
        negation = modifiers.negation(hit.start, hit.end, hit.used, clause)
        within = next((group for group in groups if hit.start < group.start and group.end < hit.end), None)
        claims.extend(_ends(hit, _negated(relation, negation), before, within, after, clause))
        if before is not None and after is not None:
            objects.append(after)
    claims.extend(_preferred(words, groups, clauses))
    return claims, frozenset(used), objects


def _preferred(words: Sequence[str], groups: Sequence[_Group], clauses: Sequence[Clause]) -> list[Claim]:
    """`A over B` with nothing between them is a preference."""
    found: list[Claim] = []
    for before, after in itertools.pairwise(groups):
        if tuple(words[before.end : after.start]) != ("over",):
            continue
        certainty = clause_at(clauses, before.start).certainty
        for group, value in ((before, _PREFERRED), (after, -_PREFERRED)):
            item = Evidence(before.end, after.start, value, 0.8, Catalyst.ANALYST_RATING, 0.5, certainty)
            found.extend(Claim(ticker, item, 1.0) for ticker in group.tickers)
    return found


def _openings(words: Sequence[str], clauses: Sequence[Clause]) -> list[int]:
    """Tokens at which an anchored pattern may begin: clauses, and what follows a comma or colon."""
    return [clause.start for clause in clauses] + [at + 1 for at, word in enumerate(words) if word in {",", ":", ";"}]


def _ends(
    hit: Hit[Relation],
    relation: Relation,
    before: _Group | None,
    within: _Group | None,
    after: _Group | None,
    clause: Clause,
) -> list[Claim]:
    claims: list[Claim] = []
    subjects = before.tickers if before else ()
    for group, value in ((before, relation.subject), (within, relation.inner), (after, relation.object)):
        if group is None or (group is within and not value):
            continue
        weight = (0.8 + abs(value)) * clause.weight * (0.5 + 0.5 * clause.certainty) if value else 0.0
        item = Evidence(hit.start, hit.end, value, weight, relation.catalyst, relation.sureness, clause.certainty)
        tickers = [t for t in group.tickers if group is before or t not in subjects]
        claims.extend(Claim(ticker, item, 1.0) for ticker in tickers)
    return claims


def _negated(relation: Relation, negation: float) -> Relation:
    """A denied relation: the subject's value turns round, an object beside it is no longer judged."""
    if negation == 1.0:
        return relation
    other = relation.object * negation if not relation.subject else 0.0
    return relation._replace(subject=relation.subject * negation, object=other, inner=relation.inner * negation)


def _object(words: Sequence[str], groups: Sequence[_Group], hit: Hit[Relation], clause: Clause) -> _Group | None:
    reach = 2 if hit.value.needs_object else _OBJECT_REACH
    for group in groups:
        between = words[hit.end : group.start]
        if hit.end <= group.start <= hit.end + reach and group.start < clause.end:
            barred = {",", ";", ":", "as", "after"} | (_NOT_BETWEEN if hit.value.needs_object else frozenset())
            return group if not barred.intersection(between) else None
    return None


def _subject(groups: Sequence[_Group], hit: Hit[Relation], clause: Clause) -> _Group | None:
    found = [
        g for g in groups if clause.start <= g.start and g.end <= hit.start and hit.start - g.end <= _SUBJECT_REACH
    ]
    deal = hit.value.catalyst is Catalyst.MERGER_ACQUISITION
    plain = [group for group in found if not group.oblique and not (deal and group.causal)]
    named = plain or found
    return named[-1] if named else None


def attribute(
    words: Sequence[str],
    clauses: Sequence[Clause],
    mentions: Sequence[Mention],
    items: Sequence[Evidence],
    carried: Sequence[tuple[str, float]],
    objects: Collection[_Group] = (),
) -> list[Claim]:
    """Each piece of evidence given to the companies it speaks of.

    `objects` are companies that another one's deed is done to: what follows is said of that one. `carried` are the companies (with a share) that a sentence without any of its own goes on about.
    """
    groups = [replace(group, acted_on=group in objects) for group in groups_of(words, mentions)]
    claims: list[Claim] = []
    owners: list[tuple[_Group, Evidence]] = []
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


def _following(
    words: Sequence[str], groups: Sequence[_Group], owners: Sequence[tuple[_Group, Evidence]]
) -> list[Claim]:
    """`A slides, B follows` and `A fell, B too`: what was said of the one before holds for the other as well."""
    found: list[Claim] = []
    judged = {group for group, item in owners if item.value}
    for before, group in itertools.pairwise(groups):
        if group not in judged and before in judged and words[group.end : group.end + 1] in _FOLLOWING:
            claims = [item for owner, item in owners if owner is before]
            found.extend(Claim(ticker, item, 0.8) for item in claims for ticker in group.tickers)
    return found


def _whole_of(
    words: Sequence[str], groups: Sequence[_Group], owner: _Group, item: Evidence, clause: Clause
) -> list[Claim]:
    """`A cuts jobs at B` is said of A as well, whose doing it is."""
    if owner.start < item.reach or words[owner.start - 1] != "at":
        return []
    doers = [g for g in groups if clause.start <= g.start and g.end <= item.at and not g.oblique]
    return [Claim(ticker, item, 0.8) for group in doers[-1:] for ticker in group.tickers]


def _contrasted(
    words: Sequence[str], groups: Sequence[_Group], owner: _Group, item: Evidence, clause: Clause
) -> list[Claim]:
    """`A, unlike B, grows` says half the opposite of B."""
    others = [g for g in groups if g is not owner and clause.start <= g.start < clause.end]
    unlike = [g for g in others if g.start and words[g.start - 1] == "unlike"]
    opposite = replace(item, value=item.value * _UNLIKE)
    return [Claim(ticker, opposite, 0.8) for group in unlike for ticker in group.tickers]


def _owner(
    words: Sequence[str], groups: Sequence[_Group], item: Evidence, clause: Clause
) -> tuple[_Group | None, float]:
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


def _owner_inside(words: Sequence[str], inside: Sequence[_Group], item: Evidence) -> tuple[_Group | None, float]:
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


def _may_own(words: Sequence[str], group: _Group, item: Evidence) -> bool:
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


def _belongs_ahead(words: Sequence[str], group: _Group, item: Evidence) -> bool:
    """`weak sales at Apple`, `shares of Apple fell`... the company follows closely behind `of`, `at`, `for`, `in`."""
    between = words[item.reach : group.start]
    return 0 < len(between) <= 3 and between[-1] in _SHARE_LINKS and "," not in between


def _nearness(distance: int) -> float:
    return 1.0 if distance <= 12 else max(0.4, 1.0 - 0.03 * (distance - 12))


def scaled(claim: Claim, factor: float) -> Claim:
    """The same claim with its weight multiplied."""
    return replace(claim, evidence=replace(claim.evidence, weight=claim.evidence.weight * factor))
