"""The promise that both worlds keep, in prose. Nothing here computes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol


@dataclass(frozen=True)
class Company:
    """A listed company. `sic_code` and `sector` may be unknown (empty) for price-only tickers of a recording."""

    ticker: str
    name: str
    cik: int | None
    exchange: str  # MIC, such as XNAS
    sic_code: str = ""
    sic_description: str = ""
    sector: str = ""
    description: str = ""
    peers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bar:
    """One aggregate bar over [start, start + seconds). Prices in dollars, volume in shares."""

    start: datetime
    seconds: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float
    trades: int


@dataclass(frozen=True)
class Article:
    """A published article, macro report, rumour or syndicated copy. `html` is the page, boilerplate included.

    `wire` tells whether news services (Polygon, Alpaca) carry it; the rest stands only on the web and in its feed.
    """

    article_id: str
    kind: Literal["news", "macro", "rumour"]
    publisher: str
    title: str
    author: str
    description: str
    published_at: datetime
    path: str  # below /web, such as "news/2026/11/22/orion-beats.html"
    html: str
    tickers: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    wire: bool = True


@dataclass(frozen=True)
class FilingDocument:
    """One document inside a filing, its bytes as EDGAR serves them."""

    type: str  # "8-K", "EX-99.1"
    filename: str
    description: str
    content: bytes


@dataclass(frozen=True)
class Filing:
    """An EDGAR submission. `accepted_at` is the header's ACCEPTANCE-DATETIME, turned into UTC."""

    accession: str
    cik: int
    ticker: str
    company: str
    form: str
    accepted_at: datetime
    filed: date
    period: date | None
    items: tuple[str, ...]
    header: bytes  # the SGML header, verbatim
    documents: tuple[FilingDocument, ...] = field(default=())


@dataclass(frozen=True)
class Split:
    """From 00:00 UTC of `day` on `split_to` shares for every `split_from`."""

    ticker: str
    day: date
    split_from: Decimal
    split_to: Decimal

    @property
    def ratio(self) -> Decimal:
        """New shares for each old one."""
        return self.split_to / self.split_from


@dataclass(frozen=True)
class Rename:
    """From 00:00 UTC of `day` on a company trades under another ticker."""

    ticker: str
    day: date
    new_ticker: str


Action = Split | Rename


class SandboxClock(Protocol):
    """The world's present. `wall` clocks follow the machine's; `driven` ones move only when told, and never back."""

    def now(self) -> datetime:
        """The present, aware UTC."""
        ...


class World(Protocol):
    """Everything before `clock.now()` may be asked for; nothing after it ever leaves this object.

    A bar is visible from its start with the prices known so far: until it has ended its open is given and its high,
    low and close come from what has traded up to now (a recorded daily bar that has not ended shows its open alone).
    """

    kind: Literal["synthetic", "recorded"]
    clock: SandboxClock
    calendar_name: str  # exchange_calendars' name: "24/7" or "XNYS"
    bar_seconds: int  # the finest bar this world knows: 5 for synthetic, 86400 for recorded

    def companies(self) -> Sequence[Company]:
        """All companies, by ticker."""
        ...

    def company(self, ticker: str) -> Company | None:
        """One company, or None."""
        ...

    def bars(self, ticker: str, start: datetime, end: datetime, seconds: int) -> Sequence[Bar]:
        """Bars that begin in [start, end), oldest first, of `seconds` a bar (86400: one per session)."""
        ...

    def last_price(self, ticker: str) -> float | None:
        """The last trade at `clock.now()`, or None for an unknown or not yet trading ticker."""
        ...

    def next_bar(self, ticker: str, after: datetime) -> Bar | None:
        """The first finest bar that begins strictly after `after`, once it has begun; None while it has not."""
        ...

    def is_open(self, at: datetime) -> bool:
        """Whether the market is in session at `at`."""
        ...

    def actions(self) -> Sequence[Action]:
        """Splits and symbol changes that are announced by now, past ones included, by day."""
        ...

    def articles(self, start: datetime, end: datetime) -> Sequence[Article]:
        """Articles published in [start, end) and not after now, oldest first."""
        ...

    def article_at(self, path: str) -> Article | None:
        """The published article at a path, or None."""
        ...

    def filings(self, start: datetime, end: datetime, cik: int | None = None) -> Sequence[Filing]:
        """Filings accepted in [start, end) and not after now, oldest first."""
        ...

    def filing(self, accession: str) -> Filing | None:
        """One accepted filing by its accession number with dashes, or None."""
        ...
