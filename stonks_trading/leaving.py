"""The rounds that leave positions: through a level, held too long, grown too large, or because a person said so.

No pause and no breaker keeps a stop from letting out; where trading is switched off nothing is ordered at all.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from psycopg.types.json import Jsonb

from stonks_core.settings import Settings
from stonks_core.stores.postgres import Connection, Database
from stonks_trading import exits
from stonks_trading.broker import sync
from stonks_trading.broker.protocol import Broker
from stonks_trading.decide import correlation, micro, rebalance, stops
from stonks_trading.decision_log import Writer, write
from stonks_trading.engine.lease import Fence
from stonks_trading.records import Decision, OrderPlan, Position
from stonks_trading.situation import Observer, Seen
from stonks_trading.vetting import Vetter


class Leaver:
    """Decides exits and writes them with the intents of their orders."""

    def __init__(
        self, settings: Settings, database: Database, broker: Broker, observer: Observer, fence: Fence
    ) -> None:
        self._enabled = settings.trading_enabled
        self._database, self._broker, self._observer, self._fence = database, broker, observer, fence

    def by_levels(self, account_id: str, seen: Seen, *, near_only: bool) -> tuple[Decision, ...]:
        """Set and trail each position's levels, then leave those that are through one and micro-trades past their time.

        `near_only` looks only at positions within one average true range of their stop.
        """
        decided: list[Decision] = []
        rules = self._observer.rules
        with self._database.connection() as connection:
            writer = Writer(account_id, self._fence(connection))
            books = self._observer.portfolio(connection, account_id, seen)
            state = self._observer.state(connection, account_id, seen.as_of)
            vetter, limits = Vetter(connection, account_id, books, {}, state, rules), rules.tiers[state.tier]
            for ticker in sorted(books.positions):
                atr, price, held = seen.view(ticker, ()).atr, seen.price(ticker), books.positions[ticker]
                if price is None or (near_only and not stops.near_stop(held, price, atr)):
                    continue
                kept = exits.keep_level(connection, account_id, held, price, atr, limits, seen.as_of)
                plan = stops.exit_order(kept, price, books.pending_sells.get(ticker, Decimal(0)))
                if plan is not None:
                    decided += self._leave(connection, writer, vetter, kept, plan, price, _through(kept, price), seen)
            leaving = {d.ticker for d in decided}
            for plan in micro.overdue(books.positions.values(), seen.as_of, rules.micro, books.pending_sells):
                if plan.ticker not in leaving:
                    held = books.positions[plan.ticker]
                    why = f"The micro-trade in {plan.ticker} was held for its longest time."
                    decided += self._leave(connection, writer, vetter, held, plan, held.price, why, seen)
        self._clear_the_way(account_id, decided, seen.as_of)
        return tuple(decided)

    def by_rebalancing(self, account_id: str, seen: Seen) -> tuple[Decision, ...]:
        """Trim positions that are too large, alone or as a correlated pair; once a week down to the limit itself.

        In session only, and not while the engine is paused, tripped or switched off, nor what is locked or being sold.
        """
        decided: list[Decision] = []
        rules = self._observer.rules
        with self._database.connection() as connection:
            writer = Writer(account_id, self._fence(connection))
            state = self._observer.state(connection, account_id, seen.as_of)
            if not seen.market_open or not state.enabled or state.paused or state.tripped:
                return ()
            books = self._observer.portfolio(connection, account_id, seen)
            vetter = Vetter(connection, account_id, books, {}, state, rules)
            weekly = rebalance.weekly_due(_rebalanced_at(connection), seen.as_of)
            pairs = correlation.correlation_matrix(books.positions, seen.bars.correlation)
            for trim in rebalance.trims(books, pairs, rules.tiers[state.tier], rules, weekly=weekly):
                held = books.positions[trim.order.ticker]
                if held.ticker not in state.locked_tickers and held.ticker not in books.pending_sells:
                    decided += self._leave(
                        connection, writer, vetter, held, trim.order, held.price, trim.sentence, seen
                    )
            if weekly:
                _mark_rebalanced(connection, seen.as_of)
        self._clear_the_way(account_id, decided, seen.as_of)
        return tuple(decided)

    def everything(self, account_id: str, seen: Seen, why: str) -> tuple[Decision, ...]:
        """Leave every position with all that is not being sold already."""
        decided: list[Decision] = []
        with self._database.connection() as connection:
            writer = Writer(account_id, self._fence(connection))
            books = self._observer.portfolio(connection, account_id, seen)
            state = self._observer.state(connection, account_id, seen.as_of)
            vetter = Vetter(connection, account_id, books, {}, state, self._observer.rules)
            for ticker, held in sorted(books.positions.items()):
                quantity = held.quantity - books.pending_sells.get(ticker, Decimal(0))
                if quantity > 0:
                    plan = OrderPlan(ticker, "sell", "market", quantity=quantity, purpose="flatten")
                    sentence = f"Sell all {quantity.normalize():f} free shares of {ticker}: {why}."
                    decided += self._leave(connection, writer, vetter, held, plan, held.price, sentence, seen)
        return tuple(decided)

    def _leave(
        self,
        connection: Connection,
        writer: Writer,
        vetter: Vetter,
        held: Position,
        plan: OrderPlan,
        price: Decimal,
        why: str,
        seen: Seen,
    ) -> list[Decision]:
        if not self._enabled:
            return []
        decision = exits.exit_decision(
            connection, writer.account_id, held, plan, price, why, seen.as_of, seen.quoted(held.ticker)
        )
        if decision is None:
            return []
        written = write(connection, replace(writer, kind=exits.kind_of(plan)), [decision])
        for new in written:
            vetter.vet(new)
        return [new.decision for new in written]

    def _clear_the_way(self, account_id: str, decided: Sequence[Decision], as_of: datetime) -> None:
        """Cancel open buys of what is being sold: the broker refuses an order against one's own."""
        for ticker in sorted({d.ticker for d in decided}):
            sync.cancel_orders(
                self._database,
                self._broker,
                account_id,
                as_of,
                entries_only=True,
                why=f"{ticker} is being sold",
                ticker=ticker,
            )


def _through(position: Position, price: Decimal) -> str:
    level = (
        f"at or below its stop of ${position.stop}"
        if stops.exit_due(position, price) == "stop"
        else f"at or above its take-profit of ${position.take_profit}"
    )
    return f"Sell {position.quantity.normalize():f} shares of {position.ticker}: ${price} is {level}."


def _rebalanced_at(connection: Connection) -> datetime | None:
    row = connection.execute("SELECT value FROM engine_control WHERE key = 'rebalanced_at'").fetchone()
    return datetime.fromisoformat(row["value"]) if row else None


def _mark_rebalanced(connection: Connection, as_of: datetime) -> None:
    connection.execute(
        """
        INSERT INTO engine_control (key, value, updated_by, updated_at) VALUES ('rebalanced_at', %s, 'engine', %s)
        ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, updated_at = EXCLUDED.updated_at
        """,
        (Jsonb(as_of.isoformat()), as_of),
    )
