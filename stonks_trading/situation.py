"""Everything one round looks at, gathered once: where the account stands, what is switched how, what the market shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from stonks_core.calendar import Session
from stonks_core.errors import BadInputError
from stonks_core.registry.universe import load_universe
from stonks_core.settings import Settings
from stonks_core.stores.postgres import Connection, Database
from stonks_trading import control, market, portfolio, runtime
from stonks_trading.decide import trace
from stonks_trading.decide.rules import TradingRules
from stonks_trading.door import Door
from stonks_trading.history import BENCHMARK, History
from stonks_trading.inputs import DailyBars, LakeReader
from stonks_trading.records import EngineState, MarketView, Portfolio, Quote

SECTORS_FOR = timedelta(minutes=5)


class Calendar(Protocol):
    """The part of `MarketCalendar` that trading needs."""

    def is_open(self, at: datetime) -> bool:
        """Whether the market is in session."""
        ...

    def session_at_or_before(self, at: datetime) -> Session:
        """The newest session that has opened at an instant."""
        ...

    def previous_close(self, at: datetime) -> datetime:
        """The newest close at or before an instant."""
        ...

    def next_open(self, at: datetime) -> datetime:
        """The first open at or after an instant."""
        ...

    def sessions_between(self, first: date, last: date) -> list[Session]:
        """All sessions of the dates from first to last, both included."""
        ...


class Quoting(Protocol):
    """Whoever has quotes: a broker, or what was kept of one."""

    def quotes(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        """The latest quotes; a ticker that has none is absent."""
        ...


def session_ahead(calendar: Calendar, at: datetime) -> Session:
    """The session that is under way or, between two, the next one: a loss overnight is the coming day's loss."""
    current = calendar.session_at_or_before(at)
    return current if at < current.close else calendar.session_at_or_before(calendar.next_open(at))


def session_closed(calendar: Calendar, at: datetime) -> Session:
    """The newest session that is over at an instant."""
    return calendar.session_at_or_before(calendar.previous_close(at) - timedelta(microseconds=1))


@dataclass(frozen=True)
class Seen:
    """The outside at `as_of`: quotes and finished daily bars. Gathered before any transaction begins."""

    as_of: datetime
    market_open: bool
    quotes: Mapping[str, Quote]
    bars: History
    sectors: Mapping[str, str]
    last_session: date
    max_age: timedelta = timedelta(minutes=2)  # of a price that is still fresh in session

    def price(self, ticker: str) -> Decimal | None:
        """What a share is worth for stops and for valuing what is held; None where nothing is known.

        Between sessions it is the last session's close, but only that one: a bar of an older session is no price.
        """
        basis = self._basis(ticker)
        return None if basis is None else basis.price

    def quoted(self, ticker: str) -> dict[str, str]:
        """What the market showed of a ticker, as text for a decision's trace."""
        return trace.quoted(self.quotes.get(ticker), market.typical_volume(self.bars.get(ticker, ())))

    def is_fresh(self, ticker: str) -> bool:
        """Whether that price is young enough to watch a stop by; between sessions the last session's close is."""
        basis = self._basis(ticker)
        return basis is not None and basis.fresh

    def _basis(self, ticker: str) -> market.Basis | None:
        bars = self.bars.get(ticker, ())
        newest = bool(bars) and bars[-1].start_at.date() == self.last_session
        return market.exit_basis(
            self.quotes.get(ticker),
            market.last_close(bars) if newest else None,
            market_open=self.market_open,
            as_of=self.as_of,
            max_age=self.max_age,
        )

    def prices(self, tickers: Iterable[str]) -> Mapping[str, Decimal]:
        """The prices of those that have one."""
        found = {ticker: self.price(ticker) for ticker in tickers}
        return {ticker: price for ticker, price in found.items() if price is not None}

    def view(self, ticker: str, held: Iterable[str]) -> MarketView:
        """One ticker as the decision sees it."""
        return market.view(ticker, self.quotes.get(ticker), self.bars, held, self.sectors.get(ticker, ""))


class Views(Mapping[str, MarketView]):
    """The tickers as the decision sees them, each worked out when it is looked at: most are decided long since."""

    def __init__(self, seen: Seen, tickers: Iterable[str], held: Iterable[str]) -> None:
        self._seen, self._tickers, self._held = seen, frozenset(tickers), tuple(held)
        self._made: dict[str, MarketView] = {}

    def __getitem__(self, ticker: str) -> MarketView:
        if ticker not in self._tickers:
            raise KeyError(ticker)
        if ticker not in self._made:
            self._made[ticker] = self._seen.view(ticker, self._held)
        return self._made[ticker]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._tickers))

    def __len__(self) -> int:
        return len(self._tickers)


class Observer:
    """Gathers what a round needs. Keeps daily bars and sectors between rounds."""

    def __init__(
        self, settings: Settings, lake: LakeReader, database: Database, broker: Quoting, calendar: Calendar, door: Door
    ) -> None:
        self._settings, self._database, self._broker, self._calendar = settings, database, broker, calendar
        self._door = door
        self._bars = DailyBars(lake)
        self._sectors: tuple[datetime, Mapping[str, str]] | None = None
        self._unreadable = ""
        self.rules = TradingRules.from_settings(settings.trading, settings.broker.mode)

    def seen(self, tickers: Iterable[str], as_of: datetime) -> Seen:
        """Quotes of the tickers, daily bars of them, of the universe and of the benchmark, and sectors.

        Takes over what operators have set since the last round. Raises TransientError when the broker gives no quotes.
        """
        self.renew()
        wanted, sectors = sorted(set(tickers)), self.sectors(as_of)
        bars = self._bars.of({*wanted, *sectors, BENCHMARK}, as_of)
        told = self._broker.quotes(wanted) if wanted else {}
        quotes = {t: market.of_these_shares(quote, bars.split_at.get(t)) for t, quote in told.items()}
        return Seen(
            as_of=as_of,
            market_open=self._calendar.is_open(as_of),
            quotes={ticker: quote for ticker, quote in quotes.items() if quote is not None},
            bars=bars,
            sectors=sectors,
            last_session=session_closed(self._calendar, as_of).day,
            max_age=self.rules.quotes.max_age,
        )

    def renew(self) -> None:
        """Take over the rules as operators have set them; with a row that cannot be read, none is, and entries close."""
        rows = self._database.fetch("SELECT key, value FROM risk_configs WHERE starts_with(key, %s)", (runtime.PREFIX,))
        trading, self._unreadable = self._settings.trading, ""
        try:
            trading = runtime.overridden(trading, {row["key"]: row["value"] for row in rows})
        except BadInputError as error:
            self._unreadable = str(error)
        self.rules = TradingRules.from_settings(trading, self._settings.broker.mode)

    def blind(self, as_of: datetime) -> Seen:
        """What is known where the broker gives no quotes: the calendar, and nothing of any price."""
        last = session_closed(self._calendar, as_of).day
        return Seen(as_of, self._calendar.is_open(as_of), {}, History({}), self.sectors(as_of), last)

    def sectors(self, as_of: datetime) -> Mapping[str, str]:
        """Each tracked ticker's sector."""
        if self._sectors is None or not timedelta(0) <= as_of - self._sectors[0] < SECTORS_FOR:
            companies = load_universe(self._database, as_of).companies
            self._sectors = (as_of, {ticker: company.sector for ticker, company in companies.items()})
        return self._sectors[1]

    def rules_at(self, seen: Seen) -> TradingRules:
        """The rules; between sessions a quote may be as old as the last close, there can be no younger one."""
        if seen.market_open:
            return self.rules
        quotes = self.rules.quotes
        since_close = seen.as_of - self._calendar.previous_close(seen.as_of)
        return replace(self.rules, quotes=replace(quotes, max_age=quotes.max_age + since_close))

    def state(self, connection: Connection, account_id: str, as_of: datetime) -> EngineState:
        """What is switched on, paused, tripped or locked, and whether the data is well enough for new positions."""
        state = control.engine_state(
            connection,
            account_id,
            as_of,
            self._settings.trading.risk_tier,
            session_ahead(self._calendar, as_of).open,
            enabled=self._settings.trading_enabled,
            ill=self._door(connection, as_of),
        )
        return replace(state, entries_closed_because=self._unreadable) if self._unreadable else state

    def portfolio(self, connection: Connection, account_id: str, seen: Seen, day: date | None = None) -> Portfolio:
        """The portfolio, valued at what was seen, against the opening equity of a session (the one ahead)."""
        held = portfolio.held_tickers(connection, account_id)
        day = day or session_ahead(self._calendar, seen.as_of).day
        return portfolio.load(connection, account_id, day, seen.as_of, seen.prices(held), seen.sectors)
