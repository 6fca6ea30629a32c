"""Orders by hand: all checks, once, wherever a process dies and however many send them."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from stonks_core.errors import BadFieldsError, ConflictError
from stonks_core.stores.postgres import Database
from stonks_trading.console.orders import OwnOrder
from tests.trading.bench import TICKER, Bench, at
from tests.trading.obeying import by_hand, dies, request, started


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    return made


def test_an_order_by_hand_goes_the_way_of_all_orders_and_once(bench: Bench) -> None:
    session = started(bench)
    told = by_hand(bench)
    again = by_hand(bench, minute=2)
    assert (told["order_id"], told["request_id"]) == (again["order_id"], again["request_id"])
    with pytest.raises(ConflictError, match="another order"):
        by_hand(bench, OwnOrder(TICKER, "buy", "market", notional=Decimal(21)))
    assert session.obey(bench.to(at(16, 2))) == {"override_order": 1}
    assert session.obey(at(16, 2)) == {}
    (order,) = bench.orders()
    assert (order["order_id"], order["decision_id"], order["purpose"]) == (
        told["order_id"],
        told["decision_id"],
        "override",
    )
    assert session.send_outbox(at(16, 2)).sent == [told["order_id"]]
    (verdict,) = bench.database.fetch("SELECT eligible, order_id FROM risk_evaluations")
    assert verdict == {"eligible": True, "order_id": told["order_id"]}
    (decision,) = bench.database.fetch("SELECT kind, sentence FROM trading_decisions")
    assert decision == {"kind": "override", "sentence": "Ada asked to buy $20 of ORCL: by hand"}
    assert by_hand(bench, minute=9)["outcome"] == "done"


def test_wherever_a_process_dies_an_order_by_hand_leaves_once(database: Database) -> None:
    for number in range(1, 40, 2):
        bench = Bench(database)
        bench.broker.account_id = name = f"acc{number}"
        session = started(bench)
        database.execute("UPDATE broker_accounts SET synced_at = %s WHERE account_id <> %s", (at(10), name))
        by_hand(bench, key=f"my-order-{number}")
        died = dies(bench, number, "obey", "send_outbox")
        session.reconcile()
        session.obey(bench.clock.now())
        session.send_outbox(bench.later(minutes=2))
        assert len(bench.broker.placed) == 1
        assert len(database.fetch("SELECT 1 FROM orders WHERE account_id = %s", (name,))) == 1
        if not died:
            assert number > 10
            return
    raise AssertionError("a round passes more points than were tried")


def test_the_same_order_sent_by_many_at_once_is_one(bench: Bench) -> None:
    session = started(bench)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: by_hand(bench)["request_id"], range(8)))
    assert len(set(told)) == 1
    session.obey(bench.to(at(16, 2)))
    assert len(session.send_outbox(at(16, 2)).sent) == len(bench.broker.placed) == 1


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        (OwnOrder("NONE", "buy", "market", notional=Decimal(20)), BadFieldsError),
        (OwnOrder(TICKER, "buy", "market", notional=Decimal("0.5")), BadFieldsError),
        (OwnOrder(TICKER, "buy", "limit", quantity=Decimal(1), limit_price=Decimal("1.001")), BadFieldsError),
        (OwnOrder(TICKER, "sell", "market", quantity=Decimal(1)), ConflictError),
    ],
)
def test_what_can_never_be_is_refused_before_it_is_asked(
    bench: Bench, wanted: OwnOrder, refusal: type[Exception]
) -> None:
    started(bench)
    with pytest.raises(refusal):
        by_hand(bench, wanted)
    assert bench.database.fetch("SELECT 1 FROM engine_requests") == []


def test_an_order_by_hand_meets_the_risk_engine_and_may_come_too_late(bench: Bench) -> None:
    session = started(bench)
    by_hand(bench, OwnOrder(TICKER, "buy", "market", notional=Decimal(900)))
    session.obey(bench.to(at(16, 2)))
    row = request(bench)
    assert row["outcome"] == "refused"
    assert "order_size" in row["note"]
    assert session.send_outbox(at(16, 2)).sent == []
    late = by_hand(bench, key="my-order-2", minute=3)
    session.obey(bench.to(at(17)))
    (row,) = bench.database.fetch(
        "SELECT outcome, note FROM engine_requests WHERE request_id = %s", (late["request_id"],)
    )
    assert (row["outcome"], "validity" in row["note"]) == ("refused", True)


def test_limits_that_cannot_be_read_refuse_one_order_and_nothing_else(bench: Bench) -> None:
    session = started(bench)
    by_hand(bench)
    bench.ask("cancel_all", at(16, 2))
    bench.database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.max_order_dollars', '\"lots\"')")
    assert session.obey(bench.to(at(16, 2))) == {"override_order": 0, "cancel_all": 0}
    outcomes = bench.database.fetch("SELECT outcome FROM engine_requests ORDER BY asked_at")
    assert [row["outcome"] for row in outcomes] == ["refused", "done"]
