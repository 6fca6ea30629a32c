"""The session's steps over a real database, a fake lake and a fake broker."""

from decimal import Decimal

import pytest

from stonks_core.errors import BadInputError, StonksError
from stonks_core.stores.postgres import Database
from stonks_trading.broker.protocol import InDoubt, NotSent, Refused
from tests.trading.bench import TICKER, Bench, at


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    return made


def test_nothing_happens_before_a_reconciliation(bench: Bench) -> None:
    session = bench.session()
    with pytest.raises(StonksError, match="reconcile"):
        session.decide(at(16))
    with pytest.raises(StonksError, match="reconcile"):
        session.send_outbox(at(16))


def test_from_recommendation_to_position(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    (decision,) = session.decide(at(16))
    assert (decision.outcome, decision.ticker, decision.reason) == ("act", TICKER, "sized")
    (order,) = bench.orders()
    assert (order["state"], order["recommendation_id"], order["broker_order_id"]) == ("intended", "r1", None)
    assert session.send_outbox(at(16)).sent == [order["order_id"]]
    assert bench.orders()[0]["state"] == "accepted"
    bench.broker.fill(order["order_id"])
    assert session.sweep(at(16, 1)).booked == 1
    (order,) = bench.orders()
    assert (order["state"], order["filled_average_price"]) == ("filled", Decimal(100))
    (position,) = bench.database.fetch("SELECT * FROM positions")
    assert position["quantity"] == bench.broker.done[0].quantity
    assert position["cost"] == 100
    assert session.sync(at(16, 2)).breaks == ()
    ledger = bench.database.fetch_one("SELECT balance FROM cash_ledger ORDER BY id DESC LIMIT 1")
    assert ledger is not None
    assert ledger["balance"] == bench.broker.cash


def test_every_step_done_again_changes_nothing(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    for _ in range(3):
        session.decide(at(16))
        session.send_outbox(at(16))
        bench.broker.fill_all()
        session.sweep(at(16))
        session.check_stops(at(16))
    assert bench.broker.submitted == len(bench.broker.placed) == 1
    counts = {t: bench.database.fetch(f"SELECT 1 FROM {t}") for t in ("orders", "fills", "trading_decisions")}
    assert {name: len(rows) for name, rows in counts.items()} == {"orders": 1, "fills": 1, "trading_decisions": 1}


def test_a_skip_that_may_pass_is_one_row_until_it_changes(bench: Bench) -> None:
    bench.database.execute("UPDATE engine_control SET value = 'true' WHERE key = 'paused'")
    session = bench.session()
    session.reconcile()
    assert [d.reason for d in session.decide(at(16))] == ["paused"]
    assert session.decide(at(16, 1)) == ()
    assert session.decide(at(16, 2)) == ()
    (row,) = bench.database.fetch("SELECT * FROM trading_decisions")
    assert (row["reason"], row["times"], row["final"], row["last_as_of"]) == ("paused", 3, False, at(16, 2))
    bench.database.execute("UPDATE engine_control SET value = 'false' WHERE key = 'paused'")
    assert [d.outcome for d in session.decide(bench.to(at(16, 3)))] == ["act"]


def test_gradual_entry_sends_one_tranche_an_interval(database: Database) -> None:
    bench = Bench(database, TRADING_GRADUAL_ENTRY_TRANCHES="3")
    bench.lake.recommend("r1", at(15, 30))
    session = bench.session()
    session.reconcile()
    for minute in range(5):
        now = bench.to(at(16, minute))
        session.decide(now)
        session.decide(now)
        session.send_outbox(now)
        bench.broker.fill_all()
        session.sweep(now)
    orders = bench.orders()
    assert [(o["tranche"], o["tranches"], o["state"]) for o in orders] == [(n, 3, "filled") for n in (1, 2, 3)]
    assert sum(o["notional"] for o in orders) <= 50


def test_the_kill_switch_stops_what_was_decided_already(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    bench.database.execute("UPDATE engine_control SET value = 'true' WHERE key = 'kill_switch'")
    held = session.send_outbox(at(16)).held
    assert list(held.values()) == ["the kill switch is on"]
    assert bench.broker.submitted == 0
    bench.database.execute("UPDATE engine_control SET value = 'false' WHERE key = 'kill_switch'")
    assert len(session.send_outbox(at(16)).sent) == 1


def test_a_refusal_is_final_and_says_why(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    bench.broker.next_answer = Refused("40310000", "insufficient buying power")
    session.send_outbox(at(16))
    (order,) = bench.orders()
    assert (order["state"], order["broker_code"], order["reason"]) == (
        "rejected",
        "40310000",
        "insufficient buying power",
    )
    assert session.decide(bench.later(minutes=2)) == ()


@pytest.mark.parametrize("answer", [NotSent("throttled"), InDoubt("timed out")])
def test_what_did_not_arrive_is_looked_up_and_sent_again(bench: Bench, answer: NotSent | InDoubt) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    bench.broker.next_answer = answer
    assert len(session.send_outbox(at(16)).in_doubt) == 1
    assert bench.orders()[0]["state"] == "unknown"
    assert len(session.send_outbox(at(16)).sent) == 1
    assert len(bench.broker.placed) == 1
    assert bench.orders()[0]["attempts"] == 2


def test_a_lost_answer_is_adopted_and_not_sent_again(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    bench.broker.lose_answer = True
    session.send_outbox(at(16))
    assert bench.broker.submitted == len(bench.broker.placed) == 1
    assert bench.orders()[0]["state"] == "accepted"


def test_an_order_past_its_recommendation_is_let_go(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    assert session.send_outbox(at(16, day=8)).let_go != []
    assert bench.broker.submitted == 0
    assert bench.orders()[0]["state"] == "expired"


def test_a_stop_is_set_trails_and_lets_out_even_when_paused(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    assert session.check_stops(at(16)) == ()
    first = bench.database.fetch_one("SELECT * FROM position_stop_levels")
    assert first is not None
    assert first["stop"] < 100 < first["take_profit"]
    bench.broker.prices[TICKER] = Decimal("101.50")
    session.check_stops(bench.later(minutes=1))
    second = bench.database.fetch_one("SELECT * FROM position_stop_levels")
    assert second is not None
    assert second["stop"] == first["stop"] + Decimal("1.50")
    assert second["take_profit"] == first["take_profit"]
    bench.database.execute("UPDATE engine_control SET value = 'true' WHERE key = 'paused'")
    bench.broker.prices[TICKER] = second["stop"]
    now = bench.later(minutes=1)
    (exit_,) = session.check_stops(now)
    assert (exit_.reason, exit_.recommendation_id) == ("stop", "r1")
    assert (exit_.inputs["feed"], exit_.inputs["bid"]) == ("fake", str(second["stop"] - Decimal("0.01")))
    assert session.check_stops(now) == ()  # one exit, however often it is looked at
    session.send_outbox(now)
    bench.broker.fill_all()
    session.sweep(bench.later(minutes=1))
    position = bench.database.fetch_one("SELECT quantity, realised_pnl FROM positions")
    assert position is not None
    assert position["quantity"] == 0
    assert position["realised_pnl"] == bench.broker.cash - bench.broker.opening


def test_a_refused_exit_is_tried_again_later_under_another_id(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    session.check_stops(at(16))
    bench.broker.prices[TICKER] = Decimal(50)
    bench.broker.next_answer = Refused("40310000", "insufficient qty available")
    now = bench.later(minutes=1)
    assert len(session.check_stops(now)) == 1
    session.send_outbox(now)
    assert session.check_stops(bench.later(seconds=30)) == ()
    now = bench.later(seconds=31)
    assert len(session.check_stops(now)) == 1
    session.send_outbox(now)
    assert [o["state"] for o in bench.orders()] == ["filled", "rejected", "accepted"]


def test_a_break_locks_the_ticker_until_the_books_agree(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    bench.broker.placed.clear()
    stranger = bench.broker.done
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    taken = stranger.pop()  # the broker's shares are gone, by an order that was not ours
    (found,) = session.sync(at(16, 1)).breaks
    assert (found.ticker, found.theirs) == (TICKER, 0)
    bench.lake.recommend("r2", at(16, 1), window="30d")
    assert [d.reason for d in session.decide(at(16, 2)) if d.recommendation_id == "r2"] in (["locked"], ["outspoken"])
    stranger.append(taken)
    assert session.sync(at(16, 3)).breaks == ()
    row = bench.database.fetch_one("SELECT lock_reason FROM positions WHERE ticker = %s", (TICKER,))
    assert row == {"lock_reason": ""}


def test_a_loss_of_one_position_trips_its_breaker_and_cancels_open_buys(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    bench.lake.recommend("r2", at(16), ticker="ACME")
    session.decide(at(16, 1))
    session.send_outbox(at(16, 1))
    bench.broker.prices[TICKER] = Decimal(60)
    session.check_stops(bench.to(at(16, 2)))
    (event,) = bench.database.fetch("SELECT * FROM circuit_breaker_events")
    assert (event["breaker"], event["ticker"], event["event"]) == ("single_position", TICKER, "trip")
    session.sweep(at(16, 3))
    assert [o["state"] for o in bench.orders() if o["ticker"] == "ACME"] == ["canceled"]
    bench.lake.recommend("r3", at(16, 2), ticker="ACME")
    assert "breaker" in [d.reason for d in session.decide(at(16, 4))]


def test_the_close_of_a_day_is_written_once(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    session.check_stops(at(16))
    bench.broker.prices[TICKER] = Decimal(150)
    session.check_stops(bench.later(minutes=1))
    session.send_outbox(bench.later(minutes=1))
    bench.broker.fill_all()
    session.sweep(bench.later(minutes=1))
    profit = bench.broker.cash - bench.broker.opening
    assert profit > 0
    closed = session.close_day(bench.to(at(20, 30)))
    assert closed == bench.broker.cash
    assert session.close_day(at(20, 31)) is None
    (row,) = bench.database.fetch("SELECT amount, balance FROM reserve_pool_ledger")
    assert row["amount"] == row["balance"] == (profit * Decimal("0.2")).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
    (snapshot,) = bench.database.fetch("SELECT * FROM portfolio_snapshots")
    assert (snapshot["equity"], snapshot["realised_pnl"], snapshot["reserve"]) == (
        bench.broker.cash,
        profit,
        row["balance"],
    )


def test_between_sessions_an_order_waits_only_while_its_view_lives(database: Database) -> None:
    bench = Bench(database)
    bench.lake.recommend("short", at(21), window="1d", expires_at=at(9, day=5))
    bench.lake.recommend("long", at(21), ticker="ACME", expires_at=at(21, day=7))
    bench.to(at(21, 30))
    session = bench.session()
    session.reconcile()
    decisions = {d.recommendation_id: d for d in session.decide(at(21, 30))}
    assert (decisions["short"].outcome, decisions["short"].reason) == ("skip", "market_closed")
    assert decisions["long"].outcome == "act"


def test_with_trading_off_nothing_is_decided_but_the_books_are_kept(database: Database) -> None:
    bench = Bench(database, TRADING_ENABLED="false")
    bench.lake.recommend("r1", at(15, 30))
    session = bench.session()
    session.reconcile()
    assert session.decide(at(16)) == ()
    assert session.sync(at(16)).breaks == ()
    assert bench.database.fetch_one("SELECT count(*) AS n FROM trading_decisions") == {"n": 0}


def test_an_operator_flattens(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    bench.ask("flatten", at(16, 1))
    assert session.obey(at(16, 1)) == {"flatten": 1}
    assert session.obey(at(16, 2)) == {"flatten": 0}
    session.send_outbox(at(16, 2))
    bench.broker.fill_all()
    session.sweep(bench.to(at(16, 3)))
    assert session.obey(at(16, 3)) == {"flatten": 0}
    assert session.obey(at(16, 4)) == {}
    assert session.sync(at(16, 4)).breaks == ()
    assert list(bench.broker.positions()) == []


def test_every_order_is_vetted_and_what_asks_for_a_person_waits(bench: Bench) -> None:
    bench.database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.approval_above_dollars', '10')")
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    assert list(session.send_outbox(at(16)).held.values()) == ["waits for an operator's approval"]
    (verdict,) = bench.database.fetch("SELECT order_id, eligible, needs_approval, checks FROM risk_evaluations")
    assert (verdict["eligible"], verdict["needs_approval"]) == (True, True)
    assert {c["name"] for c in verdict["checks"]} >= {"position_limit", "no_short", "breakers"}
    bench.database.execute(
        "UPDATE approval_requests SET status = 'approved', reviewed_by = 'ann', reviewed_at = %s", (at(16, 1),)
    )
    assert session.send_outbox(at(16, 2)).sent == [verdict["order_id"]]


def test_an_approval_that_nobody_gives_lets_the_order_go(bench: Bench) -> None:
    bench.database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.approval_above_dollars', '10')")
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    assert len(session.send_outbox(at(21)).refused) == 1
    assert (bench.orders()[0]["state"], bench.broker.submitted) == ("rejected", 0)


def test_what_the_risk_engine_refuses_never_leaves(bench: Bench) -> None:
    bench.database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.max_order_dollars', '5')")
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    assert session.send_outbox(at(16)).sent == []
    (order,) = bench.orders()
    assert (order["state"], order["broker_code"]) == ("rejected", "risk")
    assert "order_size" in order["reason"]


def test_limits_that_cannot_be_read_stop_buying(bench: Bench) -> None:
    bench.database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.max_order_dollars', '\"lots\"')")
    session = bench.session()
    session.reconcile()
    with pytest.raises(BadInputError, match="max_order_dollars"):
        session.decide(at(16))
    assert bench.orders() == []


def test_both_profits_are_told_of_every_trade_and_in_all(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    session.check_stops(at(16))
    bench.broker.prices[TICKER] = Decimal(150)
    session.check_stops(bench.later(minutes=1))
    session.send_outbox(bench.later(minutes=1))
    bench.broker.fill_all()
    session.sweep(bench.later(minutes=1))
    bought, sold = bench.database.fetch(
        "SELECT f.*, o.bid, o.ask FROM fills f JOIN orders o USING (order_id) ORDER BY fill_id"
    )
    assert (bought["ask"], sold["bid"]) == (Decimal("100.01"), Decimal("149.99"))
    assert bought["conservative_price"] > bought["ask"]
    assert sold["conservative_price"] < sold["bid"]
    assert 0 < sold["conservative_pnl"] < sold["realised_pnl"]
    assert session.close_day(bench.to(at(20, 30))) == bench.broker.cash
    (snapshot,) = bench.database.fetch("SELECT * FROM portfolio_snapshots")
    assert snapshot["conservative_realised_pnl"] == sold["conservative_pnl"]
    assert snapshot["conservative_unrealised_pnl"] == snapshot["unrealised_pnl"] == 0
    (position,) = bench.database.fetch("SELECT realised_pnl, conservative_pnl FROM positions")
    assert position == {"realised_pnl": sold["realised_pnl"], "conservative_pnl": sold["conservative_pnl"]}
