"""The answer to the macro task: what kind of world event a document tells of, how bad, where, for whom."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from stonks_core.vocabulary import COMMODITIES, REGIONS, SECTORS
from stonks_sandbox.ollama.prompt import Document
from stonks_sandbox.ollama.rules.clauses import Modifiers, clause_at, clauses_of
from stonks_sandbox.ollama.rules.data import macro_terms as terms
from stonks_sandbox.ollama.rules.data.moves import FALLS, RISES
from stonks_sandbox.ollama.rules.patterns import Matcher
from stonks_sandbox.ollama.rules.quotes import cut
from stonks_sandbox.ollama.rules.reading import Reading, Said, read_document

SEVERITIES = ("low", "moderate", "high", "critical")
EVENT_THRESHOLD = 1.0
_FADE = 6.0
_TITLE_WEIGHT = 2.0
_PRICE_REACH = 4


@dataclass(frozen=True)
class _Sighting:
    """A kind of event seen in a sentence (None: the title) with its weight; a negated one counts the other way."""

    kind: str
    weight: float
    said: Said | None
    at: int
    certainty: float


def classify_event(document: Document) -> dict[str, Any]:
    """Classify a document as a macro event. Directions are for company profits at large, weights in [0, 1]."""
    reading = read_document(document, ())
    sentences = ([(reading.title, _TITLE_WEIGHT)] if reading.title else []) + [
        (said, 1.0 / (1.0 + said.sentence.index / _FADE)) for said in reading.body
    ]
    sightings = [s for said, weight in sentences for s in _sightings(said, weight, said is reading.title)]
    mass: defaultdict[str, float] = defaultdict(float)
    for sighting in sightings:
        mass[sighting.kind] += sighting.weight
    total = sum(max(0.0, weight) for weight in mass.values())
    best = max(sorted(mass), key=lambda kind: mass[kind]) if mass else ""
    if not best or total < EVENT_THRESHOLD or mass[best] < EVENT_THRESHOLD / 2:
        return _no_event(reading, total)
    return _event(reading, sentences, sightings, mass, best)


@cache
def _matcher() -> Matcher[str]:
    entries = [(" ".join(p.split()), kind) for kind, table in terms.PATTERNS.items() for p in table.split(";")]
    return Matcher([(pattern, kind) for pattern, kind in entries if pattern])


def _split(phrases: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in phrases.split("|")]


@cache
def _phrases(name: str) -> Matcher[str]:
    tables: dict[str, Mapping[str, str]] = {
        "places": terms.PLACES,
        "sectors": terms.SECTOR_WORDS,
        "commodities": terms.COMMODITY_WORDS,
        "world": {"world": terms.WORLD_WORDS},
    }
    return Matcher([(phrase, key) for key, phrases in tables[name].items() for phrase in _split(phrases)])


def _sightings(said: Said, weight: float, in_title: bool) -> list[_Sighting]:
    sentence = said.sentence
    clauses = clauses_of(sentence, ())
    modifiers = Modifiers(sentence.lows)
    found = []
    for hit in _matcher().find(sentence.lows):
        clause = clause_at(clauses, hit.start)
        negation = modifiers.negation(hit.start, hit.end, hit.used, clause)
        factor = terms.DECISIVE.get(hit.value, 1.0)
        share = factor * weight * clause.weight * (0.5 + 0.5 * clause.certainty) * (0.2 if negation < 1.0 else 1.0)
        source = None if in_title else said
        found.append(_Sighting(hit.value, share, source, hit.start, clause.certainty))
    return found


def _event(
    reading: Reading,
    sentences: Sequence[tuple[Said, float]],
    sightings: Sequence[_Sighting],
    mass: Mapping[str, float],
    best: str,
) -> dict[str, Any]:
    kind = terms.KINDS[best]
    total = sum(mass.values())
    direction = sum(terms.KINDS[name].direction * weight for name, weight in mass.items()) / total
    words = Counter(word for said, _ in sentences[:30] for word in said.sentence.lows)
    quote = _quote(reading, sightings, best)
    certainty = sum(s.certainty * s.weight for s in sightings) / sum(s.weight for s in sightings)
    commodities = _commodities(sentences, best)
    return {
        "is_macro_event": True,
        "type": kind.name,
        "summary": (reading.title_text or " ".join(quote.split()))[:400],
        "severity": _severity(kind.severity, words),
        "direction": round(max(-1.0, min(1.0, direction)), 3),
        "regions": _regions(sentences),
        "sectors": _sectors(sentences, mass),
        "commodities": commodities,
        "duration": _duration(kind.duration, words),
        "confidence": round(
            max(0.05, min(0.95, (0.4 + 0.5 * mass[best] / (mass[best] + 1.5)) * (0.4 + 0.6 * certainty))), 3
        ),
        "quote": quote,
    }


def _no_event(reading: Reading, total: float) -> dict[str, Any]:
    first = next((said for said in reading.body if len(said.sentence.lows) > 3), None)
    return {
        "is_macro_event": False,
        "type": "none",
        "summary": reading.title_text[:400],
        "severity": "low",
        "direction": 0.0,
        "regions": [],
        "sectors": [],
        "commodities": [],
        "duration": "short",
        "confidence": round(max(0.1, 0.6 - 0.4 * total), 3),
        "quote": cut(reading.text, first, 0) if first else "",
    }


def _severity(base: int, words: Counter[str]) -> str:
    step = (1 if sum(words[word] for word in terms.WORSE) >= 2 else 0) - (
        1 if sum(words[word] for word in terms.MILDER) >= 2 else 0
    )
    return SEVERITIES[max(0, min(len(SEVERITIES) - 1, base + step))]


def _duration(usual: str, words: Counter[str]) -> str:
    long, short = sum(words[w] for w in terms.LONG_WORDS), sum(words[w] for w in terms.SHORT_WORDS)
    if long == short:
        return usual
    return "long" if long > short else "short"


def _named(sentences: Sequence[tuple[Said, float]], table: str) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for said, weight in sentences:
        for hit in _phrases(table).find(said.sentence.lows):
            raw = said.sentence.raws[hit.start]
            if hit.end - hit.start == 1 and raw == "us":
                continue  # the pronoun, not the country
            found[hit.value] += weight
    return found


def _regions(sentences: Sequence[tuple[Said, float]]) -> list[dict[str, Any]]:
    """Regions named, by how often; a worldwide event, or one without a place, touches all of them a little."""
    found = _named(sentences, "places")
    weights = _relative(found)
    if _named(sentences, "world") or not weights:
        weights = {name: max(weights.get(name, 0.0), 0.3) for name in REGIONS}
    return _weighted(weights, REGIONS)


def _sectors(sentences: Sequence[tuple[Said, float]], mass: Mapping[str, float]) -> list[dict[str, Any]]:
    """Sectors that such events usually hit, and those that the text names."""
    weights = {name: 0.8 * weight for name, weight in _relative(_named(sentences, "sectors")).items()}
    total = sum(max(0.0, weight) for weight in mass.values())
    for kind, weight in mass.items():
        for name, usual in terms.KINDS[kind].sectors.items():
            weights[name] = max(weights.get(name, 0.0), usual * max(0.0, weight) / total)
    return _weighted(weights, SECTORS)


def _commodities(sentences: Sequence[tuple[Said, float]], best: str) -> list[dict[str, Any]]:
    weights = _relative(_named(sentences, "commodities"))
    if not weights and best == "war":
        weights = {"oil": 0.5}
    found = []
    for row in _weighted(weights, COMMODITIES):
        stated = sum(_price_moves(said, row["name"]) * weight for said, weight in sentences)
        if stated:
            direction = 1 if stated > 0 else -1
        elif row["name"] == "gold":
            direction = 1 if best in terms.SAFE_HAVEN_KINDS or best == "rate_cut" else -1
        else:
            direction = -1 if best in terms.CHEAPER else 1 if best in terms.SCARCER or best == "commodity_up" else 0
        if direction:
            found.append({**row, "price_direction": direction})
    return found


@cache
def _directions() -> Matcher[int]:
    rising = [(word, 1) for word in RISES]
    return Matcher([*rising, *((word, -1) for word in FALLS)])


def _price_moves(said: Said, commodity: str) -> int:
    """+1 or -1 for each movement said of a commodity or its price, close behind its name."""
    words = said.sentence.lows
    total = 0
    moves = _directions().find(words)
    for hit in _phrases("commodities").find(words):
        if hit.value != commodity:
            continue
        after = [m for m in moves if hit.end <= m.start <= hit.end + _PRICE_REACH]
        between = set(words[hit.end : after[0].start]) if after else set()
        supply = {
            "output",
            "production",
            "supply",
            "supplies",
            "exports",
            "inventories",
            "stocks",
            "stockpiles",
            "barrels",
        }
        if after:
            total += -after[0].value if between & supply else after[0].value
    return total


def _relative(found: Mapping[str, float]) -> dict[str, float]:
    most = max(found.values(), default=0.0)
    return {name: 0.3 + 0.7 * weight / most for name, weight in found.items()} if most else {}


def _weighted(weights: Mapping[str, float], order: Sequence[str]) -> list[dict[str, Any]]:
    rows = [
        {"name": name, "weight": round(min(1.0, weights[name]), 3)} for name in order if weights.get(name, 0.0) >= 0.1
    ]
    return sorted(rows, key=lambda row: -row["weight"])


def _quote(reading: Reading, sightings: Sequence[_Sighting], best: str) -> str:
    """The sentence of the text in which the event stands most plainly."""
    points: defaultdict[int, float] = defaultdict(float)
    said_at: dict[int, tuple[Said, int]] = {}
    for sighting in sightings:
        if sighting.said is None:
            continue
        index = sighting.said.sentence.index
        points[index] += sighting.weight * (1.0 if sighting.kind == best else 0.4)
        said_at.setdefault(index, (sighting.said, sighting.at))
    if points:
        said, at = said_at[max(sorted(points), key=lambda index: points[index])]
        return cut(reading.text, said, at)
    first = next((said for said in reading.body if len(said.sentence.lows) > 3), None)
    return cut(reading.text, first, 0) if first else ""
