"""The sentence that supports a record best, cut to length, always a verbatim piece of the text."""

from collections import defaultdict
from collections.abc import Sequence

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.reading import Reading, Said
from stonks_sandbox.ollama.rules.scoring import Located

MAX_QUOTE = 300
_SHORT = 25
_ROOM_BEHIND = 100
_MOST_BEFORE = 150


def best_quote(reading: Reading, ticker: str, claims: Sequence[Located], sentiment: float, catalyst: Catalyst) -> str:
    """The best supporting span for a record on `ticker`; "" where the text has nothing to quote."""
    points: defaultdict[int, float] = defaultdict(float)
    anchors: dict[int, tuple[float, int]] = {}
    said_at: dict[int, Said] = {}
    for located in claims:
        said, item = located.said, located.claim.evidence
        if said is None:
            continue
        index = said.sentence.index
        said_at[index] = said
        gain = item.weight * item.value * (1.0 if sentiment >= 0 else -1.0)
        gain = gain if gain >= 0 else 0.5 * gain
        gain += 0.4 * item.sureness * item.weight if item.catalyst == catalyst else 0.0
        points[index] += gain + (0.1 if located.named else 0.0)
        if gain >= anchors.get(index, (float("-inf"), 0))[0]:
            anchors[index] = (gain, item.at)
    if points:
        best = max(sorted(points), key=lambda index: points[index] * _fitness(said_at[index]))
        if points[best] > 0:
            return cut(reading.text, said_at[best], anchors[best][1])
    return _fallback(reading, ticker)


def _fitness(said: Said) -> float:
    length = said.sentence.span.end - said.sentence.span.start
    factor = 0.15 if said.sentence.span.kind == "row" else 1.0
    digits = sum(1 for low in said.sentence.lows if low[0].isdigit() or low[0] in "$+")
    factor *= 0.5 if digits > 0.3 * len(said.sentence.lows) else 1.0
    factor *= 0.6 if length < _SHORT else 1.0
    return factor * (0.8 if length > MAX_QUOTE else 1.0)


def _fallback(reading: Reading, ticker: str) -> str:
    """The first sentence that names the company; for the subject of a document otherwise its first full sentence."""
    prose = [said for said in reading.body if said.sentence.span.kind == "prose" and len(said.sentence.lows) > 3]
    for said in prose or reading.body:
        mention = next((mention for mention in said.mentions if mention.ticker == ticker), None)
        if mention is not None:
            return cut(reading.text, said, mention.start)
    if ticker != reading.subject:
        return ""
    ends = [said for said in prose if reading.text[said.sentence.span.end - 1] in '.!?”"']
    return cut(reading.text, (ends or prose)[0], 0) if ends or prose else ""


def cut(text: str, said: Said, anchor: int) -> str:
    """The sentence, or where it is too long a piece of it around a token, cut between tokens."""
    sentence = said.sentence
    start, end = sentence.span.start, sentence.span.end
    if end - start <= MAX_QUOTE:
        return text[start:end].strip()
    at = sentence.starts[anchor]
    if at - start > MAX_QUOTE - _ROOM_BEHIND:
        start = _opening(text, said, at)
    stops = [stop for stop in sentence.ends if start < stop <= start + MAX_QUOTE]
    return text[start : stops[-1] if stops else start + MAX_QUOTE].strip()


def _opening(text: str, said: Said, at: int) -> int:
    """Where a cut quote begins: behind the last comma or semicolon well before the point, else at a word near it."""
    early = [s for s in said.sentence.starts if at - _MOST_BEFORE <= s <= at]
    after_mark = [s for s in early if text[s - 2 : s].strip() in {",", ";", ":", "—", "–"} and text[s].isalnum()]
    words = [s for s in early if text[s].isalnum()]
    return (after_mark or words or [at])[0]
