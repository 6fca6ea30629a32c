"""What the ingestion tests share: a fetcher over a written-down web, and an ask over a small universe."""

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import httpx

from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.protocol import Ask
from stonks_core.clock import ManualClock
from stonks_core.registry.universe import Company, Source, Universe
from stonks_core.vocabulary import SourceType

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
Page = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class WrittenWeb:
    """A transport that answers from a table of addresses (without parameters); what it does not know is a 404."""

    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        url = str(request.url)
        page = (
            self.pages.get(url)
            or self.pages.get(url.partition("?")[0])
            or httpx.Response(404, json={"error": "not found"})
        )
        if isinstance(page, Exception):
            raise page
        if isinstance(page, httpx.Response):
            return httpx.Response(page.status_code, headers=page.headers, content=page.content)
        return page(request)

    @property
    def urls(self) -> list[str]:
        """The addresses that were asked for, in order."""
        return [str(request.url) for request in self.asked]

    def fetcher(self, **more: object) -> Fetcher:
        """A fetcher over it, whose pauses are noted and not waited for."""
        given: dict[str, object] = {"transport": httpx.MockTransport(self), "sleep": self.pauses.append, **more}
        return Fetcher(ManualClock(NOON), **given)  # type: ignore[arg-type]


def universe(**ciks: int | None) -> Universe:
    """Companies by ticker, each with the CIK given."""
    companies = {ticker: Company(ticker, ticker, f"{ticker} Inc.", "", "", cik) for ticker, cik in ciks.items()}
    return Universe(companies, {}, (), ())


@dataclass
class Reports:
    """What an adapter reported."""

    told: dict[str, str] = field(default_factory=dict)

    def __call__(self, item: str, sentence: str) -> None:
        self.told[item] = sentence


def ask_for(
    source_type: SourceType,
    *,
    day: date = TODAY,
    as_of: datetime = NOON,
    known: frozenset[str] = frozenset(),
    over: Universe | None = None,
    ticker: str = "",
    config: Mapping[str, object] | None = None,
    newest: datetime | None = None,
    memory: dict[str, str] | None = None,
) -> tuple[Ask, Reports]:
    """An ask of one source, and where its reports arrive; `memory` is what it remembers, then and afterwards."""
    reports, kept = Reports(), {} if memory is None else memory
    source = Source("s-1", source_type, "the source", config or {}, 0.5, ticker, newest)
    companies = over or universe(AAA=1, BBB=2)

    def held(ids: Collection[str]) -> Set[str]:
        return known & set(ids)

    return Ask(source, day, as_of, companies, held, reports, dict(kept), kept.__setitem__), reports
