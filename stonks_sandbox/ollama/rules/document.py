"""The answer to the document task: summary, sentiment, catalyst, confidence and one impact record per company."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.prompt import Company, Document
from stonks_sandbox.ollama.rules.catalysts import BASE_IMPACT, HORIZONS, choose, signed
from stonks_sandbox.ollama.rules.data.filing_items import EXHIBITS, FORMALITIES, ITEMS
from stonks_sandbox.ollama.rules.quotes import best_quote
from stonks_sandbox.ollama.rules.reading import Reading, read_document
from stonks_sandbox.ollama.rules.scoring import Located, claims_of

PASSING_MENTION = 0.12  # evidence below this makes no record for a company that the document is not about
ITEM_WEIGHT = 0.8
PLAIN_SURPRISE = 1.05  # sureness from which a statement says itself that results beat or missed
LEAST_OUTCOME = 0.05
LITTLE = 0.4  # evidence of this mass halves the sentiment
LEAST_SENTIMENT = 0.1  # what is weaker says nothing either way
BOOST = 1.8  # and much agreeing evidence says more than its mean
MAX_SUMMARY = 400


@dataclass(frozen=True)
class Judgement:
    """What the claims about one company come to. `mass` is the amount of evidence that has a sign."""

    sentiment: float
    mass: float
    peak: float
    agreement: float
    certainty: float
    catalyst: Catalyst
    sureness: float
    only_stock: bool


def extract_document(document: Document, companies: Sequence[Company]) -> dict[str, Any]:
    """Read a document about the given companies. Deterministic; every quote is a verbatim span of the text."""
    reading = read_document(document, companies)
    tickers = [company.ticker for company in companies]
    claims = claims_of(reading, tickers)
    records: list[dict[str, Any]] = []
    for ticker in tickers:
        own = [located for located in claims if located.claim.ticker == ticker]
        record = _record(reading, ticker, own)
        if record is not None:
            records.append(record)
    records.sort(key=lambda record: (-record["impact"], record["ticker"]))
    return _whole(reading, records)


def judge(claims: Sequence[Located], items: Sequence[str] = ()) -> Judgement:
    """Weigh the claims about one company; `items` are the 8-K items of a filing that it made itself."""
    votes = [(c, s, w) for c, s, w in _votes(claims)]
    total = signs = positive = negative = earnings = 0.0
    peak = 0.0
    certain = []
    for located in claims:
        item = located.claim.evidence
        if item.catalyst is not None and item.catalyst in {Catalyst.EARNINGS_BEAT, Catalyst.EARNINGS_MISS}:
            earnings += item.weight * item.value if item.sureness >= PLAIN_SURPRISE else 0.0
        if not item.value:
            continue
        total += item.weight
        signs += item.weight * item.value
        positive += max(0.0, item.weight * item.value)
        negative += max(0.0, -item.weight * item.value)
        peak = max(peak, abs(item.value) * min(1.0, item.weight))
        certain.append((item.certainty, item.weight))
    for number in items:
        catalyst, sureness, value = ITEMS.get(number, (Catalyst.OTHER, 0.0, 0.0))
        votes.append((catalyst, sureness, ITEM_WEIGHT))
        if value:
            total += ITEM_WEIGHT
            signs += ITEM_WEIGHT * value
            positive += max(0.0, ITEM_WEIGHT * value)
            negative += max(0.0, -ITEM_WEIGHT * value)
    mean = signs / total if total else 0.0
    sentiment = max(-1.0, min(1.0, mean * BOOST * total / (total + LITTLE)))
    sentiment = sentiment if abs(sentiment) >= LEAST_SENTIMENT else 0.0
    conflict = 2.0 * min(positive, negative) / (positive + negative) if positive + negative else 0.0
    certainty = sum(c * w for c, w in certain) / sum(w for _, w in certain) if certain else 1.0
    outcome = earnings if abs(earnings) > LEAST_OUTCOME else sentiment
    catalyst = signed(choose(votes), outcome)
    sureness = max((s for name, s, _ in votes if signed(name, outcome) == catalyst), default=0.0)
    moves = [located for located in claims if located.claim.evidence.value]
    only_stock = bool(moves) and all(located.claim.evidence.stock for located in moves)
    return Judgement(sentiment, positive + negative, peak, 1.0 - conflict, certainty, catalyst, sureness, only_stock)


def _votes(claims: Sequence[Located]) -> list[tuple[Catalyst, float, float]]:
    """What the claims say of the kind of news. A statement without a sign still says what it is about."""
    found = []
    for located in claims:
        item = located.claim.evidence
        if item.catalyst is not None and item.sureness > 0:
            weight = item.weight if item.value else 0.6 * located.claim.share
            found.append((item.catalyst, item.sureness, min(1.0, weight)))
    return found


def _record(reading: Reading, ticker: str, claims: Sequence[Located]) -> dict[str, Any] | None:
    """The impact record of a company; None where it is merely named, or nothing of the text supports one."""
    is_subject = ticker == reading.subject
    judged = judge(claims, _telling(reading.items) if is_subject and reading.issuer else ())
    if judged.mass < PASSING_MENTION and not is_subject:
        return None
    quote = best_quote(reading, ticker, claims, judged.sentiment, judged.catalyst)
    if not quote:
        return None
    named_share = min(1.0, 0.5 + judged.mass)
    prominence = 1.0 if is_subject else 0.5 + 0.4 * named_share
    size = BASE_IMPACT[judged.catalyst] * (0.45 + 0.5 * abs(judged.sentiment) + 0.3 * judged.peak) * prominence
    return {
        "ticker": ticker,
        "sentiment": round(judged.sentiment, 3),
        "impact": round(max(0.0, min(1.0, size)), 3),
        "catalyst": judged.catalyst.value,
        "horizon": "intraday" if judged.only_stock and judged.catalyst is Catalyst.OTHER else HORIZONS[judged.catalyst],
        "confidence": round(_confidence(judged), 3),
        "quote": quote,
    }


def _telling(items: Sequence[str]) -> Sequence[str]:
    """The items without the formalities, unless there is nothing else but exhibits."""
    others = [item for item in items if item not in FORMALITIES]
    return others if set(others) - {EXHIBITS} else items


def _confidence(judged: Judgement) -> float:
    """More evidence and agreement make surer; hedged words and contradiction less sure."""
    amount = 0.4 + 0.5 * (1.0 - math.exp(-judged.mass / 0.8)) + 0.08 * min(1.0, judged.sureness)
    return max(0.05, min(0.95, amount * (0.45 + 0.55 * judged.agreement) * (0.4 + 0.6 * judged.certainty)))


def _whole(reading: Reading, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The document's own figures: the records' averages by impact, the largest record's catalyst."""
    weight = sum(record["impact"] for record in records)
    sentiment = sum(record["impact"] * record["sentiment"] for record in records) / weight if weight else 0.0
    confidence = sum(record["impact"] * record["confidence"] for record in records) / weight if weight else 0.1
    return {
        "summary": _summary(reading, records),
        "sentiment": round(sentiment, 3),
        "catalyst": records[0]["catalyst"] if records else Catalyst.OTHER.value,
        "confidence": round(confidence, 3),
        "impacts": list(records),
    }


def _summary(reading: Reading, records: Sequence[dict[str, Any]]) -> str:
    """The title and the strongest quote, on one line."""
    parts = [reading.title_text.strip()] if reading.title_text else []
    parts.extend(record["quote"] for record in records[:2] if record["quote"] not in parts)
    return " ".join(" ".join(parts).split())[:MAX_SUMMARY]
