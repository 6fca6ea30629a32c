"""Verbs between companies: what each end of the sentence gains or loses by them."""

import itertools
from collections.abc import Sequence

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.clauses import Clause, Modifiers, clause_at
from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.relations import Relation
from stonks_sandbox.ollama.rules.data.wordset import words
from stonks_sandbox.ollama.rules.evidence import Claim, Evidence
from stonks_sandbox.ollama.rules.groups import Group, groups_of
from stonks_sandbox.ollama.rules.lexicon import relation_matcher
from stonks_sandbox.ollama.rules.patterns import Hit

_PLAIN_SUBJECT = 0.3  # without a second company only a verb that says this much of the first counts
_NOT_BETWEEN = words("to by from of in with at for and or granted given")
_PREFERRED = 0.35
_OBJECT_REACH = 7
_SUBJECT_REACH = 14


def relations_of(
    words: Sequence[str], clauses: Sequence[Clause], mentions: Sequence[Mention]
) -> tuple[list[Claim], frozenset[int], list[Group]]:
    """What verbs between companies say of each end, the tokens they used up, and the companies that are objects."""
    if not mentions:
        return [], frozenset(), []
    groups = groups_of(words, mentions)
    blocked = {at for mention in mentions for at in range(mention.start, mention.end)}
    claims: list[Claim] = []
    objects: list[Group] = []
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


def _preferred(words: Sequence[str], groups: Sequence[Group], clauses: Sequence[Clause]) -> list[Claim]:
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
    before: Group | None,
    within: Group | None,
    after: Group | None,
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


def _object(words: Sequence[str], groups: Sequence[Group], hit: Hit[Relation], clause: Clause) -> Group | None:
    reach = 2 if hit.value.needs_object else _OBJECT_REACH
    for group in groups:
        between = words[hit.end : group.start]
        if hit.end <= group.start <= hit.end + reach and group.start < clause.end:
            barred = {",", ";", ":", "as", "after"} | (_NOT_BETWEEN if hit.value.needs_object else frozenset())
            return group if not barred.intersection(between) else None
    return None


def _subject(groups: Sequence[Group], hit: Hit[Relation], clause: Clause) -> Group | None:
    found = [
        g for g in groups if clause.start <= g.start and g.end <= hit.start and hit.start - g.end <= _SUBJECT_REACH
    ]
    deal = hit.value.catalyst is Catalyst.MERGER_ACQUISITION
    plain = [group for group in found if not group.oblique and not (deal and group.causal)]
    named = plain or found
    return named[-1] if named else None
