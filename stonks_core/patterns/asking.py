"""Asking the lake: what happened after such news about a company before, to itself and to those it is related to."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow.dataset as ds

from stonks_core.errors import NotFoundError
from stonks_core.patterns.matching import (
    RESPONSE_SESSIONS,
    SAMPLE_COLUMNS,
    News,
    Past,
    Pattern,
    Sample,
    find_cross_company_patterns,
    find_self_patterns,
    samples_of,
)
from stonks_core.patterns.rules import PatternRules
from stonks_core.prices.reading import LakeReader, read_bars
from stonks_core.prices.sessions import sessions
from stonks_core.registry.universe import Universe
from stonks_core.stores.lake.silver_tables import IMPACT_RECORDS

BARS_BEFORE_HISTORY = timedelta(days=5 + RESPONSE_SESSIONS)
"""So that the last close before the oldest sample is there, across a long weekend."""
SELF, CROSS = "self", "cross"


@dataclass(frozen=True)
class Response:
    """How one company responded to news of a catalyst about another, or about itself, and each time that it did.

    `relationship` is how the responder stands to the company that the news is about; empty for itself.
    """

    kind: str
    relationship: str
    pattern: Pattern
    samples: list[Sample]


def responses_before(
    lake: LakeReader,
    universe: Universe,
    rules: PatternRules,
    ticker: str,
    as_of: datetime,
    catalysts: Sequence[str] = (),
) -> list[Response]:
    """What happened after such news about a company before, as it was known at `as_of`.

    For each catalyst (all that there was news of, unless some are named) the company's own response first, then those
    of its competitors, the surest first. Raises NotFoundError for a company that was not tracked at that instant.
    """
    if ticker not in universe.companies:
        raise NotFoundError(
            f"{ticker[:20]!r} was not tracked at {as_of:%Y-%m-%d %H:%M} UTC: `stonks registry list` names the companies"
        )
    first = as_of.date() - rules.longest_lookback - timedelta(days=1)
    records = lake.read(
        IMPACT_RECORDS,
        days=(first, as_of.date()),
        as_of=as_of,
        columns=SAMPLE_COLUMNS,
        where=ds.field("ticker") == ticker,
    )
    if records.num_rows == 0:
        return []
    bars = read_bars(lake, (first - BARS_BEFORE_HISTORY, as_of.date()), as_of, tickers=universe.companies)
    past = Past.of(records, sessions(bars, as_of, list(universe.companies)))
    related = {c.competitor: str(c.relationship) for c in universe.competitors if c.ticker == ticker}
    found: list[Response] = []
    for catalyst in catalysts or past.history.catalysts(ticker):
        news = News(ticker, catalyst, as_of, as_of)
        own = find_self_patterns(past, news, rules).values()
        others = find_cross_company_patterns(past, news, related, rules).values()
        found += [Response(SELF, "", pattern, samples_of(past, pattern)) for pattern in own]
        found += [
            Response(CROSS, related[pattern.responder], pattern, samples_of(past, pattern))
            for pattern in sorted(others, key=lambda pattern: (-pattern.confidence, pattern.responder))
        ]
    return found


def plain(response: Response) -> dict[str, Any]:
    """A response as plain values, for a screen or an answer; `stories` are its samples, newest first."""
    pattern = response.pattern
    return {
        "catalyst": pattern.catalyst,
        "kind": response.kind,
        "responder": pattern.responder,
        "relationship": response.relationship,
        "samples": pattern.samples,
        "mean_response": pattern.mean_response,
        "consistency": pattern.consistency,
        "confidence": pattern.confidence,
        "enough": pattern.enough,
        "stories": [asdict(sample) for sample in response.samples],
    }
