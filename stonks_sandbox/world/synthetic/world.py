"""The synthetic world as the protocol fronts see it: nothing in it is later than its clock."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar

from stonks_sandbox.world.protocol import Action, Article, Bar, Company, Filing, SandboxClock
from stonks_sandbox.world.synthetic import press
from stonks_sandbox.world.synthetic.draws import HISTORY_DAYS, day_number, first_instant
from stonks_sandbox.world.synthetic.effects import NewsPath
from stonks_sandbox.world.synthetic.events import Calendar, EventKind
from stonks_sandbox.world.synthetic.factors import Factors
from stonks_sandbox.world.synthetic.grid import Grid
from stonks_sandbox.world.synthetic.market import Market
from stonks_sandbox.world.synthetic.page import path_of, render
from stonks_sandbox.world.synthetic.stories import LONGEST_DELAY, Newsroom, Plan, Role
from stonks_sandbox.world.synthetic.truth import TruthFile
from stonks_sandbox.world.synthetic.universe import by_ticker, profiles
from stonks_sandbox.world.synthetic.writing import write

ARTICLE_DAYS_KEPT = 40
PLAN_DAYS_KEPT = 420
FILINGS_KEPT = 8192
TICK = timedelta(microseconds=1)


class SyntheticWorld:
    """Everything of one seed, as of one clock. Promises: `stonks_sandbox.world.protocol.World`."""

    kind: Literal["synthetic", "recorded"] = "synthetic"
    calendar_name = "24/7"
    bar_seconds = 5

    def __init__(self, seed: int, clock: SandboxClock) -> None:
        if clock.now() < first_instant():
            raise ValueError(
                f"the synthetic market begins on {first_instant():%Y-%m-%d}: choose a later instant than "
                f"{clock.now():%Y-%m-%d} for --start"
            )
        self.seed = seed
        self.clock = clock
        factors = Factors(seed)
        self.calendar = Calendar(seed, factors)
        self.newsroom = Newsroom(seed)
        self._market = Market(Grid(seed, factors, NewsPath(self.calendar)))
        self._lock = threading.RLock()
        self._plans: OrderedDict[int, list[Plan]] = OrderedDict()
        self._articles: OrderedDict[int, list[Article]] = OrderedDict()
        self._filings: OrderedDict[str, Filing] = OrderedDict()
        self._companies = tuple(profile.company for profile in profiles())

    def truth_file(self, state: Path) -> TruthFile:
        """The truth of this world, to be kept below `state`."""
        return TruthFile(state, self.calendar, self.newsroom)

    def companies(self) -> Sequence[Company]:
        """All companies, by ticker."""
        return self._companies

    def company(self, ticker: str) -> Company | None:
        """One company, or None."""
        profile = by_ticker().get(ticker)
        return profile.company if profile else None

    def bars(self, ticker: str, start: datetime, end: datetime, seconds: int) -> Sequence[Bar]:
        """Bars that begin in [start, end), oldest first; an unknown ticker has none."""
        profile = by_ticker().get(ticker)
        if profile is None or end <= start:
            return []
        return self._market.bars(profile.index, start, end, seconds, self.clock.now())

    def last_price(self, ticker: str) -> float | None:
        """The last trade at `clock.now()`, or None for an unknown ticker."""
        profile = by_ticker().get(ticker)
        return None if profile is None else self._market.last_price(profile.index, self.clock.now())

    def next_bar(self, ticker: str, after: datetime) -> Bar | None:
        """The first five-second bar that begins strictly after `after`, once it has begun."""
        profile = by_ticker().get(ticker)
        return None if profile is None else self._market.next_bar(profile.index, after, self.clock.now())

    def is_open(self, at: datetime) -> bool:
        """Always: this market never closes."""
        return at >= first_instant()

    def actions(self) -> Sequence[Action]:
        """None: this world's prices know no splits. `ActedWorld` plays some over it."""
        return ()

    def articles(self, start: datetime, end: datetime) -> Sequence[Article]:
        """Articles published in [start, end) and not after now, oldest first."""
        end = min(end, self.clock.now() + TICK)
        found = [
            article
            for day in self._story_days(start, end)
            for article in self._day_articles(day)
            if start <= article.published_at < end
        ]
        return sorted(found, key=lambda article: (article.published_at, article.article_id))

    def article_at(self, path: str) -> Article | None:
        """The published article at a path, or None."""
        parts = path.split("/")
        try:
            day = datetime.fromisoformat("-".join(parts[1:4]) + "T00:00:00+00:00")
        except ValueError:
            return None
        if day > self.clock.now():
            return None
        found = (article for article in self.articles(day, day + timedelta(days=1)) if article.path == path)
        return next(found, None)

    def filings(self, start: datetime, end: datetime, cik: int | None = None) -> Sequence[Filing]:
        """Filings accepted in [start, end) and not after now, oldest first."""
        end = min(end, self.clock.now() + TICK)
        found = [filing for day in self._story_days(start, end) for filing in self._day_filings(day, start, end, cik)]
        return sorted(found, key=lambda filing: (filing.accepted_at, filing.accession))

    def filing(self, accession: str) -> Filing | None:
        """One accepted filing by its accession number with dashes, or None."""
        parts = accession.split("-")
        if len(parts) != 3 or not all(part.isdigit() for part in parts) or len(parts[2]) != 6:
            return None
        day_of_year = int(parts[2]) // 1000
        if not 1 <= day_of_year <= 366:
            return None
        day = datetime.fromisoformat(f"20{parts[1]:0>2}-01-01T00:00:00+00:00") + timedelta(days=day_of_year - 1)
        found = self.filings(day, day + timedelta(days=1))
        return next((filing for filing in found if filing.accession == accession), None)

    def _story_days(self, start: datetime, end: datetime) -> range:
        if end <= start:
            return range(0)
        first = max(HISTORY_DAYS, day_number(start - LONGEST_DELAY))
        return range(first, day_number(end - TICK) + 1)

    def _day_plans(self, day: int) -> list[Plan]:
        with self._lock:
            known = self._plans.get(day)
            if known is None:
                known = [plan for event in self.calendar.events(day) for plan in self.newsroom.plans(event)]
                _keep(self._plans, day, known, PLAN_DAYS_KEPT)
            return known

    def _day_articles(self, day: int) -> list[Article]:
        with self._lock:
            known = self._articles.get(day)
            if known is None:
                known = [self._article(plan) for plan in self._day_plans(day) if plan.role is not Role.FILING]
                _keep(self._articles, day, known, ARTICLE_DAYS_KEPT)
            return known

    def _day_filings(self, day: int, start: datetime, end: datetime, cik: int | None) -> list[Filing]:
        """Only what is asked for is written, because a filer's history is a small part of everybody's."""
        return [
            self._filing(plan)
            for plan in self._day_plans(day)
            if plan.role is Role.FILING and start <= plan.at < end and cik in (None, _cik(plan))
        ]

    def _filing(self, plan: Plan) -> Filing:
        with self._lock:
            known = self._filings.get(plan.document_id)
            if known is None:
                known = press.filing(self.seed, plan)
                _keep(self._filings, plan.document_id, known, FILINGS_KEPT)
            return known

    def _article(self, plan: Plan) -> Article:
        text = write(self.seed, plan)
        event = plan.event
        rumour = plan.role is Role.RUMOUR or (event.kind is EventKind.FALSE_RUMOUR and plan.role is Role.COPY)
        tickers = () if event.company is None else (profiles()[event.company].ticker,)
        return Article(
            article_id=plan.document_id,
            kind="macro" if event.kind is EventKind.MACRO else "rumour" if rumour else "news",
            publisher=plan.publisher,
            title=text.title,
            author=text.author,
            description=text.summary,
            published_at=plan.at,
            path=path_of(plan, text.title),
            html=render(plan, text),
            tickers=tickers,
            keywords=text.keywords,
            wire=plan.wire,
        )


K = TypeVar("K")
T = TypeVar("T")


def _cik(plan: Plan) -> int | None:
    return None if plan.event.company is None else profiles()[plan.event.company].company.cik


def _keep(shelf: OrderedDict[K, T], key: K, value: T, most: int) -> None:
    shelf[key] = value
    while len(shelf) > most:
        shelf.popitem(last=False)
