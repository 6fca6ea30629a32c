"""Stops at rest at the broker, what makes them go, and the alarm for what nobody protects."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from stonks_core.errors import TransientError
from stonks_core.stores.postgres import Database
from stonks_trading.broker.protocol import Refused
from stonks_trading.records import Quote
from stonks_trading.session import TradingSession
from tests.trading.bench import TICKER, Bench, at
from tests.trading.broker.fake_broker import FakeBroker
from tests.trading.engine.test_crashes import DyingDatabase, Fuse, Killed


def stops_of(bench: Bench) -> list[dict[str, Any]]:
    account = bench.broker.account_id
    return [o for o in bench.orders() if (o["purpose"], o["account_id"]) == ("protective_stop", account)]


def round_of(bench: Bench, session: TradingSession, *, fill: bool = True) -> None:
    """What the daemon's stops task does, and the sync after it."""
    now = bench.clock.now()
    session.check_stops(now)
    session.protect(now)
    session.send_outbox(now)
    if fill:
        bench.broker.fill_all()
    session.sweep(now)


def holding(database: Database, account: str = "acc", **environment: str) -> tuple[Bench, TradingSession]:
    """A position bought at 100, its levels set, and a stop at rest for it."""
    bench = Bench(database, **environment)
    bench.broker.account_id = account
    bench.lake.recommend(f"{account} r1", at(15, 30))
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    round_of(bench, session)
    session.protect(at(16))
    return bench, session


def position_of(bench: Bench) -> dict[str, Any]:
    found = bench.database.fetch_one("SELECT * FROM positions WHERE account_id = %s", (bench.broker.account_id,))
    assert found is not None
    return found


def level_of(bench: Bench) -> Decimal:
    found = bench.database.fetch_one(
        "SELECT stop FROM position_stop_levels WHERE account_id = %s", (bench.broker.account_id,)
    )
    assert found is not None
    stop: Decimal = found["stop"]
    return stop


def never_oversold(bench: Bench) -> None:
    """What the broker holds and what our open sells would still take from it."""
    assert bench.broker.bound(TICKER) <= bench.broker.held(TICKER)
    assert all(e.quantity > 0 for e in bench.broker.done)
    assert bench.broker.held(TICKER) >= 0


def test_a_stop_rests_for_the_whole_position_and_is_explained(database: Database) -> None:
    bench, session = holding(database)
    (stop,) = stops_of(bench)
    assert (stop["state"], stop["side"], stop["type"], stop["time_in_force"]) == ("accepted", "sell", "stop", "day")
    assert stop["quantity"] == position_of(bench)["quantity"]
    assert stop["stop_price"] == level_of(bench)
    assert position_of(bench)["protection"] == "broker"
    decision = bench.database.fetch_one(
        "SELECT * FROM trading_decisions WHERE decision_id = %s", (stop["decision_id"],)
    )
    assert decision is not None
    assert (decision["kind"], decision["recommendation_id"]) == ("protective_stop", "acc r1")
    assert decision["trace"]["inputs"]["feed"] == "fake"
    for _ in range(3):
        round_of(bench, session)
    assert len(stops_of(bench)) == 1


def test_a_stop_trails_by_one_that_takes_its_place_and_never_falls(database: Database) -> None:
    bench, session = holding(database)
    bench.broker.prices[TICKER] = Decimal("101.50")
    bench.later(minutes=1)
    round_of(bench, session)
    first, second = stops_of(bench)
    assert (first["state"], second["state"]) == ("canceled", "accepted")
    assert second["stop_price"] == first["stop_price"] + Decimal("1.50")
    bench.broker.prices[TICKER] = Decimal("99.50")
    bench.later(minutes=1)
    round_of(bench, session)
    assert len(stops_of(bench)) == 2
    assert session.sync(bench.clock.now()).breaks == ()


def test_a_stop_that_fires_closes_the_position_without_an_order_of_the_daemon(database: Database) -> None:
    bench, session = holding(database)
    bench.broker.prices[TICKER] = level_of(bench) - 1
    bench.later(minutes=1)
    bench.broker.fill_all()
    session.sweep(bench.clock.now())
    round_of(bench, session)
    assert position_of(bench)["quantity"] == 0
    assert sorted(o["purpose"] for o in bench.orders()) == ["entry", "protective_stop"]
    assert stops_of(bench)[0]["state"] == "filled"


def test_an_exit_waits_until_the_stop_is_cancelled(database: Database) -> None:
    bench, session = holding(database)
    bench.broker.slow_cancels = True
    bench.broker.prices[TICKER] = Decimal(200)
    now = bench.later(minutes=1)
    session.check_stops(now)
    held = session.send_outbox(now).held
    assert [text.split(" of ")[1] for text in held.values()] == [f"{TICKER} until it is cancelled"]
    assert [o["purpose"] for o in bench.orders() if o["broker_order_id"] is None] == ["take_profit"]
    asked = len(bench.broker.canceling)
    session.send_outbox(now)
    assert len(bench.broker.canceling) == asked == 1  # asked for once, not in every round
    never_oversold(bench)
    bench.broker.confirm_cancels()
    round_of(bench, session)
    assert position_of(bench)["quantity"] == 0
    never_oversold(bench)


def test_an_exit_after_the_stop_sold_a_part_sells_the_rest_only(database: Database) -> None:
    bench, session = holding(database)
    whole = position_of(bench)["quantity"]
    bench.broker.slow_cancels = True
    bench.broker.prices[TICKER] = level_of(bench)
    now = bench.later(minutes=1)
    session.check_stops(now)
    session.send_outbox(now)
    bench.broker.fill(stops_of(bench)[0]["order_id"], "0.4")  # the cancellation came too late for these
    bench.broker.confirm_cancels()
    session.send_outbox(now)
    never_oversold(bench)
    round_of(bench, session)
    assert position_of(bench)["quantity"] == 0
    sold = [e.quantity for e in bench.broker.done if e.side == "sell"]
    assert sum(sold) == whole
    assert [o["state"] for o in bench.orders() if o["purpose"] == "stop"] == ["rejected", "filled"]


def test_the_stop_makes_way_for_a_tranche_and_follows_the_position(database: Database) -> None:
    bench = Bench(database, TRADING_GRADUAL_ENTRY_TRANCHES="2")
    bench.lake.recommend("r1", at(15, 30))
    session = bench.session()
    session.reconcile()
    for minute in range(3):
        now = bench.to(at(16, minute))
        session.decide(now)
        session.send_outbox(now)
        bench.broker.fill_all()
        session.sweep(now)
        round_of(bench, session)
    first, second = stops_of(bench)
    assert (first["state"], second["state"]) == ("canceled", "accepted")
    assert second["quantity"] == position_of(bench)["quantity"] > first["quantity"]
    assert [o["state"] for o in bench.orders() if o["side"] == "buy"] == ["filled", "filled"]


def test_a_stop_that_died_with_the_day_is_armed_again_in_the_next_session(database: Database) -> None:
    bench, session = holding(database)
    bench.to(at(20))
    bench.broker.close_session()
    session.sweep(bench.clock.now())
    bench.lake.bars(TICKER, bench.clock.now().date(), [100.0], bench.calendar)
    round_of(bench, session)
    assert position_of(bench)["protection"] == "monitored"  # nothing rests while nothing trades
    bench.to(at(13, 29, day=5))
    round_of(bench, session)
    assert len(stops_of(bench)) == 1
    bench.to(at(13, 30, day=5))
    round_of(bench, session)
    dead, armed = stops_of(bench)
    assert (dead["state"], armed["state"], armed["stop_price"]) == ("expired", "accepted", dead["stop_price"])
    session.protect(bench.clock.now())
    assert position_of(bench)["protection"] == "broker"


def test_a_stop_not_sent_before_the_close_is_let_go(database: Database) -> None:
    bench, session = holding(database)
    bench.database.execute("UPDATE engine_control SET value = 'true' WHERE key = 'kill_switch'")
    bench.broker.prices[TICKER] = Decimal("101.50")
    bench.later(minutes=1)
    round_of(bench, session)
    resting, waiting = stops_of(bench)
    assert (resting["state"], waiting["state"]) == ("accepted", "intended")  # nothing is cancelled for what may not go
    bench.database.execute("UPDATE engine_control SET value = 'false' WHERE key = 'kill_switch'")
    bench.to(at(20, 1))
    assert session.send_outbox(bench.clock.now()).let_go == [waiting["order_id"]]


def test_with_resting_stops_off_the_daemon_watches_alone(database: Database) -> None:
    bench, _ = holding(database, TRADING_BROKER_STOPS="false")
    assert stops_of(bench) == []
    assert position_of(bench)["protection"] == "monitored"


def test_a_refused_stop_is_asked_for_again_later_and_the_daemon_watches_meanwhile(database: Database) -> None:
    bench = Bench(database)
    bench.lake.recommend("r1", at(15, 30))
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    bench.broker.next_answer = Refused("42210000", "no stops today")
    round_of(bench, session)
    assert position_of(bench)["protection"] == "monitored"
    round_of(bench, session)
    assert len(stops_of(bench)) == 1
    bench.later(minutes=1)
    round_of(bench, session)
    assert [s["state"] for s in stops_of(bench)] == ["rejected", "accepted"]


def test_what_nobody_protects_alarms_once_and_clears(database: Database) -> None:
    bench, session = holding(database, TRADING_BROKER_STOPS="false")
    alarms = "SELECT severity, subject FROM notifications WHERE subject LIKE '%%protected%%' ORDER BY id"
    silent = Silent(bench.broker)
    bench.broker = silent
    session = bench.session()
    session.reconcile()
    for minute in (1, 2, 3):
        with pytest.raises(TransientError):
            session.protect(bench.to(at(16, minute)))
    assert bench.database.fetch(alarms) == []
    assert position_of(bench)["protection"] == "none"
    for minute in (4, 5):
        with pytest.raises(TransientError):
            session.protect(bench.to(at(16, minute)))
    assert bench.database.fetch(alarms) == [{"severity": "critical", "subject": f"{TICKER} is unprotected"}]
    assert "no fresh price" in position_of(bench)["protection_note"]
    silent.away = False
    assert session.protect(bench.to(at(16, 6))).unprotected == ()
    assert [row["severity"] for row in bench.database.fetch(alarms)] == ["critical", "info"]
    assert (position_of(bench)["protection"], position_of(bench)["alarmed"]) == ("monitored", False)


class Silent(FakeBroker):
    """The same account, at first without quotes."""

    def __init__(self, other: FakeBroker) -> None:
        self.__dict__.update(other.__dict__)
        self.away = True

    def quotes(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        if self.away:
            raise TransientError("the market data address gave no readable answer")
        return super().quotes(tickers)


def test_a_night_does_not_count_as_unprotected(database: Database) -> None:
    bench, session = holding(database, TRADING_BROKER_STOPS="false")
    bench.database.execute("DELETE FROM position_stop_levels")
    session.protect(bench.to(at(19, 58)))
    session.protect(bench.to(at(13, 30, day=5)))
    session.protect(bench.to(at(13, 30, day=5)))
    assert bench.database.fetch("SELECT 1 FROM notifications WHERE severity = 'critical'") == []
    session.protect(bench.to(at(13, 31, day=5)))
    (told,) = bench.database.fetch("SELECT body FROM notifications WHERE severity = 'critical'")
    assert "has no stop level" in told["body"]


def test_a_death_between_the_cancelled_stop_and_the_sell_oversells_nothing(database: Database) -> None:
    """At each wire of the round that leaves and around its commits; the rounds after it, of a new process, end flat."""
    reference, _ = holding(database, "reference")
    fuse = Fuse(10**9)
    _leave(reference, fuse)
    wires = [n for n, point in enumerate(fuse.passed, 1) if point.startswith(("cancel", "submit"))]
    assert [fuse.passed[n - 1] for n in wires] == ["cancel.before", "cancel.after", "submit.before", "submit.after"]
    for place in range(wires[0] - 2, wires[-1] + 4):
        bench, session = holding(database, f"dies at {place}")
        with pytest.raises(Killed):
            _leave(bench, Fuse(place))
        never_oversold(bench)
        session = bench.session()
        session.reconcile()
        for _ in range(2):
            round_of(bench, session)
            never_oversold(bench)
        assert bench.broker.held(TICKER) == position_of(bench)["quantity"] == 0, f"died at {place}"


def _leave(bench: Bench, fuse: Fuse) -> None:
    session = bench.session(DyingDatabase(bench.database, fuse))  # type: ignore[arg-type]
    bench.broker.prices[TICKER] = Decimal(200)
    bench.broker.step = fuse
    try:
        session.reconcile()
        round_of(bench, session)
    finally:
        bench.broker.step = lambda _: None


def test_a_stop_makes_way_when_everything_is_to_be_sold(database: Database) -> None:
    bench, session = holding(database)
    (resting,) = stops_of(bench)
    bench.later(minutes=1)
    bench.ask("flatten", bench.clock.now())
    for _ in range(2):
        session.obey(bench.clock.now())
        round_of(bench, session, fill=False)
        never_oversold(bench)
    (stop,) = stops_of(bench)
    assert (stop["order_id"], stop["state"]) == (resting["order_id"], "canceled")
    assert [o["state"] for o in bench.orders() if o["purpose"] == "flatten"] == ["accepted"]
    bench.broker.fill_all()
    session.sweep(bench.clock.now())
    session.obey(bench.clock.now())
    done = bench.database.fetch("SELECT outcome FROM engine_requests")
    assert ([row["outcome"] for row in done], bench.broker.held(TICKER)) == (["done"], 0)
