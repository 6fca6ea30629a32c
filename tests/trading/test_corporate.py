"""Splits and symbol changes of what is held: applied once, before the open, whoever dies when."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stonks_core.registry.companies import rename_company
from stonks_core.registry.editing import Author, editing
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.postgres import Database
from stonks_trading.session import TradingSession
from tests.trading.bench import TICKER, Bench, at
from tests.trading.engine.test_crashes import DyingDatabase, Fuse, Killed
from tests.trading.test_guardian import holding, level_of, round_of, stops_of

MORNING = at(8, day=5)
OPEN = at(13, 30, day=5)
KNOWN = at(12)


def announce(bench: Bench, old: float, new: float, known: datetime = KNOWN) -> None:
    """The lake hears of a split with the ex-date of the 5th of May."""
    row = {
        "day": "2026-05-05",
        "ticker": TICKER,
        "kind": "split",
        "ex_date": "2026-05-05",
        "provider": "polygon",
        "action_id": "s1",
        "terms": f"{old}:{new}",
        "split_from": old,
        "split_to": new,
        "available_at": known,
    }
    bench.lake.rows.setdefault(CORPORATE_ACTIONS.name, []).append(row)


def overnight(bench: Bench, session: TradingSession, ratio: str, now: datetime = MORNING) -> None:
    """The session closes, the stop dies, the broker splits in the night."""
    bench.to(at(20))
    bench.broker.close_session()
    session.sweep(bench.clock.now())
    bench.to(now)
    bench.broker.split(TICKER, ratio)


def row_of(
    bench: Bench, query: str = "SELECT * FROM positions WHERE ticker = %s", ticker: str = TICKER
) -> dict[str, Any]:
    found = bench.database.fetch_one(query, (ticker,))  # type: ignore[arg-type]  # written in this file
    assert found is not None
    return found


LEVELS = "SELECT * FROM position_stop_levels WHERE ticker = %s"


@pytest.mark.parametrize(("old", "new", "ratio"), [(1, 4, "4"), (10, 1, "0.1")])
def test_a_split_rescales_books_and_levels_once_before_the_open(
    database: Database, old: float, new: float, ratio: str
) -> None:
    bench, session = holding(database)
    announce(bench, old, new)
    before, levels = row_of(bench), row_of(bench, LEVELS)
    overnight(bench, session, ratio)
    for _ in range(3):
        assert session.sync(bench.clock.now()).breaks == ()
        assert session.check_stops(bench.clock.now()) == ()
    after, rescaled = row_of(bench), row_of(bench, LEVELS)
    assert after["quantity"] == before["quantity"] * Decimal(ratio) == bench.broker.held(TICKER)
    assert after["cost"] * after["quantity"] == before["cost"] * before["quantity"]
    assert (after["lock_reason"], after["opened_at"]) == ("", before["opened_at"])
    for name in ("stop", "take_profit", "initial_stop", "highest", "entry"):
        assert rescaled[name] == pytest.approx(levels[name] / Decimal(ratio), abs=Decimal("0.005"))
    (row,) = bench.database.fetch("SELECT * FROM position_adjustments")
    assert (row["ratio"], row["quantity_before"], row["stop_after"]) == (
        Decimal(ratio),
        before["quantity"],
        rescaled["stop"],
    )
    bench.to(OPEN)
    round_of(bench, session)
    armed = stops_of(bench)[-1]
    assert (armed["state"], armed["stop_price"], armed["quantity"]) == ("accepted", rescaled["stop"], after["quantity"])


def test_prices_in_the_new_scale_fire_no_stop_of_the_old(database: Database) -> None:
    """The stops task may look before the sync task: the split is applied by whoever looks first."""
    bench, session = holding(database)
    announce(bench, 1, 10)
    overnight(bench, session, "10", now=at(0, day=5))
    assert session.check_stops(bench.clock.now()) == ()
    assert level_of(bench) < 10


def test_what_was_sold_after_a_split_realises_the_profit_of_the_whole(database: Database) -> None:
    bench, session = holding(database)
    announce(bench, 1, 4)
    overnight(bench, session, "4")
    session.sync(bench.clock.now())
    bench.broker.prices[TICKER] = Decimal(60)  # 240 of the old
    bench.to(OPEN + timedelta(minutes=1))
    round_of(bench, session)
    sold = row_of(bench)
    assert (sold["quantity"], bench.broker.held(TICKER)) == (0, 0)
    assert sold["realised_pnl"] == bench.broker.cash - bench.broker.opening
    assert session.sync(bench.clock.now()).breaks == ()


def test_an_order_of_old_shares_is_cancelled(database: Database) -> None:
    bench, session = holding(database)
    announce(bench, 1, 4)
    bench.to(at(20))
    bench.broker.close_session()
    session.sweep(bench.clock.now())
    bench.ask("flatten", at(20, 5))
    session.obey(at(20, 5))
    session.send_outbox(at(20, 5))
    bench.to(MORNING)
    bench.broker.split(TICKER, "4")
    session.sync(bench.clock.now())
    session.sweep(bench.clock.now())
    (flatten,) = [o for o in bench.orders() if o["purpose"] == "flatten"]
    assert (flatten["state"], flatten["reason"]) == ("canceled", f"a split of {TICKER} changed its shares")


def test_a_broker_that_pays_out_the_part_of_a_share_is_followed(database: Database) -> None:
    bench, session = holding(database)
    announce(bench, 1, 3)
    before = row_of(bench)["quantity"]
    overnight(bench, session, "3")
    bench.broker.splits[-1] = (*bench.broker.splits[-1][:2], Decimal(1) / before)  # of 1.5 shares one is left
    assert session.sync(bench.clock.now()).breaks == ()
    after = row_of(bench)
    assert (after["quantity"], after["lock_reason"]) == (1, "")


def test_a_broker_that_has_not_split_by_the_open_is_a_difference(database: Database) -> None:
    bench, session = holding(database)
    announce(bench, 1, 4)
    overnight(bench, session, "1")
    assert session.sync(bench.clock.now()).breaks == ()
    (found,) = session.sync(bench.to(at(12, day=5))).breaks
    assert found.ours == 4 * found.theirs


def test_a_split_that_is_heard_of_late_unlocks_what_it_explains(database: Database) -> None:
    bench, session = holding(database)
    overnight(bench, session, "4")
    assert [b.ticker for b in session.sync(bench.clock.now()).breaks] == [TICKER]
    announce(bench, 1, 4, known=at(9, day=5))
    assert session.sync(bench.to(at(9, day=5))).breaks == ()
    assert row_of(bench)["lock_reason"] == ""


@pytest.mark.parametrize("place", range(1, 12, 2))
def test_a_death_while_a_split_is_applied_applies_it_once(database: Database, place: int) -> None:
    bench, session = holding(database)
    announce(bench, 1, 4)
    before = row_of(bench)["quantity"]
    overnight(bench, session, "4")
    fuse = Fuse(place)
    dying = bench.session(DyingDatabase(database, fuse))  # type: ignore[arg-type]
    with pytest.raises(Killed):
        dying.reconcile()
    fresh = bench.session()
    assert fresh.reconcile().breaks == ()
    assert row_of(bench)["quantity"] == 4 * before


def test_a_renamed_holding_goes_on_under_its_new_ticker(database: Database) -> None:
    bench, session = holding(database)
    before, levels = row_of(bench), row_of(bench, LEVELS)
    bench.to(at(20))
    bench.broker.close_session()
    session.sweep(bench.clock.now())
    with editing(database, Author("ann", "it trades as ORA"), MORNING) as edit:
        rename_company(edit, TICKER, "ORA", None, None)
    assert session.sync(bench.to(MORNING)).breaks == ()
    assert row_of(bench)["quantity"] == before["quantity"]  # the broker has not changed it yet
    bench.broker.rename(TICKER, "ORA")
    for _ in range(2):
        assert session.sync(bench.clock.now()).breaks == ()
    new = row_of(bench, ticker="ORA")
    assert (new["quantity"], new["cost"], new["opened_at"]) == (before["quantity"], before["cost"], before["opened_at"])
    assert row_of(bench)["quantity"] == 0
    assert row_of(bench, LEVELS, "ORA")["stop"] == levels["stop"]
    bench.to(OPEN)
    round_of(bench, session)
    armed = stops_of(bench)[-1]
    assert (armed["ticker"], armed["state"], armed["recommendation_id"]) == ("ORA", "accepted", "acc r1")
    bench.broker.prices["ORA"] = Decimal(200)
    bench.later(minutes=1)
    round_of(bench, session)
    assert bench.broker.held("ORA") == row_of(bench, ticker="ORA")["quantity"] == 0
    total = database.fetch_one("SELECT sum(realised_pnl) AS total FROM positions")
    assert total == {"total": bench.broker.cash - bench.broker.opening}
