"""All claims of a document, company by company: who is spoken of where, with what weight."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.attribution import attribute, scaled
from stonks_sandbox.ollama.rules.clauses import clause_at, clauses_of
from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.wordset import words
from stonks_sandbox.ollama.rules.evidence import EARNINGS_WORDS, Claim, Evidence, evidence_of
from stonks_sandbox.ollama.rules.figures import compared_amounts, table_growth
from stonks_sandbox.ollama.rules.groups import groups_of
from stonks_sandbox.ollama.rules.reading import Reading, Said
from stonks_sandbox.ollama.rules.relations import relations_of
from stonks_sandbox.ollama.rules.verdicts import settled, without_actors

TITLE_WEIGHT = 1.6
SPOKEN_WEIGHT = 0.25  # executives praise every quarter
SELF_PRAISE_WEIGHT = 0.4  # a company's own adjectives, against its figures
HIGHLIGHT_WEIGHT = 0.3  # launches and partnerships listed in a results release
ROW_WEIGHT = 0.5
PRONOUNS = words("it its they their he his she her")
COMPANY_NOUNS = words(
    """
    company firm group registrant corporation automaker carmaker chipmaker drugmaker retailer bank
    lender airline insurer conglomerate giant startup manufacturer maker
    """
)
ENUMERATORS = frozenset({"ii", "iii", "iv", "vi"})
LEGAL_WEIGHT = 0.3  # conditions of a contract: listed (i), (ii), (iii), or what would follow if something happened
FORMAL_WEIGHT = 0.04  # votes and bylaws, and good words about people and their pay
RESULT_WORDS = frozenset({"earned", "quarter", "quarterly"})
_SIDE_NEWS = frozenset({Catalyst.PRODUCT_LAUNCH, Catalyst.CONTRACT_WIN, Catalyst.OTHER, Catalyst.MACRO})
_OWN_WORDS = frozenset({"we", "our", "us"})
_NUMERIC = re.compile(r"\d")


@dataclass(frozen=True)
class Located:
    """A claim with the sentence it was made in (None: the title) and whether that sentence names the company."""

    claim: Claim
    said: Said | None
    named: bool


def claims_of(reading: Reading, companies: Sequence[str]) -> list[Located]:
    """Every claim about every company, weighted by place, voice and kind of document."""
    found: list[Located] = []
    if reading.title is not None:
        found.extend(_located(reading.title, reading.title_text, reading, [], TITLE_WEIGHT, in_title=True))
    context = _Context(reading, companies)
    for said in reading.body:
        carried = context.carried(said)
        weight = _place_weight(said, reading)
        own = list(_located(context.resolved(said), reading.text, reading, carried, weight, in_title=False))
        found.extend(own)
        context.advance(said, {located.claim.ticker for located in own if located.claim.evidence.value})
    if reading.results and reading.subject:
        found.extend(_from_tables(reading, reading.subject))
    return found


class _Context:
    """Who a sentence without names goes on about.

    In a release that is the issuer. In the news a pronoun means whom the sentence before named; all else means the
    company in focus: the document's subject, until a sentence has news of another. A company merely named in passing
    ("Orion, a competitor, declined to comment") does not come into focus.
    """

    def __init__(self, reading: Reading, companies: Sequence[str]) -> None:
        self._issuer = reading.subject if reading.issuer else None
        self._only = len(companies) == 1
        self._focus: tuple[str, ...] = (reading.subject,) if reading.subject else ()
        self._subject = reading.subject
        self._named: tuple[str, ...] = self._plain(reading.title) if reading.title is not None else ()

    @staticmethod
    def _plain(said: Said) -> tuple[str, ...]:
        """The first companies of a sentence that are not merely its by-phrases."""
        groups = groups_of(said.sentence.lows, said.mentions)
        plain = [group for group in groups if not group.oblique and not group.modifier] or groups
        return plain[0].tickers if plain else ()

    def advance(self, said: Said, judged: Collection[str]) -> None:
        """Take notice of a sentence's own companies, and of which of them it had news."""
        if not said.mentions:
            return
        self._named = self._plain(said)
        if self._subject in self._named or any(ticker in judged for ticker in self._named):
            self._focus = self._named

    def carried(self, said: Said) -> list[tuple[str, float]]:
        """Companies, with a share, that a sentence without names is about."""
        if self._issuer is not None:
            return [(self._issuer, 0.9)]
        if self._named and said.sentence.lows[:1] and said.sentence.lows[0] in PRONOUNS:
            return [(ticker, 0.8) for ticker in self._named]
        share = 0.6 if self._only else 0.45
        return [(ticker, share) for ticker in self._focus]

    def resolved(self, said: Said) -> Said:
        """The sentence with `the company` and an issuer's `we` counted as naming whom they mean."""
        meant = self._issuer or (self._focus[0] if self._focus else None)
        if meant is None:
            return said
        words = said.sentence.lows
        named = {at for mention in said.mentions for at in range(mention.start, mention.end)}
        extra = [
            Mention(at, at + 1, meant)
            for at, word in enumerate(words)
            if at not in named
            and ((word in COMPANY_NOUNS and at and words[at - 1] == "the") or (self._issuer and word in _OWN_WORDS))
        ]
        if not extra:
            return said
        return Said(said.sentence, tuple(sorted((*said.mentions, *extra), key=lambda m: m.start)), said.spoken)


def _place_weight(said: Said, reading: Reading) -> float:
    fade = 30.0 if reading.issuer else 12.0
    weight = 1.0 / (1.0 + said.sentence.index / fade)
    if said.sentence.span.kind == "row":
        weight *= ROW_WEIGHT
    listed = sum(1 for low in said.sentence.lows if low in ENUMERATORS) >= 2
    if reading.issuer and (listed or "if" in said.sentence.lows):
        weight *= LEGAL_WEIGHT
    if _lies_in(said, reading.formal):
        weight *= FORMAL_WEIGHT
    return weight * (SPOKEN_WEIGHT if said.spoken else 1.0)


def _located(
    said: Said, text: str, reading: Reading, carried: list[tuple[str, float]], weight: float, *, in_title: bool
) -> Iterator[Located]:
    sentence = said.sentence
    if not sentence.lows or (sentence.span.kind == "row" and reading.results and not in_title):
        return
    clauses = clauses_of(sentence, said.mentions)
    relations, used, objects = relations_of(sentence.lows, clauses, said.mentions)
    items = evidence_of(sentence.lows, clauses, said.mentions, used)
    items.extend(_figures(said, text))
    items = without_actors(sentence.lows, said.mentions, items)
    judged = attribute(sentence.lows, clauses, said.mentions, items, carried, objects)
    claims = settled([*relations, *judged], sentence.lows)
    named = {mention.ticker for mention in said.mentions}
    for claim in claims:
        factor = weight * claim.share * _voice(claim.evidence, said, reading)
        yield Located(scaled(claim, factor), None if in_title else said, claim.ticker in named)


def _lies_in(said: Said, stretches: Collection[tuple[int, int]]) -> bool:
    return any(start <= said.sentence.span.start < end for start, end in stretches)


def _voice(item: Evidence, said: Said, reading: Reading) -> float:
    """What a statement is worth in this kind of document."""
    if not reading.issuer:
        return 1.0
    if item.catalyst is None and said.sentence.span.kind != "title" and _lies_in(said, reading.people):
        return FORMAL_WEIGHT
    if reading.results and item.catalyst in _SIDE_NEWS:
        return HIGHLIGHT_WEIGHT
    return SELF_PRAISE_WEIGHT if item.catalyst is None and not item.stock else 1.0


def _figures(said: Said, text: str) -> list[Evidence]:
    """Amounts compared in the sentence, as evidence at the token where they begin."""
    sentence = said.sentence
    if len(_NUMERIC.findall(text[sentence.span.start : sentence.span.end])) < 2:
        return []
    found = []
    for figure in compared_amounts(text[sentence.span.start : sentence.span.end]):
        at = sum(1 for start in sentence.starts if start < sentence.span.start + figure.start)
        at = min(at, len(sentence.lows) - 1)
        certainty = clause_at(clauses_of(sentence, said.mentions), at).certainty
        sureness = 1.1 if figure.surprise else 0.6
        results = (EARNINGS_WORDS | RESULT_WORDS).intersection(sentence.lows)
        catalyst = Catalyst.EARNINGS_BEAT if results else None
        found.append(Evidence(at, at + 1, figure.value, figure.weight, catalyst, sureness, certainty))
    return found


def _from_tables(reading: Reading, subject: str) -> Iterator[Located]:
    """Growth of the key rows of a results table, said of the subject in the sentence that holds the row."""
    lines = [(line, span.kind == "row") for span, line in reading.lines]
    rows = {said.sentence.span.start: said for said in reading.body if said.sentence.span.kind == "row"}
    for growth in table_growth(lines):
        said = rows.get(reading.lines[growth.line][0].start)
        item = Evidence(0, 1, growth.value, 1.2 * growth.weight, Catalyst.EARNINGS_BEAT, 1.0)
        yield Located(Claim(subject, item, 1.0), said, named=False)
