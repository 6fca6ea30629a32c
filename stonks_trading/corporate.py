"""Splits and symbol changes of what is held: books, levels and orders brought into the new scale once, before the open.

A split counts from 00:00 UTC of its ex-date, when no session is under way; a rename once the broker shows the shares under
the new ticker. Each is one row of `position_adjustments`: what stands there was applied, and is not applied again.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from stonks_core.money import shares_down
from stonks_core.notifications.notices import leave
from stonks_core.prices.adjusting import Split, effective
from stonks_core.prices.reading import read_actions
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.postgres import Connection, Database
from stonks_trading import control
from stonks_trading.broker import adjustments, fills, orders, sync
from stonks_trading.broker.protocol import Broker, BrokerPosition, OrderState
from stonks_trading.decide import stops
from stonks_trading.engine.lease import Fence
from stonks_trading.inputs import LakeReader
from stonks_trading.records import Position

log = logging.getLogger(__name__)

ZERO = Decimal(0)
ORDERS_DIE_WITHIN = timedelta(days=5)  # a DAY order that a long weekend kept waiting is over by then


class Adjuster:
    """Applies what happened to the shares of one account's positions."""

    def __init__(self, lake: LakeReader, database: Database, broker: Broker, fence: Fence) -> None:
        self._lake, self._database, self._broker, self._fence = lake, database, broker, fence
        self._read: tuple[object, Mapping[str, Sequence[Split]]] | None = None

    def adjust(self, account_id: str, as_of: datetime) -> tuple[str, ...]:
        """Apply every split and rename that is due and was not applied; a sentence for each that was.

        Raises TransientError where the broker cannot be asked for its positions.
        """
        held = self._held(account_id)
        if not held:
            return ()
        splits, renames = self._splits(held, as_of), self._renames(account_id, as_of)
        due = self._due(account_id, splits) | {row["ticker"] for row in renames}
        if not due:
            return ()
        theirs = {position.ticker: position for position in self._broker.positions()}
        done: list[str] = []
        for ticker in sorted(splits.keys() & due):
            done += self._split(account_id, ticker, splits[ticker], theirs.get(ticker), as_of)
        for row in renames:
            if row["new_ticker"] in theirs and row["ticker"] not in theirs:
                done += self._rename(account_id, row, as_of)
        for sentence in done:
            log.warning("%s", sentence)
        return tuple(done)

    def _held(self, account_id: str) -> Mapping[str, datetime]:
        rows = self._database.fetch(
            "SELECT ticker, opened_at FROM positions WHERE account_id = %s AND quantity > 0 AND opened_at IS NOT NULL",
            (account_id,),
        )
        return {row["ticker"]: row["opened_at"] for row in rows}

    def _splits(self, held: Mapping[str, datetime], as_of: datetime) -> Mapping[str, Sequence[Split]]:
        """Splits since each position was opened, as they are known; read anew when the table or the day changes."""
        key = (self._lake.version(CORPORATE_ACTIONS), as_of.date(), tuple(sorted(held.items())))
        if self._read is None or self._read[0] != key:
            days = (min(held.values()).date(), as_of.date())
            known = read_actions(self._lake, days, as_of, tickers=held.keys())
            found = {
                ticker: [s for s in actions.splits if effective(s.ex_date) > held[ticker]]
                for ticker, actions in known.items()
            }
            self._read = (key, {ticker: splits for ticker, splits in found.items() if splits})
        return self._read[1]

    def _due(self, account_id: str, splits: Mapping[str, Sequence[Split]]) -> set[str]:
        """Tickers with a split that was not applied, or with orders from before one that may still be open."""
        rows = self._database.fetch(
            """
            SELECT a.ticker, a.ex_date, EXISTS (SELECT 1 FROM orders o WHERE o.account_id = a.account_id
                AND o.ticker = a.ticker AND o.quantity IS NOT NULL AND o.intended_at < a.effective_at
                AND o.intended_at >= a.effective_at - %s
                AND o.state NOT IN ('filled', 'canceled', 'expired', 'rejected')) AS open
            FROM position_adjustments a WHERE a.account_id = %s AND a.kind = 'split'
            """,
            (ORDERS_DIE_WITHIN, account_id),
        )
        applied = {(row["ticker"], row["ex_date"].isoformat()): row["open"] for row in rows}
        return {t for t, own in splits.items() for s in own if applied.get((t, s.ex_date), True)}

    def _split(
        self, account_id: str, ticker: str, splits: Sequence[Split], told: BrokerPosition | None, as_of: datetime
    ) -> list[str]:
        done: list[str] = []
        for split in splits:
            self._cancel(account_id, ticker, effective(split.ex_date), f"a split of {ticker} changed its shares", as_of)
            with self._database.connection() as connection:
                self._fence(connection)
                sentence = _apply_split(connection, account_id, ticker, split, told, as_of)
            if sentence:
                done.append(sentence)
        return done

    def _renames(self, account_id: str, as_of: datetime) -> Sequence[Mapping[str, Any]]:
        """Held tickers under which the registry's company stands no more, with its ticker now."""
        return self._database.fetch(
            """
            SELECT DISTINCT ON (p.ticker) p.ticker, now.ticker AS new_ticker, now.valid_from
            FROM positions p
            JOIN company_history was ON was.ticker = p.ticker AND was.valid_to > p.opened_at AND was.valid_to <= %(as_of)s
            JOIN company_history now ON now.company_id = was.company_id AND now.ticker <> p.ticker
                AND now.valid_from <= %(as_of)s AND now.valid_to > %(as_of)s
            WHERE p.account_id = %(account_id)s AND p.quantity > 0
            ORDER BY p.ticker, was.valid_to DESC
            """,
            {"account_id": account_id, "as_of": as_of},
        )

    def _rename(self, account_id: str, row: Mapping[str, Any], as_of: datetime) -> list[str]:
        old, new = row["ticker"], row["new_ticker"]
        self._cancel(account_id, old, as_of, f"{old} trades as {new} now", as_of)
        sync.sweep(self._database, self._broker, account_id, as_of)
        with self._database.connection() as connection:
            self._fence(connection)
            unfinished = connection.execute(
                """
                SELECT order_id FROM orders WHERE account_id = %s AND ticker = %s
                    AND (state IN ('submitting', 'unknown', 'accepted', 'partially_filled')
                        OR broker_filled_quantity > filled_quantity) LIMIT 1
                """,
                (account_id, old),
            ).fetchone()
            if unfinished is not None:
                log.warning("%s becomes %s once its order %s is over", old, new, unfinished["order_id"])
                return []
            sentence = _apply_rename(connection, account_id, old, new, row["valid_from"].date(), as_of)
            return [sentence] if sentence else []

    def _cancel(self, account_id: str, ticker: str, before: datetime, why: str, as_of: datetime) -> None:
        """Cancel what was ordered by the share in the old scale; orders by the dollar mean the same in any."""
        with self._database.connection() as connection:
            waiting = orders.in_states(connection, account_id, (OrderState.INTENDED,))
            working = orders.to_watch(connection, account_id)
        for row in (*waiting, *working):
            if row.ticker == ticker and row.quantity is not None and row.intended_at < before and not row.state.final:
                sync.cancel_order(self._database, self._broker, row, as_of, why)


def _apply_split(
    connection: Connection, account_id: str, ticker: str, split: Split, told: BrokerPosition | None, as_of: datetime
) -> str:
    """Write the split and refold; the sentence, or nothing where it was applied before."""
    ratio = Decimal(str(split.ratio))
    row = connection.execute(
        """
        SELECT p.quantity, p.cost, p.price, s.stop, s.take_profit FROM positions p
        LEFT JOIN position_stop_levels s ON (s.account_id, s.ticker, s.opened_at) = (p.account_id, p.ticker, p.opened_at)
        WHERE p.account_id = %s AND p.ticker = %s FOR UPDATE OF p
        """,
        (account_id, ticker),
    ).fetchone()
    known = connection.execute(
        "SELECT ratio FROM position_adjustments WHERE (account_id, ticker, kind, ex_date) = (%s, %s, 'split', %s)",
        (account_id, ticker, split.ex_date),
    ).fetchone()
    if known is not None or row is None:
        if known is not None and known["ratio"] != ratio:
            what = (
                f"The split of {ticker} on {split.ex_date} was applied as {known['ratio']}; it is told as {ratio} now."
            )
            leave(connection, as_of, "critical", f"{ticker}: another split ratio", what, what)
        return ""
    before = Position(
        ticker, row["quantity"], row["cost"], row["price"] or row["cost"], row["stop"], row["take_profit"]
    )
    after = stops.after_split(before, ratio)
    whole = shares_down(after.quantity)
    paid_out = (
        whole - told.quantity
        if told is not None and adjustments.is_rounded(before.quantity, whole, told.quantity)
        else ZERO
    )
    sentence = (
        f"{ticker} was split {ratio.normalize():f} for 1 on {split.ex_date}: {before.quantity.normalize():f} shares became "
        f"{(whole - paid_out).normalize():f}"
        + (f", the stop went from ${before.stop} to ${after.stop}." if before.stop is not None else ".")
    )
    connection.execute(
        """
        INSERT INTO position_adjustments (account_id, ticker, kind, ex_date, effective_at, ratio, paid_out,
            quantity_before, quantity_after, stop_before, stop_after, sentence, applied_at)
        VALUES (%s, %s, 'split', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            *(account_id, ticker, split.ex_date, effective(split.ex_date), ratio, paid_out),
            *(before.quantity, whole - paid_out, before.stop, after.stop, sentence, as_of),
        ),
    )
    connection.execute(
        """
        UPDATE position_stop_levels SET entry = entry / %(ratio)s, stop = %(stop)s, initial_stop = initial_stop / %(ratio)s,
            take_profit = %(take_profit)s, atr = atr / %(ratio)s, highest = highest / %(ratio)s, scale = scale * %(ratio)s,
            updated_at = %(as_of)s
        WHERE account_id = %(account_id)s AND ticker = %(ticker)s AND %(stop)s::numeric IS NOT NULL
        """,
        {
            "ratio": ratio,
            "stop": after.stop,
            "take_profit": after.take_profit,
            "as_of": as_of,
            "account_id": account_id,
            "ticker": ticker,
        },
    )
    connection.execute(
        "UPDATE positions SET price = price / %s WHERE account_id = %s AND ticker = %s", (ratio, account_id, ticker)
    )
    _tell(connection, account_id, ticker, sentence, as_of)
    return sentence


def _apply_rename(
    connection: Connection, account_id: str, old: str, new: str, changed_on: date, as_of: datetime
) -> str:
    """Write the rename, refold, and take the levels along; the sentence, or nothing where it was applied before."""
    held = connection.execute(
        "SELECT quantity, price, sector, micro FROM positions WHERE account_id = %s AND ticker = %s FOR UPDATE",
        (account_id, old),
    ).fetchone()
    if held is None or held["quantity"] <= 0:
        return ""
    sentence = (
        f"{old} trades as {new} now: its {held['quantity'].normalize():f} shares, cost and levels stand under {new}."
    )
    written = connection.execute(
        """
        INSERT INTO position_adjustments (account_id, ticker, kind, ex_date, effective_at, new_ticker, quantity_before,
            quantity_after, sentence, applied_at)
        VALUES (%s, %s, 'rename', %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        (account_id, old, changed_on, as_of, new, held["quantity"], held["quantity"], sentence, as_of),
    ).rowcount
    if not written:
        return ""
    _tell(connection, account_id, new, sentence, as_of, micro=held["micro"])
    connection.execute(
        "UPDATE positions SET price = %s, sector = %s WHERE account_id = %s AND ticker = %s",
        (held["price"], held["sector"], account_id, new),
    )
    connection.execute(
        "DELETE FROM position_stop_levels WHERE account_id = %s AND ticker = %s", (account_id, new)
    )  # of a holding that is over: the one that comes has levels of its own
    connection.execute(
        "UPDATE position_stop_levels SET ticker = %s WHERE account_id = %s AND ticker = %s", (new, account_id, old)
    )
    return sentence


def _tell(
    connection: Connection, account_id: str, ticker: str, sentence: str, as_of: datetime, *, micro: bool = False
) -> None:
    fills.reckon(connection, account_id, ticker, as_of, micro=micro)
    leave(connection, as_of, "warning", f"{ticker} was adjusted", sentence)
    control.audit(connection, as_of, "adjust", ticker, sentence, {})
