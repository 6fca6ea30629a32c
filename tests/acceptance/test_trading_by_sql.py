"""Sizes, levels, fills and ledgers of the day, worked out again: by PostgreSQL in exact numbers, ranges by DuckDB."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import duckdb
import pytest

from tests.acceptance.day import NOW, Day
from tests.acceptance.sql import opened, rows_of

TIERS = """
tiers(tier, least, share, stop_atr, reward, sector_share, heat_share) AS (VALUES
    ('conservative', 0.75, 0.05, 1.5, 2.0, 0.20, 0.10), ('moderate', 0.55, 0.10, 2.0, 1.5, 0.30, 0.20),
    ('aggressive', 0.40, 0.15, 2.5, 1.2, 0.40, 0.30))
"""
SIZES = (
    "WITH "
    + TIERS
    + """,
said AS (
    SELECT d.decision_id, d.ticker, d.as_of, o.notional, o.tranche, o.tranches, t.*, i.*
    FROM trading_decisions d JOIN orders o USING (decision_id),
    jsonb_to_record(d.trace -> 'inputs') AS i(confidence numeric, active_pool numeric, cash numeric, reserve numeric,
        equity numeric, committed numeric, held_or_coming numeric, mean_correlation numeric, atr numeric, price numeric,
        sector text, voice numeric, size numeric, stop numeric, take_profit numeric, tier text)
    JOIN tiers t USING (tier)
    WHERE d.kind = 'recommendation' AND d.outcome = 'act' AND o.side = 'buy' AND d.as_of = %(as_of)s),
-- Entries of one round are sized loudest first, and each takes from what the next may have.
before AS (
    SELECT a.decision_id, coalesce(sum(b.notional), 0) AS spent,
        coalesce(sum(b.notional) FILTER (WHERE b.sector = a.sector), 0) AS in_sector,
        coalesce(sum(b.notional * least(1, b.atr * b.stop_atr / b.price)), 0) AS at_risk
    FROM said a LEFT JOIN said b ON (b.voice, a.ticker) > (a.voice, b.ticker) AND b.decision_id <> a.decision_id
    GROUP BY a.decision_id),
rooms AS (
    SELECT s.*, b.spent,
        active_pool * share * least(1, greatest(0.25, (confidence - least) / (1 - least)))
            * (1 - greatest(0, mean_correlation)) AS target,
        50 - held_or_coming AS cap, active_pool * sector_share - in_sector AS sector_room,
        (equity * heat_share - at_risk) / least(1, atr * stop_atr / price) AS heat_room,
        cash - reserve - b.spent - 100 AS cash_room
    FROM said s JOIN before b USING (decision_id))
SELECT decision_id, ticker, size, notional, tranche, tranches, committed, spent, stop, take_profit, price,
    trunc(least(target, active_pool * share - held_or_coming, cap, sector_room, heat_room, cash_room), 2) AS computed,
    round(price - atr * stop_atr, 2) AS computed_stop,
    price + (price - round(price - atr * stop_atr, 2)) * reward AS computed_profit
FROM rooms
"""
)
SPEAKERS = """
WITH alive AS (
    SELECT *, strength * confidence AS voice FROM recommendations
    WHERE as_of <= TIMESTAMPTZ '2026-03-04 15:00:00+00' AND expires_at > TIMESTAMPTZ '2026-03-04 15:00:00+00'
    QUALIFY row_number() OVER (PARTITION BY ticker, "window" ORDER BY as_of DESC) = 1),
voices AS (SELECT * FROM alive WHERE action IN ('buy', 'sell') AND mode <> 'informational'),
loudest AS (
    SELECT * FROM voices WHERE confidence >= 0.55 QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY voice DESC) = 1)
SELECT l.recommendation_id FROM loudest l
ANTI JOIN voices v ON v.ticker = l.ticker AND v.action <> l.action AND v.voice >= 0.5 * l.voice
WHERE l.action = 'buy'
"""
RANGES = """
WITH RECURSIVE bars AS (
    SELECT ticker, high, low, close, lag(close) OVER (PARTITION BY ticker ORDER BY end_at) AS before,
        row_number() OVER (PARTITION BY ticker ORDER BY end_at) - 1 AS n
    FROM market_snapshots WHERE span = '1d' AND available_at <= TIMESTAMPTZ '2026-03-04 15:00:00+00'),
ranges AS (
    SELECT ticker, n, greatest(high - low, abs(high - before), abs(low - before)) AS wide FROM bars WHERE n > 0),
wilder AS (
    SELECT ticker, 14::BIGINT AS n, avg(wide) AS atr FROM ranges WHERE n <= 14 GROUP BY ticker
    UNION ALL
    SELECT w.ticker, r.n, (w.atr * 13 + r.wide) / 14 FROM wilder w JOIN ranges r ON r.ticker = w.ticker AND r.n = w.n + 1)
SELECT ticker, arg_max(atr, n) AS atr FROM wilder GROUP BY ticker
"""
CENT = Decimal("0.01")
SLIPPAGE, PARTICIPATION = Decimal("0.0005"), Decimal("0.02")


@pytest.fixture(scope="module")
def sql(day: Day) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = opened(day)
    yield connection
    connection.close()


def test_the_loudest_voices_speak_and_contradicted_ones_do_not(day: Day, sql: duckdb.DuckDBPyConnection) -> None:
    wanted = {row["recommendation_id"] for row in rows_of(sql, SPEAKERS)}
    acted = day.database.fetch(
        "SELECT recommendation_id FROM trading_decisions WHERE as_of = %s AND outcome = 'act'", (NOW,)
    )
    assert wanted == {row["recommendation_id"] for row in acted}


def test_every_size_of_the_first_round(day: Day) -> None:
    sized = day.database.fetch(SIZES, {"as_of": NOW})
    assert len(sized) >= 3
    for row in sized:
        assert row["committed"] == row["spent"], row
        assert row["size"] == row["computed"], row
        parts = 3 if row["size"] > 30 else 1
        assert (row["tranche"], row["tranches"]) == (1, parts)
        assert row["notional"] == (row["size"] / parts).quantize(CENT, rounding=ROUND_DOWN)


def test_stops_and_profits_of_the_first_round(day: Day) -> None:
    for row in day.database.fetch(SIZES, {"as_of": NOW}):
        assert row["stop"] == row["computed_stop"], row
        assert abs(row["take_profit"] - row["computed_profit"]) <= CENT / 2, row


def test_the_average_true_range_behind_every_stop(day: Day, sql: duckdb.DuckDBPyConnection) -> None:
    computed = {row["ticker"]: row["atr"] for row in rows_of(sql, RANGES)}
    traced = day.database.fetch(
        "SELECT ticker, (trace #>> '{inputs,atr}')::float AS atr FROM trading_decisions WHERE outcome = 'act'"
        " AND kind = 'recommendation' AND as_of = %s",
        (NOW,),
    )
    assert traced
    for row in traced:
        assert row["atr"] == pytest.approx(computed[row["ticker"]], rel=1e-9)


def test_the_levels_of_positions_stand_on_what_was_paid(day: Day) -> None:
    levels = day.database.fetch(
        """
        SELECT l.*, round(f.price - l.atr * 2, 2) AS computed_stop,
            f.price + (f.price - round(f.price - l.atr * 2, 2)) * 1.5 AS computed_profit, f.price AS paid
        FROM position_stop_levels l JOIN fills f ON f.ticker = l.ticker AND f.executed_at = l.opened_at
        """
    )
    assert levels
    for row in levels:
        assert row["entry"] == row["paid"]
        assert row["initial_stop"] == row["computed_stop"], row
        assert abs(row["take_profit"] - row["computed_profit"]) <= CENT / 2, row
        assert row["stop"] >= row["initial_stop"]
        trailed = (row["highest"] - row["atr"] * 2).quantize(CENT, rounding=ROUND_HALF_UP)
        assert row["stop"] == max(row["initial_stop"], trailed), row


def test_the_running_balances_are_the_sums_of_their_rows(day: Day) -> None:
    for table in ("cash_ledger", "reserve_pool_ledger"):
        rows = day.database.fetch(
            f"SELECT balance, sum(amount) OVER (PARTITION BY account_id ORDER BY id) AS running FROM {table}"  # type: ignore[arg-type]
        )
        assert rows, table
        assert all(row["balance"] == row["running"] for row in rows), table


def test_cash_moves_with_fills_alone_and_agrees_with_the_broker(day: Day) -> None:
    moved = day.database.fetch(
        """
        SELECT l.amount, (CASE f.side WHEN 'buy' THEN -1 ELSE 1 END) * f.quantity * f.price - f.fee AS computed
        FROM cash_ledger l JOIN fills f USING (fill_id)
        """
    )
    booked = day.database.fetch_one("SELECT count(*) AS n FROM fills")
    assert booked is not None
    assert len(moved) == booked["n"] > 0
    assert all(row["amount"] == row["computed"] for row in moved)
    last = day.database.fetch_one("SELECT balance FROM cash_ledger ORDER BY id DESC LIMIT 1")
    keys = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
    account = day.sandbox.client.get("/alpaca/v2/account", headers=keys).json()
    assert last is not None
    assert abs(last["balance"] - Decimal(account["cash"])) < CENT


def test_profits_are_realised_against_the_average_cost(day: Day) -> None:
    rows = day.database.fetch(
        """
        SELECT s.ticker, s.realised_pnl, s.quantity, s.price, sum(b.quantity * b.price) / sum(b.quantity) AS cost,
            sum(b.quantity) AS bought
        FROM fills s JOIN fills b ON b.ticker = s.ticker AND b.side = 'buy' AND b.executed_at < s.executed_at
        WHERE s.side = 'sell' GROUP BY s.fill_id
        """
    )
    assert rows
    for row in rows:
        assert row["quantity"] <= row["bought"]
        assert row["realised_pnl"] == pytest.approx(row["quantity"] * (row["price"] - row["cost"]), abs=Decimal("1e-9"))


def test_a_fifth_of_each_profit_moves_to_the_reserve(day: Day) -> None:
    rows = day.database.fetch(
        """
        SELECT f.fill_id, trunc(f.realised_pnl * 0.2, 2) AS due, r.amount FROM fills f
        FULL JOIN reserve_pool_ledger r USING (fill_id) WHERE f.realised_pnl >= 0.05 OR r.fill_id IS NOT NULL
        """
    )
    assert rows, "nothing was sold with a profit: choose another day"
    assert all(row["amount"] == row["due"] for row in rows)


def test_orders_fill_at_the_next_bars_open_with_slippage_and_half_the_spread(day: Day) -> None:
    fills = day.database.fetch(
        "SELECT f.*, o.submitted_at FROM fills f JOIN orders o USING (order_id) WHERE o.type = 'market'"
    )
    assert {row["side"] for row in fills} == {"buy", "sell"}
    for row in fills:
        sent = row["submitted_at"]
        bars = _bars(day, row["ticker"], sent)
        bar = next(b for b in bars if b["t"] > sent.timestamp() * 1000)
        price = Decimal(str(bar["o"]))
        spread = max(CENT, (price * Decimal("0.0001")).quantize(CENT))
        worse = price * SLIPPAGE + spread
        expected = price + worse if row["side"] == "buy" else price - worse
        assert abs(row["price"] - expected) <= Decimal("0.0001"), (row, bar)
        assert row["quantity"] <= PARTICIPATION * Decimal(str(bar["v"]))
        assert row["executed_at"] > sent


def _bars(day: Day, ticker: str, sent: datetime) -> list[dict[str, float]]:
    first, last = (int(t.timestamp() * 1000) for t in (sent, sent + timedelta(minutes=1)))
    span = f"range/5/second/{first}/{last}"
    answer = day.sandbox.client.get(f"/polygon/v2/aggs/ticker/{ticker}/{span}", headers={"Authorization": "Bearer k"})
    bars: list[dict[str, float]] = answer.json()["results"]
    return bars
