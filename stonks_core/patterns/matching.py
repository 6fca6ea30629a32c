"""Finding patterns: earlier stories of the same kind about a company, and how it and others responded to them. Pure.

Sample: an earlier story of the same catalyst about the source company, told by its origin, within the look-back; its
response is the abnormal return from the last close before the story to the close five sessions later. A *self* pattern
is the company's own response, a *cross-company* pattern that of another. A sample whose five sessions were not over
when the news became known does not exist yet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa

from stonks_core.columns import Floats, Ints, codes, instants, micros, round_micros
from stonks_core.patterns.rules import PatternRules, trust
from stonks_core.prices.sessions import Sessions
from stonks_core.vocabulary import MAJOR_DECISIONS

RESPONSE_SESSIONS = 5
SAMPLE_COLUMNS = ("day", "cluster_id", "ticker", "catalyst", "document_id", "published_at", "available_at")
"""What is read of impact records for `Past.of`."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class News:
    """A story about a company, or the thought of one: its kind, when it was told, and when it became known.

    Samples are told before `published_at`, known by `available_at`, and of another story than `cluster_id`.
    """

    ticker: str
    catalyst: str
    published_at: datetime
    available_at: datetime
    cluster_id: str = ""


@dataclass(frozen=True)
class Pattern:
    """How a company responded to `samples` earlier stories of a catalyst about `source`, and how far to trust that.

    `confidence` is in [0, 1], and 0 where there are fewer samples than make a pattern: `enough` says which.
    """

    source: str
    responder: str
    catalyst: str
    samples: int
    mean_response: float
    consistency: float
    confidence: float
    enough: bool
    rows: Ints = field(compare=False, repr=False)
    responses: Floats = field(compare=False, repr=False)


@dataclass(frozen=True)
class Sample:
    """One earlier story and the response to it: abnormal return from the close of `base_day` to that of `end_day`."""

    document_id: str
    published_at: datetime
    base_day: str
    end_day: str
    response: float


@dataclass(frozen=True)
class History:
    """Impact records as arrays, ordered by (ticker and catalyst, published, document)."""

    kinds: Mapping[tuple[str, str], slice]
    published: Ints
    available: Ints
    cluster: Ints
    clusters: Mapping[str, int]
    documents: list[str]
    base: Ints
    closed_at: Ints

    @classmethod
    def of(cls, records: pa.Table, sessions: Sessions) -> "History":
        """The samples that a table of impact records could give."""
        cluster, clusters = codes(records, "cluster_id")
        ticker, tickers = codes(records, "ticker")
        catalyst, catalysts = codes(records, "catalyst")
        document, documents = codes(records, "document_id")
        published = instants(records, "published_at")
        kind = ticker * max(len(catalysts), 1) + catalyst
        order = np.lexsort((document, published, kind))
        bounds = np.flatnonzero(np.diff(kind[order], prepend=-1, append=-1))
        kinds = {}
        for first, last in pairwise(bounds):
            row = order[first]
            kinds[tickers[ticker[row]], catalysts[catalyst[row]]] = slice(int(first), int(last))
        base = sessions.base_of(published[order])
        return cls(
            kinds=kinds,
            published=published[order],
            available=instants(records, "available_at")[order],
            cluster=cluster[order],
            clusters={name: code for code, name in enumerate(clusters)},
            documents=[documents[code] for code in document[order]],
            base=base,
            closed_at=sessions.closed_at(base, RESPONSE_SESSIONS),
        )

    def samples(self, news: News, lookback: timedelta) -> Ints:
        """Positions of the samples of a story: earlier ones of its kind, over by the time it became available."""
        part = self.kinds.get((news.ticker, news.catalyst))
        if part is None:
            return np.empty(0, dtype=np.int64)
        now = micros(news.available_at)
        known = (
            (self.available[part] <= now)
            & (self.published[part] < micros(news.published_at))
            & (self.cluster[part] != self.clusters.get(news.cluster_id, -1))
        )
        rows = np.flatnonzero(known) + part.start
        # Of one story the first teller counts, and it is the first in this order.
        rows = rows[np.sort(np.unique(self.cluster[rows], return_index=True)[1])]
        inside = (self.published[rows] >= now - round_micros(lookback)) & (self.closed_at[rows] <= now)
        return np.asarray(rows[inside], dtype=np.int64)

    def catalysts(self, ticker: str) -> list[str]:
        """The kinds of stories that there are about a company."""
        return sorted(catalyst for name, catalyst in self.kinds if name == ticker)


@dataclass(frozen=True)
class Past:
    """Stories and prices, as far as they are needed to find patterns."""

    history: History
    sessions: Sessions
    abnormal: Floats

    @classmethod
    def of(cls, records: pa.Table, sessions: Sessions) -> "Past":
        """The past out of impact records (columns of the lake table) and the daily bars of the tracked universe."""
        return cls(History.of(records, sessions), sessions, sessions.abnormal(RESPONSE_SESSIONS))


def find_self_patterns(past: Past, news: News, rules: PatternRules) -> dict[str, Pattern]:
    """How the company itself responded to such news before, by its ticker; empty where no sample has a response."""
    return find_cross_company_patterns(past, news, (news.ticker,), rules)


def find_cross_company_patterns(
    past: Past, news: News, companies: Iterable[str], rules: PatternRules
) -> dict[str, Pattern]:
    """How other companies responded to such news about this one before, by ticker; those without a response are missing.

    A pattern of too few samples is there all the same, with confidence 0.
    """
    samples = past.history.samples(news, rules.lookback(news.catalyst))
    found = ((ticker, _pattern(past, news, samples, ticker, rules)) for ticker in dict.fromkeys(companies))
    return {ticker: pattern for ticker, pattern in found if pattern is not None}


def samples_of(past: Past, pattern: Pattern) -> list[Sample]:
    """The samples that a pattern rests on, newest first."""
    history, days = past.history, past.sessions.days
    found = []
    for row, response in zip(pattern.rows.tolist(), pattern.responses.tolist(), strict=True):
        base = int(history.base[row])
        published = _EPOCH + timedelta(microseconds=int(history.published[row]))
        end = days[base + RESPONSE_SESSIONS]
        found.append(Sample(history.documents[row], published, days[base], end, response))
    return sorted(found, key=lambda sample: (sample.published_at, sample.document_id), reverse=True)


def _pattern(past: Past, news: News, samples: Ints, ticker: str, rules: PatternRules) -> Pattern | None:
    """How a company responded to samples; None where it responded to none."""
    column = past.sessions.column(ticker)
    if column is None or samples.size == 0:
        return None
    responses = past.abnormal[past.history.base[samples], column]
    there = ~np.isnan(responses)
    if not there.any():
        return None
    rows, responses = samples[there], responses[there]
    age = timedelta(microseconds=micros(news.available_at) - int(past.history.published[rows].max()))
    trusted = trust(responses, age, major=news.catalyst in MAJOR_DECISIONS, rules=rules)
    return Pattern(
        source=news.ticker,
        responder=ticker,
        catalyst=news.catalyst,
        samples=int(rows.size),
        mean_response=trusted.mean_response,
        consistency=trusted.consistency,
        confidence=trusted.confidence,
        enough=rows.size >= rules.min_pattern_samples,
        rows=rows,
        responses=responses,
    )
