"""The steps of trading, one method each: what the daemon's tasks and a replay call, each with an explicit instant.

A step is synchronous, takes its time from its argument, and leaves the books whole wherever it stops: what it did is
committed, what it did not do the next call does. Steps of one session never run at the same time.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from stonks_core.calendar import MarketCalendar
from stonks_core.clock import Clock
from stonks_core.errors import StonksError, TransientError
from stonks_core.settings import Settings
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import Action
from stonks_trading import control, daybook, portfolio, quotebook
from stonks_trading.broker import reconcile, sync
from stonks_trading.broker.alpaca import broker_from
from stonks_trading.broker.outbox import Delivery, Outbox
from stonks_trading.broker.protocol import Broker, TradeUpdate
from stonks_trading.broker.reconcile import Reconciled
from stonks_trading.broker.sync import Swept
from stonks_trading.corporate import Adjuster
from stonks_trading.decide import breakers, decide
from stonks_trading.decide.rules import TradingRules
from stonks_trading.decide.tiers import TierReview
from stonks_trading.decision_log import Writer, progress, write
from stonks_trading.door import Door
from stonks_trading.engine.lease import Fence, no_fence
from stonks_trading.guardian import Guarded, Guardian
from stonks_trading.guards import Guards, closed_because
from stonks_trading.inputs import LakeReader, Recommendations
from stonks_trading.leaving import Leaver
from stonks_trading.obeying import Obeyer
from stonks_trading.rechecking import Rechecker
from stonks_trading.records import Decision, Recommendation
from stonks_trading.situation import Calendar, Observer, Seen, Views, session_closed
from stonks_trading.vetting import Vetter, expire_approvals


class TradingSession:
    """One account's trading. Call `reconcile` first; until it has succeeded nothing is decided and nothing is sent.

    Raises TransientError when the broker or the database cannot be asked (call again later), PermanentError when they
    refuse, LeaseLostError when `fence` says that another owner trades. `door` is asked at each decision whether a position
    may be opened; nothing else asks it, so that exits, stops and cancels never wait for it.
    """

    def __init__(
        self,
        settings: Settings,
        lake: LakeReader,
        database: Database,
        broker: Broker,
        calendar: Calendar,
        clock: Clock,
        door: Door,
        fence: Fence = no_fence,
    ) -> None:
        self._settings, self._lake, self._database, self._broker = settings, lake, database, broker
        self._calendar, self._clock, self._fence = calendar, clock, fence
        self._recommendations = Recommendations(lake)
        self._observer = Observer(settings, lake, database, broker, calendar, door)
        self._leaver = Leaver(settings, database, broker, self._observer, fence)
        self._guards = Guards(
            database, broker, calendar, clock, timedelta(seconds=settings.trading.clock_skew_limit_seconds)
        )
        self._adjuster = Adjuster(lake, database, broker, fence)
        self._guardian = Guardian(settings, database, self._observer, calendar, fence)
        self._rechecker = Rechecker(database, self._observer, fence)
        self._obeyer = Obeyer(settings, database, broker, self._observer, self._leaver, calendar, fence)
        self._outbox: Outbox | None = None
        self._account: str | None = None
        self._lock = threading.RLock()

    @property
    def _rules(self) -> TradingRules:
        return self._observer.rules

    @property
    def account_id(self) -> str:
        """The broker's account; StonksError before the first reconciliation."""
        if self._account is None:
            raise StonksError("nothing was reconciled yet: call reconcile() before any other step")
        return self._account

    def finish(self) -> None:
        """Wait for the step under way, so that what it uses may be closed."""
        with self._lock:
            return

    def reconcile(self) -> Reconciled:
        """Adopt what the broker has of our orders in doubt, book what was missed, apply splits, compare, lock what differs."""
        with self._lock:
            as_of = self._clock.now()
            account = self._broker.account()
            sandbox = self._settings.sandboxed["broker"]
            sync.register(self._database, account, as_of, mode=self._settings.broker.mode, sandbox=sandbox)
            outbox = Outbox(self._database, self._broker, account.account_id, self._fence)
            outbox.resolve(as_of)
            sync.sweep(self._database, self._broker, account.account_id, as_of)
            self._adjuster.adjust(account.account_id, as_of)
            done = reconcile.compare(self._database, self._broker, account, self._observer.sectors(as_of), as_of)
            self._account, self._outbox = account.account_id, outbox
            return done

    def sync(self, as_of: datetime) -> Reconciled:
        """Account, positions, open orders, splits and cash once more, compared as at the start."""
        with self._lock:
            account = self._broker.account()
            sandbox = self._settings.sandboxed["broker"]
            sync.register(self._database, account, as_of, mode=self._settings.broker.mode, sandbox=sandbox)
            self._adjuster.adjust(account.account_id, as_of)
            self._guards.check()
            return reconcile.compare(self._database, self._broker, account, self._observer.sectors(as_of), as_of)

    def decide(self, as_of: datetime) -> tuple[Decision, ...]:
        """Decide on every unexpired recommendation; what was new, written with the intents of its orders.

        Nothing where trading is switched off.
        """
        if not self._settings.trading_enabled:
            return ()
        with self._lock:
            known = self._recommendations.at(as_of)
            if not known:
                return ()
            self._guards.check()
            seen = self._seen(as_of, {r.ticker for r in known if r.action in (Action.BUY, Action.SELL)})
            self._trip(seen)
            with self._database.connection() as connection:
                writer = Writer(self.account_id, self._fence(connection))
                books = self._observer.portfolio(connection, self.account_id, seen)
                tickers = {r.ticker for r in known} | set(books.positions) | set(books.pending_buys)
                open_tickers = sorted(set(books.positions) | set(books.pending_buys))
                sent, last = progress(connection, self.account_id, [r.recommendation_id for r in known])
                state = self._observer.state(connection, self.account_id, as_of)
                state = replace(state, guard=closed_because(connection))
                rules = self._observer.rules_at(seen)
                views = Views(seen, tickers, open_tickers)
                decisions = decide.decide(
                    known, books, views, state, rules, as_of, market_open=True, decided=sent, last_sent=last
                )
                timely = [self._timely(d, known, seen) for d in decisions]
                until = {r.recommendation_id: r.expires_at for r in known}
                written = write(connection, writer, timely, valid_until=until)
                vetter = Vetter(connection, self.account_id, books, views, state, rules)
                for new in written:
                    vetter.vet(new)
                return tuple(new.decision for new in written)

    def _timely(self, decision: Decision, known: Sequence[Recommendation], seen: Seen) -> Decision:
        """The decision itself, or, while the market is closed, a wait where the recommendation dies before the open."""
        if seen.market_open or decision.order is None:
            return decision
        opens = self._calendar.next_open(seen.as_of)
        expires = next(r.expires_at for r in known if r.recommendation_id == decision.recommendation_id)
        if expires > opens:
            return decision
        sentence = f"The market opens at {opens:%Y-%m-%d %H:%M} UTC, after this view expires ({expires:%H:%M} UTC)."
        return replace(decision, outcome="skip", reason="market_closed", sentence=sentence, order=None, final=False)

    def send_outbox(self, as_of: datetime) -> Delivery:
        """Send every intent, resolve every doubt; see `Outbox.deliver`."""
        with self._lock:
            if self._outbox is None:
                raise StonksError("nothing was reconciled yet: call reconcile() before sending orders")
            with self._database.connection() as connection:
                expire_approvals(connection, as_of)
            self._rechecker.recheck(self.account_id, as_of)
            return self._outbox.deliver(as_of)

    def sweep(self, as_of: datetime) -> Swept:
        """Book the fills and take over the order states that REST tells."""
        with self._lock:
            return sync.sweep(self._database, self._broker, self.account_id, as_of)

    def apply_update(self, update: TradeUpdate) -> bool:
        """Take over one event of the stream at once; False when it is about no order of ours."""
        return sync.apply_update(self._database, self.account_id, update, self._clock.now())

    def check_stops(self, as_of: datetime, *, near_only: bool = False) -> tuple[Decision, ...]:
        """Trip breakers, keep stop levels, and leave what is through one or was held too long; see `Leaver.by_levels`."""
        with self._lock:
            seen = self._seen(as_of, ())
            self._trip(seen)
            return self._leaver.by_levels(self.account_id, seen, near_only=near_only)

    def protect(self, as_of: datetime, *, ahead: bool = False) -> Guarded:
        """Rest stops at the broker and alarm for what nobody protects; see `Guardian.look` (`ahead` too).

        Without quotes nothing is rested, but the alarm is judged all the same before the TransientError is passed on.
        """
        with self._lock:
            try:
                seen = self._seen(as_of, ())
            except TransientError:
                self._guardian.look(self.account_id, self._observer.blind(as_of))
                raise
            return self._guardian.look(self.account_id, seen, ahead=ahead)

    def rebalance(self, as_of: datetime) -> tuple[Decision, ...]:
        """Trim what has grown too large; see `Leaver.by_rebalancing`."""
        with self._lock:
            return self._leaver.by_rebalancing(self.account_id, self._seen(as_of, ()))

    def siphon(self, as_of: datetime) -> Decimal:
        """Move each realised profit's share to the reserve, once; dollars that moved."""
        with self._lock:
            self._observer.renew()
            with self._database.connection() as connection:
                self._fence(connection)
                return daybook.siphon(connection, self.account_id, self._rules.reserve, as_of)

    def close_books(self, as_of: datetime) -> Decimal | None:
        """Write the snapshot of the newest session that is over, and move the reserve; its equity, dollars.

        None when that session's snapshot stands already.
        """
        with self._lock:
            session = session_closed(self._calendar, as_of)
            with self._database.connection() as connection:
                if daybook.is_closed(connection, self.account_id, session.day):
                    return None
            seen = self._seen(as_of, ())
            with self._database.connection() as connection:
                self._fence(connection)
                daybook.siphon(connection, self.account_id, self._rules.reserve, as_of)
                books = self._observer.portfolio(connection, self.account_id, seen, session.day)
                daybook.settle_reserve(connection, self.account_id, books, self._rules.reserve, as_of)
                books = replace(books, reserve=portfolio.reserve_balance(connection, self.account_id))
                state = self._observer.state(connection, self.account_id, as_of)
                daybook.snapshot(connection, self.account_id, session, books, state, self._rules, as_of)
                return books.equity

    def review_tier(self, as_of: datetime) -> TierReview | None:
        """Review the risk tier on the newest session's snapshot, once; None where there is none, or nobody wants it."""
        with self._lock, self._database.connection() as connection:
            self._fence(connection)
            session = session_closed(self._calendar, as_of)
            tier = self._observer.state(connection, self.account_id, as_of).tier
            changed = daybook.last_tier_change(connection, self.account_id)
            since = len(self._calendar.sessions_between(changed, session.day)) - 1 if changed else None
            if not control.switches(connection).get("auto_tier", True):
                return None
            return daybook.review(connection, self.account_id, session, since, tier, self._rules, as_of)

    def close_day(self, as_of: datetime) -> Decimal | None:
        """Both of a session's end: its books, then the tier's review. The equity, or None when it was closed before."""
        equity = self.close_books(as_of)
        self.review_tier(as_of)
        return equity

    def obey(self, as_of: datetime) -> Mapping[str, int]:
        """Go on with what an operator asked for, each request once; see `Obeyer.obey`."""
        with self._lock:
            return self._obeyer.obey(self.account_id, as_of)

    def _seen(self, as_of: datetime, tickers: set[str] | tuple[()]) -> Seen:
        """The outside, in the scale of the books: a split that is seen in the prices is applied before."""
        self._adjuster.adjust(self.account_id, as_of)
        with self._database.connection() as connection:
            held = portfolio.held_tickers(connection, self.account_id)
        seen = self._observer.seen({*tickers, *held}, as_of)
        quotebook.keep(self._database, seen.quotes)
        return seen

    def _trip(self, seen: Seen) -> None:
        """Trip the breakers that must, and cancel open buys then."""
        with self._database.connection() as connection:
            books = self._observer.portfolio(connection, self.account_id, seen)
            pardoned = control.pardoned(connection, self.account_id)
            volatility = seen.bars.market_volatility()
            next_open = self._calendar.next_open(seen.as_of + timedelta(microseconds=1))
            new = [
                happened
                for happened in breakers.trips(books, volatility, self._rules.breakers, pardoned=pardoned)
                if control.trip(
                    connection,
                    self.account_id,
                    happened,
                    seen.as_of,
                    next_open if happened.breaker in breakers.RESETS_ITSELF else None,
                )
            ]
        if new:
            why = f"the breaker {new[0].breaker} tripped"
            sync.cancel_orders(self._database, self._broker, self.account_id, seen.as_of, entries_only=True, why=why)


@contextmanager
def open_session(
    settings: Settings, lake: LakeReader, database: Database, clock: Clock, door: Door, fence: Fence = no_fence
) -> Iterator[TradingSession]:
    """A session with the broker and the calendar that the settings name; its connections end with the block."""
    broker = broker_from(settings)
    try:
        calendar = MarketCalendar(settings.calendar_name)
        yield TradingSession(settings, lake, database, broker, calendar, clock, door, fence)
    finally:
        broker.close()
